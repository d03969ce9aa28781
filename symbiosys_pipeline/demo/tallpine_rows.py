"""How Tallpine Goods writes its files: semicolons, epoch milliseconds, list columns, decimal commas."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.demo.browsing import Shop
from symbiosys_pipeline.demo.delivery_files import (
    CLEAR_EMAIL,
    DeliveryFile,
    Purchase,
    Record,
    Refused,
    csv_record,
)
from symbiosys_pipeline.demo.events import Order, View, epoch_ms

TALLPINE = Shop(
    client="tallpine_goods",
    host="www.tallpine.example",
    zone=ZoneInfo("America/New_York"),
    visitors=560,
    own_ids=False,
    app_share=0.22,
    amount_off=True,
    product_format="{:06d}",
    order_format="{:08d}",
    statuses=("paid", "CANCELLED", "returned"),
)
#: The hash this shop sends for "no e-mail": it hashes the empty string.
_HASH_OF_NOTHING = hashlib.sha256(b"").hexdigest()

#: Wrong values of a view's columns, with the reason the row must be refused for.
BAD_VIEWS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("missing", {"vid": ""}),
    ("wrong_timestamp_unit", {"ts": "1794322800"}),
    ("unparseable_timestamp", {"ts": "yesterday"}),
    ("not_a_sha256", {"hashed_email": CLEAR_EMAIL}),
    ("not_allowed", {"platform": "smart_tv"}),
)
#: Wrong values of a web order's columns, likewise; each order given to them has two lines.
BAD_ORDERS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("unequal_lists", {"qty": "1"}),
    ("negative", {"regunitpr": "-4,00|12,50"}),
    ("not_positive", {"qty": "2|0"}),
    ("wrong_timestamp_unit", {"order_ts": "1794322800"}),
    ("personal_data_in_clear", {"order_id": CLEAR_EMAIL}),
)

_VISIT_COLUMNS = (
    "ts",
    "vid",
    "crmid",
    "page_url",
    "referrer",
    "prodid",
    "category_id",
    "hashed_email",
    "user_opt_out",
    "user_agent",
    "platform",
)
_ORDER_COLUMNS = (
    "order_id",
    "order_ts",
    "vid",
    "crmid",
    "hashed_email",
    "user_opt_out",
    "prodid",
    "qty",
    "regunitpr",
    "disunitpr",
    "status",
    "platform",
)


def view_record(view: View) -> Record:
    """The row of a view."""
    return Record(_csv(_VISIT_COLUMNS, _visit_row(view)), view)


def bad_view_record(view: View, reason: str, wrong: Mapping[str, str]) -> Record:
    """The row of a view that must be refused, with the wrong values in place of its own."""
    return Record(_csv(_VISIT_COLUMNS, {**_visit_row(view), **wrong}), Refused(reason))


def web_order_record(order: Order) -> Record:
    """The CSV row of an order: all its lines in list columns."""
    return Record(_csv(_ORDER_COLUMNS, _order_row(order)), Purchase(order))


def bad_web_order_record(order: Order, reason: str, wrong: Mapping[str, str]) -> Record:
    """The CSV row of an order that must be refused whole."""
    return Record(_csv(_ORDER_COLUMNS, {**_order_row(order), **wrong}), Refused(reason))


def app_order_record(order: Order) -> Record:
    """The JSON object of an order: all its lines in arrays."""
    return Record(_order_json(order), Purchase(order))


def bad_app_order_records(orders: Sequence[Order]) -> list[Record]:
    """Three lines of the app's file that must be refused, one of every kind."""
    torn, listed, unpriced = orders
    free = tuple("free" for _ in unpriced.lines)
    return [
        Record(_order_json(torn)[:-20], Refused("malformed_json")),
        Record(b"[" + _order_json(listed) + b"]", Refused("not_an_object")),
        Record(_order_json(unpriced, regular=free), Refused("not_a_number")),
    ]


def visit_file(day: date, hour: int, records: Sequence[Record]) -> DeliveryFile:
    """One hour's visit file; without records it is a header only."""
    return DeliveryFile(
        client=TALLPINE.client,
        key=f"visits/tallpine_visits_{day:%Y%m%d}_{hour:02d}.csv",
        dataset=Dataset.PAGE_VIEWS,
        day=day,
        header=csv_record(_VISIT_COLUMNS, ";"),
        records=tuple(records),
        delimiter=b";",
        line_end=b"\r\n",
        bom=True,
    )


def web_order_file(day: date, records: Sequence[Record]) -> DeliveryFile:
    """A day's order file of the web shop."""
    return DeliveryFile(
        client=TALLPINE.client,
        key=f"orders/tallpine_orders_{day:%Y%m%d}.csv",
        dataset=Dataset.ORDERS,
        day=day,
        header=csv_record(_ORDER_COLUMNS, ";"),
        records=tuple(records),
        delimiter=b";",
        line_end=b"\r\n",
        bom=True,
    )


def app_order_file(day: date, records: Sequence[Record]) -> DeliveryFile:
    """A day's order file of the app: NDJSON."""
    return DeliveryFile(
        client=TALLPINE.client,
        key=f"app_orders/tallpine_app_orders_{day:%Y%m%d}.ndjson",
        dataset=Dataset.ORDERS,
        day=day,
        header=None,
        records=tuple(records),
    )


def _csv(columns: Sequence[str], row: Mapping[str, str]) -> bytes:
    return csv_record([row[column] for column in columns], ";")


def _visit_row(view: View) -> dict[str, str]:
    return {
        "ts": str(epoch_ms(view.at)),
        "vid": view.visitor_id,
        "crmid": view.crm_id or "",
        "page_url": view.page_url,
        "referrer": view.referrer or "",
        "prodid": view.product_id or "",
        "category_id": view.category_id or "",
        "hashed_email": view.hashed_email or _HASH_OF_NOTHING,
        "user_opt_out": "true" if view.opted_out else "",
        "user_agent": view.user_agent,
        "platform": view.platform,
    }


def _order_row(order: Order) -> dict[str, str]:
    return {
        "order_id": order.order_id,
        "order_ts": str(epoch_ms(order.at)),
        "vid": order.visitor_id,
        "crmid": order.crm_id or "",
        "hashed_email": order.hashed_email or _HASH_OF_NOTHING,
        "user_opt_out": "true" if order.opted_out else "",
        "prodid": "|".join(line.product_id for line in order.lines),
        "qty": "|".join(str(line.quantity) for line in order.lines),
        "regunitpr": "|".join(_comma(line.regular) for line in order.lines),
        "disunitpr": "|".join(_comma(line.discount or Decimal(0)) for line in order.lines),
        "status": order.status,
        "platform": order.platform,
    }


def _comma(price: Decimal) -> str:
    return f"{price:.2f}".replace(".", ",")


def _order_json(order: Order, *, regular: Sequence[str] | None = None) -> bytes:
    prices = [float(line.regular) for line in order.lines]
    return json.dumps(
        {
            "order_id": order.order_id,
            "order_ts": epoch_ms(order.at),
            "vid": order.visitor_id,
            "crmid": order.crm_id,
            "hashed_email": order.hashed_email,
            "user_opt_out": order.opted_out,
            "platform": order.platform,
            "status": order.status,
            "prodid": [line.product_id for line in order.lines],
            "qty": [line.quantity for line in order.lines],
            "regunitpr": list(regular) if regular else prices,
            "disunitpr": [None if line.discount is None else float(line.discount) for line in order.lines],
        }
    ).encode()
