"""The catalogue: every rule passes on a right day and fails on a wrong one, with right counts and rows."""

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.quality.rules import rules_for
from symbiosys_pipeline.quality.verdict import RuleOutcome, Severity, Verdict
from symbiosys_pipeline_tests.quality.staged_days import (
    DELIVERY,
    HASH,
    Row,
    balanced,
    client,
    judged,
    refused,
)

PAGE_VIEWS, ORDERS = Dataset.PAGE_VIEWS, Dataset.ORDERS


def outcome_of(verdict: Verdict, rule_id: str) -> RuleOutcome:
    return next(outcome for outcome in verdict.outcomes if outcome.rule_id == rule_id)


@dataclass(frozen=True)
class Broken:
    """A day that breaks one rule: its rows as changes of right ones, and what the rule must count."""

    dataset: Dataset
    rule_id: str
    rows: Sequence[Row]
    unexpected: int
    checked: int
    failing_rows: list[int] = field(default_factory=list[int])
    profile: dict[str, Any] = field(default_factory=dict[str, Any])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    severity: Severity = Severity.CRITICAL


WARNING = Severity.WARNING
BROKEN = [
    *(
        Broken(PAGE_VIEWS, f"completeness_{name}", [{}, {name: None}], 1, 2, [2])
        for name in ("event_ts", "visitor_id", "page_url")
    ),
    Broken(PAGE_VIEWS, "completeness_session_id", [{}, {"session_id": None}], 1, 2, [2], severity=WARNING),
    *(
        Broken(ORDERS, f"completeness_{name}", [{}, {name: None}], 1, 2, [2])
        for name in ("order_id", "event_ts", "visitor_id", "product_id", "quantity", "regular_unit_price")
    ),
    Broken(PAGE_VIEWS, "unique_row_origin", [{}, {"row_number": 1}, {}], 2, 3, [1]),
    Broken(ORDERS, "unique_row_origin", [{}, {"row_number": 1}, {}], 2, 3, [1]),
    Broken(PAGE_VIEWS, "unique_event_id", [{}, {"event_id": "e1"}, {"event_id": None}], 2, 2, [1, 2]),
    Broken(ORDERS, "unique_order_line", [{}, {"order_id": "o1"}, {}], 2, 3, [1, 2]),
    Broken(
        ORDERS,
        "order_id_collisions",
        [{"order_id": "o9", "line_number": n, "is_collision": True} for n in (1, 2)] + [{}, {}],
        1,
        3,
        [1],
    ),
    *(
        Broken(
            ORDERS,
            "consistent_order_header",
            [{"order_id": "o1"}, {"order_id": "o1", "line_number": 2, **change}, {}],
            1,
            3,
            [2],
        )
        for change in ({"visitor_id": "v2"}, {"currency": "USD"}, {"status": None})
    ),
    *(
        Broken(dataset, f"format_{name}", [{}, {name: value}], 1, 2, [2])
        for dataset, names in (
            (PAGE_VIEWS, ("visitor_id", "session_id", "crm_id")),
            (ORDERS, ("order_id", "visitor_id", "session_id", "crm_id")),
        )
        for name in names
        for value in ("anna@shop.example", "Anna Nilsson", "", "x" * 257)
    ),
    *(
        Broken(dataset, "format_hashed_fields", [{}, {name: value}], 1, 2, [2])
        for dataset, name in ((PAGE_VIEWS, "hashed_city_user"), (ORDERS, "hashed_phone"))
        for value in ("+4670123456", HASH.upper(), HASH[:-1])
    ),
    *(
        Broken(PAGE_VIEWS, "format_page_url", [{}, {"page_url": value}], 1, 2, [2])
        for value in ("/p?gclid=1", "shop.example/p", "app://product/1", "https://", "")
    ),
    Broken(PAGE_VIEWS, "format_page_url", [{}, {"platform": "ios", "page_url": "product/1"}], 1, 2, [2]),
    Broken(ORDERS, "format_page_url", [{}, {"page_url": "/thanks"}], 1, 2, [2], severity=WARNING),
    Broken(PAGE_VIEWS, "format_referrer", [{}, {"referrer": "(direct)"}], 1, 2, [2], severity=WARNING),
    Broken(ORDERS, "format_currency", [{}, {"currency": "eur"}, {"currency": None}], 1, 2, [2]),
    *(
        Broken(
            ORDERS,
            "plausible_regular_unit_price",
            [{}, {"regular_unit_price": Decimal(value), "discount_unit_price": None}],
            1,
            2,
            [2],
            # An amount off of nothing: the line's revenue is then not what this day is about.
            profile={"orders": {"discount_meaning": "undeclared"}},
        )
        for value in ("-0.01", "1000000")
    ),
    Broken(ORDERS, "plausible_discount_unit_price", [{}, {"discount_unit_price": Decimal(-1)}], 1, 2, [2]),
    Broken(ORDERS, "discount_within_regular", [{}, {"discount_unit_price": Decimal(11)}], 1, 2, [2]),
    *(Broken(ORDERS, "positive_quantity", [{}, {"quantity": value}], 1, 2, [2]) for value in (0, -1)),
    Broken(ORDERS, "plausible_quantity", [{}, {"quantity": 10_001}], 1, 2, [2], severity=WARNING),
    Broken(ORDERS, "line_revenue_not_negative", [{}, {"discount_unit_price": Decimal(-1)}], 1, 2, [2]),
    Broken(
        ORDERS,
        "line_revenue_not_negative",
        [{}, {"discount_unit_price": Decimal("10.01")}],
        1,
        2,
        [2],
        profile={"orders": {"discount_meaning": "amount_off"}},
    ),
    Broken(
        ORDERS,
        "discount_meaning_declared",
        [{}],
        1,
        1,
        profile={"orders": {"discount_meaning": "undeclared"}},
        severity=WARNING,
    ),
    *(
        Broken(dataset, "usual_volume", [{}], 1, 1, facts={"history_median": 2.1}, severity=WARNING)
        for dataset in Dataset
    ),
    *(
        Broken(dataset, "timely_delivery", [{}], 1, 1, facts={"hours_late": 0.1}, severity=WARNING)
        for dataset in Dataset
    ),
    *(Broken(dataset, "books_balance", [{}], 1, 1, facts={"received": 2}) for dataset in Dataset),
]


