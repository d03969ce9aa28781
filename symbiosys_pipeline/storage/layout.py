"""The names of every file in the lake. Nothing is read or written here."""

from datetime import date

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.tables import Table


def landing_folder(client: str, dataset: Dataset, delivery_day: date, delivery_id: str) -> str:
    """The folder of one landed delivery."""
    return f"landing/client={client}/dataset={dataset}/delivery_day={delivery_day}/{delivery_id}"


def landed_content(folder: str) -> str:
    """The client's bytes, exactly as delivered."""
    return f"{folder}/content"


def landed_manifest(folder: str) -> str:
    """What is known of the delivery besides its bytes."""
    return f"{folder}/delivery.json"


def standardized_folder(client: str, dataset: Dataset, delivery_id: str) -> str:
    """The folder of one delivery's slices and quarantine."""
    return f"standardized/client={client}/dataset={dataset}/delivery={delivery_id}"


def slice_file(folder: str, event_day: date, sha256: str) -> str:
    """One delivery's rows of one event day; immutable, so its hash is in its name."""
    return f"{folder}/event_day={event_day}-{sha256[:16]}.parquet"


def quarantine_file(folder: str, sha256: str) -> str:
    """One delivery's refused rows."""
    return f"{folder}/quarantine-{sha256[:16]}.parquet"


def staging_partition(dataset: Dataset, client: str, event_day: date) -> str:
    """One client's staged event day."""
    return f"staging/{dataset}/client={client}/event_day={event_day}/data.parquet"


def events_partition(table: Table, client: str, event_day: date) -> str:
    """One client's published event day of one table."""
    return f"events/{table}/client={client}/event_day={event_day}/data.parquet"


def verdict_file(dataset: Dataset, client: str, event_day: date, version: str) -> str:
    """The verdict on one version of a staged day."""
    return f"verdicts/client={client}/dataset={dataset}/event_day={event_day}/{version[:16]}.json"


def publication_file(layer: str, client: str, event_day: date) -> str:
    """The record of a partition's version in place."""
    return f"publications/{layer}/client={client}/event_day={event_day}.json"


def docs_page(dataset: Dataset, client: str, event_day: date) -> str:
    """The validation page of a staged day's latest verdict."""
    return f"data_docs/{client}/{dataset}/{event_day}.html"


DOCS_INDEX = "data_docs/index.html"
