"""WHAT the data must be: fields, datasets, published tables, client profiles. No I/O, no Dagster."""
