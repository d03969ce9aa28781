"""What `symbiosys …` does, one module per group of commands. `symbiosys_pipeline.cli` puts them together."""
