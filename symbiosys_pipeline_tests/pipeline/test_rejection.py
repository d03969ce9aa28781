"""A day that fails its checks keeps its published version, until a correction or a person's decision."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.tables import Table
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.errors import RuleExecutionError
from symbiosys_pipeline.quality.verdict import Severity, Verdict
from symbiosys_pipeline.steps.judge import accept_day
from symbiosys_pipeline.steps.publish import Outcome
from symbiosys_pipeline.steps.reconcile import MAX_ATTEMPTS, StaleDay, Why, days_to_rebuild
from symbiosys_pipeline.steps.restore import restore_ledger
from symbiosys_pipeline.steps.stage import stage_day
from symbiosys_pipeline.storage.lake import file_sha256
from symbiosys_pipeline.storage.layout import staging_partition
from symbiosys_pipeline.storage.ledger_tables import PUBLICATIONS, Layer, StoredVerdict
from symbiosys_pipeline_tests.pipeline.clients import D1, RunningClient, order, view, written

GOOD = tuple(view(f"2026-03-02T1{hour}:00:00Z", f"v{hour}", "a") for hour in range(5))
#: The third and the fifth record: a path instead of a full URL.
BAD = tuple((at, visitor, "/a" if visitor in {"v2", "v4"} else url) for at, visitor, url in GOOD)
ORDER = order("o1", "2026-03-02T12:05:00Z", "v1")


@pytest.fixture
def client(tmp_path: Path) -> RunningClient:
    """One good published day, then a correction that its checks reject."""
    client = RunningClient(tmp_path, written(), judged=True)
    client.put_views(D1, *GOOD)
    client.put_orders(D1, ORDER)
    assert client.run().results[D1].published.outcome is Outcome.PUBLISHED
    return client


def stored(client: RunningClient) -> StoredVerdict:
    found = client.ledger_view().verdict(Dataset.PAGE_VIEWS, D1)
    assert found is not None
    return found


def test_a_rejected_day_keeps_its_version_and_says_what_failed_where(client: RunningClient) -> None:
    before = client.files()
    client.put_views(D1, *BAD)
    ran = client.run()
    result = ran.results[D1]
    assert result.published.outcome is Outcome.REJECTED
    assert client.files() == before
    assert "rejected by format_page_url" in result.sentence()
    every = result.judged[Dataset.PAGE_VIEWS].verdict.failed()
    (failed,) = [item for item in every if item.severity is Severity.CRITICAL]
    assert (failed.rule_id, failed.checked, failed.unexpected) == ("format_page_url", 5, 2)
    (delivery,) = ran.read
    samples = [(sample.delivery_id, sample.row_number) for sample in failed.samples]
    assert samples == [(delivery.delivery_id, 3), (delivery.delivery_id, 5)]
    assert Verdict.from_json(stored(client).verdict) == result.judged[Dataset.PAGE_VIEWS].verdict
    assert [item.dataset for item in client.ledger_view().rejected(D1)] == [Dataset.PAGE_VIEWS]
    assert client.run().visited == 0


def test_a_corrected_delivery_publishes_the_day(client: RunningClient) -> None:
    client.put_views(D1, *BAD)
    client.run()
    corrected = view("2026-03-02T10:00:00Z", "v0", "corrected")
    client.put_views(D1, corrected, *GOOD[1:])
    ran = client.run()
    assert ran.results[D1].published.outcome is Outcome.PUBLISHED
    urls = client.partition(Table.PAGE_VIEWS, D1)["page_url"].to_list()
    assert urls == [corrected[2], *[row[2] for row in GOOD[1:]]]
    assert client.ledger_view().rejected(D1) == []


def test_the_version_before_publishes_again_without_being_judged_again(client: RunningClient) -> None:
    before, first = client.files(), stored(client)
    client.put_views(D1, *BAD)
    client.run()
    client.put_views(D1, *GOOD)
    client.run()
    assert client.files() == before
    assert stored(client) == first


def test_an_accepted_day_publishes_and_the_reason_stays(client: RunningClient) -> None:
    client.put_views(D1, *BAD)
    client.run()
    reason = "the shop confirmed two app views"
    (accepted,) = accept_day(client.deployment, client.profile, D1, by="ada", reason=reason)
    assert (accepted.dataset, accepted.accepted, accepted.passes) == (Dataset.PAGE_VIEWS, False, True)
    ran = client.run()
    assert ran.results[D1].published.outcome is Outcome.PUBLISHED
    published = client.partition(Table.PAGE_VIEWS, D1)
    assert published["page_url"].to_list() == [row[2] for row in BAD]
    assert accept_day(client.deployment, client.profile, D1, by="bob", reason="again") == []
    # Judging the same version anew, as after a change of code, does not forget the decision.
    client.rebuild(D1, again=True)
    assert (stored(client).accepted_by, stored(client).accept_reason) == ("ada", reason)

    kept = stored(client)
    client.deployment.ledger.close()
    (client.home / "ledger.sqlite").unlink()
    client.deployment = Deployment.open(client.deployment.settings)
    restore_ledger(client.deployment)
    assert stored(client) == kept
    assert client.run().visited == 0


def test_an_acceptance_is_of_one_version_only(client: RunningClient) -> None:
    client.put_views(D1, *BAD)
    client.run()
    accept_day(client.deployment, client.profile, D1, by="ada", reason="known")
    client.run()
    before = client.files()
    client.put_views(D1, *BAD, view("2026-03-02T20:00:00Z", "v9", "more"))
    assert client.run().results[D1].published.outcome is Outcome.REJECTED
    assert client.files() == before


def test_a_day_that_was_never_published_stays_unpublished_while_rejected(tmp_path: Path) -> None:
    client = RunningClient(tmp_path, written(), judged=True)
    client.put_views(D1, *BAD)
    client.put_orders(D1, ORDER)
    assert client.run().results[D1].published.outcome is Outcome.REJECTED
    assert client.files() == {}
    assert (Layer.EVENTS, D1) not in client.ledger_view().publications


def stale(client: RunningClient) -> StaleDay:
    found = client.ledger_view().stale(D1)
    assert found is not None
    return found


def replace_staged(client: RunningClient, staged: Path, file: Path) -> None:
    """Another file in the staged one's place, as if it had been staged so."""
    shutil.copy(file, staged)
    with client.deployment.ledger.writing() as connection:
        connection.execute(
            sa.update(PUBLICATIONS)
            .where(PUBLICATIONS.c.layer == str(Layer.STAGED_PAGE_VIEWS), PUBLICATIONS.c.event_day == D1)
            .values(sha256=file_sha256(staged))
        )


