"""The reconciler of this deployment."""

import dagster as dg

from symbiosys_pipeline.automation.reconciler import reconciler


@dg.definitions
def reconciling() -> dg.Definitions:
    """One sensor for all clients."""
    return dg.Definitions(sensors=[reconciler])
