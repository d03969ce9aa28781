"""Rules about fields of single rows, which both datasets share: completeness, uniqueness, formats."""

from dataclasses import dataclass

from symbiosys_pipeline.contracts.columns import Column, Dataset, DatasetSchema, Kind, Need
from symbiosys_pipeline.contracts.profile import ClientProfile, Thresholds
from symbiosys_pipeline.quality.rule import Batch, Expected, Rule, valid_share
from symbiosys_pipeline.quality.verdict import Severity
from symbiosys_pipeline.transforms.sql import column_list, quoted

#: Fields that stand for a visitor, visit, customer or order. Product ids join a feed and are not judged here.
_IDENTITIES = ("order_id", "visitor_id", "session_id", "crm_id")

# Patterns are anchored at both ends: DuckDB's `~` has meant both "contains" and "is" over its versions.
_IDENTIFIER = r"^[^\s\v\x{85}\p{Z}@]{1,256}$"  # RE2's \s knows ASCII only, and no vertical tab
_ABSOLUTE_URL = r"^[A-Za-z][A-Za-z0-9+.\-]*://[^\s/?#](?s:.*)$"
_WEB_URL = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#](?s:.*)$"
_SHA256 = "^[0-9a-f]{64}$"


@dataclass(frozen=True)
class _ByNeed:
    severity: Severity
    consequence: str

    @staticmethod
    def required_share(thresholds: Thresholds) -> float:
        return thresholds.required_completeness

    @staticmethod
    def expected_share(thresholds: Thresholds) -> float:
        return thresholds.expected_completeness


_REQUIRED = _ByNeed(Severity.CRITICAL, "Rows without it are refused, so the day would miss them.")
_EXPECTED = _ByNeed(Severity.WARNING, "Rows without it are kept, with a value derived where one can be.")


def flagged(rule_id: str) -> Expected:
    """The expectation that no row's flag of this rule is false."""
    return Expected("ExpectColumnValuesToBeInSet", {"column": rule_id, "value_set": [True]})


def flag_failing(rule_id: str) -> str:
    """True for the rows whose flag of this rule is false."""
    return f"{quoted(rule_id)} IS FALSE"


def matching(column: str, pattern: str) -> Expected:
    """The expectation that a column's non-null values match a pattern anchored at both ends."""
    return Expected("ExpectColumnValuesToMatchRegex", {"column": column, "regex": pattern})


def not_matching(column: str, pattern: str) -> str:
    """True for the rows whose non-null value does not match the pattern."""
    return f"NOT regexp_matches({quoted(column)}, '{pattern}')"


def unique_together(*columns: str) -> Expected:
    """The expectation that no two rows agree in these columns; rows where any is null are not judged."""
    return Expected(
        "ExpectCompoundColumnsToBeUnique",
        {"column_list": list(columns), "ignore_row_if": "any_value_is_missing"},
    )


def repeated(batch: Batch, *columns: str) -> str:
    """True for every row that shares these columns' values with another row."""
    key = column_list(columns)
    return f"({key}) IN (SELECT ({key}) FROM {batch} GROUP BY {key} HAVING count(*) > 1)"


def completeness_rules(schema: DatasetSchema) -> tuple[Rule, ...]:
    """One rule per required and per expected field, over every row received (CONTRACT 2, 6)."""
    return tuple(
        _completeness(schema.dataset, column)
        for need in (Need.REQUIRED, Need.EXPECTED)
        for column in schema.needed(need)
    )


def _completeness(dataset: Dataset, column: Column) -> Rule:
    is_required = column.need is Need.REQUIRED
    by_need = _REQUIRED if is_required else _EXPECTED
    return Rule(
        id=f"completeness_{column.name}",
        dataset=dataset,
        title=f"Received rows carry the {column.need} field {column.name}",
        reason=f"{column.description} {by_need.consequence}",
        source="CONTRACT 2.1" if dataset is Dataset.PAGE_VIEWS else "CONTRACT 2.2",
        severity=by_need.severity,
        batch=Batch.RECEIVED,
        counted="rows",
        remedy=f"Fill {column.name} in the export, or map the column that holds it in the client's profile.",
        expected=lambda _: Expected("ExpectColumnValuesToNotBeNull", {"column": column.name}),
        least_share=_ByNeed.required_share if is_required else _ByNeed.expected_share,
        failing=f"{quoted(column.name)} IS NULL",
    )


def row_origin_rule(dataset: Dataset) -> Rule:
    """No delivered record is staged twice (CONTRACT 8)."""
    key = ("delivery_id", "row_number", *(("line_number",) if dataset is Dataset.ORDERS else ()))
    return Rule(
        id="unique_row_origin",
        dataset=dataset,
        title="No delivered record is staged twice",
        reason="A record counted twice inflates every number after it.",
        source="CONTRACT 8",
        severity=Severity.CRITICAL,
        batch=Batch.ROWS,
        counted="rows",
        remedy="This is the pipeline's own bookkeeping: rebuild the day, and report it if it stays.",
        expected=lambda _: unique_together(*key),
        failing=repeated(Batch.ROWS, *key),
    )


