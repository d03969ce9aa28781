"""Which delivery days of a client still hold something to land or read. Reads only the ledger."""

from datetime import date

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.steps.deliver import is_pending


def pending_delivery_days(deployment: Deployment, profile: ClientProfile) -> list[date]:
    """The delivery days with a current delivery that is not read yet, or waits for a changed profile."""
    return sorted(
        {
            delivery.delivery_day
            for dataset in Dataset
            for delivery in deployment.ledger.deliveries.current(profile.client, dataset)
            if is_pending(profile, delivery)
        }
    )
