"""A small client and its rows, for the tests of standardizing."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
from hypothesis import settings

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.transforms.raw_chunks import ROW_NUMBER
from symbiosys_pipeline.transforms.standardize import Standardized, standardize
from symbiosys_pipeline.transforms.standardize_spec import StandardizeSpec

#: A property is never judged by how busy the machine is.
UNTIMED = settings(deadline=None)

DELIVERY_ID = "0123456789abcdef"
DELIVERY_DAY = date(2026, 11, 22)
NOON_MS = str(int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()) * 1000)

PAGE_VIEW = {"event_ts": NOON_MS, "visitor_id": "v1", "page_url": "https://shop.example/"}
ORDER = {
    "order_id": "o1",
    "event_ts": NOON_MS,
    "visitor_id": "v1",
    "product_id": "p1",
    "quantity": "2",
    "regular_unit_price": "9.90",
}


def spec_of(
    dataset: Dataset = Dataset.PAGE_VIEWS,
    *,
    source: Mapping[str, Any] | None = None,
    orders: Mapping[str, Any] | None = None,
    **profile: Any,
) -> StandardizeSpec:
    folder = {"location": "/deliveries", "pattern": "{YYYYMMDD}.csv", **(source or {})}
    written = {
        "client": "acme",
        "start_date": date(2026, 1, 1),
        "currency": "EUR",
        "owners": ("team:shop",),
        "page_views": {"sources": [folder]},
        "orders": {"sources": [folder], **(orders or {})},
        **profile,
    }
    client = ClientProfile.model_validate(written)
    return StandardizeSpec.of(
        client, dataset, client.sources(dataset)[0], delivery_id=DELIVERY_ID, delivery_day=DELIVERY_DAY
    )


def run(rows: Sequence[Mapping[str, Any]], spec: StandardizeSpec) -> Standardized:
    """Standardize rows written with contract names; the client's columns are called `c_<field>`."""
    fields = [name for name in SCHEMAS[spec.dataset].names() if any(name in row for row in rows)]
    frame = pl.DataFrame(
        {
            ROW_NUMBER: pl.Series(range(1, len(rows) + 1), dtype=pl.Int64),
            **{
                f"c_{name}": pl.Series(
                    [row.get(name) for row in rows],
                    dtype=None if name == "event_ts" and not _is_text(rows) else pl.String,
                )
                for name in fields
            },
        }
    )
    return standardize(frame, {name: f"c_{name}" for name in fields}, spec)


def _is_text(rows: Sequence[Mapping[str, Any]]) -> bool:
    return all(isinstance(row.get("event_ts"), str | None) for row in rows)


def outcome(field: str, text: Any, spec: StandardizeSpec) -> Any:
    """The value of one field of an otherwise good row, or its reason in angle brackets."""
    good = ORDER if spec.dataset is Dataset.ORDERS else PAGE_VIEW
    valid, refused = run([{**good, field: text}], spec)
    if refused.height:
        assert refused["field"].to_list() == [field]
        return f"<{refused['reason'].item()}>"
    return valid[field].item()
