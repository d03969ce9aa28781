"""How Lunaverre writes its files: its own column names, ISO 8601 times, one row per order line."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
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
from symbiosys_pipeline.demo.events import Order, View

LUNAVERRE = Shop(
    client="lunaverre",
    host="www.lunaverre.example",
    zone=ZoneInfo("Europe/Paris"),
    visitors=520,
    own_ids=True,
    app_share=0.0,
    amount_off=False,
    product_format="LV-{:04d}",
    order_format="F{:07d}",
    statuses=("payee", "annulee", "retournee"),
)

#: Wrong values of a view's columns, with the reason the row must be refused for.
BAD_VIEWS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("missing", {"visiteur": ""}),
    ("missing", {"url": "NULL"}),
    ("unparseable_timestamp", {"horodatage": "2026-11-31T25:61:00+01:00"}),
    ("not_a_sha256", {"email_sha256": CLEAR_EMAIL}),
    ("personal_data_in_clear", {"client_id": CLEAR_EMAIL}),
    ("not_a_boolean", {"refus_suivi": "peut-etre"}),
)
#: Wrong values of an order line's columns, likewise.
BAD_LINES: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("missing", {"produit": ""}),
    ("not_positive", {"quantite": "0"}),
    ("negative", {"prix": "-19.90"}),
    ("not_an_integer", {"quantite": "1.5"}),
    ("not_a_number", {"prix": "gratuit"}),
    ("too_many_decimals", {"prix": "19.99995"}),
    ("not_a_currency", {"devise": "euro"}),
)

_VISIT_COLUMNS = (
    "horodatage",
    "visiteur",
    "session",
    "langue",
    "url",
    "provenance",
    "produit",
    "categorie",
    "client_id",
    "email_sha256",
    "refus_suivi",
    "agent",
    "evenement",
)
_ORDER_COLUMNS = (
    "commande",
    "horodatage",
    "visiteur",
    "session",
    "client_id",
    "email_sha256",
    "refus_suivi",
    "statut",
    "devise",
    "produit",
    "quantite",
    "prix",
    "prix_remise",
)


def view_record(view: View) -> Record:
    """The row of a view."""
    return Record(_csv(_VISIT_COLUMNS, _visit_row(view)), view)


def bad_view_record(view: View, reason: str, wrong: Mapping[str, str] | None = None) -> Record:
    """The row of a view that must be refused, with the wrong values in place of its own."""
    return Record(_csv(_VISIT_COLUMNS, {**_visit_row(view), **(wrong or {})}), Refused(reason))


def order_records(order: Order) -> list[Record]:
    """The rows of an order, one per line."""
    return [
        Record(_csv(_ORDER_COLUMNS, _line_row(order, position)), Purchase(order, position))
        for position in range(len(order.lines))
    ]


def bad_order_records(order: Order, reason: str, wrong: Mapping[str, str]) -> list[Record]:
    """The rows of an order whose first line must be refused, and the others with it."""
    rows = [_line_row(order, position) for position in range(len(order.lines))]
    return [
        Record(_csv(_ORDER_COLUMNS, {**rows[0], **wrong}), Refused(reason)),
        *(Record(_csv(_ORDER_COLUMNS, row), Refused("order_incomplete")) for row in rows[1:]),
    ]


def visit_file(day: date, records: Sequence[Record]) -> DeliveryFile:
    """A day's visit file."""
    return DeliveryFile(
        client=LUNAVERRE.client,
        key=f"visits/lunaverre_visits_{day:%Y%m%d}.csv.gz",
        dataset=Dataset.PAGE_VIEWS,
        day=day,
        header=csv_record(_VISIT_COLUMNS, ","),
        records=tuple(records),
        gzipped=True,
    )


def order_file(day: date, records: Sequence[Record]) -> DeliveryFile:
    """A day's order file."""
    file = visit_file(day, records)
    return replace(
        file,
        key=f"orders/lunaverre_orders_{day:%Y%m%d}.csv.gz",
        dataset=Dataset.ORDERS,
        header=csv_record(_ORDER_COLUMNS, ","),
    )


def _csv(columns: Sequence[str], row: Mapping[str, str]) -> bytes:
    return csv_record([row[column] for column in columns], ",")


def _local_iso(at: datetime) -> str:
    return at.astimezone(LUNAVERRE.zone).isoformat(timespec="milliseconds")


def _visit_row(view: View) -> dict[str, str]:
    return {
        "horodatage": _local_iso(view.at),
        "visiteur": view.visitor_id,
        "session": view.session_id or "",
        "langue": "fr",
        "url": view.page_url,
        "provenance": view.referrer or "",
        "produit": view.product_id or "",
        "categorie": view.category_id or "",
        "client_id": view.crm_id or "NULL",
        "email_sha256": (view.hashed_email or "").upper(),
        "refus_suivi": "1" if view.opted_out else "0",
        "agent": view.user_agent,
        "evenement": view.event_id or "",
    }


def _line_row(order: Order, position: int) -> dict[str, str]:
    line = order.lines[position]
    return {
        "commande": order.order_id,
        "horodatage": _local_iso(order.at),
        "visiteur": order.visitor_id,
        "session": order.session_id or "",
        "client_id": order.crm_id or "NULL",
        "email_sha256": (order.hashed_email or "").upper(),
        "refus_suivi": "1" if order.opted_out else "0",
        "statut": order.status,
        "devise": "EUR",
        "produit": line.product_id,
        "quantite": str(line.quantity),
        "prix": f"{line.regular:.2f}",
        "prix_remise": "" if line.discount is None else f"{line.discount:.2f}",
    }
