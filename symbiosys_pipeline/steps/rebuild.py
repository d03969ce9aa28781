"""Rebuild one event day: stage both datasets, judge what has no verdict yet, publish what is accepted."""

from dataclasses import dataclass
from datetime import date

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.errors import StaleInputError, SymbiosysError
from symbiosys_pipeline.quality.verdict import Verdict
from symbiosys_pipeline.steps.judge import Judged, judge_day
from symbiosys_pipeline.steps.publish import Outcome, Published, publish_day
from symbiosys_pipeline.steps.reconcile import LedgerView, target_hash
from symbiosys_pipeline.steps.stage import Staged, stage_day
from symbiosys_pipeline.storage.layout import docs_page
from symbiosys_pipeline.storage.ledger_tables import Layer


@dataclass(frozen=True)
class DayResult:
    """What was done to one event day.

    Attributes:
        event_day: Local day of the client.
        staged: Per dataset that has, or had, rows.
        judged: The verdict per staged dataset, old or new.
        published: What became of the event tables.
    """

    event_day: date
    staged: dict[Dataset, Staged]
    judged: dict[Dataset, Judged]
    published: Published

    @property
    def changed(self) -> bool:
        """Whether any table of the day was replaced."""
        staged = any(item.rebuilt for item in self.staged.values())
        return staged or self.published.outcome is Outcome.PUBLISHED

    def sentence(self) -> str:
        """What happened and why, in one line."""
        if self.published.outcome is Outcome.REJECTED:
            failed = [
                f"{item.rule_id} ({item.observed})"
                for judged in self.judged.values()
                if not judged.stored.passes
                for item in judged.verdict.failed()
                if item.severity.value == "critical"
            ]
            return f"rejected by {', '.join(failed)}"
        reasons = [f"{dataset}: {item.reason}" for dataset, item in self.staged.items() if item.rebuilt]
        return f"{self.published.outcome} ({'; '.join(reasons) or self.published.reason})"


def rebuild_day(
    deployment: Deployment, profile: ClientProfile, event_day: date, *, again: bool = False
) -> DayResult:
    """Bring one event day from its live slices to its event tables.

    Args:
        deployment: Lake and ledger.
        profile: The client.
        event_day: Local day of the client.
        again: Redo what is up to date too; a person's wish after a change of code.

    Raises:
        StaleInputError: Its inputs changed meanwhile; the next pass builds the newer version.
        RuleExecutionError: A rule could not run; the day keeps its published version.
        LakeError: A file of the lake is missing.
    """
    before = LedgerView.of(deployment, profile, event_day)
    try:
        return _rebuild(deployment, profile, event_day, before, again=again)
    except StaleInputError:
        raise
    except (SymbiosysError, OSError) as error:
        _count_failure(deployment, profile, event_day, str(error))
        raise


def _rebuild(
    deployment: Deployment, profile: ClientProfile, event_day: date, before: LedgerView, *, again: bool
) -> DayResult:
    staged: dict[Dataset, Staged] = {}
    judged: dict[Dataset, Judged] = {}
    for dataset in Dataset:
        if before.wanted(dataset, event_day) is None:
            continue
        staged[dataset] = stage_day(deployment, profile, dataset, event_day, again=again)
        version = staged[dataset].publication.wanted
        known = deployment.ledger.publications.verdict(profile.client, dataset, event_day, version)
        if known is None or again:
            judged[dataset] = judge_day(deployment, profile, dataset, event_day)
        else:
            page = deployment.lake.uri(docs_page(dataset, profile.client, event_day))
            judged[dataset] = Judged(Verdict.from_json(known.verdict), known, page)
    return DayResult(event_day, staged, judged, publish_day(deployment, profile, event_day, again=again))


def _count_failure(deployment: Deployment, profile: ClientProfile, event_day: date, reason: str) -> None:
    """Count the failure against the version that was wanted, so that unattended retries are bounded."""
    view = LedgerView.of(deployment, profile, event_day)
    for dataset in Dataset:
        wanted = view.wanted(dataset, event_day)
        staged = view.staged(dataset, event_day)
        unjudged = staged is not None and view.verdict(dataset, event_day) is None
        if wanted is not None and (staged is None or staged.wanted != wanted or unjudged):
            layer = Layer.staging(dataset)
            deployment.ledger.publications.record_failure(profile.client, layer, event_day, wanted, reason)
            return
    target = target_hash(view.events_target(event_day))
    deployment.ledger.publications.record_failure(profile.client, Layer.EVENTS, event_day, target, reason)
