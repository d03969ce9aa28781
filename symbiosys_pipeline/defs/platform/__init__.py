"""What runs once per deployment, whatever its clients."""
