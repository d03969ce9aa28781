"""Compare what clients' sources hold with what the ledger knows, and record every new generation."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.file_pattern import FilePattern
from symbiosys_pipeline.contracts.profile import ClientProfile, FileSource
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.sources.object_store import UNREADABLE, ObjectStoreSource, SourceObject
from symbiosys_pipeline.storage.ledger_tables import Delivery, DeliveryState
from symbiosys_pipeline.storage.manifests import write_manifest

_EXAMPLES = 3


@dataclass(frozen=True)
class Discovery:
    """What one look at a dataset's sources found.

    Attributes:
        observed: Generations that are new, or current again, in the order recorded.
        listed: Objects listed.
        ignored: Why objects were left alone, how many, and the first few names of each reason.
    """

    observed: tuple[Delivery, ...]
    listed: int
    ignored: dict[str, tuple[int, tuple[str, ...]]]


def delivery_id(client: str, dataset: Dataset, source: str, key: str, generation: str) -> str:
    """The identity of a delivery: 16 hex digits of client, dataset, source, key and generation."""
    text = "\x1f".join((client, dataset, source, key, generation))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def discover(
    deployment: Deployment, profile: ClientProfile, dataset: Dataset, *, now: datetime | None = None
) -> Discovery:
    """List a dataset's sources page by page and record what is new.

    A generation is new when it is not the one observed last for its key, so a file restored to an older
    content is observed again and its rows become live again.

    Args:
        deployment: Lake and ledger.
        profile: The client.
        dataset: Which of the two datasets.
        now: The present, for the delivery day of names without a date.

    Raises:
        SourceError: A source cannot be listed.
    """
    seen_at = now or datetime.now(UTC)
    today = seen_at.astimezone(ZoneInfo(profile.time_zone)).date()
    observed: list[Delivery] = []
    ignored: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    listed = 0
    for source in profile.sources(dataset):
        pattern = FilePattern.parse(source.pattern)
        store = ObjectStoreSource.at(source.location, home=deployment.settings.home)
        for page in store.list(pattern.prefix):
            listed += len(page)
            wanted: list[tuple[SourceObject, date]] = []
            for item in page:
                day = pattern.delivery_day(item.key) if pattern.dated else today
                reason = _ignore_reason(profile, pattern, item, day, today)
                if reason is None and day is not None:
                    wanted.append((item, day))
                elif reason is not None:
                    ignored[reason] += 1
                    examples.setdefault(reason, []).append(item.key)
            observed += _observe(deployment, profile, dataset, source, wanted, seen_at)
    return Discovery(
        observed=tuple(observed),
        listed=listed,
        ignored={
            reason: (count, tuple(sorted(examples[reason])[:_EXAMPLES])) for reason, count in ignored.items()
        },
    )


def _ignore_reason(
    profile: ClientProfile, pattern: FilePattern, item: SourceObject, day: date | None, today: date
) -> str | None:
    if item.generation == UNREADABLE:
        return "name with control characters or not in UTF-8, or not to be entered; ask for another name"
    if not pattern.matches(item.key):
        return "name does not match the pattern"
    if day is None:
        return "date in the name is no calendar day"
    if day < profile.start_date:
        return "delivery day before the client's start date"
    if day > today + timedelta(days=1):
        return "delivery day in the future"
    return None


def _observe(
    deployment: Deployment,
    profile: ClientProfile,
    dataset: Dataset,
    source: FileSource,
    wanted: Iterable[tuple[SourceObject, date]],
    seen_at: datetime,
) -> list[Delivery]:
    ordered = sorted(wanted, key=lambda pair: (pair[0].last_modified, pair[0].key))
    ledger = deployment.ledger.deliveries
    known = ledger.latest(profile.client, dataset, source.name, [item.key for item, _ in ordered])
    changed: list[Delivery] = []
    for item, day in ordered:
        before = known.get(item.key)
        if before is not None and before.generation == item.generation:
            continue
        changed.append(
            Delivery(
                delivery_id=delivery_id(profile.client, dataset, source.name, item.key, item.generation),
                client=profile.client,
                dataset=dataset,
                source=source.name,
                source_key=item.key,
                generation=item.generation,
                delivery_day=day if before is None else before.delivery_day,
                size=item.size,
                first_seen_at=seen_at.astimezone(UTC).replace(tzinfo=None),
                observed_seq=0,
                state=DeliveryState.DISCOVERED,
            )
        )
    if not changed:
        return []
    return ledger.observe(changed, keep=partial(write_manifest, deployment.lake))
