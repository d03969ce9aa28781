"""The ledger's rules as small tables: which generation is live, where a day's rows went, who publishes."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path

import pytest

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.errors import ConfigurationError, LakeError, StaleInputError
from symbiosys_pipeline.storage.delivery_ledger import DayAccount
from symbiosys_pipeline.storage.ledger import Ledger
from symbiosys_pipeline.storage.ledger_tables import (
    Delivery,
    DeliveryState,
    Layer,
    Publication,
    Slice,
    StoredVerdict,
)
from symbiosys_pipeline.storage.publication_ledger import REPLACING

DAY, NEXT = date(2026, 3, 1), date(2026, 3, 2)
VIEWS = Dataset.PAGE_VIEWS
READ, REFUSED = DeliveryState.STANDARDIZED, DeliveryState.REFUSED


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    yield opened
    opened.close()


def delivery(name: str, key: str = "a.csv", state: DeliveryState = READ, **more: str | None) -> Delivery:
    return Delivery(
        delivery_id=name,
        client="acme",
        dataset=VIEWS,
        source="files",
        source_key=key,
        generation=f"generation {name}",
        delivery_day=DAY,
        size=1,
        first_seen_at=datetime(2026, 3, 1, 12),  # noqa: DTZ001 - the ledger's times are UTC without zone
        observed_seq=0,
        state=state,
        **more,  # pyright: ignore[reportArgumentType]
    )


def part(name: str, day: date, rows: int, quarantined: int = 0) -> Slice:
    return Slice(
        name,
        day,
        rows,
        quarantined,
        f"{name}/{day}",
        f"sha {name} {day}",
        origin=name,
        content=f"{name} {day}",
    )


def keep_nothing(_delivery: Delivery, _slices: Sequence[Slice]) -> None:
    """These tests have no lake."""


def take(ledger: Ledger, item: Delivery, *slices: Slice) -> None:
    ledger.deliveries.observe([item], keep=keep_nothing)
    ledger.deliveries.record(item, slices, keep=keep_nothing)


def live(ledger: Ledger) -> list[tuple[str, date, int]]:
    found = ledger.deliveries.live_slices("acme", VIEWS)
    return [(item.live_delivery_id, item.slice.event_day, item.slice.rows) for item in found]


def test_the_newest_generation_is_live_also_on_days_it_no_longer_holds(ledger: Ledger) -> None:
    take(ledger, delivery("one"), part("one", DAY, 5), part("one", NEXT, 2))
    take(ledger, delivery("two"), part("two", DAY, 4))
    take(ledger, delivery("other", key="b.csv"), part("other", NEXT, 7))
    assert live(ledger) == [("two", DAY, 4), ("other", NEXT, 7)]


def test_a_generation_observed_again_is_live_again(ledger: Ledger) -> None:
    take(ledger, delivery("one"), part("one", DAY, 5))
    take(ledger, delivery("two"), part("two", DAY, 4))
    ledger.deliveries.observe([delivery("one")], keep=keep_nothing)
    assert live(ledger) == [("one", DAY, 5)]
    assert [item.delivery_id for item in ledger.deliveries.of_client("acme")] == ["two", "one"]


@pytest.mark.parametrize("state", [REFUSED, DeliveryState.DISCOVERED, DeliveryState.LANDED])
def test_what_is_not_read_supersedes_nothing(ledger: Ledger, state: DeliveryState) -> None:
    take(ledger, delivery("one"), part("one", DAY, 5))
    take(ledger, delivery("two", state=state))
    assert live(ledger) == [("one", DAY, 5)]
    assert [item.delivery_id for item in ledger.deliveries.current("acme", VIEWS)] == ["two"]


def test_the_same_bytes_lend_their_slices(ledger: Ledger) -> None:
    take(ledger, delivery("one"), part("one", DAY, 5, 1))
    take(ledger, delivery("two"), part("two", DAY, 4))
    take(ledger, delivery("again", content_of="one"))
    assert live(ledger) == [("again", DAY, 5)]


def test_landing_late_does_not_undo_a_reading(ledger: Ledger) -> None:
    take(ledger, delivery("one"), part("one", DAY, 5))
    landed = delivery("one", state=DeliveryState.LANDED)
    assert ledger.deliveries.record(landed, (), keep=keep_nothing).state is READ
    assert live(ledger) == [("one", DAY, 5)]


def test_what_cannot_be_kept_beside_the_bytes_is_not_recorded(ledger: Ledger) -> None:
    def full(_delivery: Delivery, _slices: Sequence[Slice]) -> None:
        raise OSError("no space left")

    item = delivery("one", state=DeliveryState.DISCOVERED)
    ledger.deliveries.observe([item], keep=keep_nothing)
    with pytest.raises(OSError, match="no space left"):
        ledger.deliveries.record(delivery("one"), [part("one", DAY, 5)], keep=full)
    found = ledger.deliveries.get("one")
    assert found is not None
    assert found.state is DeliveryState.DISCOVERED
    assert live(ledger) == []


@pytest.mark.parametrize(
    ("steps", "account"),
    [
        ([], DayAccount(received=0, live=0, quarantined=0, superseded=0)),
        ([("one", None, 5, 1)], DayAccount(received=6, live=5, quarantined=1, superseded=0)),
        (
            [("one", None, 5, 1), ("two", None, 4, 0)],
            DayAccount(received=10, live=4, quarantined=0, superseded=6),
        ),
        # A -> B -> A by the same bytes: the third delivery was received too.
        (
            [("one", None, 5, 1), ("two", None, 4, 0), ("again", "one", 0, 0)],
            DayAccount(received=16, live=5, quarantined=1, superseded=10),
        ),
    ],
    ids=["nothing", "one", "corrected", "restored"],
)
def test_the_account_of_a_day_balances(
    ledger: Ledger, steps: list[tuple[str, str | None, int, int]], account: DayAccount
) -> None:
    for name, same_as, rows, quarantined in steps:
        slices = [] if same_as else [part(name, DAY, rows, quarantined)]
        take(ledger, delivery(name, content_of=same_as), *slices)
    found = ledger.deliveries.account("acme", VIEWS, DAY)
    assert found == account
    assert found.received == found.live + found.quarantined + found.superseded


def publication(wanted: str) -> Publication:
    return Publication(
        "acme", Layer.EVENTS, DAY, 0, wanted, "sha", {"page_views": wanted}, {"rows": 1}, "x", None
    )


def test_a_publication_counts_its_revisions_and_is_announced_first(ledger: Ledger) -> None:
    kept: list[tuple[str | None, int]] = []
    installed: list[str] = []
    for wanted in ("first", "second"):
        ledger.publications.publish(
            publication(wanted),
            still_wanted=lambda _: True,
            install=lambda wanted=wanted: installed.append(wanted),
            keep=lambda item: kept.append((item.wanted, item.revision)),
        )
    found = ledger.publications.get("acme", Layer.EVENTS, DAY)
    assert found is not None
    assert (found.wanted, found.revision, installed) == ("second", 2, ["first", "second"])
    assert kept == [(REPLACING, 1), ("first", 1), (REPLACING, 2), ("second", 2)]


def test_what_is_no_longer_wanted_is_not_installed(ledger: Ledger) -> None:
    touched: list[object] = []
    with pytest.raises(StaleInputError, match="acme/events 2026-03-01: its inputs changed"):
        ledger.publications.publish(
            publication("old"),
            still_wanted=lambda _: False,
            install=lambda: touched.append("installed"),
            keep=touched.append,
        )
    assert (touched, ledger.publications.get("acme", Layer.EVENTS, DAY)) == ([], None)


def test_a_failed_installation_leaves_the_day_stale(ledger: Ledger) -> None:
    def fail() -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        ledger.publications.publish(
            publication("first"), still_wanted=lambda _: True, install=fail, keep=lambda _: None
        )
    found = ledger.publications.get("acme", Layer.EVENTS, DAY)
    assert found is not None
    assert (found.wanted, found.sha256) == (REPLACING, None)


def test_failures_are_counted_per_wanted_version(ledger: Ledger) -> None:
    for wanted, attempts in (("a", 1), ("a", 2), ("b", 1)):
        ledger.publications.record_failure("acme", Layer.EVENTS, DAY, wanted, "why")
        found = ledger.publications.get("acme", Layer.EVENTS, DAY)
        assert found is not None
        assert (found.failed_wanted, found.failed_attempts, found.wanted) == (wanted, attempts, None)


def test_an_acceptance_stays_when_the_day_is_judged_again(ledger: Ledger) -> None:
    decided = datetime(2026, 3, 2)  # noqa: DTZ001
    verdict = StoredVerdict("acme", VIEWS, DAY, "v1", decided, accepted=False, verdict="{}")
    ledger.publications.record_verdict(verdict)
    assert not ledger.publications.accept("acme", VIEWS, DAY, "v2", by="ann", reason="sale")
    assert ledger.publications.accept("acme", VIEWS, DAY, "v1", by="ann", reason="sale")
    ledger.publications.record_verdict(verdict)
    found = ledger.publications.verdict("acme", VIEWS, DAY, "v1")
    assert found is not None
    assert (found.passes, found.accepted_by, found.accept_reason) == (True, "ann", "sale")
    assert ledger.publications.verdict("acme", VIEWS, DAY, "v2") is None


def test_two_connections_write_in_turn_and_lose_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    both = [Ledger(url), Ledger(url)]

    def write(number: int) -> None:
        both[number % 2].deliveries.observe([delivery(f"d{number}", key=f"{number}.csv")], keep=keep_nothing)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(40)))
    found = both[0].deliveries.of_client("acme")
    assert sorted(item.observed_seq for item in found) == list(range(1, 41))
    assert {item.delivery_id for item in found} == {f"d{number}" for number in range(40)}
    for opened in both:
        opened.close()


def test_a_reader_sees_the_ledger_as_it_was_when_it_began(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    reader, writer = Ledger(url), Ledger(url)
    with reader.reading() as connection:
        count = "SELECT count(*) FROM deliveries"
        assert connection.exec_driver_sql(count).scalar() == 0
        writer.deliveries.observe([delivery("one")], keep=keep_nothing)
        assert connection.exec_driver_sql(count).scalar() == 0
    assert len(reader.deliveries.of_client("acme")) == 1
    reader.close()
    writer.close()


def test_a_damaged_ledger_is_named_with_the_way_back(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(LakeError, match=r"ledger\.sqlite cannot be opened: .*symbiosys ledger rebuild"):
        Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")


@pytest.mark.parametrize("url", ["nonsense:secret@x", "nosuchdatabase://u:secret@host/x"])
def test_a_wrong_url_is_named_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="SYMBIOSYS_LEDGER_URL") as caught:
        Ledger(url)
    assert "secret" not in str(caught.value)
