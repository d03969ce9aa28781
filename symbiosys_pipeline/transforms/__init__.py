"""Pure functions over frames and bytes: parse, slice, stage, sessions, events. No I/O, no Dagster."""
