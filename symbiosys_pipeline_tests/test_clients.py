"""Client files: read, checked with every mistake at once, written and described by a JSON Schema."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symbiosys_pipeline import clients
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile, OrderSource
from symbiosys_pipeline.errors import ConfigurationError
from symbiosys_pipeline_tests.contracts.profiles import profiles, shortest

TYPE = "symbiosys_pipeline.components.RetailClient"
SHORTEST = """\
type: symbiosys_pipeline.components.RetailClient
attributes:
  client: acme
  start_date: 2026-01-01
  currency: EUR
  owners: ["team:web"]
  page_views:
    sources:
      - location: in
        pattern: v_{YYYYMMDD}.csv
  orders:
    sources:
      - location: in
        pattern: o_{YYYYMMDD}.csv
"""


def _write(folder: Path, client: str, text: str) -> Path:
    file = folder / client / "defs.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    return file


def _leave_out(file: Path) -> None:
    assert not file.exists()


def _write_latin(file: Path) -> None:
    file.write_bytes(b"a: 1\nb: \xff")


def _client_of(file: Path) -> str:
    return file.parent.name


def _told(text: str) -> list[tuple[int, str]]:
    """Line and field of every mistake of a text."""
    try:
        clients.parse_profile(text, Path("defs.yaml"))
    except ConfigurationError as error:
        places = [mistake.split(": ")[:2] for mistake in error.mistakes]
        return [(int(place.split(":")[1]), field) for place, field in places]
    return []


def test_a_file_becomes_its_profile(tmp_path: Path) -> None:
    file = _write(tmp_path, "acme", SHORTEST)
    assert clients.load_profile(file) == ClientProfile.model_validate(shortest())
    assert clients.mistakes(file) == ()


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert clients.load_profile(_write(tmp_path, "acme", "\ufeff" + SHORTEST)).client == "acme"


def test_every_mistake_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    file = _write(
        tmp_path,
        "acme",
        """\
type: symbiosys_pipeline.components.Retailer
attributes:
  client: Acme
  start_dat: 2026-01-01
  live_from: 2026-02-31
  currency: EUR
  currency: ERU
  owners: [nobody]
  page_views:
    sources:
      - location: in
        pattern: v_{YYYY}.csv
        mapping:
          vistor_id: x
      - location: in
        pattern: v_{YYYYMMDD}.csv
        due: {at: 12:00}
  orders:
    cancelled_statuses: [void]
    returned_statuses: [void]
  restrictions:
    drop_fields: [hashed_emial]
