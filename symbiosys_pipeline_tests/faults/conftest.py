"""The process that forks workers, one for all modules of this room: it takes seconds to start."""

from collections.abc import Iterator

import pytest

from symbiosys_pipeline_tests.faults.deployments import Workers, started_workers


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    with started_workers() as started:
        yield started