@pytest.mark.parametrize("dataset", list(Dataset))
def test_every_rule_judges_and_passes_a_right_day(tmp_path: Path, dataset: Dataset) -> None:
    verdict = judged(tmp_path, dataset, [{}, {}, {}]).verdict
    assert [outcome.rule_id for outcome in verdict.outcomes] == [rule.id for rule in rules_for(dataset)]
    assert {outcome.rule_id: outcome.passed for outcome in verdict.outcomes} == {
        rule.id: True for rule in rules_for(dataset)
    }
    assert {outcome.rule_id for outcome in verdict.outcomes if outcome.checked == 0} == set()
    assert verdict.accepted


@pytest.mark.parametrize(
    "day",
    [pytest.param(day, id=f"{day.dataset}-{day.rule_id}-{number}") for number, day in enumerate(BROKEN)],
)
def test_a_wrong_day_fails_the_rule(tmp_path: Path, day: Broken) -> None:
    verdict = judged(
        tmp_path,
        day.dataset,
        day.rows,
        profile=client(**day.profile),
        facts=balanced(len(day.rows), **day.facts),
    ).verdict
    outcome = outcome_of(verdict, day.rule_id)
    assert (outcome.passed, outcome.unexpected, outcome.checked) == (False, day.unexpected, day.checked)
    assert outcome.severity is day.severity
    assert [(sample.delivery_id, sample.row_number) for sample in outcome.samples] == [
        (DELIVERY, row) for row in day.failing_rows
    ]
    assert not verdict.errored


def test_every_rule_has_a_day_that_breaks_it() -> None:
    broken = {(day.dataset, day.rule_id) for day in BROKEN}
    assert broken == {(dataset, rule.id) for dataset in Dataset for rule in rules_for(dataset)}


@pytest.mark.parametrize(
    ("page_url", "platform"),
    [
        ("HTTPS://shop.example", "web"),
        ("http://shop.example/a b?x=\n1", "web"),
        ("app://product/1", "ios"),
        ("https://shop.example/", "android"),
        ("https://shop.example/", None),
    ],
)
def test_absolute_urls_pass(tmp_path: Path, page_url: str, platform: str | None) -> None:
    verdict = judged(tmp_path, PAGE_VIEWS, [{"page_url": page_url, "platform": platform}]).verdict
    assert outcome_of(verdict, "format_page_url").passed


def test_app_referrers_pass(tmp_path: Path) -> None:
    verdict = judged(tmp_path, PAGE_VIEWS, [{"referrer": "android-app://com.search.example/"}]).verdict
    assert outcome_of(verdict, "format_referrer").passed


def test_a_missing_discount_is_the_regular_price(tmp_path: Path) -> None:
    verdict = judged(tmp_path, ORDERS, [{"discount_unit_price": None}]).verdict
    revenue = outcome_of(verdict, "line_revenue_not_negative")
    assert (revenue.passed, revenue.checked) == (True, 1)


