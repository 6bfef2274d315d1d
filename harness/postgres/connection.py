"""One short administrative connection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import TupleRow

from harness.errors import SetupError
from harness.postgres.urls import describe

CONNECT_TIMEOUT_S = 5
ROOM_LIMIT_S = 10.0  # an app that took all sessions has ended: its last ones are still on their way out
LOOK_EVERY_S = 0.05
TOO_MANY = "too many clients"  # libpq gives no SQLSTATE for a connection that was refused


@contextmanager
def admin_connection(url: str, *, name: str = "harness") -> Iterator[psycopg.Connection[TupleRow]]:
    """An autocommit connection that shows as ``name`` among the server's sessions.

    Raises SetupError, for connecting and for all that is done inside, with Postgres' own reason.
    """
    try:
        with _connect(url, name) as connection:
            yield connection
    except psycopg.Error as exc:
        raise SetupError(f"Postgres at {describe(url)}: {_reason(exc)}") from exc


def _connect(url: str, name: str) -> psycopg.Connection[TupleRow]:
    """Waits for room, where a server is full."""
    deadline_s = time.monotonic() + ROOM_LIMIT_S
    while True:
        try:
            return psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, application_name=name)
        except psycopg.OperationalError as error:
            if TOO_MANY not in str(error) or time.monotonic() > deadline_s:
                raise
            time.sleep(LOOK_EVERY_S)


def _reason(exc: psycopg.Error) -> str:
    """The first line of an error, without the address that libpq puts before it."""
    lines = str(exc).splitlines() or [type(exc).__name__]
    return lines[0].rsplit(" failed: ", 1)[-1].removeprefix("FATAL:").strip()
