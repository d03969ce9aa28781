"""One field's text to one typed value or one reason. Expressions only: no frames, no rows, no order lines.

Every parser reads trimmed text that is null where the field is absent, never goes through a float, and gives
a null value wherever it gives a problem. Event times are read in `timestamps`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import polars as pl

from symbiosys_pipeline.contracts.columns import MONEY, Column, Kind, Need
from symbiosys_pipeline.contracts.profile import DecimalSeparator
from symbiosys_pipeline.transforms.masking import looks_personal
from symbiosys_pipeline.transforms.quarantine import REASON, problem

_TRUE_WORDS = ("true", "1", "yes", "t", "y")
_FALSE_WORDS = ("false", "0", "no", "f", "n")

#: Hashes that stand for "nothing": of the empty string and of the placeholders of CONTRACT 6.
_EMPTY_HASHES = tuple(
    sha256(word.encode()).hexdigest() for word in ("", "undefined", "null", "unknown", "0", "-")
)

_INTEGER_DIGITS = 14
_DECIMAL_DIGITS = 4


class Parsed(NamedTuple):
    """A field's value, of its contract dtype, and its `REASON`; at most one of them is set in any row."""

    value: pl.Expr
    problem: pl.Expr


@dataclass(frozen=True)
class FieldRules:
    """What of a client's profile decides how a field is read.

    Attributes:
        null_words: Words that mean "absent", besides the empty field.
        currency: ISO 4217 code where none is sent.
        decimal_separator: What separates units from fractions in prices.
        cut_parameters: Query parameters cut out of URLs.
    """

    null_words: tuple[str, ...]
    currency: str
    decimal_separator: DecimalSeparator
    cut_parameters: tuple[str, ...]


def present(raw: pl.Expr, column: Column, rules: FieldRules) -> pl.Expr:
    """The text a parser reads: trimmed, null where absent; a URL keeps every byte but its cut parameters."""
    trimmed = raw.str.strip_chars()
    absent = (trimmed == "") | trimmed.is_in(rules.null_words)
    text = cut_query_parameters(raw, rules.cut_parameters) if column.kind is Kind.URL else trimmed
    return pl.when(~absent).then(text)


def parse_field(text: pl.Expr, column: Column, rules: FieldRules) -> Parsed:
    """The typed value of one field and its problem, without the need of it: see `refuse_missing`.

    Args:
        text: What `present` gave.
        column: The contract's field; any kind but `Kind.TIMESTAMP`.
        rules: The client's way of writing.

    Raises:
        ValueError: For a timestamp, which `timestamps.with_instant` reads.
    """
    match column.kind:
        case Kind.IDENTIFIER:
            parsed = _refusing(text, looks_personal(text), "personal_data_in_clear")
        case Kind.TEXT:
            parsed = Parsed(text if column.default is None else text.fill_null(column.default), _no_problem())
        case Kind.URL:
            parsed = Parsed(text, _no_problem())
        case Kind.SHA256:
            parsed = _sha256(text)
        case Kind.BOOLEAN:
            parsed = _boolean(text, column.default)
        case Kind.CHOICE:
            parsed = _choice(text, column)
        case Kind.CURRENCY:
            parsed = _currency(text, rules.currency)
        case Kind.QUANTITY:
            parsed = _quantity(text)
        case Kind.PRICE:
            parsed = _price(text, rules.decimal_separator)
        case Kind.TIMESTAMP:
            raise ValueError(f"{column.name}: timestamps are read by timestamps.with_instant")
    return parsed


def refuse_missing(found: pl.Expr, text: pl.Expr, column: Column) -> pl.Expr:
    """The field's problem, or `missing` where a required field is absent."""
    if column.need is not Need.REQUIRED:
        return found
    return pl.when(text.is_null()).then(problem("missing")).otherwise(found)