@pytest.mark.parametrize(
    ("rule_id", "dataset", "profile", "facts", "why"),
    [
        ("usual_volume", PAGE_VIEWS, {}, {"history_days": 13, "history_median": 99.0}, "13 past days, 14"),
        ("usual_volume", PAGE_VIEWS, {}, {"history_median": None}, "no rows to compare"),
        ("usual_volume", PAGE_VIEWS, {}, {"history_median": 0.0}, "no rows to compare"),
        ("timely_delivery", PAGE_VIEWS, {"live_from": None}, {"hours_late": 9.0}, "not live yet"),
        ("timely_delivery", ORDERS, {"live_from": "2026-11-02"}, {"hours_late": 9.0}, "live from 2026-11-02"),
        ("timely_delivery", ORDERS, {}, {"hours_late": None}, "no arrival"),
        (
            "line_revenue_not_negative",
            ORDERS,
            {"orders": {"discount_meaning": "undeclared"}},
            {},
            "what discount_unit_price means",
        ),
    ],
)
def test_what_cannot_be_judged_passes_and_says_why(
    tmp_path: Path, rule_id: str, dataset: Dataset, profile: dict[str, Any], facts: dict[str, Any], why: str
) -> None:
    verdict = judged(tmp_path, dataset, [{}], profile=client(**profile), facts=balanced(1, **facts)).verdict
    outcome = outcome_of(verdict, rule_id)
    assert (outcome.passed, outcome.checked, outcome.unexpected) == (True, 0, 0)
    assert outcome.observed.startswith("not judged: ")
    assert why in outcome.observed


@pytest.mark.parametrize(("least", "passed"), [(0.5, True), (0.51, False)])
def test_thresholds_are_the_clients(tmp_path: Path, least: float, passed: bool) -> None:
    profile = client(thresholds={"required_completeness": least, "valid_share": least})
    verdict = judged(
        tmp_path,
        PAGE_VIEWS,
        [{}, {"visitor_id": "a b"}, {"page_url": None}, {"page_url": None}],
        profile=profile,
    ).verdict
    assert outcome_of(verdict, "completeness_page_url").passed is passed
    assert outcome_of(verdict, "format_visitor_id").passed is True
    assert outcome_of(verdict, "format_visitor_id").samples[0].row_number == 2


def test_quarantined_rows_of_the_day_count_as_received(tmp_path: Path) -> None:
    quarantine = refused(
        [
            {"row_number": 11, "problems": ["visitor_id:missing", "page_url:not_allowed"]},
            {"row_number": 12, "problems": ["event_ts:wrong_timestamp_unit"]},
            {"row_number": 13, "problems": None},
            {"row_number": 14, "problems": ["visitor_id:missing"], "event_day": None},
        ]
    )
    verdict = judged(tmp_path, PAGE_VIEWS, [{}], quarantine=quarantine).verdict
    visitors = outcome_of(verdict, "completeness_visitor_id")
    assert (visitors.checked, visitors.unexpected) == (4 - 1 + 1, 1)
    assert [sample.row_number for sample in visitors.samples] == [11]
    assert outcome_of(verdict, "completeness_page_url").unexpected == 0
    assert outcome_of(verdict, "unique_row_origin").checked == 1


def test_samples_are_the_first_five_rows(tmp_path: Path) -> None:
    rows = [{"visitor_id": "a b", "row_number": number} for number in (9, 3, 7, 1, 5, 8)]
    verdict = judged(tmp_path, PAGE_VIEWS, rows).verdict
    samples = outcome_of(verdict, "format_visitor_id").samples
    assert [sample.row_number for sample in samples] == [1, 3, 5, 7, 8]


_ID_LETTERS = st.sampled_from("abZ019-_.:/é\U0001f600" + "@ \t\n\v\u0085\u00a0\u3000")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.lists(st.text(_ID_LETTERS, max_size=12), min_size=1, max_size=40))
def test_ids_are_judged_like_python_judges_them(tmp_path: Path, ids: list[str]) -> None:
    wrong = [text for text in ids if not text or "@" in text or any(letter.isspace() for letter in text)]
    verdict = judged(tmp_path, PAGE_VIEWS, [{"visitor_id": text} for text in ids]).verdict
    assert outcome_of(verdict, "format_visitor_id").unexpected == len(wrong)


@pytest.mark.parametrize("dataset", list(Dataset))
def test_ids_are_unique_and_name_asset_checks(dataset: Dataset) -> None:
    rules = rules_for(dataset)
    assert len({rule.id for rule in rules}) == len(rules)
    assert all(re.fullmatch(r"[A-Za-z0-9_]+", rule.id) for rule in rules)
    assert all(rule.dataset is dataset and rule.remedy and rule.reason for rule in rules)


def test_the_catalogue_loads_without_the_slow_library() -> None:
    program = (
        "import sys; from symbiosys_pipeline.quality import data_docs, runner, rules; "
        "rules.rules_for('orders'); sys.exit('great_expectations' in sys.modules or 'dagster' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
