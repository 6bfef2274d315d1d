"""A server that was there before the run: the run's databases are removed from it, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.postgres.provided import Provided


@contextmanager
def users_server(url: str, run_token: str) -> Iterator[Provided]:
    """Yields the server as it is. It is not ours to restart: the sessions of the one database are ended instead.

    Raises SetupError when it cannot be cleaned up at the end.
    """
    from harness.postgres.databases import Databases  # 0.1 s to import, which the embedded server does not need

    databases = Databases(url, run_token=run_token)
    try:
        yield Provided(url=url, restart=databases.end_sessions)
    finally:
        databases.drop_all()
