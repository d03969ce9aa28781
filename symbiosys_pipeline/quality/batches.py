"""The SQL of the three tables a day is judged by. Text only: nothing is run here.

What is not a constant of this package goes in as a quoted identifier or literal: file names, dates, numbers.
"""

from collections.abc import Sequence
from datetime import date

from symbiosys_pipeline.contracts.columns import Dataset, Kind, Need
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.contracts.profile import ClientProfile, DiscountMeaning
from symbiosys_pipeline.quality.day_facts import DayFacts
from symbiosys_pipeline.quality.order_rules import SETTLED_ORDER_ID, SETTLED_ORDER_ID_SQL
from symbiosys_pipeline.quality.rule import Batch, Rule
from symbiosys_pipeline.transforms.sql import quoted

_TYPES: dict[Kind, str] = {
    Kind.TIMESTAMP: "TIMESTAMPTZ",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.QUANTITY: "BIGINT",
    Kind.PRICE: "DECIMAL(18, 4)",
}
_ORIGIN_TYPES = {"event_day": "DATE", "delivery_id": "VARCHAR", "row_number": "BIGINT"}
_ORDER_TYPES = {"line_number": "INTEGER", "is_collision": "BOOLEAN"}


def batch_queries(
    profile: ClientProfile,
    dataset: Dataset,
    event_day: date,
    rules: Sequence[Rule],
    *,
    staging: Sequence[str],
    quarantine: Sequence[str],
    facts: DayFacts,
) -> dict[Batch, str]:
    """The SELECT of each batch; no file at all makes an empty table of the right columns.

    Every batch but `FACTS` has `delivery_id` String and `row_number` Int64.
    """
    return {
        Batch.ROWS: _rows(profile, dataset, rules, staging),
        Batch.RECEIVED: _received(dataset, event_day, staging, quarantine),
        Batch.FACTS: _facts(profile, event_day, rules, facts),
    }


def samples_query(rule: Rule, limit: int) -> str:
    """The origin of the first failing rows of a rule that has a `failing` predicate."""
    return (
        f'SELECT DISTINCT "delivery_id", "row_number" FROM {rule.batch} WHERE {rule.failing} '
        f'ORDER BY "delivery_id" ASC, "row_number" ASC LIMIT {limit}'
    )


def _rows(profile: ClientProfile, dataset: Dataset, rules: Sequence[Rule], staging: Sequence[str]) -> str:
    judged = [rule for rule in rules if rule.batch is Batch.ROWS]
    derived = {rule.id: rule.flag(profile) for rule in judged if rule.flag}
    if dataset is Dataset.ORDERS:
        derived[SETTLED_ORDER_ID] = SETTLED_ORDER_ID_SQL
    # Only what is judged: a table that holds no URL cannot show one, and a wide day stays small.
    names = {name for rule in judged for name in rule.expected(profile).columns()}
    kept = sorted({"delivery_id", "row_number", *names} - derived.keys())
    columns = [quoted(name) for name in kept] + [f"{sql} AS {quoted(name)}" for name, sql in derived.items()]
    return f"WITH staged AS ({_staged(dataset, staging)}) SELECT {', '.join(columns)} FROM staged"


def _received(dataset: Dataset, event_day: date, staging: Sequence[str], quarantine: Sequence[str]) -> str:
    schema = SCHEMAS[dataset]
    names = [column.name for need in (Need.REQUIRED, Need.EXPECTED) for column in schema.needed(need)]
    origin = '"delivery_id", "row_number"'
    # Only whether a value is there, so that no value is within reach of a result.
    carried = ", ".join(
        f"CASE WHEN {quoted(name)} IS NOT NULL THEN 1 END AS {quoted(name)}" for name in names
    )
    staged = f"SELECT {origin}, {carried} FROM ({_staged(dataset, staging)}) AS staged"
    if not quarantine:
        return staged
    refused = ", ".join(
        f"CASE WHEN NOT coalesce(list_contains(\"problems\", '{name}:missing'), false) THEN 1 END"
        for name in names
    )
    return (
        f"{staged} UNION ALL SELECT {origin}, {refused} FROM {_parquet(quarantine)} "
        f"WHERE \"event_day\" = DATE '{event_day.isoformat()}'"
    )


def _facts(profile: ClientProfile, event_day: date, rules: Sequence[Rule], facts: DayFacts) -> str:
    numbers = {
        "received": (facts.received, "BIGINT"),
        "accounted": (facts.accounted, "BIGINT"),
        "volume_distance": (facts.volume_distance, "DOUBLE"),
        "hours_late": (facts.hours_late, "DOUBLE"),
        "discount_meaning_declared": (
            profile.orders.discount_meaning is not DiscountMeaning.UNDECLARED,
            "BOOLEAN",
        ),
    }
    # A column of a rule that does not judge this day is null, which every expectation passes over.
    unjudged = {
        name
        for rule in rules
        if rule.batch is Batch.FACTS and rule.not_judged(profile, event_day, facts) is not None
        for name in rule.expected(profile).columns()
    }
    columns = ", ".join(
        f"CAST({'NULL' if number is None or name in unjudged else number} AS {type_}) AS {quoted(name)}"
        for name, (number, type_) in numbers.items()
    )
    return f"SELECT {columns}"


def _staged(dataset: Dataset, staging: Sequence[str]) -> str:
    if staging:
        return f"SELECT * FROM {_parquet(staging)}"
    types = {column.name: _TYPES.get(column.kind, "VARCHAR") for column in SCHEMAS[dataset].columns}
    types |= _ORIGIN_TYPES
    if dataset is Dataset.ORDERS:
        types |= _ORDER_TYPES
    columns = ", ".join(f"NULL::{type_} AS {quoted(name)}" for name, type_ in types.items())
    return f"SELECT {columns} WHERE false"


def _parquet(files: Sequence[str]) -> str:
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    return f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
