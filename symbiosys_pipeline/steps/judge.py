"""Judge one staged day by the rule catalogue and keep the verdict with its version."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.errors import LakeError, RuleExecutionError, StaleInputError
from symbiosys_pipeline.quality.day_facts import DayFacts
from symbiosys_pipeline.quality.verdict import Verdict
from symbiosys_pipeline.storage.layout import docs_page, staging_partition, verdict_file
from symbiosys_pipeline.storage.ledger_tables import Layer, Publication, StoredVerdict
from symbiosys_pipeline.storage.manifests import record_json

_WEEKS_COMPARED = 8


@dataclass(frozen=True)
class Judged:
    """A verdict and where its page lies.

    Attributes:
        verdict: What the rules said.
        stored: The verdict as the ledger keeps it, with a person's acceptance where there is one.
        docs_uri: The Data Docs page.
    """

    verdict: Verdict
    stored: StoredVerdict
    docs_uri: str


def judge_day(deployment: Deployment, profile: ClientProfile, dataset: Dataset, event_day: date) -> Judged:
    """Run the client's suites over the staged day and record the verdict on this version of it.

    Raises:
        LakeError: The day is not staged, or its file is not the one that was staged.
        StaleInputError: The day was staged anew while it was judged.
        RuleExecutionError: A rule could not run; no verdict was recorded, and the day stays unpublished.
    """
    # Local import: Great Expectations takes seconds to import and is needed by this step alone.
    from symbiosys_pipeline.quality.data_docs import render_validation  # noqa: PLC0415
    from symbiosys_pipeline.quality.runner import judge  # noqa: PLC0415

    staged = deployment.ledger.publications.get(profile.client, Layer.staging(dataset), event_day)
    if staged is None or staged.wanted is None:
        raise LakeError(f"{profile.client} {dataset} {event_day} is not staged; stage it before judging it")
    lake = deployment.lake
    live = deployment.ledger.deliveries.live_slices(profile.client, dataset, [event_day])
    quarantine = sorted({part.quarantine_key for part in live if part.quarantine_key is not None})
    partition = staging_partition(dataset, profile.client, event_day)
    judgement = judge(
        profile,
        dataset,
        event_day,
        staging=[lake.uri(partition)],
        quarantine=[lake.uri(key) for key in quarantine],
        facts=_facts(deployment, profile, dataset, event_day, staged),
        memory_limit=deployment.settings.duckdb_memory,
    )
    _must_be_the_judged_file(deployment, staged, partition)
    now = datetime.now(UTC)
    page = docs_page(dataset, profile.client, event_day)
    shown = render_validation(judgement, judged_at=now, index_href="../../index.html")
    lake.publish_bytes(shown.encode(), page)
    verdict = judgement.verdict
    if verdict.errored:
        broken = "; ".join(f"{item.rule_id}: {item.error}" for item in verdict.outcomes if item.error)
        raise RuleExecutionError(
            f"{profile.client} {dataset} {event_day}: could not be judged, and so is not published. {broken}"
        )
    stored = StoredVerdict(
        client=profile.client,
        dataset=dataset,
        event_day=event_day,
        version=staged.wanted,
        decided_at=now.replace(tzinfo=None),
        accepted=verdict.accepted,
        verdict=verdict.to_json(),
    )
    return Judged(verdict, keep_verdict(deployment, stored), lake.uri(page))


def _must_be_the_judged_file(deployment: Deployment, staged: Publication, partition: str) -> None:
    """A verdict belongs to one version of the day: the file judged must be the one that was staged."""
    if deployment.lake.sha256(partition) == staged.sha256:
        return
    present = deployment.ledger.publications.get(staged.client, staged.layer, staged.event_day)
    if present is None or present.wanted != staged.wanted:
        raise StaleInputError(f"{partition}: staged anew while it was judged; the new version is judged next")
    raise LakeError(
        f"{partition}: its content is not what was staged (SHA-256 differs); materialize the day's staging "
        "again, in full, to replace it"
    )


def keep_verdict(deployment: Deployment, stored: StoredVerdict) -> StoredVerdict:
    """Put a verdict into the lake and the ledger; a person's acceptance of that version stays with it.

    Returns:
        The verdict as it was kept.
    """
    known = deployment.ledger.publications.verdict(
        stored.client, stored.dataset, stored.event_day, stored.version
    )
    if known is not None and stored.accepted_by is None:
        stored = replace(stored, accepted_by=known.accepted_by, accept_reason=known.accept_reason)
    key = verdict_file(stored.dataset, stored.client, stored.event_day, stored.version)
    deployment.lake.publish_bytes(record_json(stored), key)
    deployment.ledger.publications.record_verdict(stored)
    return stored


def accept_day(
    deployment: Deployment, profile: ClientProfile, event_day: date, *, by: str, reason: str
) -> list[StoredVerdict]:
    """Let a person publish a rejected day as it is; the reason stays with that version for ever.

    Returns:
        The verdicts that were accepted; empty when no verdict kept the day from being published.
    """
    accepted: list[StoredVerdict] = []
    for dataset in Dataset:
        staged = deployment.ledger.publications.get(profile.client, Layer.staging(dataset), event_day)
        version = staged.wanted if staged else None
        verdict = deployment.ledger.publications.verdict(profile.client, dataset, event_day, version)
        if verdict is None or verdict.passes:
            continue
        taken = replace(verdict, accepted_by=by, accept_reason=reason)
        deployment.ledger.publications.accept(
            profile.client, dataset, event_day, verdict.version, by=by, reason=reason
        )
        keep_verdict(deployment, taken)
        accepted.append(taken)
    return accepted


def _facts(
    deployment: Deployment, profile: ClientProfile, dataset: Dataset, event_day: date, staged: Publication
) -> DayFacts:
    account = deployment.ledger.deliveries.account(profile.client, dataset, event_day)
    history = _history(deployment, profile, dataset, event_day)
    same_weekday = [rows for day, rows in history.items() if day.weekday() == event_day.weekday()]
    compared = same_weekday if len(same_weekday) >= 3 else list(history.values())
    return DayFacts(
        received=account.received,
        published=staged.counts["rows"],
        duplicates=staged.counts["duplicates"],
        quarantined=account.quarantined,
        superseded=account.superseded,
        history_days=len(history),
        history_median=median(compared) if compared else None,
        hours_late=_hours_late(deployment, profile, dataset, event_day),
    )


def _history(
    deployment: Deployment, profile: ClientProfile, dataset: Dataset, event_day: date
) -> dict[date, int]:
    """Rows of the staged days of the weeks before, by day."""
    first = event_day - timedelta(weeks=_WEEKS_COMPARED)
    days = [first + timedelta(days=number) for number in range((event_day - first).days)]
    published = deployment.ledger.publications.of_client(profile.client, days)
    return {
        day: item.counts["rows"]
        for (layer, day), item in published.items()
        if layer is Layer.staging(dataset) and item.wanted is not None
    }


def due_at(profile: ClientProfile, dataset: Dataset, delivery_day: date) -> datetime:
    """When the last of a dataset's sources is due for a delivery day, UTC."""
    zone = ZoneInfo(profile.time_zone)
    return max(
        datetime.combine(
            delivery_day + timedelta(days=source.due.days_after), source.due.at, tzinfo=zone
        ).astimezone(UTC)
        for source in profile.sources(dataset)
    )


def _hours_late(
    deployment: Deployment, profile: ClientProfile, dataset: Dataset, event_day: date
) -> float | None:
    """How long after its due time the day's first delivery came; None where nothing was delivered."""
    deliveries = deployment.ledger.deliveries.of_client(profile.client, dataset, event_day)
    if not deliveries:
        return None
    first = min(delivery.first_seen_at for delivery in deliveries).replace(tzinfo=UTC)
    return max(0.0, (first - due_at(profile, dataset, event_day)).total_seconds() / 3600)
