"""What one step of the way does: read from the layer before, transform, write, record. No Dagster.

`discover` and `land` bring bytes in, `read` turns a delivery into slices, `stage` and `judge` make and check
an event day, `publish` makes its event tables, `reconcile` says which days are not what they should be.
"""
