"""What standardizing one delivery needs, compiled from what a person writes. No frames are read here."""

from dataclasses import dataclass
from datetime import date
from typing import Self

from symbiosys_pipeline.contracts.columns import Dataset, DatasetSchema
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.contracts.profile import ClientProfile, FileSource, LineLayout, TimestampFormat
from symbiosys_pipeline.transforms.field_parsers import FieldRules
from symbiosys_pipeline.transforms.timestamps import EventWindow, check_timestamp_format


@dataclass(frozen=True)
class StandardizeSpec:
    """All that standardizing one delivery needs, compiled from the client's profile.

    Attributes:
        dataset: Which of the two datasets the delivery holds.
        delivery_id: The delivery, written into every row.
        window: The days its events may lie on.
        timestamp: How the client writes times.
        rules: How the client writes everything else.
        list_separator: Splits list columns; None where a row is one order line.
        drop_fields: Fields that are emptied (CONTRACT 6, restrictions).
    """

    dataset: Dataset
    delivery_id: str
    window: EventWindow
    timestamp: TimestampFormat
    rules: FieldRules
    list_separator: str | None
    drop_fields: tuple[str, ...]

    @classmethod
    def of(
        cls,
        profile: ClientProfile,
        dataset: Dataset,
        source: FileSource,
        *,
        delivery_id: str,
        delivery_day: date,
    ) -> Self:
        """Compile a profile for one delivery of one source.

        Raises:
            ConfigurationError: The source's strptime pattern cannot be read.
        """
        check_timestamp_format(source.timestamp, f"{profile.client}: {dataset} source {source.name}")
        in_lists = dataset is Dataset.ORDERS and profile.orders.line_layout is LineLayout.LIST_COLUMNS
        return cls(
            dataset=dataset,
            delivery_id=delivery_id,
            window=EventWindow(
                time_zone=profile.time_zone,
                start_date=profile.start_date,
                delivery_day=delivery_day,
                lateness_days=profile.lateness_days(source),
                future_tolerance_minutes=profile.future_tolerance_minutes,
            ),
            timestamp=source.timestamp,
            rules=FieldRules(
                null_words=profile.null_words,
                currency=profile.currency,
                decimal_separator=source.decimal_separator,
                cut_parameters=profile.restrictions.drop_query_parameters,
            ),
            list_separator=profile.orders.list_separator if in_lists else None,
            drop_fields=profile.restrictions.drop_fields,
        )

    @property
    def schema(self) -> DatasetSchema:
        """The contract of the dataset."""
        return SCHEMAS[self.dataset]
