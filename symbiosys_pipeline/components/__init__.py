"""The Dagster components of this project."""

from symbiosys_pipeline.components.retail_client import RetailClient

__all__ = ["RetailClient"]
