"""`RetailClient`: one client's YAML becomes its assets, checks and delivery sensor."""

from pathlib import Path
from typing import Self

import dagster as dg
from pydantic import BaseModel, ModelWrapValidatorHandler, ValidationError, model_validator

from symbiosys_pipeline.assets.asset_specs import partitions_of
from symbiosys_pipeline.assets.deliveries import build_deliveries
from symbiosys_pipeline.assets.event_days import build_event_days
from symbiosys_pipeline.automation.delivery_sensor import build_delivery_sensor
from symbiosys_pipeline.clients import load_profile, load_profiles
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.errors import ConfigurationError


class RetailClientAttributes(ClientProfile):
    """The profile as Dagster's loader sees it: the same schema, but what is wrong is left for `load` to tell.

    The loader's own message would name neither the line nor every mistake.
    """

    @model_validator(mode="wrap")
    @classmethod
    def _leave_mistakes_to_load(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError:
            return cls.model_construct()


class RetailClient(dg.Component):
    """A retailer whose page views and orders are landed, standardized, judged and published.

    The attributes are a `ClientProfile`; see `docs/adding-a-client.md`.
    """

    def __init__(self, profile: ClientProfile) -> None:
        self.profile = profile

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The profile is the component's whole configuration."""
        return RetailClientAttributes

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """The component of a `defs.yaml`; the file itself is read again so that mistakes name their lines."""
        return cls(load_profile(Path(context.path) / "defs.yaml"))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The client's definitions."""
        return client_definitions(self.profile)


def client_definitions(profile: ClientProfile) -> dg.Definitions:
    """Two steps of assets and one sensor. No jobs: a job per client would make loading superlinear."""
    partitions = partitions_of(profile)
    return dg.Definitions(
        assets=[build_deliveries(profile, partitions), build_event_days(profile, partitions)],
        sensors=[build_delivery_sensor(profile)],
    )


def definitions_of_folder(folder: Path) -> dg.Definitions:
    """The definitions of every client in a deployment's own folder.

    Raises:
        ConfigurationError: Names every mistake of every file.
    """
    if not folder.is_dir():
        raise ConfigurationError(str(folder), ["no such folder; expected <client>/defs.yaml files in it"])
    return dg.Definitions.merge(*(client_definitions(profile) for profile in load_profiles(folder)))
