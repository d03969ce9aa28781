"""HOW bytes reach us: listing and reading what clients deliver. Nothing is ever written to a client."""
