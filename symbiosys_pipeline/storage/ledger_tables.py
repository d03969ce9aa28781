"""The ledger's four tables and the rows read from them. No logic."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from symbiosys_pipeline.contracts.columns import Dataset

METADATA = sa.MetaData()

#: Quarantined rows whose time could not be read belong to no event day.
UNPLACED = date(1, 1, 1)


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    DISCOVERED = "discovered"
    LANDED = "landed"
    STANDARDIZED = "standardized"
    REFUSED = "refused"


class Layer(StrEnum):
    """The partitioned layers whose versions the ledger keeps."""

    STAGED_PAGE_VIEWS = "staging/page_views"
    STAGED_ORDERS = "staging/orders"
    EVENTS = "events"

    @classmethod
    def staging(cls, dataset: Dataset) -> "Layer":
        """The staging layer of a dataset."""
        return cls.STAGED_PAGE_VIEWS if dataset is Dataset.PAGE_VIEWS else cls.STAGED_ORDERS


DELIVERIES = sa.Table(
    "deliveries",
    METADATA,
    sa.Column("delivery_id", sa.String(16), primary_key=True),
    sa.Column("client", sa.String(40), nullable=False),
    sa.Column("dataset", sa.String(20), nullable=False),
    sa.Column("source", sa.String(40), nullable=False),
    sa.Column("source_key", sa.String(1024), nullable=False),
    sa.Column("generation", sa.String(200), nullable=False),
    sa.Column("delivery_day", sa.Date, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("first_seen_at", sa.DateTime, nullable=False),
    sa.Column("observed_seq", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("sha256", sa.String(64)),
    sa.Column("landing_folder", sa.String(1200)),
    sa.Column("content_of", sa.String(16)),
    sa.Column("profile_sha", sa.String(64)),
    sa.Column("rows_received", sa.BigInteger),
    sa.Column("rows_valid", sa.BigInteger),
    sa.Column("rows_quarantined", sa.BigInteger),
    sa.Column("quarantine_key", sa.String(1200)),
    sa.Column("reason_code", sa.String(60)),
    sa.Column("reason", sa.Text),
    sa.Column("facts", sa.JSON),
    sa.Index("deliveries_by_key", "client", "dataset", "source", "source_key", "observed_seq"),
    sa.Index("deliveries_by_day", "client", "dataset", "delivery_day"),
)

SLICES = sa.Table(
    "slices",
    METADATA,
    sa.Column("delivery_id", sa.String(16), primary_key=True),
    sa.Column("event_day", sa.Date, primary_key=True),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("quarantined", sa.BigInteger, nullable=False),
    sa.Column("key", sa.String(1200)),
    sa.Column("sha256", sa.String(64)),
    sa.Column("origin", sa.String(16), nullable=False),
    sa.Column("content", sa.String(64)),
)

VERDICTS = sa.Table(
    "verdicts",
    METADATA,
    sa.Column("client", sa.String(40), primary_key=True),
    sa.Column("dataset", sa.String(20), primary_key=True),
    sa.Column("event_day", sa.Date, primary_key=True),
    sa.Column("version", sa.String(64), primary_key=True),
    sa.Column("decided_at", sa.DateTime, nullable=False),
    sa.Column("accepted", sa.Boolean, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("accepted_by", sa.String(200)),
    sa.Column("accept_reason", sa.Text),
)

PUBLICATIONS = sa.Table(
    "publications",
    METADATA,
    sa.Column("client", sa.String(40), primary_key=True),
    sa.Column("layer", sa.String(30), primary_key=True),
    sa.Column("event_day", sa.Date, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("wanted", sa.String(64)),
    sa.Column("sha256", sa.String(64)),
    sa.Column("inputs", sa.JSON, nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("published_at", sa.DateTime),
    sa.Column("failed_wanted", sa.String(64)),
    sa.Column("failed_attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("failed_at", sa.DateTime),
    sa.Column("failed_reason", sa.Text),
)


@dataclass(frozen=True)
class Delivery:
    """One row of `deliveries`. Times are UTC without zone, as the database keeps them."""

    delivery_id: str
    client: str
    dataset: Dataset
    source: str
    source_key: str
    generation: str
    delivery_day: date
    size: int
    first_seen_at: datetime
    observed_seq: int
    state: DeliveryState
    sha256: str | None = None
    landing_folder: str | None = None
    content_of: str | None = None
    profile_sha: str | None = None
    rows_received: int | None = None
    rows_valid: int | None = None
    rows_quarantined: int | None = None
    quarantine_key: str | None = None
    reason_code: str | None = None
    reason: str | None = None
    facts: dict[str, Any] | None = None

    @property
    def content_id(self) -> str:
        """The delivery whose slices hold this delivery's rows: itself, or the one with the same bytes."""
        return self.content_of or self.delivery_id


@dataclass(frozen=True)
class Slice:
    """One row of `slices`: a delivery's rows of one event day (no file where all were refused).

    Attributes:
        delivery_id: The delivery whose rows these are.
        event_day: The client's local day, or `UNPLACED`.
        rows: Rows in the file.
        quarantined: Refused rows of that day.
        key: The file in the lake.
        sha256: Its hash.
        origin: The delivery that the rows name. A correction that leaves a day's rows as they were keeps the
            file of the generation before, so that the day stays what it was.
        content: Digest of the rows without their origin, by which that is told.
    """

    delivery_id: str
    event_day: date
    rows: int
    quarantined: int
    key: str | None
    sha256: str | None
    origin: str
    content: str | None


@dataclass(frozen=True)
class Publication:
    """One row of `publications`: the version of a partition that readers see."""

    client: str
    layer: Layer
    event_day: date
    revision: int
    wanted: str | None
    sha256: str | None
    inputs: dict[str, Any]
    counts: dict[str, int]
    reason: str | None
    published_at: datetime | None
    failed_wanted: str | None = None
    failed_attempts: int = 0
    failed_at: datetime | None = None
    failed_reason: str | None = None


@dataclass(frozen=True)
class StoredVerdict:
    """One row of `verdicts`."""

    client: str
    dataset: Dataset
    event_day: date
    version: str
    decided_at: datetime
    accepted: bool
    verdict: str
    accepted_by: str | None = None
    accept_reason: str | None = None

    @property
    def passes(self) -> bool:
        """Whether the day may be published: by its rules, or by a person's recorded decision."""
        return self.accepted or self.accepted_by is not None
