"""A light server, and a fork server for the load processes that drive it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.driving import LightServer, light_server
from harness.forkserver import ForkServer


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the processes print."""
    return tmp_path_factory.mktemp("load") / "log"


@pytest.fixture(scope="module")
def loads() -> Iterator[ForkServer]:
    with ForkServer(["harness.load.main"]) as forks:
        yield forks


@pytest.fixture(scope="module")
def server(log: Path) -> Iterator[LightServer]:
    with ForkServer([]) as forks, light_server(forks, log) as server:
        yield server
