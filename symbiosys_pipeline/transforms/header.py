"""Matching a file's header with the contract: which of the client's columns holds which field."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbiosys_pipeline.contracts.columns import Column, DatasetSchema, Need
from symbiosys_pipeline.contracts.profile import Delimiter, FileFormat, FileSource
from symbiosys_pipeline.errors import DeliveryError
from symbiosys_pipeline.transforms.masking import HIDDEN

_SHOWN_CHARACTERS = 64
#: A letter first, and no run of digits like a phone number's.
_COLUMN_NAME = re.compile(r"(?!.*\d{5})[^\W\d][\w .:/()\[\]-]{0,63}")
#: Only a name this similar is shown: the first line of a file without a header holds values, not names.
_SIMILARITY = 0.6
_DELIMITER_NAMES = {
    Delimiter.COMMA: "comma",
    Delimiter.TAB: "tab",
    Delimiter.SEMICOLON: "semicolon",
    Delimiter.PIPE: "pipe",
}


@dataclass(frozen=True)
class ColumnResolution:
    """Where a file keeps the contract's fields.

    Attributes:
        columns: Contract field -> the client's column, in contract order. For NDJSON every field is here,
            since a key may first appear after the header was taken: a field no object has is null.
        absent: Fields the profile maps to a column that the header lacks (none of them required).
        extra: The header's names that no field uses, in header order.
    """

    columns: Mapping[str, str]
    absent: tuple[str, ...]
    extra: tuple[str, ...]


def clean_name(name: str) -> str:
    """A header name without surrounding white space, byte-order mark and quotes."""
    return name.strip().strip("\ufeff").strip().strip("\"'").strip()


def shown_names(header: Sequence[str]) -> list[str]:
    """Header names as they may be stored and shown: one that does not look like a name is `HIDDEN`.

    A file without a header has values in its first line, and nothing keeps a client from naming a column by a
    person's address. Of a header that lacks a required column show none, not even these.
    """
    return [name if _COLUMN_NAME.fullmatch(name) else HIDDEN for name in map(clean_name, header)]


def resolve_columns(header: Sequence[str], source: FileSource, schema: DatasetSchema) -> ColumnResolution:
    """Find each contract field's column: the mapped one, else the contract's own name, else an alias.

    Names are matched exactly after `clean_name` (CONTRACT 3: by name, in any order). A column claimed by the
    mapping is no other field's by its name.

    Raises:
        DeliveryError: `missing_column` names every required field without a column and the nearest header
            name; `duplicate_column` every used name that the header has twice.
    """
    delivered: dict[str, str] = {}
    for name in header:
        delivered.setdefault(clean_name(name), name)
    claimed = {clean_name(name) for name in source.mapping.values()}
    found: dict[str, str] = {}
    for column in schema.columns:
        mapped = source.mapping.get(column.name)
        wanted = (clean_name(mapped),) if mapped is not None else _unclaimed(column, claimed)
        if match := next((name for name in wanted if name in delivered), None):
            found[column.name] = delivered[match]
    missing = [column for column in schema.needed(Need.REQUIRED) if column.name not in found]
    if missing:
        raise DeliveryError("missing_column", _missing_message(missing, list(delivered), source))
    used = {clean_name(name) for name in found.values()}
    _refuse_duplicates([clean_name(name) for name in header], used)
    absent = tuple(field for field in schema.names() if field in source.mapping and field not in found)
    if source.format is FileFormat.NDJSON:
        found = {
            field: found.get(field, source.mapping.get(field, field))
            for field in schema.names()
            if field in found or field in source.mapping or field not in claimed
        }
    extra = tuple(name for cleaned, name in delivered.items() if cleaned not in used)
    return ColumnResolution(found, absent, extra)


def _unclaimed(column: Column, claimed: set[str]) -> tuple[str, ...]:
    return tuple(name for name in (column.name, *column.aliases) if name not in claimed)


def _missing_message(missing: Sequence[Column], names: Sequence[str], source: FileSource) -> str:
    sentences = [_missing_sentence(column, names, source.mapping.get(column.name)) for column in missing]
    if (likely := _likely_delimiter(names, source)) is not None:
        sentences.append(
            f"The header looks separated by {_DELIMITER_NAMES[likely]}, the profile declares "
            f"{_DELIMITER_NAMES[source.delimiter]}: set the source's delimiter"
        )
    fields = ", ".join(f"mapping.{column.name}" for column in missing)
    return f"{'; '.join(sentences)}. Fix the file or set {fields}"


def _missing_sentence(column: Column, names: Sequence[str], mapped: str | None) -> str:
    wanted = (mapped,) if mapped is not None else (column.name, *column.aliases)
    looked_for = " or ".join(repr(name[:_SHOWN_CHARACTERS]) for name in wanted)
    folded = {name.casefold(): name for name in names if shown_names([name]) == [name]}
    nearest = [
        folded[match]
        for name in wanted
        for match in difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=_SIMILARITY)
    ]
    hint = f"nearest header is {nearest[0]!r}" if nearest else "no header is similar"
    return f"required field {column.name}: column {looked_for} not found; {hint}"


def _likely_delimiter(names: Sequence[str], source: FileSource) -> Delimiter | None:
    """Another delimiter that cuts the header into more columns than the declared one did."""
    if source.format is not FileFormat.CSV:
        return None
    counts = {
        delimiter: sum(name.count(delimiter.value) for name in names)
        for delimiter in Delimiter
        if delimiter is not source.delimiter
    }
    likely = max(counts, key=lambda delimiter: counts[delimiter])
    return likely if counts[likely] >= max(1, len(names)) else None


def _refuse_duplicates(names: Sequence[str], used: set[str]) -> None:
    repeated = sorted(name for name in used if names.count(name) > 1)
    if repeated:
        listed = ", ".join(repr(name[:_SHOWN_CHARACTERS]) for name in repeated)
        raise DeliveryError(
            "duplicate_column",
            f"the header has {listed} more than once; expected each used column once, as either could "
            "be meant. Rename or remove the repeated column",
        )
