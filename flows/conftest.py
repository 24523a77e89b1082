"""Fixtures of the engine's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.testing import TemporalDevServer, temporal_dev_server


@pytest.fixture(scope="session")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalDevServer]:
    """One real Temporal server for all tests of this room."""
    folder: Path = tmp_path_factory.mktemp("temporal")
    with temporal_dev_server(folder) as server:
        yield server
