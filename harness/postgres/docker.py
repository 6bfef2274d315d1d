"""Postgres in a container, from the project's Compose file. Runs inside the keeper.

A server that already answers at the file's address is used and left alone. One that the harness has started belongs to one run at a
time: the run's keeper holds an advisory lock on it, and what a killed keeper has left is taken over by the next.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.rows import TupleRow

from harness.errors import SetupError
from harness.postgres.compose import Compose
from harness.postgres.provided import Provided
from harness.postgres.users import users_server

SERVICE = "postgres"
PORT_VARIABLE, PORT = "HARNESS_POSTGRES_PORT", "25432"  # as in the Compose file
PASSWORD_VARIABLE, PASSWORD = "HARNESS_POSTGRES_PASSWORD", "harness"
CLUSTER_VARIABLE, CLUSTER = (
    "HARNESS_POSTGRES_CLUSTER",
    "harness-run",
)  # tells a run's server from one that somebody started
READY_S = 60.0
CONNECT_S = 5
LOOK_EVERY_S = 0.05
LOOK_AT_CONTAINER_EVERY_S = 2.0
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
REFUSED = ("Connection refused", "could not connect")


@contextmanager
def docker_server(compose_file: Path, run_token: str) -> Iterator[Provided]:
    """The server that answers at the Compose file's address; one of our own, removed at the end, where none does.

    Raises SetupError when there is none and none can be had.
    """
    url, compose = _url(), _compose(compose_file)
    cluster = _cluster(url)
    if cluster is not None and cluster != CLUSTER:
        with users_server(url, run_token) as provided:
            yield provided
        return
    with _started(compose, url) if cluster is None else _taken_over(compose, url) as claim:

        def restart(database: str) -> None:
            started = _started_at(url)
            compose.signal(SERVICE, "HUP")  # see the Compose file
            _await_ready(compose, url, after=started)
            claim.renew()

        yield Provided(url=url, restart=restart)


class _Claim:
    """A session that holds the server for this run; it ends with the keeper, however that ends."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[TupleRow] | None = None

    def take(self) -> bool:
        """Whether no other run holds the server."""
        with suppress(psycopg.Error):
            connection = psycopg.connect(self._url, autocommit=True, application_name="harness keeper")
            row = connection.execute("SELECT pg_try_advisory_lock(hashtext('harness run'))").fetchone()
            if row == (True,):
                self._connection = connection
                return True
            connection.close()
        return False

    def renew(self) -> None:
        """After a restart, which has ended the session."""
        self.release()
        self.take()

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextmanager
def _started(compose: Compose, url: str) -> Iterator[_Claim]:
    compose.check()
    if not compose.has_image(SERVICE):
        compose.pull(SERVICE)
    try:
        compose.up(SERVICE)
        _await_ready(compose, url)
        with _claimed(url) as claim:
            yield claim
    finally:
        compose.down()


@contextmanager
def _taken_over(compose: Compose, url: str) -> Iterator[_Claim]:
    """A server that a run has started: another one's that is still at work, or left behind by a keeper that was killed."""
    with _claimed(url) as claim:
        compose.check()
        try:
            yield claim
        finally:
            compose.down()


@contextmanager
def _claimed(url: str) -> Iterator[_Claim]:
    claim = _Claim(url)
    if not claim.take():
        raise SetupError(
            "another run is using Postgres in Docker: wait until it has ended, "
            f"or give this one a port of its own with {PORT_VARIABLE}"
        )
    try:
        yield claim
    finally:
        claim.release()


def _url() -> str:
    port, password = os.environ.get(PORT_VARIABLE) or PORT, os.environ.get(PASSWORD_VARIABLE) or PASSWORD
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise SetupError(f"{PORT_VARIABLE}={port} is not a port; give a number between 1 and 65535, or none")
    return f"postgresql://harness:{quote(password, safe='')}@127.0.0.1:{port}/harness"


def _compose(file: Path) -> Compose:
    port = int(os.environ.get(PORT_VARIABLE) or PORT)
    return Compose(file, project(file, port), {CLUSTER_VARIABLE: CLUSTER})


def project(file: Path, port: int) -> str:
    """The name of what a run makes, another for each checkout and port, so that ``down`` reaches nobody else's containers."""
    return "harness-" + hashlib.sha256(f"{file.parent}:{port}".encode()).hexdigest()[:8]


def _cluster(url: str) -> str | None:
    """The name that the server which answers there goes by; None where nothing listens.

    Raises SetupError when something else has the port, or when the server does not take our password.
    """
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_S) as connection:
            row = connection.execute("SELECT current_setting('cluster_name')").fetchone()
            return str(row[0]) if row else ""
    except psycopg.Error as error:
        if any(word in str(error) for word in REFUSED):
            return None
        port = os.environ.get(PORT_VARIABLE) or PORT
        why = str(error).strip().splitlines()[0].rsplit(" failed: ", 1)[-1].removeprefix("FATAL:").strip()
        raise SetupError(
            f"--postgres docker: port {port} is taken, and not by the harness' Postgres ({why}); "
            f"free it, or choose another one with {PORT_VARIABLE}"
        ) from error


def _await_ready(compose: Compose, url: str, after: datetime = LONG_AGO) -> None:
    """Returns when a server that was started after that moment answers at the published port, which is more than its health check asks."""
    begun_s = looked_s = time.monotonic()
    while True:
        with suppress(psycopg.Error):
            if _started_at(url) > after:
                return
        if time.monotonic() - looked_s > LOOK_AT_CONTAINER_EVERY_S:
            looked_s = time.monotonic()
            state = compose.state(SERVICE)
            if not state.alive or looked_s - begun_s > READY_S:
                raise SetupError(f"Postgres in Docker does not get ready: its container is {state}")
        time.sleep(LOOK_EVERY_S)


def _started_at(url: str) -> datetime:
    """When the server that answers was started. Raises psycopg.Error when none does."""
    with psycopg.connect(url, connect_timeout=2) as connection:
        row = connection.execute("SELECT pg_postmaster_start_time()").fetchone()
    assert row is not None
    started: datetime = row[0]
    return started
