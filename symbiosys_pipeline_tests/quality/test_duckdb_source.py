"""Every expectation type of the catalogue, run by this Great Expectations inside this DuckDB.

The data source leans on Great Expectations' internals: a new version must pass here before it is pinned.
"""

import tempfile
from typing import Any

import pytest

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.quality.gx_loading import load_great_expectations
from symbiosys_pipeline.quality.rule import Batch
from symbiosys_pipeline.quality.rules import rules_for
from symbiosys_pipeline_tests.quality.staged_days import client

TABLE = """
SELECT * FROM (VALUES
    ('a', 1, 1, true, 1.50::DECIMAL(18, 4), 10),
    ('b', 1, 2, true, 2.50::DECIMAL(18, 4), 20),
    ('b', 1, 2, false, 20.00::DECIMAL(18, 4), 20),
    (NULL, NULL, 3, NULL, NULL, 40)
) AS t(letter, one, two, flag, price, number)
"""

CASES: list[tuple[str, dict[str, Any], int, int]] = [
    ("ExpectColumnValuesToNotBeNull", {"column": "letter"}, 4, 1),
    ("ExpectColumnValuesToBeInSet", {"column": "flag", "value_set": [True]}, 3, 1),
    ("ExpectColumnValuesToMatchRegex", {"column": "letter", "regex": "^[b-z]{1,256}$"}, 3, 1),
    ("ExpectColumnValuesToBeUnique", {"column": "letter"}, 3, 2),
    (
        "ExpectCompoundColumnsToBeUnique",
        {"column_list": ["one", "two"], "ignore_row_if": "any_value_is_missing"},
        3,
        2,
    ),
    (
        "ExpectColumnValuesToBeBetween",
        {"column": "price", "min_value": 0, "max_value": 20, "strict_max": True},
        3,
        1,
    ),
    (
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {
            "column_A": "number",
            "column_B": "price",
            "or_equal": True,
            "ignore_row_if": "either_value_is_missing",
        },
        3,
        0,
    ),
    ("ExpectColumnPairValuesToBeEqual", {"column_A": "number", "column_B": "number"}, 4, 0),
    ("ExpectColumnPairValuesToBeEqual", {"column_A": "two", "column_B": "number"}, 4, 4),
]


def test_the_cases_are_the_catalogues_expectations() -> None:
    used = {rule.expected(client()).expectation for dataset in Dataset for rule in rules_for(dataset)}
    assert {name for name, *_ in CASES} == used


@pytest.mark.parametrize(
    ("name", "arguments", "checked", "unexpected"),
    [pytest.param(*case, id=f"{case[0]}-{number}") for number, case in enumerate(CASES)],
)
@pytest.mark.parametrize("is_lenient", [False, True], ids=["all", "mostly"])
def test_expectations_count_right_and_show_nothing(
    name: str, arguments: dict[str, Any], checked: int, unexpected: int, is_lenient: bool
) -> None:
    load_great_expectations()
    import great_expectations as gx  # noqa: PLC0415  after its loading, which silences its warnings
    import great_expectations.expectations as gxe  # noqa: PLC0415  likewise

    from symbiosys_pipeline.quality.duckdb_source import quality_session  # noqa: PLC0415  likewise

    session = quality_session("1GB", tempfile.gettempdir())
    session.replace_batch(Batch.ROWS, TABLE)
    # Exactly at the threshold: a share of 1/3 wrong passes where 2/3 must be right.
    share = (checked - unexpected) / checked if is_lenient else 1
    expectation = getattr(gxe, name)(**arguments, mostly=share)
    suite = gx.ExpectationSuite(name="one", expectations=[expectation])
    result: Any = session.validate(Batch.ROWS, suite).results[0]
    assert result.exception_info["raised_exception"] is False
    counts: dict[str, Any] = result.result
    assert counts["element_count"] - (counts.get("missing_count") or 0) == checked
    assert counts["unexpected_count"] == unexpected
    assert result.success is (is_lenient or unexpected == 0)
    assert all(value is None or isinstance(value, int | float) for value in counts.values())
