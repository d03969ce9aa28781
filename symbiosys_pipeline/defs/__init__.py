"""What runs in this deployment: `clients/<client>/defs.yaml` and the platform's own definitions."""
