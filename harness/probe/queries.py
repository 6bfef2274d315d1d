"""Statements per request, and the time they take, booked on the request and on the connection's checkout."""

from __future__ import annotations

from time import monotonic
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.default import DefaultDialect

from harness.probe.pool import KEY
from harness.probe.state import current_request

STARTED = "harness_started"


def hook_queries() -> None:
    """Hooks every engine of the process."""
    event.listen(Engine, "before_cursor_execute", _before)
    event.listen(Engine, "after_cursor_execute", _after)
    event.listen(Engine, "handle_error", _failed)
    for name in ("do_commit", "do_rollback"):
        _time_transaction_end(name)


def _before(connection: Connection, *_: Any) -> None:
    connection.info[STARTED] = monotonic()


def _after(connection: Connection, *_: Any) -> None:
    _book(connection.info.pop(STARTED, None), connection.connection.record_info, queries=1)


def _failed(context: Any) -> None:
    connection = context.connection
    if connection is not None and not connection.closed and not connection.invalidated:
        _book(connection.info.pop(STARTED, None), connection.connection.record_info, queries=1)


def _time_transaction_end(name: str) -> None:
    original = getattr(DefaultDialect, name)

    def timed(self: Any, dbapi_connection: Any) -> None:
        started_s = monotonic()
        try:
            original(self, dbapi_connection)
        finally:
            _book(started_s, getattr(dbapi_connection, "record_info", None), queries=0)

    setattr(DefaultDialect, name, timed)


def _book(started_s: float | None, record_info: Any, *, queries: int) -> None:
    if started_s is None:
        return
    spent_s = monotonic() - started_s
    request = current_request.get()
    if request is not None:
        request.queries += queries
        request.sql_s += spent_s
    checkout = record_info.get(KEY) if record_info else None
    if checkout is not None:
        checkout.sql_s += spent_s
