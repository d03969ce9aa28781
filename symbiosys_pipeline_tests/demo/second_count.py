"""A second, separate count of the demo deliveries: reads the written files with csv, json and gzip only."""

import csv
import gzip
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

START = date(2026, 11, 10)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.\w+")
Fields = dict[str, Any]


@dataclass
class Count:
    """What a client's files hold, counted from their text."""

    zone: ZoneInfo
    views: list[tuple[date, datetime, str, str | None, Any]] = field(default_factory=list)
    orders: dict[str, list[tuple[date, str, str, list[tuple[Any, ...]]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    refused_views: Counter[str] = field(default_factory=Counter)
    refused_orders: Counter[str] = field(default_factory=Counter)


def delivery_day(path: Path) -> date:
    found = re.search(r"_(\d{8})[_.]", path.name)
    assert found
    return datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC).date()


def csv_rows(path: Path, delimiter: str) -> Iterator[Fields | str]:
    """Every record as a dict, or the reason why its structure is broken."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = next(reader)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield "malformed_quotes"
            continue
        joined = "".join(row)
        if any("\udc80" <= letter <= "\udcff" for letter in joined):
            yield "invalid_utf8"
        elif "\x00" in joined:
            yield "nul_byte"
        elif len(row) != len(header):
            yield "too_few_fields" if len(row) < len(header) else "too_many_fields"
        else:
            yield {
                name: None if value in {"", "NULL"} else value
                for name, value in zip(header, row, strict=True)
            }


def instant(text: str | None) -> datetime | str:
    if text is None:
        return "missing"
    if re.fullmatch(r"\d{13}", text):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))
    if re.fullmatch(r"\d{10}", text):
        return "wrong_timestamp_unit"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return "unparseable_timestamp"


def window_reason(at: datetime, delivered: date, zone: ZoneInfo) -> str | None:
    day = at.astimezone(zone).date()
    end = datetime.combine(delivered + timedelta(days=1), datetime.min.time(), zone)
    if day < delivered - timedelta(days=3):
        return "outside_lateness_window"
    if at > end + timedelta(minutes=35):
        return "in_future"
    return "before_start_date" if day < START else None


def event_reason(row: Fields, at: datetime | str, delivered: date, zone: ZoneInfo) -> str | None:
    """Why a row's event columns must be refused; `row` has the contract's names."""
    if isinstance(at, str):
        return at
    if row["visitor_id"] is None:
        return "missing"
    if EMAIL.search(row.get("crm_id") or "") or EMAIL.search(row.get("order_id") or ""):
        return "personal_data_in_clear"
    if row["hashed_email"] and not re.fullmatch(r"[0-9a-fA-F]{64}", row["hashed_email"]):
        return "not_a_sha256"
    if row.get("user_opt_out") not in {None, "0", "1", "true", "false", True, False}:
        return "not_a_boolean"
    if row.get("platform") not in {None, "web", "ios", "android"}:
        return "not_allowed"
    return window_reason(at, delivered, zone)


def line_reason(product: str | None, quantity: str | None, price: str | None) -> str | None:
    if not product or not quantity or not price:
        return "missing"
    if not re.fullmatch(r"\d+", quantity):
        return "not_an_integer"
    if int(quantity) == 0:
        return "not_positive"
    try:
        amount = Decimal(price)
    except InvalidOperation:
        return "not_a_number"
    if amount < 0:
        return "negative"
    return "too_many_decimals" if round(amount, 4) != amount else None


def count_view(count: Count, row: Fields, delivered: date) -> None:
    at = instant(row["event_ts"])
    reason = event_reason(row, at, delivered, count.zone)
    if reason is None and row["page_url"] is None:
        reason = "missing"
    if reason or isinstance(at, str):
        count.refused_views[reason or "missing"] += 1
        return
    day = at.astimezone(count.zone).date()
    content = row.get("event_id") or tuple(sorted((name, str(value)) for name, value in row.items()))
    count.views.append((day, at, row["visitor_id"], row.get("session_id"), content))


LUNAVERRE_VIEW = {
    "event_ts": "horodatage",
    "visitor_id": "visiteur",
    "session_id": "session",
    "crm_id": "client_id",
    "page_url": "url",
    "hashed_email": "email_sha256",
    "user_opt_out": "refus_suivi",
    "event_id": "evenement",
}


def count_lunaverre(root: Path) -> Count:
    count = Count(ZoneInfo("Europe/Paris"))
    for path in sorted(root.glob("lunaverre/visits/*.gz")):
        for row in csv_rows(path, ","):
            if isinstance(row, str):
                count.refused_views[row] += 1
            else:
                named = {name: row[column] for name, column in LUNAVERRE_VIEW.items()}
                count_view(count, named, delivery_day(path))
    for path in sorted(root.glob("lunaverre/orders/*.gz")):
        _count_lunaverre_orders(count, path)
    return count


def _count_lunaverre_orders(count: Count, path: Path) -> None:
    by_order: dict[str | None, list[Fields]] = defaultdict(list)
    for row in csv_rows(path, ","):
        assert isinstance(row, dict)
        by_order[row["commande"]].append(row)
    for order_id, rows in by_order.items():
        reasons = [_lunaverre_reason(row, delivery_day(path), count.zone) for row in rows]
        if any(reasons) or order_id is None:
            count.refused_orders.update(reason or "order_incomplete" for reason in reasons)
            continue
        at = datetime.fromisoformat(rows[0]["horodatage"])
        lines = [
            (
                row["produit"],
                int(row["quantite"]),
                Decimal(row["prix"]),
                Decimal(row["prix_remise"] or row["prix"]),
            )
            for row in rows
        ]
        count.orders[order_id].append(
            (at.astimezone(count.zone).date(), rows[0]["visiteur"], rows[0]["statut"], lines)
        )


def _lunaverre_reason(row: Fields, delivered: date, zone: ZoneInfo) -> str | None:
    named = {
        "visitor_id": row["visiteur"],
        "crm_id": row["client_id"],
        "hashed_email": row["email_sha256"],
        "user_opt_out": row["refus_suivi"],
    }
    if row["commande"] is None:
        return "missing"
    if not re.fullmatch("[A-Z]{3}", row["devise"].upper()):
        return "not_a_currency"
    return event_reason(named, instant(row["horodatage"]), delivered, zone) or line_reason(
        row["produit"], row["quantite"], row["prix"]
    )


TALLPINE_NAMES = {"ts": "event_ts", "order_ts": "event_ts", "vid": "visitor_id", "crmid": "crm_id"}


def count_tallpine(root: Path) -> Count:
    count = Count(ZoneInfo("America/New_York"))
    for path in sorted(root.glob("tallpine_goods/visits/*.csv")):
        for row in csv_rows(path, ";"):
            if isinstance(row, str):
                count.refused_views[row] += 1
            else:
                count_view(count, _tallpine_names(row), delivery_day(path))
    for path in sorted(root.glob("tallpine_goods/orders/*.csv")):
        for row in csv_rows(path, ";"):
            assert isinstance(row, dict)
            columns = [row[name].split("|") for name in ("prodid", "qty", "regunitpr", "disunitpr")]
            prices = [[text.replace(",", ".") for text in column] for column in columns[2:]]
            _count_tallpine_order(count, row, [*columns[:2], *prices], delivery_day(path))
    for path in sorted(root.glob("tallpine_goods/app_orders/*.ndjson")):
        for line in path.read_text().splitlines():
            _count_app_line(count, line, delivery_day(path))
    return count


def _count_app_line(count: Count, line: str, delivered: date) -> None:
    try:
        row = json.loads(line, parse_float=str, parse_int=str)
    except json.JSONDecodeError:
        count.refused_orders["malformed_json"] += 1
        return
    if not isinstance(row, dict):
        count.refused_orders["not_an_object"] += 1
        return
    offs = [text or "0" for text in row["disunitpr"]]
    _count_tallpine_order(count, row, [row["prodid"], row["qty"], row["regunitpr"], offs], delivered)


def _tallpine_names(row: Fields) -> Fields:
    return {TALLPINE_NAMES.get(name, name): value for name, value in row.items()}


def _count_tallpine_order(count: Count, row: Fields, columns: list[list[str]], delivered: date) -> None:
    named = _tallpine_names(row)
    at = instant(named["event_ts"])
    reason = event_reason(named, at, delivered, count.zone)
    if reason is None and len({len(column) for column in columns}) > 1:
        reason = "unequal_lists"
    lines = [] if reason else list(zip(*columns, strict=True))
    reason = reason or next(filter(None, (line_reason(*line[:3]) for line in lines)), None)
    if reason or isinstance(at, str):
        count.refused_orders[reason or "missing"] += 1
        return
    typed = [
        (product, int(q), Decimal(regular), Decimal(regular) - Decimal(off))
        for product, q, regular, off in lines
    ]
    count.orders[named["order_id"]].append(
        (at.astimezone(count.zone).date(), named["visitor_id"], named["status"], typed)
    )
