"""Values of JSON objects and nested Parquet columns as exact text: no digit is added or lost."""

import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import cast

import numpy as np

#: Deeper nesting than any delivery has; beyond it a value is refused, whatever the machine's stack holds.
DEEPEST_NESTING = 64


class NumberText(str):
    """A number exactly as it was written."""

    __slots__ = ()


class NestedTooDeeplyError(ValueError):
    """A value is nested more deeply than `DEEPEST_NESTING`."""


def float_text(value: float) -> str:
    """The shortest digits that give the float back, never with an exponent: 12.5, 3.0, nan."""
    return np.format_float_positional(value, unique=True, trim="0")


def json_text(value: object, depth: int = 0) -> str:
    """A value as compact JSON text, numbers with their exact digits.

    Raises:
        NestedTooDeeplyError: Lists and objects lie deeper than `DEEPEST_NESTING`.
    """
    if depth > DEEPEST_NESTING:
        raise NestedTooDeeplyError
    match value:
        case dict():
            members = (
                f"{json.dumps(str(key), ensure_ascii=False)}:{json_text(member, depth + 1)}"
                for key, member in cast("dict[object, object]", value).items()
            )
            return f"{{{','.join(members)}}}"
        case list() | tuple():
            members = (json_text(member, depth + 1) for member in cast("list[object]", value))
            return f"[{','.join(members)}]"
        case _:
            return _scalar_json(value)


def _scalar_json(value: object) -> str:
    if value is None:
        return "null"
    number = _number(value)
    return json.dumps(_plain(value), ensure_ascii=False) if number is None else number


def _number(value: object) -> str | None:
    match value:
        case bool():
            return "true" if value else "false"
        case NumberText():
            return str(value)
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return float_text(value)
        case Decimal():
            return format(value, "f")
        case _:
            return None


def _plain(value: object) -> str:
    match value:
        case str():
            return value
        case bytes():
            return value.decode("utf-8", errors="replace")
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case _:
            return str(value)
