"""One short administrative connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import TupleRow

from harness.errors import SetupError
from harness.postgres.urls import describe

CONNECT_TIMEOUT_S = 5


@contextmanager
def admin_connection(url: str, *, name: str = "harness") -> Iterator[psycopg.Connection[TupleRow]]:
    """An autocommit connection that shows as ``name`` among the server's sessions.

    Raises SetupError, for connecting and for all that is done inside, with Postgres' own reason.
    """
    try:
        with psycopg.connect(
            url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, application_name=name
        ) as connection:
            yield connection
    except psycopg.Error as exc:
        raise SetupError(f"Postgres at {describe(url)}: {_reason(exc)}") from exc


def _reason(exc: psycopg.Error) -> str:
    """The first line of an error, without the address that libpq puts before it."""
    lines = str(exc).splitlines() or [type(exc).__name__]
    return lines[0].rsplit(" failed: ", 1)[-1].removeprefix("FATAL:").strip()
