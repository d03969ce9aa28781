"""The entry point: platform definitions, the clients of this deployment, resources and the executor."""

from collections.abc import Sequence

import dagster as dg

from symbiosys_pipeline.components.retail_client import client_definitions, definitions_of_folder
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.settings import PACKAGE, Settings


def build_definitions(settings: Settings) -> dg.Definitions:
    """The definitions of a deployment.

    Clients in the package's own `defs/clients` are always loaded; a deployment that keeps its clients in
    another folder (`SYMBIOSYS_CLIENTS`) leaves that one empty.

    Raises:
        ConfigurationError: A client's YAML is wrong; names every mistake.
    """
    parts = [dg.load_from_defs_folder(path_within_project=PACKAGE)]
    if settings.clients != (PACKAGE / "defs" / "clients").resolve():
        parts.append(definitions_of_folder(settings.clients))
    return dg.Definitions.merge(*parts, _shared(settings))


def build_client_definitions(settings: Settings, profiles: Sequence[ClientProfile]) -> dg.Definitions:
    """Some clients' assets alone, for work in this process.

    The scan of the defs folder imports every installed Dagster integration, which takes seconds: what needs
    no schedules and sensors goes without it.
    """
    return dg.Definitions.merge(*(client_definitions(profile) for profile in profiles), _shared(settings))


def _shared(settings: Settings) -> dg.Definitions:
    return dg.Definitions(
        resources={"deployment": dg.ResourceDefinition(lambda _: Deployment.open(settings))},
        # One process per run: ten trivial steps take 3.5 s in one process and 30 s in ten.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of the deployment that the environment describes."""
    return build_definitions(Settings.from_environment())
