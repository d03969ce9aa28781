"""Profiles as values: each check belongs to one field, and all of them speak at once."""

from datetime import date, time
from typing import Any

import pytest
from pydantic import ValidationError

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.contracts.profile import DROPPABLE_FIELDS, ClientProfile, Due
from symbiosys_pipeline_tests.contracts.profiles import shortest


def _with(path: str, value: object) -> dict[str, Any]:
    """The shortest profile with one field changed; the path names fields and list positions."""
    written = shortest()
    *outer, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = written
    for step in outer:
        place = place[step] if isinstance(step, int) else place.setdefault(step, {})
    place[last] = value
    return written


def _places(written: dict[str, Any]) -> set[str]:
    try:
        ClientProfile.model_validate(written)
    except ValidationError as error:
        return {".".join(str(step) for step in one["loc"]) for one in error.errors()}
    return set()


def test_the_shortest_profile_has_the_defaults_of_the_contract() -> None:
    profile = ClientProfile.model_validate(shortest())
    assert (profile.allowed_lateness_days, profile.future_tolerance_minutes) == (3, 35)  # CONTRACT 3 and 5
    assert profile.time_zone == "UTC"
    assert profile.orders.discount_meaning == "undeclared"  # CONTRACT 2.2
    assert profile.page_views.sources[0].timestamp.format == "epoch_ms"  # CONTRACT 2.1
    assert profile.start_date == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("client", "acme_2"),
        ("time_zone", "Europe/Paris"),
        ("start_date", date(2026, 1, 1)),
        ("live_from", "2026-01-01"),
        ("owners", ["team:web", "first.last+x@shop.example"]),
        ("own_hosts", ["www.shop.example", "pay-1.example"]),
        ("thresholds.valid_share", 1),
        ("orders.sources.0.due.at", "09:30"),
        ("orders.sources.0.due.at", "09:30:15"),
        ("orders.sources.0.format", "csv"),
        ("orders.sources.0.location", "abfss://container@account.dfs.core.windows.net/in"),
        ("orders.sources.0.mapping", {"order_id": "id", "regular_unit_price": "price"}),
        ("page_views.sources.0.mapping", {"referrer": "from"}),
        ("page_views.sources.0.timestamp", {"format": "%d/%m/%Y %H:%M:%S", "time_zone": "UTC"}),
        ("orders.list_separator", ","),
        ("restrictions.drop_fields", ["hashed_email", "crm_id"]),
    ],
)
def test_taken(path: str, value: object) -> None:
    assert _places(_with(path, value)) == set()


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("client", "Acme", "client"),
        ("client", "acme\n", "client"),
        ("client", "a" * 41, "client"),
        ("clint", "acme", "clint"),
        ("time_zone", "Europe", "time_zone"),
        ("time_zone", "CEST-2", "time_zone"),
        ("time_zone", "../etc", "time_zone"),
        ("time_zone", "", "time_zone"),
        ("start_date", 20260101, "start_date"),
        ("start_date", "20260101", "start_date"),
        ("start_date", "2026-02-30", "start_date"),
        ("live_from", "2025-12-31", "live_from"),
        ("currency", "EURO", "currency"),
        ("currency", "eur", "currency"),
        ("currency", "ERU", "currency"),
        ("owners", ["team:"], "owners.0"),
        ("owners", ["team:a b"], "owners.0"),
        ("owners", ["someone"], "owners.0"),
        ("owners", ["a@b"], "owners.0"),
        ("owners", [], "owners"),
        ("own_hosts", ["https://www.shop.example"], "own_hosts.0"),
        ("own_hosts", ["www.shop.example/a"], "own_hosts.0"),
        ("campaign_ids", [7001], "campaign_ids.0"),
        ("null_words", [None], "null_words.0"),
        ("session_timeout_minutes", True, "session_timeout_minutes"),
        ("allowed_lateness_days", "3", "allowed_lateness_days"),
        ("thresholds.valid_share", 1.01, "thresholds.valid_share"),
        ("thresholds.valid_share", float("nan"), "thresholds.valid_share"),
        ("thresholds.volume_change", float("inf"), "thresholds.volume_change"),
        ("orders.sources", [], "orders.sources"),
        ("orders.sources.0.due.at", 720, "orders.sources.0.due.at"),
        ("orders.sources.0.due.at", "12:00Z", "orders.sources.0.due.at"),
        ("orders.sources.0.format", "parquet", "orders.sources.0.format"),
        ("orders.sources.0.pattern", "o.ndjson.gz", "orders.sources.0.format"),
        ("orders.sources.0.pattern", "o_{YYYY}.csv", "orders.sources.0.pattern"),
        ("orders.sources.0.location", "", "orders.sources.0.location"),
        ("orders.sources.0.location", "s3://key:word@bucket", "orders.sources.0.location"),
        ("orders.sources.0.location", "https://a.example/in?sig=x", "orders.sources.0.location"),
        ("orders.sources.0.mapping", {"referrer": "from"}, "orders.sources.0.mapping.referrer.[key]"),
        ("orders.sources.0.mapping", {"order_id": ""}, "orders.sources.0.mapping.order_id"),
        ("orders.sources.0.timestamp", {"format": "%Y"}, "orders.sources.0.timestamp.format"),
        ("page_views.sources.0.mapping", {"order_id": "id"}, "page_views.sources.0.mapping.order_id.[key]"),
        ("orders.list_separator", "|", "orders.list_separator"),
        ("restrictions.drop_fields", ["visitor_id"], "restrictions.drop_fields.0"),
    ],
)
def test_refused_at_its_own_field(path: str, value: object, place: str) -> None:
    assert _places(_with(path, value)) >= {place}


