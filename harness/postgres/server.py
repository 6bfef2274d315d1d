"""The Postgres server of one run, from the parent's side of the keeper."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from harness.catalog import catalogue_root
from harness.errors import SetupError
from harness.placement import put
from harness.postgres.connection import admin_connection
from harness.postgres.urls import describe, parse_admin_url

OLDEST = 14  # pg_terminate_backend with a time limit
CLEAN_UP_S = 30.0


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """A server that is ready. Leaving the context removes all that the run put on it, and the server if it was ours."""

    url: str = field(repr=False)  # as a role that may create databases; may hold a password
    version: str  # "18.4"
    max_connections: int
    keeper: subprocess.Popen[str] = field(repr=False)

    def restart(self, database: str) -> None:
        """Restarts the server under load, or does to ``database`` what a restart would where the server is not ours.

        Returns when it answers again. Raises SetupError when it does not.
        """
        _ask(self.keeper, {"restart": database})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        end_keeper(self.keeper)


def start_postgres(choice: str, *, run_token: str, cpus: Collection[int] | None = None) -> PostgresServer:
    """Makes the server ready that ``--postgres`` chose: "embedded", "docker", or the postgresql:// URL of the user's own.

    ``run_token`` (lower-case letters and digits) names the run's databases, see ``Databases``; ``cpus`` are the processors
    that an embedded server is kept to, None for any.
    Raises UsageError for another choice; SetupError when the server cannot start, cannot be reached, is too old or gives no
    right to create databases.
    """
    if choice == "embedded":
        return _serve({"provider": "embedded"}, cpus)
    if choice == "docker":
        compose_file = str(catalogue_root() / "docker-compose.yml")
        return _serve({"provider": "docker", "compose_file": compose_file, "run_token": run_token})
    url = parse_admin_url(choice)
    _look(url)  # before there is a keeper, whose clean-up would fail in the same way
    return _serve({"provider": "url", "url": url, "run_token": run_token})


def end_keeper(keeper: subprocess.Popen[str]) -> None:
    """Gives the order to clean up and waits until it is done. Raises SetupError if that takes more than 30 s."""
    assert keeper.stdin is not None and keeper.stdout is not None
    with suppress(BrokenPipeError):
        keeper.stdin.close()
    try:
        keeper.wait(CLEAN_UP_S)
    except subprocess.TimeoutExpired as exc:
        raise SetupError(
            f"Postgres is not cleaned up after {CLEAN_UP_S:.0f} s; process {keeper.pid} still tries"
        ) from exc
    keeper.stdout.close()


def _serve(job: dict[str, str], cpus: Collection[int] | None = None) -> PostgresServer:
    keeper = subprocess.Popen(
        [sys.executable, "-m", "harness.postgres.keeper"],
        cwd=Path(__file__).parents[2],  # from where the harness can be imported
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    put(keeper.pid, cpus)  # before it has its job, so that the server comes after
    try:
        url = _ask(keeper, job)["url"]
        version, max_connections = _look(url)
    except BaseException:
        keeper.terminate()  # it may be busy with getting ready
        end_keeper(keeper)
        raise
    return PostgresServer(url=url, version=version, max_connections=max_connections, keeper=keeper)


def _ask(keeper: subprocess.Popen[str], question: dict[str, str]) -> dict[str, str]:
    assert keeper.stdin is not None and keeper.stdout is not None
    with suppress(BrokenPipeError):
        keeper.stdin.write(json.dumps(question) + "\n")
        keeper.stdin.flush()
    line = keeper.stdout.readline()
    answer: dict[str, str] = (
        json.loads(line) if line else {"error": "the process that keeps Postgres ended without a word"}
    )
    if "error" in answer:
        raise SetupError(answer["error"])
    return answer


def _look(url: str) -> tuple[str, int]:
    """Version and max_connections of a server on which this URL's role may create databases, else SetupError."""
    with admin_connection(url) as connection:
        row = connection.execute(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000,"
            " current_setting('max_connections')::int, rolcreatedb OR rolsuper, rolname"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert row is not None
    version, major, max_connections, may_create, role = row
    if major < OLDEST:
        raise SetupError(f"Postgres at {describe(url)} is version {version}; {OLDEST} is the oldest that will do")
    if not may_create:
        raise SetupError(
            f"Postgres at {describe(url)}: role {role} may not create databases; ALTER ROLE … CREATEDB lets it"
        )
    return version.split()[0], max_connections
