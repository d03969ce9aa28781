"""The demo data: it repeats byte for byte, its truth holds against a second count, nothing is left out."""

import csv
import gzip
import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from symbiosys_pipeline import demo
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.file_pattern import FilePattern
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.demo import FIRST_DAY
from symbiosys_pipeline.demo import waves as waves_module
from symbiosys_pipeline_tests.demo.second_count import Count, count_lunaverre, count_tallpine

CLIENTS: dict[str, tuple[Callable[[Path], Count], str]] = {
    "lunaverre": (count_lunaverre, "annulee"),
    "tallpine_goods": (count_tallpine, "CANCELLED"),
}
STRUCTURAL = {"too_few_fields", "too_many_fields", "invalid_utf8", "nul_byte", "malformed_quotes"}
PLANTED: dict[tuple[str, Dataset], set[str]] = {
    ("lunaverre", Dataset.PAGE_VIEWS): STRUCTURAL
    | {"missing", "unparseable_timestamp", "not_a_sha256", "personal_data_in_clear", "not_a_boolean"}
    | {"in_future", "outside_lateness_window", "before_start_date"},
    ("lunaverre", Dataset.ORDERS): {"missing", "not_positive", "negative", "not_an_integer", "not_a_number"}
    | {"too_many_decimals", "not_a_currency", "order_incomplete"},
    ("tallpine_goods", Dataset.PAGE_VIEWS): STRUCTURAL
    | {"missing", "unparseable_timestamp", "wrong_timestamp_unit", "not_a_sha256", "not_allowed"}
    | {"outside_lateness_window"},
    ("tallpine_goods", Dataset.ORDERS): {"unequal_lists", "negative", "not_positive", "wrong_timestamp_unit"}
    | {"personal_data_in_clear", "malformed_json", "not_an_object", "not_a_number"},
}


def write(root: Path, *, seed: int = 7, days: int = 5, waves: int = 4) -> dict[str, bytes]:
    for wave in demo.demo_waves(seed, days)[:waves]:
        wave.write(root)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    write(folder)
    return folder


def views_per_day(count: Count) -> Counter[date]:
    return Counter({(day, content): day for day, _, _, _, content in count.views}.values())


def sessions_per_day(count: Count) -> Counter[date]:
    """Session parts per local day: the shop's own ids, or a walk over each visitor's times."""
    last: dict[str, tuple[datetime, int]] = {}
    parts: set[tuple[date, str, str]] = set()
    for day, at, visitor, session, _ in sorted(count.views, key=lambda view: view[1]):
        before, number = last.get(visitor, (at, 0))
        number += at - before > timedelta(minutes=30)
        last[visitor] = (at, number)
        parts.add((day, visitor, session or f"#{number}"))
    return Counter(day for day, _, _ in parts)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    waves_module._planned.cache_clear()
    one = write(tmp_path / "one")
    waves_module._planned.cache_clear()
    two = write(tmp_path / "two")
    assert one == two
    assert write(tmp_path / "three", seed=8) != one


def test_no_half_arrived_file_stays_behind(root: Path) -> None:
    assert list(root.rglob(".*")) == []


@pytest.mark.parametrize("days", [4, 14])
def test_a_number_of_days_it_cannot_tell_its_story_in_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="expected 5 to 13"):
        demo.demo_waves(days=days)