def event_id_rule() -> Rule:
    """A page view's own id stands for one page view (CONTRACT 2.1)."""
    return Rule(
        id="unique_event_id",
        dataset=Dataset.PAGE_VIEWS,
        title="No two page views share an event_id",
        reason="The client's own event id is the de-duplication key: copies must be gone after staging.",
        source="CONTRACT 2.1",
        severity=Severity.CRITICAL,
        batch=Batch.ROWS,
        counted="page views with an event_id",
        remedy="Rebuild the day. If it stays, the event_id sent is no event's id: unmap it in the profile.",
        expected=lambda _: Expected("ExpectColumnValuesToBeUnique", {"column": "event_id"}),
        failing='"event_id" IS NOT NULL AND ' + repeated(Batch.ROWS, "event_id"),
    )


def format_rules(schema: DatasetSchema) -> tuple[Rule, ...]:
    """Ids look like ids, hashes like hashes, URLs like URLs (CONTRACT 2, 6)."""
    names = schema.names()
    rules = [_identifier(schema.dataset, name) for name in _IDENTITIES if name in names]
    rules += [_hashed(schema), _page_url(schema)]
    if "referrer" in names:
        rules.append(_referrer(schema.dataset))
    return tuple(rules)


def _identifier(dataset: Dataset, name: str) -> Rule:
    return Rule(
        id=f"format_{name}",
        dataset=dataset,
        title=f"{name} looks like an id: 1 to 256 characters, no white space, no @",
        reason="An id with spaces or an @ is a name or an e-mail address in the wrong place.",
        source="CONTRACT 2.1, 6",
        severity=Severity.CRITICAL,
        batch=Batch.ROWS,
        counted=f"rows with a {name}",
        remedy=f"Send the id itself in {name}, never a name or an e-mail address.",
        expected=lambda _: matching(name, _IDENTIFIER),
        least_share=valid_share,
        failing=not_matching(name, _IDENTIFIER),
    )


def _hashed(schema: DatasetSchema) -> Rule:
    rule_id = "format_hashed_fields"
    hashed = [quoted(column.name) for column in schema.columns if column.kind is Kind.SHA256]
    right = " AND ".join(f"coalesce(regexp_matches({name}, '{_SHA256}'), true)" for name in hashed)
    return Rule(
        id=rule_id,
        dataset=schema.dataset,
        title="Every hashed_* field is 64 lower-case hex digits",
        reason="Anything else may be personal data in clear, and joins nothing.",
        source="CONTRACT 2.1, 6",
        severity=Severity.CRITICAL,
        batch=Batch.ROWS,
        counted="rows with a hashed field",
        remedy="Hash contact data with SHA-256 and send the digest as hex; send nothing where there is none.",
        expected=lambda _: flagged(rule_id),
        flag=lambda _: f"CASE WHEN coalesce({', '.join(hashed)}) IS NOT NULL THEN {right} END",
        failing=flag_failing(rule_id),
    )


def _page_url(schema: DatasetSchema) -> Rule:
    rule_id = "format_page_url"

    def flag(_: ClientProfile) -> str:
        return (
            """CASE WHEN "platform" = 'web' OR "platform" IS NULL """
            f"""THEN regexp_matches("page_url", '{_WEB_URL}') """
            f"""ELSE regexp_matches("page_url", '{_ABSOLUTE_URL}') END"""
        )

    is_required = schema.column("page_url").need is Need.REQUIRED
    return Rule(
        id=rule_id,
        dataset=schema.dataset,
        title="page_url is absolute: http(s):// on the web, any scheme:// in an app",
        reason="Campaign and click ids live in the full URL; a bare path loses the host.",
        source="CONTRACT 2.1",
        severity=Severity.CRITICAL if is_required else Severity.WARNING,
        batch=Batch.ROWS,
        counted="rows with a page_url",
        remedy="Send location.href (in apps the whole deep link), not the path.",
        expected=lambda _: flagged(rule_id),
        least_share=valid_share,
        flag=flag,
        failing=flag_failing(rule_id),
    )


def _referrer(dataset: Dataset) -> Rule:
    return Rule(
        id="format_referrer",
        dataset=dataset,
        title="referrer is an absolute URL",
        reason="Source and medium of a visit without campaign parameters come from the referrer's host.",
        source="CONTRACT 2.1, 7",
        severity=Severity.WARNING,
        batch=Batch.ROWS,
        counted="rows with a referrer",
        remedy="Send document.referrer unchanged; leave the field empty where there is none.",
        expected=lambda _: matching("referrer", _ABSOLUTE_URL),
        least_share=valid_share,
        failing=not_matching("referrer", _ABSOLUTE_URL),
    )
