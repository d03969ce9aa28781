"""`ClientProfile`: what a person writes for one client, checked field by field. No files are read here.

The profile is the whole of what a client needs to be run. It is written as the `attributes` of a
`RetailClient` component (see `docs/adding-a-client.md`); its JSON Schema, `client_profile.schema.json`, lies
beside this module so that an editor completes and checks it. Every check belongs to one field, so that all
mistakes of a profile are found at once. Where a source lies and how its
files are written is in `file_source`; what one value must look like is in `profile_fields`.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.file_source import (
    EPOCHS,
    AmbiguousTime,
    Cadence,
    Compression,
    Day,
    DecimalSeparator,
    Delimiter,
    Due,
    Encoding,
    FileFormat,
    FileSource,
    TimestampFormat,
    TimeZone,
    WholeNumber,
    Written,
)
from symbiosys_pipeline.contracts.profile_fields import (
    DISTINCT_NAMES,
    DROPPABLE_FIELDS,
    ClientName,
    Currency,
    DroppableField,
    Host,
    OrderMapping,
    Owner,
    PageViewMapping,
    Share,
    Word,
)

__all__ = [
    "DROPPABLE_FIELDS",
    "EPOCHS",
    "AmbiguousTime",
    "Cadence",
    "ClientProfile",
    "Compression",
    "DecimalSeparator",
    "Delimiter",
    "DiscountMeaning",
    "Due",
    "Encoding",
    "FileFormat",
    "FileSource",
    "LineLayout",
    "OrderSource",
    "OrdersProfile",
    "PageViewSource",
    "PageViewsProfile",
    "Restrictions",
    "Thresholds",
    "TimestampFormat",
]


class LineLayout(StrEnum):
    """How an order's lines are laid out in the file."""

    ROW_PER_LINE = "row_per_line"
    LIST_COLUMNS = "list_columns"


class DiscountMeaning(StrEnum):
    """What `discount_unit_price` is; while undeclared no revenue is computed (CONTRACT 2.2)."""

    NET_PRICE = "net_price"
    AMOUNT_OFF = "amount_off"
    UNDECLARED = "undeclared"


class PageViewSource(FileSource):
    """One folder of page view files."""

    mapping: PageViewMapping = Field(default_factory=dict[str, str])
    """Contract field -> the client's column name, where the two differ."""


class OrderSource(FileSource):
    """One folder of order files."""

    mapping: OrderMapping = Field(default_factory=dict[str, str])
    """Contract field -> the client's column name, where the two differ."""


class Thresholds(Written):
    """When a day's data is not good enough. Shares are of the rows received for that day."""

    required_completeness: Share = 0.99
    """Least share of rows that carry each required field; below it the day is not published."""
    expected_completeness: Share = 0.9
    """Least share of rows that carry each expected field; below it a warning."""
    valid_share: Share = 0.99
    """Least share of rows in the right format, per format rule."""
    collision_share: Share = 0.01
    """Greatest share of orders whose id stands for different orders."""
    volume_change: float = Field(default=0.5, gt=0, strict=True, allow_inf_nan=False)
    """Greatest relative distance of a day's rows from the median of its past same weekdays."""
    volume_history_days: WholeNumber = Field(default=14, ge=3)
    """Past days needed before a day's volume is judged at all."""


class Restrictions(Written):
    """What the client does not allow to be tracked (CONTRACT 6)."""

    drop_fields: tuple[DroppableField, ...] = ()
    """Optional contract fields emptied before anything is stored."""
    drop_query_parameters: tuple[Word, ...] = ()
    """Query parameters cut out of `page_url` and `referrer` before anything is stored."""


class PageViewsProfile(Written):
    """Where a client's page views come from."""

    sources: Annotated[tuple[PageViewSource, ...], DISTINCT_NAMES] = Field(min_length=1)
    """One entry per folder."""


