"""Which of the client's columns holds which contract field."""

import pytest

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.contracts.profile import Delimiter, FileFormat, FileSource
from symbiosys_pipeline.errors import DeliveryError
from symbiosys_pipeline.transforms.header import resolve_columns

PAGE_VIEWS = SCHEMAS[Dataset.PAGE_VIEWS]


def source(
    mapping: dict[str, str] | None = None,
    *,
    delimiter: Delimiter = Delimiter.COMMA,
    file_format: FileFormat = FileFormat.CSV,
) -> FileSource:
    return FileSource(
        location="landing",
        pattern=f"*.{file_format.value}",
        mapping=mapping or {},
        delimiter=delimiter,
        format=file_format,
    )


@pytest.mark.parametrize(
    ("header", "mapping", "columns", "absent", "extra"),
    [
        (
            ("page_url", "event_ts", "visitor_id"),
            {},
            {"event_ts": "event_ts", "visitor_id": "visitor_id", "page_url": "page_url"},
            (),
            (),
        ),
        (
            ("ts", "vid", "page_url", "shop"),
            {},
            {"event_ts": "ts", "visitor_id": "vid", "page_url": "page_url"},
            (),
            ("shop",),
        ),
        (
            ("ts", "event_ts", "vid", "page_url"),
            {},
            {"event_ts": "event_ts", "visitor_id": "vid", "page_url": "page_url"},
            (),
            ("ts",),
        ),
        (
            ("Zeit", "event_ts", "cookie", "page_url"),
            {"event_ts": "Zeit", "visitor_id": "cookie", "crm_id": "customer"},
            {"event_ts": "Zeit", "visitor_id": "cookie", "page_url": "page_url"},
            ("crm_id",),
            ("event_ts",),
        ),
        (
            ("ts", "page_view_ts", "vid", "page_url"),
            {"session_id": "page_view_ts"},
            {"event_ts": "ts", "visitor_id": "vid", "session_id": "page_view_ts", "page_url": "page_url"},
            (),
            (),
        ),
        (
            ("\ufeff ts ", '"vid"', "page_url", "x", "x"),
            {},
            {"event_ts": "\ufeff ts ", "visitor_id": '"vid"', "page_url": "page_url"},
            (),
            ("x",),
        ),
    ],
    ids=["own_names", "aliases", "name_before_alias", "mapping_wins", "claimed", "trimmed"],
)
def test_columns_are_found(
    header: tuple[str, ...],
    mapping: dict[str, str],
    columns: dict[str, str],
    absent: tuple[str, ...],
    extra: tuple[str, ...],
) -> None:
    resolution = resolve_columns(header, source(mapping), PAGE_VIEWS)
    assert dict(resolution.columns) == columns
    assert resolution.absent == absent
    assert resolution.extra == extra


def refusal(header: tuple[str, ...], of: FileSource) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        resolve_columns(header, of, PAGE_VIEWS)
    return caught.value


def test_every_missing_field_is_named_with_its_nearest_header() -> None:
    error = refusal(("event_ts", "vistor_id", "URL"), source({"page_url": "Url"}))
    assert error.code == "missing_column"
    assert error.message == (
        "required field visitor_id: column 'visitor_id' or 'vid' not found; nearest header is 'vistor_id'; "
        "required field page_url: column 'Url' not found; nearest header is 'URL'. "
        "Fix the file or set mapping.visitor_id, mapping.page_url"
    )


@pytest.mark.parametrize("actual", [Delimiter.SEMICOLON, Delimiter.TAB, Delimiter.PIPE], ids=lambda d: d.name)
def test_another_delimiter_is_recognized(actual: Delimiter) -> None:
    header = (actual.value.join(["event_ts", "visitor_id", "page_url"]),)
    message = refusal(header, source()).message
    assert f"looks separated by {actual.name.lower()}, the profile declares comma" in message


def test_a_first_line_of_values_is_not_shown() -> None:
    """A file without a header: its first row must not reach a message."""
    message = refusal(("1763900000000", "jane.doe@mail.example", "x" * 5000), source()).message
    assert "jane" not in message
    assert len(message) < 600


def test_a_used_column_twice_is_refused() -> None:
    error = refusal(("ts", "vid", " vid", "page_url"), source())
    assert error.code == "duplicate_column"
    assert "'vid'" in error.message


def test_an_ndjson_key_may_come_later() -> None:
    resolution = resolve_columns(
        ("ts", "vid", "page_url"), source({"crm_id": "customer"}, file_format=FileFormat.NDJSON), PAGE_VIEWS
    )
    assert tuple(resolution.columns) == PAGE_VIEWS.names()
    assert resolution.columns["event_ts"] == "ts"
    assert resolution.columns["crm_id"] == "customer"
    assert resolution.columns["user_agent"] == "user_agent"
    assert resolution.absent == ("crm_id",)