def test_a_rule_that_cannot_run_publishes_nothing_and_is_tried_ever_less_often(
    client: RunningClient, tmp_path: Path
) -> None:
    before = client.files()
    client.put_views(D1, *GOOD[:4])
    client.deliver()
    stage_day(client.deployment, client.profile, Dataset.PAGE_VIEWS, D1)
    staged = Path(client.deployment.lake.uri(staging_partition(Dataset.PAGE_VIEWS, "acme", D1)))
    whole, narrow = tmp_path / "whole.parquet", tmp_path / "narrow.parquet"
    shutil.copy(staged, whole)
    with duckdb.connect() as connection:
        relation = connection.sql(f"SELECT * EXCLUDE (visitor_id) FROM read_parquet('{whole}')")
        relation.write_parquet(str(narrow))
    replace_staged(client, staged, narrow)

    for attempt in range(1, MAX_ATTEMPTS + 1):
        with pytest.raises(RuleExecutionError, match="format_visitor_id"):
            client.rebuild(D1)
        assert (stale(client).why, stale(client).attempts) == (Why.UNJUDGED, attempt)
        assert client.files() == before
        assert client.ledger_view().verdict(Dataset.PAGE_VIEWS, D1) is None
        failed_at = stale(client).last_attempt
        assert failed_at is not None
        wait = timedelta(minutes=2 ** (attempt - 1))
        assert not stale(client).due(failed_at + wait - timedelta(seconds=1))
        assert stale(client).due(failed_at + wait) is (attempt < MAX_ATTEMPTS)
    now = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
    assert days_to_rebuild(client.ledger_view(), now=now) == []

    replace_staged(client, staged, whole)
    assert client.run().results[D1].published.outcome is Outcome.PUBLISHED
    assert client.partition(Table.PAGE_VIEWS, D1).height == 4
    assert client.ledger_view().stale_days() == []
