"""Fixtures for every room."""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import settings

from harness.catalog import catalogue_root
from harness.forkserver import ForkServer
from harness.postgres.databases import Databases
from harness.postgres.server import PostgresServer, start_postgres
from harness.pytest_plugin import concurrency as concurrency  # also where the package is not installed
from harness.staging import Postgres, Rig
from harness.target.seeding import seed
from harness.target.target import PRELOAD

# The same examples in every run, and no time limit: the machine is shared.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
# Started in the background of a script, a test would hand it down that an interrupt is to be ignored, and tests send some.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def embedded_server() -> Iterator[PostgresServer]:
    """One embedded Postgres for the whole test session."""
    with start_postgres("embedded", run_token="session") as server:
        yield server


@pytest.fixture
def run_token() -> str:
    """A token that no other test uses."""
    return uuid4().hex[:12]


@pytest.fixture
def databases(embedded_server: PostgresServer, run_token: str) -> Iterator[Databases]:
    """A run's databases on the session's server, removed after the test."""
    databases = Databases(embedded_server.url, run_token=run_token)
    yield databases
    databases.drop_all()


@pytest.fixture(scope="module")
def catalogue_rig(embedded_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """What a trial of a pair is run on, with the catalogue's rows in every database."""
    logs = tmp_path_factory.mktemp("logs")
    databases = Databases(embedded_server.url, run_token=secrets.token_hex(4))
    with ForkServer(PRELOAD) as targets, ForkServer(["harness.load.main"]) as loads:
        databases.create_template(lambda url: seed(targets, url, root=catalogue_root(), log=logs / "seed.log"))
        postgres = Postgres(databases=databases, server=embedded_server)
        yield Rig(started_s=time.monotonic(), logs=logs, targets=targets, loads=loads, postgres=postgres)
    databases.drop_all()
