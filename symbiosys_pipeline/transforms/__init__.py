"""Pure functions over frames and bytes: parse, slice, stage, sessions, channels, identity, events. No I/O, no Dagster."""
