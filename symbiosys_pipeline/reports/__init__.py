"""What people read: status, explanations, the catalogue. Reads the ledger and the lake; no Dagster."""