@pytest.mark.parametrize("waves", [1, 2, 3, 4])
@pytest.mark.parametrize(("seed", "days"), [(7, 5), (11, 6)])
@pytest.mark.parametrize("client", list(CLIENTS))
def test_truth_equals_a_second_count_of_the_written_files(
    client: str, seed: int, days: int, waves: int, tmp_path: Path
) -> None:
    write(tmp_path, seed=seed, days=days, waves=waves)
    for path in tmp_path.rglob("*.gz"):
        if not _is_whole(path):
            path.unlink()
    read, cancelled = CLIENTS[client]
    count = read(tmp_path)
    truth = demo.demo_truth(seed, days, after=waves).clients[client]

    assert truth.quarantined[Dataset.PAGE_VIEWS] == count.refused_views
    assert truth.quarantined[Dataset.ORDERS] == count.refused_orders
    views, sessions = views_per_day(count), sessions_per_day(count)
    expected: dict[date, list[Decimal | int]] = {
        day: [views[day], sessions[day], 0, 0, 0, 0, Decimal(0)] for day in truth.days
    }
    duplicate_lines = 0
    for occurrences in count.orders.values():
        variants = {
            (visitor, tuple(sorted(lines))): (day, status) for day, visitor, status, lines in occurrences
        }
        duplicate_lines += sum(len(lines) for *_, lines in occurrences) - sum(
            len(lines) for _, lines in variants
        )
        for (_, lines), (day, status) in variants.items():
            collided = len(variants) > 1
            revenue = Decimal(0) if collided else sum(quantity * net for _, quantity, _, net in lines)
            added = (0, 0, 1, int(collided), int(status == cancelled), len(lines), revenue)
            expected[day] = [old + new for old, new in zip(expected[day], added, strict=True)]
    told = {
        day: [
            on_day.page_views,
            on_day.sessions,
            on_day.orders,
            on_day.collided_orders,
            on_day.cancelled_orders,
            on_day.order_lines,
            on_day.revenue,
        ]
        for day, on_day in truth.days.items()
    }
    assert told == expected
    assert truth.duplicates == {
        Dataset.PAGE_VIEWS: len(count.views) - views.total(),
        Dataset.ORDERS: duplicate_lines,
    }


def _is_whole(path: Path) -> bool:
    try:
        gzip.decompress(path.read_bytes())
    except EOFError:
        return False
    return True


@pytest.mark.parametrize("client", list(CLIENTS))
def test_books_balance(client: str) -> None:
    truth = demo.demo_truth().clients[client]
    days = truth.days.values()
    published = {
        Dataset.PAGE_VIEWS: sum(day.page_views for day in days),
        Dataset.ORDERS: sum(day.order_lines for day in days),
    }
    for dataset in Dataset:
        dropped = truth.duplicates[dataset] + sum(truth.quarantined[dataset].values())
        assert truth.rows[dataset] == published[dataset] + dropped
        assert truth.duplicates[dataset] > 0


@pytest.mark.parametrize(("client", "dataset"), list(PLANTED), ids=str)
def test_every_planted_reason_is_there(client: str, dataset: Dataset) -> None:
    assert set(demo.demo_truth().clients[client].quarantined[dataset]) == PLANTED[client, dataset]


@pytest.mark.parametrize("client", list(CLIENTS))
def test_every_day_is_a_realistic_size(client: str) -> None:
    truth = demo.demo_truth().clients[client]
    assert list(truth.days) == [FIRST_DAY + timedelta(days=number) for number in range(5)]
    for day in truth.days.values():
        assert 700 < day.page_views < 3000
        assert 100 < day.sessions < day.page_views
        assert 20 < day.orders < day.sessions
    assert sum(day.collided_orders for day in truth.days.values()) == 2


def generations(client: str, key: str) -> list[bytes]:
    return [
        file.content()
        for wave in demo.demo_waves()
        for file in wave.files
        if (file.client, file.key) == (client, key)
    ]


def test_a_delivery_is_repeated_with_the_same_bytes() -> None:
    first, again = generations("lunaverre", "visits/lunaverre_visits_20261111.csv.gz")
    assert first == again


def test_a_corrected_file_has_rows_changed_added_and_removed() -> None:
    first, corrected = (
        Counter(gzip.decompress(content).splitlines())
        for content in generations("lunaverre", "visits/lunaverre_visits_20261112.csv.gz")
    )
    gone, new = first - corrected, corrected - first
    changed = [line for line in new if b"#corrected" in line]
    assert (gone.total(), new.total(), len(changed)) == (4 + 3, 5 + 3, 3)


def test_a_corrected_file_is_restored() -> None:
    first, corrected, restored = generations("tallpine_goods", "visits/tallpine_visits_20261112_15.csv")
    assert len(corrected) < len(first)
    assert restored == first


@pytest.mark.parametrize(
    ("client", "key"),
    [
        ("lunaverre", "orders/lunaverre_orders_20261113.csv.gz"),
        ("tallpine_goods", "visits/tallpine_visits_20261113_20.csv"),
    ],
    ids=["gzip", "text"],
)
def test_a_half_written_file_grows(client: str, key: str) -> None:
    half, whole = generations(client, key)
    assert len(half) < len(whole)
    assert whole.startswith(half)


