"""The types of a profile's fields: what one written value must look like, in code and in JSON Schema."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, cast

from pydantic import (
    AfterValidator,
    Field,
    Strict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import InitErrorDetails

from symbiosys_pipeline.contracts.columns import Column, Dataset, Kind, Need
from symbiosys_pipeline.contracts.currencies import CURRENCIES
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.contracts.file_source import FileSource

_CLIENT_NAME = r"^[a-z][a-z0-9_]{1,39}$"
# The addresses that Dagster takes for an owner, and no others.
_OWNER = r"^(team:[^\s@]+|[A-Za-z0-9_][A-Za-z0-9._%+-]*@[A-Za-z0-9.-]+\.[A-Za-z]{2,7})$"
_HOST = r"^[a-z0-9-]+(\.[a-z0-9-]+)+$"


def _droppable(name: str) -> bool:
    """Whether a field may be emptied: optional wherever it occurs, and absent means unknown."""
    columns = [column for schema in SCHEMAS.values() for column in schema.columns if column.name == name]
    # An emptied currency would not be unknown: it would become the client's own, a false amount.
    return all(
        column.need is Need.OPTIONAL and column.default is None and column.kind is not Kind.CURRENCY
        for column in columns
    )


#: The contract fields a client may forbid to be kept, in contract order.
DROPPABLE_FIELDS = tuple(
    name
    for name in dict.fromkeys(name for schema in SCHEMAS.values() for name in schema.names())
    if _droppable(name)
)


def _like(pattern: str, expected: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"expected {expected}")
        return value

    return AfterValidator(check)


def _one_of(names: Sequence[str], what: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in names:
            near = get_close_matches(value, names, n=1)
            hint = f"; did you mean {near[0]}?" if near else f": {', '.join(names)}"
            raise ValueError(f"expected {what}{hint}")
        return value

    return AfterValidator(check)


def _mapping_schema(columns: Sequence[Column]) -> WithJsonSchema:
    # Property names rather than `propertyNames`: editors complete and explain the former.
    properties = {
        column.name: {"type": "string", "minLength": 1, "description": column.description}
        for column in columns
    }
    return WithJsonSchema({"type": "object", "properties": properties, "additionalProperties": False})


def _known_currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError("expected an ISO 4217 code such as EUR, three capital letters")
    return code


def _source_name(source: object) -> object:
    default = FileSource.model_fields["name"].default
    if isinstance(source, FileSource):
        return source.name
    return cast(dict[object, object], source).get("name", default) if isinstance(source, dict) else None


def _distinct_names(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    """Check that no two sources share a name, together with and not after what else is wrong with them."""
    names = (
        [_source_name(source) for source in cast(Sequence[object], value or ())] if _is_list(value) else []
    )
    repeats = [
        InitErrorDetails(
            type="value_error",
            loc=(index, "name"),
            input=name,
            ctx={"error": ValueError("the name is used twice; expected one name per source")},
        )
        for index, name in enumerate(names)
        if name is not None and name in names[:index]
    ]
    try:
        sources = validate(value)
    except ValidationError as error:
        found = [
            InitErrorDetails(type=one["type"], loc=one["loc"], input=one["input"], ctx=one.get("ctx", {}))
            for one in error.errors(include_url=False)
        ]
        raise ValidationError.from_exception_data(error.title, [*found, *repeats]) from error
    if repeats:
        raise ValidationError.from_exception_data("sources", repeats)
    return sources


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


_VIEW_COLUMNS = SCHEMAS[Dataset.PAGE_VIEWS].columns
_ORDER_COLUMNS = SCHEMAS[Dataset.ORDERS].columns

ClientName = Annotated[
    str,
    _like(_CLIENT_NAME, "2-40 characters: lower-case letters, digits, _; a letter first"),
    WithJsonSchema({"type": "string", "pattern": _CLIENT_NAME}),
]
Owner = Annotated[
    str,
    _like(_OWNER, "team:NAME or an e-mail address"),
    WithJsonSchema({"type": "string", "pattern": _OWNER}),
]
Host = Annotated[
    str,
    _like(_HOST, "a host name such as www.shop.example, lower case, no scheme, no path"),
    WithJsonSchema({"type": "string", "pattern": _HOST}),
]
Currency = Annotated[
    str, AfterValidator(_known_currency), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})
]
DroppableField = Annotated[
    str,
    _one_of(DROPPABLE_FIELDS, "a field that can be dropped"),
    WithJsonSchema({"type": "string", "enum": list(DROPPABLE_FIELDS)}),
]
Word = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Strict(), Field(ge=0, le=1)]
PageViewField = Annotated[str, _one_of([column.name for column in _VIEW_COLUMNS], "a page view field")]
OrderField = Annotated[str, _one_of([column.name for column in _ORDER_COLUMNS], "an order field")]

#: Wraps a dataset's tuple of sources.
DISTINCT_NAMES = WrapValidator(_distinct_names)
PageViewMapping = Annotated[dict[PageViewField, Word], _mapping_schema(_VIEW_COLUMNS)]
OrderMapping = Annotated[dict[OrderField, Word], _mapping_schema(_ORDER_COLUMNS)]
