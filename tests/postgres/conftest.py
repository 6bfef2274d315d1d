"""A server as a user would have it: a role of little power, a password, a database of their own."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator

import psycopg
import pytest

from harness.postgres.databases import Databases
from harness.postgres.server import PostgresServer, start_postgres
from tests.waiting import wait_until


@pytest.fixture(scope="session")
def users_url(embedded_server: PostgresServer) -> str:
    """The URL of a role that may create databases and is no superuser, on a server that asks it for its password."""
    with psycopg.connect(embedded_server.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE lena LOGIN CREATEDB PASSWORD 's3cret/p@ss'")
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
        connection.execute("CREATE DATABASE lenas_own OWNER lena")
        row = connection.execute("SELECT current_setting('hba_file')").fetchone()
        assert row is not None
        # The superuser keeps its open door: it is the other tests' way in.
        rules = "VALUES ('local all postgres trust'), ('local all all scram-sha-256')"
        connection.execute(f"COPY ({rules}) TO '{row[0]}'")
        connection.execute("SELECT pg_reload_conf()")
    wait_until(lambda: refused(with_user(embedded_server.url, "lena:wrong")), "the server asks for passwords")
    return with_user(embedded_server.url, "lena:s3cret%2Fp%40ss").replace("/postgres?", "/lenas_own?")


@pytest.fixture(params=["embedded", "url"])
def choice(request: pytest.FixtureRequest) -> str:
    """A value of --postgres for each provider that is started at once; Docker has tests of its own."""
    return "embedded" if request.param == "embedded" else str(request.getfixturevalue("users_url"))


@pytest.fixture(scope="session")
def engine() -> None:
    """Skips the test where no Docker engine answers."""
    try:
        asked = subprocess.run(["docker", "version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"no Docker engine here: {error}")
    if asked.returncode != 0:
        pytest.skip(f"no Docker engine here: {asked.stderr.strip().splitlines()[0]}")


@pytest.fixture(scope="session")
def docker_server(engine: None) -> Iterator[PostgresServer]:
    """One Postgres in Docker for the whole test session, at a port that nobody's own has."""
    with pytest.MonkeyPatch.context() as patch, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        patch.setenv("HARNESS_POSTGRES_PORT", str(free.getsockname()[1]))
        free.close()
        with start_postgres("docker", run_token="session") as server:
            yield server


@pytest.fixture(scope="session", params=["embedded", "url", "docker"])
def server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A started server of each provider, for tests that do not end it."""
    if request.param == "embedded":
        yield request.getfixturevalue("embedded_server")
    elif request.param == "docker":
        yield request.getfixturevalue("docker_server")
    else:
        with start_postgres(request.getfixturevalue("users_url"), run_token="session") as server:
            yield server


@pytest.fixture
def databases(server: PostgresServer, run_token: str) -> Iterator[Databases]:
    """A run's databases on the server of each provider, removed after the test."""
    databases = Databases(server.url, run_token=run_token)
    yield databases
    databases.drop_all()


def with_user(url: str, user: str) -> str:
    """The embedded server's URL for another role; ``user`` may hold a password."""
    return url.replace("//postgres@", f"//{user}@")


def refused(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return True
    return False