def test_a_file_loses_the_rows_of_one_event_day() -> None:
    days = [
        Counter(
            datetime.fromisoformat(row["horodatage"]).date()
            for row in csv.DictReader(gzip.decompress(content).decode().splitlines(keepends=True))
        )
        for content in generations("lunaverre", "visits/lunaverre_visits_20261113.csv.gz")
    ]
    late = [date(2026, 11, 10), date(2026, 11, 11), date(2026, 11, 12)]
    assert [days[0][day] for day in late] == [12, 12, 12]
    assert [days[1][day] for day in late] == [12, 0, 12]


def test_views_run_over_midnight_and_around_the_session_timeout(root: Path) -> None:
    count = count_tallpine(root)
    by_visitor: dict[str, list[tuple[datetime, date]]] = {}
    for day, at, visitor, _, _ in sorted(count.views, key=lambda view: view[1]):
        by_visitor.setdefault(visitor, []).append((at, day))
    steps = [
        (later[0] - earlier[0], later[1] != earlier[1])
        for seen in by_visitor.values()
        for earlier, later in pairwise(seen)
    ]
    half_hour = timedelta(minutes=30)
    assert sum(gap < half_hour and over_midnight for gap, over_midnight in steps) >= 4
    assert {half_hour, half_hour + timedelta(milliseconds=1)} <= {gap for gap, _ in steps}


def test_the_shapes_of_the_files(root: Path) -> None:
    hour = (root / "tallpine_goods/visits/tallpine_visits_20261111_11.csv").read_bytes()
    assert hour.startswith(b"\xef\xbb\xbfts;vid;")
    assert hour.count(b"\r\n") == hour.count(b"\n")
    assert len(list(root.glob("tallpine_goods/visits/*.csv"))) == 5 * 24
    everything = b"".join(path.read_bytes() for path in root.glob("tallpine_goods/*/*"))
    assert b";ios\r\n" in everything
    assert b";android\r\n" in everything
    assert hashlib.sha256(b"").hexdigest().encode() in everything
    assert demo.CLEAR_EMAIL.encode() in everything


@pytest.mark.parametrize("client", list(CLIENTS))
def test_the_profile_is_valid_and_its_patterns_match_exactly_the_files(client: str, root: Path) -> None:
    folder = Path(demo.__file__).parent / "clients" / client
    written = yaml.safe_load((folder / "defs.yaml").read_text())
    assert written["type"] == "symbiosys_pipeline.components.RetailClient"
    profile = ClientProfile.model_validate(written["attributes"])
    assert (profile.client, profile.start_date) == (client, FIRST_DAY)
    matched: list[str] = []
    for dataset in Dataset:
        for source in profile.sources(dataset):
            assert source.location == f"source/{client}"
            pattern = FilePattern.parse(source.pattern)
            names = [str(path.relative_to(root / client)) for path in root.glob(f"{client}/*/*")]
            matched += [name for name in names if pattern.matches(name) and pattern.delivery_day(name)]
    assert sorted(matched) == sorted(
        str(path.relative_to(root / client)) for path in root.glob(f"{client}/*/*")
    )


@pytest.mark.parametrize("client", list(CLIENTS))
def test_an_order_is_sent_again_with_a_cancelled_status(client: str, root: Path) -> None:
    read, cancelled = CLIENTS[client]
    histories = [
        [status for *_, status, _ in occurrences]
        for occurrences in read(root).orders.values()
        if len({(visitor, tuple(sorted(lines))) for _, visitor, _, lines in occurrences}) == 1
    ]
    assert [history for history in histories if len(set(history)) > 1 and history[-1] == cancelled]
    assert [history for history in histories if len(history) > 1 and len(set(history)) == 1]


def test_an_event_id_comes_twice_at_different_times_and_twice_at_the_same(root: Path) -> None:
    times: dict[str, list[datetime]] = {}
    for _, at, _, _, event_id in count_lunaverre(root).views:
        times.setdefault(event_id, []).append(at)
    repeated = [seen for seen in times.values() if len(seen) > 1]
    different = [seen for seen in repeated if len(set(seen)) > 1]
    assert (len(different), len(repeated) - len(different)) == (3, 8)