""",
    )
    found = clients.mistakes(file)
    sources = "attributes.page_views.sources"
    assert [(mistake.line, mistake.field) for mistake in found] == [
        (1, "type"),
        (2, "attributes.start_date"),
        (3, "attributes.client"),
        (4, "attributes.start_dat"),
        (5, "attributes.live_from"),
        (7, "attributes.currency"),
        (7, "attributes.currency"),
        (8, "attributes.owners.0"),
        (12, f"{sources}.0.pattern"),
        (14, f"{sources}.0.mapping.vistor_id"),
        (15, f"{sources}.1.name"),
        (17, f"{sources}.1.due.at"),
        (18, "attributes.orders.sources"),
        (20, "attributes.orders.returned_statuses"),
        (22, "attributes.restrictions.drop_fields.0"),
    ]
    expected = {mistake.field: mistake.expected for mistake in found}
    assert expected["attributes.start_dat"].endswith("did you mean start_date?")
    assert expected[f"{sources}.0.mapping.vistor_id"].endswith("did you mean visitor_id?")
    assert expected["attributes.restrictions.drop_fields.0"].endswith("did you mean hashed_email?")
    assert str(found[2]).startswith(f"{file}:3: attributes.client: 'Acme': expected 2-40 characters")
    with pytest.raises(ConfigurationError) as error:
        clients.load_profile(file)
    assert error.value.mistakes == tuple(str(mistake) for mistake in found)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("", [(1, "expected type and attributes; the file is empty")], id="empty"),
        pytest.param("# a comment\n", [(1, "expected type and attributes")], id="comment"),
        pytest.param(SHORTEST + "---\na: 1\n", [(16, "expected one document")], id="documents"),
        pytest.param("a: [1\nb: 2\n", [(2, "expected YAML that can be read")], id="unclosed"),
        pytest.param("a: 1\n\tb: 2\n", [(2, "expected YAML that can be read")], id="tab"),
        pytest.param("a: *b\n", [(1, "expected YAML that can be read")], id="alias"),
        pytest.param("type: x\nattributes: !env X\n", [(2, "expected a value without a YAML tag")], id="tag"),
        pytest.param("? [a]\n: 1\n", [(1, "expected a word as the name of a field")], id="key"),
        pytest.param("a: " + "9" * 5000, [(1, "a")], id="endless-number"),
        pytest.param("[" * 100_000, [(1, "expected at most 30 levels of fields")], id="deep"),
        pytest.param("a: \x00", [(1, "expected text without control characters")], id="control"),
        pytest.param("- a\n", [(1, "expected fields with values (One client of the pipeline")], id="list"),
        pytest.param("---\n", [(1, "expected fields with values")], id="null"),
        pytest.param("a: &a [*a]\n", [(1, "type"), (1, "attributes"), (1, "a")], id="endless"),
        pytest.param(f"type: {TYPE}\n", [(1, "attributes")], id="no-attributes"),
        pytest.param(f"type: {TYPE}\nattributes: x\n", [(2, "attributes")], id="word-for-attributes"),
    ],
)
def test_what_is_no_profile_file_is_told_where(text: str, told: list[tuple[int, str]]) -> None:
    found = _told(text)
    assert [line for line, _ in found] == [line for line, _ in told]
    assert all(field.startswith(start) for (_, field), (_, start) in zip(found, told, strict=True))


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\n  :-[]{}&*!?\"'"), max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    assert _told(text)


@settings(max_examples=40, deadline=None)
@given(
    line=st.integers(0, len(SHORTEST.splitlines()) - 1),
    replacement=st.sampled_from(
        ["", "  x: 1", "  - y", "  client: [1]", "      - 3", "  owners:", "  orders: null"]
    ),
)
def test_no_changed_line_breaks_the_reader(line: int, replacement: str) -> None:
    lines: list[str] = [*SHORTEST.splitlines()]
    lines[line] = replacement
    for told, _ in _told("\n".join(lines)):
        assert 1 <= told <= len(lines)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(("location: in", "location: s3://key:hushhush@bucket"), id="password"),
        pytest.param(("  currency: EUR", "  currency: EUR\n  api_key: hushhush"), id="unknown-field"),
        pytest.param(('["team:web"]', "[hushhush smith@shop.example]"), id="address"),
        pytest.param(("client: acme", "client: hushhush@shop.example"), id="address-elsewhere"),
        pytest.param(("client: acme", "client: {a: hushhush}"), id="nested"),
        pytest.param(("currency: EUR", 'currency: "hushhush: [@'), id="broken"),
    ],
)
def test_what_could_be_secret_or_personal_is_not_shown(changed: tuple[str, str], tmp_path: Path) -> None:
    file = _write(tmp_path, "acme", SHORTEST.replace(*changed))
    with pytest.raises(ConfigurationError) as error:
        clients.load_profile(file)
    assert "hushhush" not in str(error.value)


def test_a_long_value_is_shortened(tmp_path: Path) -> None:
    file = _write(tmp_path, "acme", SHORTEST.replace("EUR", "E" * 500))
    (mistake,) = clients.mistakes(file)
    assert mistake.value is not None
    assert len(mistake.value) < 80


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        pytest.param(_leave_out, "expected a file that can be read", id="missing"),
        pytest.param(Path.mkdir, "expected a file that can be read", id="folder"),
        pytest.param(_write_latin, "expected UTF-8 text", id="latin"),
    ],
)
def test_a_file_that_cannot_be_read(prepare: Callable[[Path], object], expected: str, tmp_path: Path) -> None:
    prepare(tmp_path / "defs.yaml")
    (mistake,) = clients.mistakes(tmp_path / "defs.yaml")
    assert mistake.expected.startswith(expected)


def test_a_folder_gives_its_clients_in_order(tmp_path: Path) -> None:
    for name in ("zeta", "acme", "mid_2"):
        _write(tmp_path, name, SHORTEST.replace("acme", name))
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "README.md").write_text("not a client")
    assert [profile.client for profile in clients.load_profiles(tmp_path)] == ["acme", "mid_2", "zeta"]


def test_a_folder_tells_the_mistakes_of_all_its_files(tmp_path: Path) -> None:
    _write(tmp_path, "acme", SHORTEST.replace("EUR", "ERU"))
    _write(tmp_path, "beta", SHORTEST)
    _write(tmp_path, "gamma", SHORTEST.replace("client: acme", "client: delta").replace("2026-01-01", "soon"))
    _write(tmp_path, "omega", SHORTEST.replace("acme", "omega")).rename(tmp_path / "omega" / "defs.yml")
    found = clients.folder_mistakes(tmp_path)
    assert [(mistake.file.parent.name, mistake.line, mistake.field) for mistake in found] == [
        ("acme", 5, "attributes.currency"),
        ("beta", 3, "attributes.client"),
        ("gamma", 3, "attributes.client"),
        ("gamma", 4, "attributes.start_date"),
        ("omega", 1, ""),
    ]
    assert found[1].expected == "expected beta, the name of the folder"
    with pytest.raises(ConfigurationError, match=r"5 mistake\(s\)"):
        clients.load_profiles(tmp_path)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="expected a folder"):
        clients.load_profiles(tmp_path / "none")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(profile=profiles(), schema_path=st.none() | st.just("../../client_profile.schema.json"))
def test_a_rendered_profile_reads_back_as_itself(profile: ClientProfile, schema_path: str | None) -> None:
    text = clients.render_profile(profile, schema_path=schema_path)
    assert clients.parse_profile(text, Path("defs.yaml")) == profile
    _validate(_as_json(text))


def test_a_rendered_profile_explains_what_a_person_decides() -> None:
    text = clients.render_profile(ClientProfile.model_validate(shortest()), schema_path="../x.json")
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0] == "# yaml-language-server: $schema=../x.json"
    assert lines[lines.index("start_date: 2026-01-01") - 1] == "# First event and delivery day."
    assert "discount_meaning: undeclared" in lines
    assert "# live_from:" in lines
    assert not [line for line in lines if line.startswith(("thresholds", "session_timeout", "delimiter"))]
    comments = [line for line in lines if line.startswith("# ") and not line.endswith(":")]
    assert len(comments) == len(set(comments)), "each field is explained once"


def _as_json(text: str) -> Any:
    """The document as an editor sees it: days are text."""
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


def _validate(document: object) -> None:
    jsonschema.Draft202012Validator(clients.profile_json_schema()).validate(document)


def test_the_committed_schema_is_the_generated_one(tmp_path: Path) -> None:
    clients.write_schema(tmp_path / "schema.json")
    assert clients.SCHEMA_FILE.read_text() == (tmp_path / "schema.json").read_text()


def test_the_schema_is_a_schema_that_describes_every_field() -> None:
    schema = clients.profile_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for definition in schema["$defs"].values():
        assert definition["description"]
        assert [
            name for name, field in definition.get("properties", {}).items() if "description" not in field
        ] == []


@pytest.mark.parametrize(
    "file",
    sorted((Path(clients.__file__).parent / "demo" / "clients").glob("*/defs.yaml")),
    ids=_client_of,
)
def test_the_demo_clients_are_right_by_profile_and_by_schema(file: Path) -> None:
    assert clients.mistakes(file) == ()
    _validate(_as_json(file.read_text()))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param((TYPE, "other.Component"), id="type"),
        pytest.param(("currency: EUR", "currency: euro"), id="currency"),
        pytest.param(("  currency: EUR\n", ""), id="missing"),
        pytest.param(("client: acme", "client: acme\n  clint: x"), id="unknown-field"),
        pytest.param(("location: in", "location: in\n        mapping: {order_idd: x}"), id="mapping"),
        pytest.param(("location: in", "location: in\n        format: xml"), id="format"),
        pytest.param(("location: in", 'location: in\n        due: {at: "25:00"}'), id="due"),
        pytest.param(
            ("client: acme", "client: acme\n  restrictions: {drop_fields: [visitor_id]}"), id="drop"
        ),
        pytest.param(('["team:web"]', "[someone]"), id="owner"),
        pytest.param(('["team:web"]', "[]"), id="no-owner"),
    ],
)
def test_the_schema_refuses_what_the_profile_refuses(changed: tuple[str, str]) -> None:
    text = SHORTEST.replace(*changed)
    assert _told(text)
    with pytest.raises(jsonschema.ValidationError):
        _validate(_as_json(text))


def test_the_schema_names_each_dataset_s_own_fields() -> None:
    definitions = clients.profile_json_schema()["$defs"]
    views, orders = (definitions[name]["properties"]["mapping"] for name in ("PageViewSource", "OrderSource"))
    assert "referrer" in views["properties"]
    assert "referrer" not in orders["properties"]
    assert "quantity" in orders["properties"]


def _changed(**attributes: object) -> ClientProfile:
    return ClientProfile.model_validate({**shortest(), **attributes})


def _orders(**attributes: object) -> dict[str, object]:
    return {**shortest()["orders"], **attributes}


def _order_source(**attributes: object) -> dict[str, object]:
    return {"sources": [{**shortest()["orders"]["sources"][0], **attributes}]}


@pytest.mark.parametrize(
    ("changed", "orders_change", "page_views_change"),
    [
        pytest.param(_changed(title="Acme"), False, False, id="title"),
        pytest.param(_changed(owners=["team:x"]), False, False, id="owners"),
        pytest.param(_changed(thresholds={"valid_share": 0.5}), False, False, id="thresholds"),
        pytest.param(_changed(own_hosts=["a.example"]), False, False, id="hosts"),
        pytest.param(_changed(campaign_ids=["1"]), False, False, id="campaigns"),
        pytest.param(_changed(live_from="2026-02-01"), False, False, id="live"),
        pytest.param(_changed(session_timeout_minutes=10), False, False, id="timeout"),
        pytest.param(_changed(orders=_orders(cancelled_statuses=["x"])), False, False, id="statuses"),
        pytest.param(_changed(orders=_orders(discount_meaning="net_price")), False, False, id="discount"),
        pytest.param(_changed(orders=_order_source(due={"days_after": 2})), False, False, id="due"),
        pytest.param(_changed(orders=_order_source(cadence="hourly")), False, False, id="cadence"),
        pytest.param(_changed(orders=_order_source(location="out")), False, False, id="location"),
        pytest.param(_changed(orders=_order_source(allowed_lateness_days=3)), False, False, id="same-window"),
        pytest.param(_changed(null_words=["\\N", "null", "NULL"]), False, False, id="order-of-words"),
        pytest.param(_changed(currency="USD"), True, False, id="currency"),
        pytest.param(_changed(orders=_orders(line_layout="list_columns")), True, False, id="layout"),
        pytest.param(_changed(orders=_order_source(delimiter=";")), True, False, id="delimiter"),
        pytest.param(_changed(orders=_order_source(mapping={"order_id": "id"})), True, False, id="mapping"),
        pytest.param(
            _changed(orders=_order_source(timestamp={"offset_seconds": 9})), True, False, id="clock"
        ),
        pytest.param(_changed(orders=_order_source(allowed_lateness_days=4)), True, False, id="own-window"),
        pytest.param(_changed(restrictions={"drop_fields": ["referrer"]}), False, True, id="referrer"),
        pytest.param(_changed(restrictions={"drop_fields": ["crm_id"]}), True, True, id="crm"),
        pytest.param(_changed(restrictions={"drop_query_parameters": ["q"]}), True, True, id="query"),
        pytest.param(_changed(null_words=["-"]), True, True, id="null-words"),
        pytest.param(_changed(time_zone="Europe/Paris"), True, True, id="zone"),
        pytest.param(_changed(start_date="2026-01-02"), True, True, id="start"),
        pytest.param(_changed(allowed_lateness_days=4), True, True, id="lateness"),
        pytest.param(_changed(future_tolerance_minutes=4), True, True, id="tolerance"),
    ],
)
def test_the_sha_changes_with_how_a_delivery_is_read_and_with_nothing_else(
    changed: ClientProfile, orders_change: bool, page_views_change: bool
) -> None:
    before = _changed()
    changes = {
        dataset: clients.profile_sha(before, dataset) != clients.profile_sha(changed, dataset)
        for dataset in Dataset
    }
    assert changes == {Dataset.ORDERS: orders_change, Dataset.PAGE_VIEWS: page_views_change}


def test_the_sha_does_not_depend_on_the_order_of_the_sources() -> None:
    web, app = (
        OrderSource(name=name, location="in", pattern="o.csv").model_dump() for name in ("web", "app")
    )
    one, other = (_changed(orders={"sources": order}) for order in ([web, app], [app, web]))
    assert clients.profile_sha(one, Dataset.ORDERS) == clients.profile_sha(other, Dataset.ORDERS)


@given(profile=profiles())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_sha_outlives_the_file(profile: ClientProfile) -> None:
    again = clients.parse_profile(clients.render_profile(profile, schema_path=None), Path("defs.yaml"))
    for dataset in Dataset:
        sha = clients.profile_sha(profile, dataset)
        assert sha == clients.profile_sha(again, dataset)
        assert len(sha) == 16
        assert int(sha, 16) >= 0
