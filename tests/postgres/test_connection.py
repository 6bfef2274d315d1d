"""The administrative connection, when an app has taken all of the server's sessions."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import psycopg
import pytest

from harness.errors import SetupError
from harness.postgres import connection
from harness.postgres.connection import admin_connection
from harness.postgres.server import PostgresServer


def fill(url: str, stack: ExitStack) -> None:
    """Takes sessions until the server refuses the next."""
    while True:
        try:
            stack.callback(psycopg.connect(url).close)
        except psycopg.OperationalError as error:
            assert "too many clients" in str(error)
            return


def test_room_on_a_full_server_is_waited_for(embedded_server: PostgresServer) -> None:
    with ExitStack() as sessions:
        fill(embedded_server.url, sessions)
        threading.Timer(0.2, sessions.close).start()
        with admin_connection(embedded_server.url) as admin:
            assert admin.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_stays_full_is_told_of(embedded_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ROOM_LIMIT_S", 0.2)
    with ExitStack() as sessions:
        fill(embedded_server.url, sessions)
        with pytest.raises(SetupError, match="too many clients"), admin_connection(embedded_server.url):
            pass
