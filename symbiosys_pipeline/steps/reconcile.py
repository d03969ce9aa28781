"""Which days are not what they should be: wanted is not published. Reads only the ledger."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.storage.delivery_ledger import LiveSlice
from symbiosys_pipeline.storage.ledger_tables import UNPLACED, Layer, Publication, StoredVerdict
from symbiosys_pipeline.storage.publication_ledger import wanted_staging

MAX_ATTEMPTS = 5
_BACK_OFF = timedelta(minutes=1)


class Why(StrEnum):
    """Why a day is stale."""

    STAGING = "rows came, went or changed"
    UNJUDGED = "staged, not judged yet"
    EVENTS = "judged, not published yet"
    BEFORE = "the day before changed"


@dataclass(frozen=True)
class StaleDay:
    """A day to rebuild.

    Attributes:
        event_day: Local day of the client.
        why: The first reason found.
        attempts: Failed attempts at this very version.
        last_attempt: When the last of them failed, UTC without zone.
    """

    event_day: date
    why: Why
    attempts: int = 0
    last_attempt: datetime | None = None

    def due(self, now: datetime) -> bool:
        """Whether an unattended retry is allowed now: at most five, each twice as far apart."""
        if self.attempts == 0 or self.last_attempt is None:
            return True
        wait = _BACK_OFF * 2 ** (self.attempts - 1)
        return self.attempts < MAX_ATTEMPTS and now >= self.last_attempt + wait


@dataclass(frozen=True)
class LedgerView:
    """One consistent look at a client's ledger, from which staleness and status are derived."""

    profile: ClientProfile
    live: dict[tuple[Dataset, date], list[LiveSlice]]
    publications: dict[tuple[Layer, date], Publication]
    verdicts: dict[tuple[Dataset, date, str], StoredVerdict]

    @classmethod
    def of(cls, deployment: Deployment, profile: ClientProfile, around: date | None = None) -> "LedgerView":
        """Read the ledger once for a client: whole, or only one day and the day before it."""
        days = None if around is None else [around - timedelta(days=1), around]
        live: dict[tuple[Dataset, date], list[LiveSlice]] = defaultdict(list)
        for dataset in Dataset:
            for part in deployment.ledger.deliveries.live_slices(profile.client, dataset, days):
                if part.slice.event_day != UNPLACED:
                    live[dataset, part.slice.event_day].append(part)
        publications = deployment.ledger.publications.of_client(profile.client, days)
        verdicts = {
            (item.dataset, item.event_day, item.version): item
            for item in deployment.ledger.publications.verdicts(profile.client, days)
        }
        return cls(profile, dict(live), publications, verdicts)

    def days(self) -> list[date]:
        """Every event day that has, or had, rows."""
        return sorted({day for _, day in self.live} | {day for _, day in self.publications})

    def staged(self, dataset: Dataset, event_day: date) -> Publication | None:
        """The staged version of a day; None where nothing was ever staged."""
        found = self.publications.get((Layer.staging(dataset), event_day))
        return found if found is not None and found.wanted is not None else None

    def wanted(self, dataset: Dataset, event_day: date) -> str | None:
        """The staged version a day should have; None where it neither has nor had rows."""
        parts = self.live.get((dataset, event_day), [])
        if not parts and self.staged(dataset, event_day) is None:
            return None
        return wanted_staging(parts)

    def verdict(self, dataset: Dataset, event_day: date) -> StoredVerdict | None:
        """The verdict on the staged version of a day."""
        staged = self.staged(dataset, event_day)
        if staged is None or staged.wanted is None:
            return None
        return self.verdicts.get((dataset, event_day, staged.wanted))

    def rejected(self, event_day: date) -> list[StoredVerdict]:
        """The verdicts that keep a day from being published."""
        found = [self.verdict(dataset, event_day) for dataset in Dataset]
        return [verdict for verdict in found if verdict is not None and not verdict.passes]

    def stale(self, event_day: date) -> StaleDay | None:
        """Whether, and why, a day must be rebuilt; a rejected day waits for a delivery or a person."""
        for dataset in Dataset:
            wanted = self.wanted(dataset, event_day)
            staged = self.staged(dataset, event_day)
            if wanted is not None and (staged is None or staged.wanted != wanted):
                return self._stale(Layer.staging(dataset), event_day, Why.STAGING, wanted)
            if staged is not None and self.verdict(dataset, event_day) is None:
                return self._stale(Layer.staging(dataset), event_day, Why.UNJUDGED, wanted)
        if self.rejected(event_day) or not any(self.staged(dataset, event_day) for dataset in Dataset):
            return None
        events = self.publications.get((Layer.EVENTS, event_day))
        target = self.events_target(event_day)
        published = events.inputs if events is not None else {}
        if events is None or any(published.get(str(dataset)) != target[str(dataset)] for dataset in Dataset):
            return self._stale(Layer.EVENTS, event_day, Why.EVENTS, target_hash(target))
        if published.get("previous") != target["previous"]:
            return self._stale(Layer.EVENTS, event_day, Why.BEFORE, target_hash(target))
        return None

    def events_target(self, event_day: date) -> dict[str, str | None]:
        """The staged files a day's event tables should have been made from, by hash."""
        before = self.staged(Dataset.PAGE_VIEWS, event_day - timedelta(days=1))
        target: dict[str, str | None] = {"previous": before.sha256 if before else None}
        for dataset in Dataset:
            staged = self.staged(dataset, event_day)
            target[str(dataset)] = staged.sha256 if staged else None
        return target

    def _stale(self, layer: Layer, event_day: date, why: Why, wanted: str | None) -> StaleDay:
        present = self.publications.get((layer, event_day))
        if present is not None and wanted is not None and present.failed_wanted == wanted:
            return StaleDay(event_day, why, present.failed_attempts, present.failed_at)
        return StaleDay(event_day, why)

    def stale_days(self) -> list[StaleDay]:
        """All days to rebuild, oldest first."""
        return [stale for day in self.days() if (stale := self.stale(day)) is not None]


def target_hash(target: dict[str, str | None]) -> str:
    """The name of one set of inputs of a day's event tables, to count failed attempts at it."""
    text = "|".join(f"{name}={value or '-'}" for name, value in sorted(target.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def days_to_rebuild(view: LedgerView, *, now: datetime | None = None) -> list[date]:
    """The stale days, and after each the next day, whose sessions may begin in it.

    Args:
        view: The ledger.
        now: Leave out days whose last failed attempt is too recent (UTC without zone); None takes all.
    """
    stale = [item.event_day for item in view.stale_days() if now is None or item.due(now)]
    known = set(view.days())
    after = {day + timedelta(days=1) for day in stale} & known
    return sorted({*stale, *after})