class OrdersProfile(Written):
    """Where a client's orders come from and what their fields mean."""

    sources: Annotated[tuple[OrderSource, ...], DISTINCT_NAMES] = Field(min_length=1)
    """One entry per folder."""
    line_layout: LineLayout = LineLayout.ROW_PER_LINE
    """`row_per_line` or `list_columns`."""
    list_separator: str = Field(default=",", min_length=1, max_length=3)
    """What separates list entries inside one field (`list_columns` only); JSON arrays need none."""
    discount_meaning: DiscountMeaning = DiscountMeaning.UNDECLARED
    """Whether `discount_unit_price` is the net price or the amount off."""
    cancelled_statuses: tuple[Word, ...] = ()
    """Values of `status` that mean the order was cancelled (compared without case)."""
    returned_statuses: tuple[Word, ...] = ()
    """Values of `status` that mean the order was returned (compared without case)."""

    @field_validator("list_separator")
    @classmethod
    def _separates_lists(cls, value: str, info: ValidationInfo) -> str:
        if value != cls.model_fields["list_separator"].default and (
            info.data.get("line_layout") is LineLayout.ROW_PER_LINE
        ):
            raise ValueError(
                "expected none, because line_layout is row_per_line; or line_layout: list_columns"
            )
        return value

    @field_validator("returned_statuses")
    @classmethod
    def _are_not_cancelled(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        cancelled = {status.casefold() for status in info.data.get("cancelled_statuses", ())}
        both = [status for status in value if status.casefold() in cancelled]
        if both:
            raise ValueError(f"expected no status that is among cancelled_statuses too: {', '.join(both)}")
        return value


class ClientProfile(Written):
    """Everything a person writes for one client (the *banner*, CONTRACT 1)."""

    client: ClientName
    """Short name, lower case: the first part of every asset key and folder of this client."""
    title: str = ""
    """The retailer's name for people."""
    time_zone: TimeZone = "UTC"
    """IANA zone whose midnight bounds the client's event days."""
    start_date: Day
    """First event and delivery day."""
    live_from: Day | None = None
    """First day whose deliveries are judged for timeliness; unset: history is being loaded."""
    currency: Currency
    """ISO 4217 code of orders that carry none."""
    owners: tuple[Owner, ...] = Field(min_length=1)
    """`team:name` or e-mail addresses, shown in the Dagster UI."""
    page_views: PageViewsProfile
    """The page view dataset."""
    orders: OrdersProfile
    """The order dataset."""
    null_words: tuple[str, ...] = ("NULL", "null", "\\N")
    """Field values that mean "absent", besides the empty field."""
    own_hosts: tuple[Host, ...] = ()
    """The client's own and payment hosts: never a referrer."""
    campaign_ids: tuple[Word, ...] = ()
    """Values of `campaign_id` that are ours."""
    allowed_lateness_days: WholeNumber = Field(default=3, ge=0, le=4000)
    """Days an event may be older than its delivery day (CONTRACT 3)."""
    future_tolerance_minutes: WholeNumber = Field(default=35, ge=0, le=1440)
    """Minutes an event may lie after its delivery day's end (CONTRACT 5)."""
    session_timeout_minutes: WholeNumber = Field(default=30, ge=1, le=720)
    """Inactivity longer than this ends a derived session."""
    thresholds: Thresholds = Thresholds()
    """When a day is not good enough."""
    restrictions: Restrictions = Restrictions()
    """What may not be tracked."""

    @field_validator("live_from")
    @classmethod
    def _is_not_before_the_start(cls, value: date | None, info: ValidationInfo) -> date | None:
        start = info.data.get("start_date")
        if value is not None and start is not None and value < start:
            raise ValueError(f"expected a day not before start_date, {start}")
        return value

    def sources(self, dataset: Dataset) -> tuple[FileSource, ...]:
        """The sources of one dataset, in the order written."""
        return self.page_views.sources if dataset is Dataset.PAGE_VIEWS else self.orders.sources

    def lateness_days(self, source: FileSource) -> int:
        """The lateness window of one source, in days."""
        own = source.allowed_lateness_days
        return self.allowed_lateness_days if own is None else own
