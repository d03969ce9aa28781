"""All mistakes of one client's file at once, each with its line, field, value and what was expected.

Values of fields that could hold a secret or a person's address are never shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from symbiosys_pipeline.client_yaml import YamlDocument, YamlPath, read_yaml
from symbiosys_pipeline.contracts.file_source import Written
from symbiosys_pipeline.contracts.profile import ClientProfile

_HIDDEN_FIELDS = frozenset({"location", "owners", "own_hosts"})
_HIDDEN_VALUES = frozenset({"extra_forbidden", "missing"})
_LONGEST_VALUE = 60
_CLIENT = ("attributes", "client")
_KEY = "[key]"  # what pydantic adds to the place of a dict's key


class ClientFile(Written):
    """One client of the pipeline. `symbiosys clients check` names what is wrong with this file."""

    type: Literal["symbiosys_pipeline.components.RetailClient"]
    """The component that turns this file into assets, checks and sensors."""
    attributes: ClientProfile
    """The client's profile."""


@dataclass(frozen=True)
class Mistake:
    """One mistake of a client's file.

    Attributes:
        file: The file.
        line: Line, counted from 1; of the field around it where the field itself is missing.
        field: Dotted path, such as `attributes.orders.sources.0.pattern`; empty for the file as a whole.
        value: What is written, shortened; None where there is no value or it must not be shown.
        expected: What was expected, as a sentence.
    """

    file: Path
    line: int
    field: str
    value: str | None
    expected: str

    def __str__(self) -> str:
        """`file:line: field: value: expected`."""
        return ": ".join(
            part for part in (f"{self.file}:{self.line}", self.field, self.value, self.expected) if part
        )


def read_client_file(
    file: Path, *, client: str | None = None
) -> tuple[ClientProfile | None, tuple[Mistake, ...]]:
    """The profile of a file, and its mistakes in the order of its lines; no profile where there are any.

    Args:
        file: The file.
        client: The client it must be of: the name of its folder. None accepts any.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        expected = f"expected a file that can be read; {error.strerror or type(error).__name__}"
        return None, (Mistake(file, 1, "", None, expected),)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return None, (Mistake(file, line, "", None, "expected UTF-8 text"),)
    return parse_client_file(text, file, client=client)


def parse_client_file(
    text: str, file: Path, *, client: str | None = None
) -> tuple[ClientProfile | None, tuple[Mistake, ...]]:
    """As `read_client_file`, for text that is at hand; `file` is only named."""
    document = read_yaml(text)
    found = [
        Mistake(file, problem.line, _dotted(problem.path), None, problem.expected)
        for problem in document.problems
    ]
    profile: ClientProfile | None = None
    if document.readable:
        try:
            profile = ClientFile.model_validate(document.value).attributes
        except ValidationError as error:
            wrong = [one for one in error.errors(include_url=False) if not _is_aftermath(one)]
            found += [_mistake(file, document, one) for one in wrong]
        written = _written_client(document.value)
        if client is not None and written not in {None, client}:
            expected = f"expected {client}, the name of the folder"
            line = document.line(_CLIENT)
            found.append(Mistake(file, line, _dotted(_CLIENT), repr(written), expected))
    ordered = tuple(sorted(found, key=lambda mistake: mistake.line))
    return (None if ordered else profile), ordered


@cache
def client_file_schema() -> dict[str, Any]:
    """The JSON Schema of a client's whole file. Shared: not to be changed."""
    schema = ClientFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _dotted(path: YamlPath) -> str:
    return ".".join(str(step) for step in path)


def _mistake(file: Path, document: YamlDocument, details: ErrorDetails) -> Mistake:
    path = tuple(step for step in details["loc"] if step != _KEY)
    return Mistake(file, document.line(path), _dotted(path), _shown(path, details), _expected(path, details))


def _written_client(document: object) -> str | None:
    for step in _CLIENT:
        document = cast(dict[object, object], document).get(step) if isinstance(document, dict) else None
    return document if isinstance(document, str) else None


def _is_aftermath(details: ErrorDetails) -> bool:
    # A list whose entries all are wrong is reported as empty too.
    written = details["input"]
    return (
        details["type"] == "too_short"
        and isinstance(written, Sequence)
        and len(cast(Sequence[Any], written)) > 0
    )


def _shown(path: YamlPath, details: ErrorDetails) -> str | None:
    value: object = details["input"]
    if not path or details["type"] in _HIDDEN_VALUES or not _HIDDEN_FIELDS.isdisjoint(path):
        return None
    if isinstance(value, dict | list | tuple) or (isinstance(value, str) and "@" in value):
        return None
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _expected(path: YamlPath, details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "value_error" if details["loc"][-1:] != (_KEY,):
            return str(context["error"])
        case "value_error" | "extra_forbidden":
            return _unknown(str(path[-1]), tuple(_schema_at(path[:-1]).get("properties", {})))
        case "missing":
            expected = "a value; it is required"
        case "string_type" if not isinstance(details["input"], dict | list):
            expected = "text; put it in quotes"
        case "int_type":
            expected = "a whole number, without quotes"
        case "string_pattern_mismatch":
            expected = f"text like {context['pattern']}"
        case "model_type" | "dict_type" | "model_attributes_type":
            expected = "fields with values"
        case "tuple_type":
            expected = "a list"
        case "too_short":
            expected = f"at least {context['min_length']} entry"
        case _:
            expected = details["msg"].removeprefix("Input should be ").removeprefix("Value should be ")
    description = " ".join(str(_schema_at(path).get("description", "")).split()).rstrip(".")
    return f"expected {expected} ({description})" if description else f"expected {expected}"


def _unknown(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    if near:
        return f"unknown field; did you mean {near[0]}?"
    return f"unknown field; expected one of {', '.join(known)}" if known else "unknown field; expected none"


def _schema_at(path: YamlPath) -> Mapping[str, Any]:
    """The schema of one field with what it refers to; empty where the path leads to no known field."""
    root = client_file_schema()
    node: Mapping[str, Any] = root
    for step in path:
        inner = node.get("items", {}) if isinstance(step, int) else node.get("properties", {}).get(step, {})
        reference = str(inner.get("$ref", "")).rpartition("/")[2]
        node = {**root["$defs"].get(reference, {}), **inner}
    return node