def cut_query_parameters(url: pl.Expr, names: Sequence[str]) -> pl.Expr:
    """The URL without the named query parameters, otherwise byte for byte (CONTRACT 6, restrictions).

    Names match whole and with case. A parameter is also cut out of a fragment that is written like a query,
    and behind a second `?`, a join that occurs in practice (CONTRACT 7). A `?` or `#` left with nothing
    behind it goes too.
    """
    if not names:
        return url
    named = rf"(?:{'|'.join(pl.escape_regex(name) for name in names)})=[^&#]*"
    # First those that open a query and are followed by another parameter, which then opens it.
    opened = url.str.replace_all(rf"(^[^?#]*\?|#[^?&#]*\?|#)(?:{named}&)+", "${1}")
    return opened.str.replace_all(rf"[?&#]{named}", "")


def _no_problem() -> pl.Expr:
    return pl.lit(None, dtype=REASON)


def _refusing(value: pl.Expr, refused: pl.Expr, reason: str) -> Parsed:
    return Parsed(pl.when(~refused).then(value), pl.when(refused).then(problem(reason)))


def _with_default(read: Parsed, text: pl.Expr, default: str | bool | None) -> Parsed:
    value = pl.when(text.is_null()).then(pl.lit(default)).otherwise(read.value)
    return Parsed(value, read.problem)


def _choice(text: pl.Expr, column: Column) -> Parsed:
    chosen = text.str.to_lowercase()
    return _with_default(
        _refusing(chosen, ~chosen.is_in(column.choices), "not_allowed"), text, column.default
    )


def _currency(text: pl.Expr, default: str) -> Parsed:
    code = text.str.to_uppercase()
    return _with_default(_refusing(code, ~code.str.contains(r"^[A-Z]{3}$"), "not_a_currency"), text, default)


def _boolean(text: pl.Expr, default: str | bool | None) -> Parsed:
    word = text.str.to_lowercase()
    value = pl.when(word.is_in(_TRUE_WORDS)).then(True).when(word.is_in(_FALSE_WORDS)).then(False)
    refused = text.is_not_null() & value.is_null()
    return _with_default(Parsed(value, pl.when(refused).then(problem("not_a_boolean"))), text, default)


def _sha256(text: pl.Expr) -> Parsed:
    digest = text.str.to_lowercase()
    read = _refusing(digest, ~digest.str.contains(r"^[0-9a-f]{64}$"), "not_a_sha256")
    return Parsed(pl.when(~read.value.is_in(_EMPTY_HASHES)).then(read.value), read.problem)


def _quantity(text: pl.Expr) -> Parsed:
    signed = text.str.extract(r"^([+-]?[0-9]{1,12})(?:\.0+)?$", 1)
    number = signed.str.strip_prefix("+").cast(pl.Int64, strict=False)
    found = (
        pl.when(text.is_not_null() & number.is_null())
        .then(problem("not_an_integer"))
        .when(number <= 0)
        .then(problem("not_positive"))
    )
    return Parsed(pl.when(number > 0).then(number), found)


def _price(text: pl.Expr, separator: DecimalSeparator) -> Parsed:
    # Insignificant zeros are cut off first: what is left is measured, and cast exactly.
    parts = (
        pl.when(~text.str.ends_with(separator))
        .then(text)
        .str.extract_groups(
            rf"^(?P<sign>[+-]?)0*(?P<units>[0-9]*?)(?P<last>[0-9])(?:{pl.escape_regex(separator)}(?P<fraction>[0-9]*?)0*)?$"
        )
    )
    units = parts.struct["units"] + parts.struct["last"]
    fraction = parts.struct["fraction"].fill_null("")
    is_zero = units.str.contains("^0+$") & (fraction == "")
    found = (
        pl.when(text.is_not_null() & units.is_null())
        .then(problem("not_a_number"))
        .when((parts.struct["sign"] == "-") & ~is_zero)
        .then(problem("negative"))
        .when(units.str.len_bytes() > _INTEGER_DIGITS)
        .then(problem("out_of_range"))
        .when(fraction.str.len_bytes() > _DECIMAL_DIGITS)
        .then(problem("too_many_decimals"))
    )
    value = pl.when(found.is_null()).then(units + pl.lit(".") + fraction.str.pad_end(1, "0"))
    return Parsed(value.cast(MONEY), found)
