"""The Dagster assets: thin over `symbiosys_pipeline.steps`, with metadata and check results attached."""
