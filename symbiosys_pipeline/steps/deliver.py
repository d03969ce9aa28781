"""Take one delivery as far as it will go: land it, then read it."""

from symbiosys_pipeline.clients import profile_sha
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.steps.land import land
from symbiosys_pipeline.steps.read import read_delivery
from symbiosys_pipeline.storage.ledger_tables import Delivery, DeliveryState


def is_pending(profile: ClientProfile, delivery: Delivery) -> bool:
    """Whether a current delivery still has to be landed or read.

    A refused delivery waits until the profile that could not read it has changed.
    """
    if delivery.state is DeliveryState.REFUSED:
        return delivery.profile_sha != profile_sha(profile, delivery.dataset)
    return delivery.state is not DeliveryState.STANDARDIZED


def loses_too_many_rows(profile: ClientProfile, delivery: Delivery) -> bool:
    """Whether more rows of a delivery were quarantined than the client's `valid_share` lets pass."""
    received = delivery.rows_received or 0
    return (delivery.rows_quarantined or 0) > (1 - profile.thresholds.valid_share) * received


def deliver(
    deployment: Deployment, profile: ClientProfile, delivery: Delivery, *, again: bool = False
) -> Delivery | None:
    """Land and read a current delivery; None where there was nothing left to do.

    Raises:
        SourceError: The object is gone or changed meanwhile.
        LakeError: Its landed bytes are missing.
    """
    if not again and not is_pending(profile, delivery):
        return None
    landed = delivery
    if delivery.state is DeliveryState.DISCOVERED:
        landed = land(deployment, profile, delivery)
        if not again and not is_pending(profile, landed):
            # Another process has read it meanwhile.
            return None
    return read_delivery(deployment, profile, landed, again=again)
