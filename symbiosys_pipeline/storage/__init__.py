"""WHERE data lies: lake, layout, ledger, warehouse views. No Dagster, no rules about the data."""
