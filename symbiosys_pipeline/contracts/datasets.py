"""The one place that maps a dataset to its schema."""

from symbiosys_pipeline.contracts.columns import Dataset, DatasetSchema
from symbiosys_pipeline.contracts.orders import ORDERS
from symbiosys_pipeline.contracts.page_views import PAGE_VIEWS

SCHEMAS: dict[Dataset, DatasetSchema] = {Dataset.PAGE_VIEWS: PAGE_VIEWS, Dataset.ORDERS: ORDERS}
