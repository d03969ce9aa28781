"""A client profile as a file that a person goes on editing: what matters and what is not the default."""

import re
import textwrap
from collections.abc import Iterator
from datetime import date, time
from enum import Enum
from typing import cast

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from symbiosys_pipeline.contracts.profile import ClientProfile

#: Written even where they have their default: a person should see and decide them.
_ALWAYS = frozenset(
    {
        "title",
        "time_zone",
        "name",
        "format",
        "timestamp",
        "line_layout",
        "discount_meaning",
    }
)
#: Offered as a comment where they have their default: most clients come to need them.
_OFFERED = frozenset(
    {"live_from", "mapping", "cancelled_statuses", "returned_statuses", "own_hosts", "campaign_ids"}
)
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9_./ -]*[A-Za-z0-9_])?")
_INDENT = "  "
_WIDTH = 100
_ENDLESS = 2**31


def render_profile(profile: ClientProfile, *, schema_path: str | None) -> str:
    """The text of the profile's `defs.yaml`; reading it gives the same profile again.

    Args:
        profile: The client.
        schema_path: The JSON Schema as seen from the file, for editors; None leaves it out.
    """
    head = [f"# yaml-language-server: $schema={schema_path}"] if schema_path else []
    lines = [
        *head,
        "type: symbiosys_pipeline.components.RetailClient",
        "",
        "attributes:",
        *(f"{_INDENT}{line}" for line in _fields(profile, explained=set())),
    ]
    return "\n".join(lines) + "\n"


def _fields(model: BaseModel, explained: set[str]) -> Iterator[str]:
    for name, field in type(model).model_fields.items():
        value: object = getattr(model, name)
        is_default = not field.is_required() and value == field.get_default(call_default_factory=True)
        if not is_default or name in _ALWAYS:
            yield from _comment(field, explained)
            yield from _field(name, value, explained)
        elif name in _OFFERED:
            yield from _comment(field, explained)
            yield f"# {name}:"


def _comment(field: FieldInfo, explained: set[str]) -> Iterator[str]:
    text = " ".join((field.description or "").split())
    if text and text not in explained:
        explained.add(text)
        yield from (f"# {line}" for line in textwrap.wrap(text, _WIDTH))


def _field(name: str, value: object, explained: set[str]) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield f"{name}:"
        yield from (f"{_INDENT}{line}" for line in _fields(value, explained))
    elif isinstance(value, dict) and value:
        yield f"{name}:"
        yield from (
            f"{_INDENT}{key}: {_scalar(inner)}" for key, inner in cast(dict[str, object], value).items()
        )
    elif isinstance(value, tuple) and value:
        yield f"{name}:"
        for entry in cast(tuple[object, ...], value):
            yield from (f"{_INDENT}{line}" for line in _entry(entry, explained))
    else:
        yield f"{name}: {_scalar(cast(object, value))}"


def _entry(entry: object, explained: set[str]) -> Iterator[str]:
    if not isinstance(entry, BaseModel):
        yield f"- {_scalar(entry)}"
        return
    lines = list(_fields(entry, explained))
    # The dash belongs to the first field, below the comment that explains it.
    first = next(index for index, line in enumerate(lines) if not line.startswith("#"))
    yield from lines[:first]
    yield f"- {lines[first]}"
    yield from (f"{_INDENT}{line}" for line in lines[first + 1 :])


def _scalar(value: object) -> str:
    if isinstance(value, Enum):
        value = str(value.value)
    elif isinstance(value, time):
        value = value.isoformat("seconds" if value.second else "minutes")
    elif isinstance(value, date):
        return value.isoformat()
    elif value == ():  # YAML knows lists, not tuples
        value = list[object]()
    # Quoted unless it is text in every version of YAML, words such as `no` included.
    style = None if not isinstance(value, str) or _PLAIN.fullmatch(value) else '"'
    text = yaml.safe_dump(value, default_style=style, allow_unicode=True, width=_ENDLESS)
    return text.removesuffix("...\n").rstrip("\n")
