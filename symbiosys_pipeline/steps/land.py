"""Landing: keep a delivery's bytes exactly as delivered, with their hash."""

import hashlib
from dataclasses import replace
from functools import partial

from symbiosys_pipeline.contracts.profile import ClientProfile, FileSource
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.errors import ConfigurationError
from symbiosys_pipeline.sources.object_store import ObjectStoreSource
from symbiosys_pipeline.storage.layout import landed_content, landing_folder
from symbiosys_pipeline.storage.ledger_tables import Delivery, DeliveryState
from symbiosys_pipeline.storage.manifests import write_manifest


def source_of(profile: ClientProfile, delivery: Delivery) -> FileSource:
    """The source a delivery came through; `ConfigurationError` when the profile no longer has it."""
    for source in profile.sources(delivery.dataset):
        if source.name == delivery.source:
            return source
    mistake = (
        f"{delivery.dataset}.sources: {delivery.source_key} came through the source {delivery.source!r}, "
        "which the profile no longer has; expected a source of that name"
    )
    raise ConfigurationError(profile.client, [mistake])


def land(deployment: Deployment, profile: ClientProfile, delivery: Delivery) -> Delivery:
    """Copy one discovered generation into the lake; bytes that are there already are not stored twice.

    Returns:
        The delivery in state `landed`, with its SHA-256.

    Raises:
        SourceError: The object is gone or changed; nothing was kept, and the next listing sees it anew.
    """
    store = ObjectStoreSource.at(source_of(profile, delivery).location, home=deployment.settings.home)
    with deployment.lake.scratch() as scratch:
        digest = hashlib.sha256()
        local = scratch / "content"
        with store.read(delivery.source_key, delivery.generation) as blocks, local.open("wb") as file:
            for block in blocks:
                digest.update(block)
                file.write(block)
        sha256 = digest.hexdigest()
        same = deployment.ledger.deliveries.same_content(delivery, sha256)
        folder = landing_folder(
            delivery.client, delivery.dataset, delivery.delivery_day, delivery.delivery_id
        )
        if same is not None and same.landing_folder is not None:
            folder = same.landing_folder
        else:
            deployment.lake.publish(local, landed_content(folder))
    landed = replace(
        delivery,
        state=DeliveryState.LANDED,
        sha256=sha256,
        landing_folder=folder,
        content_of=None if same is None else same.delivery_id,
    )
    return deployment.ledger.deliveries.record(landed, (), keep=partial(write_manifest, deployment.lake))