def test_a_status_is_not_both_cancelled_and_returned() -> None:
    written = _with("orders.cancelled_statuses", ["Void"])
    written["orders"]["returned_statuses"] = ["back", "VOID"]
    assert _places(written) == {"orders.returned_statuses"}


def test_a_separator_of_lists_is_for_list_columns() -> None:
    written = _with("orders.list_separator", "|")
    written["orders"]["line_layout"] = "list_columns"
    assert _places(written) == set()


def test_a_repeated_source_name_is_told_together_with_what_else_is_wrong_with_the_sources() -> None:
    first = {"location": "in", "pattern": "a_{YYYYMMDD}.csv", "format": "xml"}
    second = {"location": "in", "pattern": "b_{YYYYMMDD}.csv", "name": "files"}
    assert _places(_with("orders.sources", [first, second])) == {
        "orders.sources.0.format",
        "orders.sources.1.name",
    }


def test_the_same_source_name_may_serve_both_datasets() -> None:
    profile = ClientProfile.model_validate(shortest())
    assert [profile.sources(dataset)[0].name for dataset in Dataset] == ["files", "files"]


def test_droppable_fields_are_optional_wherever_they_occur_and_unknown_when_absent() -> None:
    # page_url is optional in orders and required in page views; platform absent means web; currency absent
    # means the client's own.
    assert not {"page_url", "product_id", "session_id", "platform", "currency"} & set(DROPPABLE_FIELDS)
    hashes = {name for schema in SCHEMAS.values() for name in schema.names() if name.startswith("hashed_")}
    assert hashes | {"crm_id", "referrer", "user_agent"} <= set(DROPPABLE_FIELDS)


def test_lateness_is_the_source_s_own_where_it_has_one() -> None:
    profile = ClientProfile.model_validate(_with("orders.sources.0.allowed_lateness_days", 400))
    assert profile.lateness_days(profile.orders.sources[0]) == 400
    assert profile.lateness_days(profile.page_views.sources[0]) == 3


def test_a_due_time_has_whole_seconds() -> None:
    with pytest.raises(ValidationError, match="without zone and fraction"):
        Due(at=time(12, 0, 0, 5))


def test_an_error_shows_no_address() -> None:
    with pytest.raises(ValidationError) as error:
        ClientProfile.model_validate(_with("owners", ["mary smith@shop.example"]))
    assert "mary" not in str(error.value)
