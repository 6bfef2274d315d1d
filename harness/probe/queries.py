"""Statements per request, and the time they take, booked on the request; its checkouts take their share from there.

The dialect's own calls are timed. SQLAlchemy's engine events would say the same, but one listener makes every connection
assemble its event machinery anew, which costs a request more than its query.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from harness.probe.state import current_request

STATEMENTS = ("do_execute", "do_execute_no_params", "do_executemany")
ENDS = ("do_commit", "do_rollback")


def hook_queries() -> None:
    """Hooks every dialect of the process that is imported by now; others inherit from the one that all derive from."""
    for dialect in (DefaultDialect, *_derived(DefaultDialect)):
        for name in STATEMENTS:
            if name in vars(dialect):
                _time_statement(dialect, name)
        for name in ENDS:
            if name in vars(dialect):
                _time_end(dialect, name)


def _derived(dialect: type[Any]) -> set[type[Any]]:
    return {each for child in dialect.__subclasses__() for each in (child, *_derived(child))}


def _time_statement(dialect: Any, name: str) -> None:
    original = getattr(dialect, name)

    def timed(self: Any, cursor: Any, *args: Any, **kwargs: Any) -> Any:
        started_s = monotonic()
        try:
            return original(self, cursor, *args, **kwargs)
        finally:
            request = current_request.get()
            if request is not None and not request.connecting:
                request.queries += 1
                request.sql_s += monotonic() - started_s

    setattr(dialect, name, timed)


def _time_end(dialect: Any, name: str) -> None:
    original = getattr(dialect, name)

    def timed(self: Any, connection: Any) -> None:
        started_s = monotonic()
        try:
            original(self, connection)
        finally:
            request = current_request.get()
            if request is not None:
                request.sql_s += monotonic() - started_s

    setattr(dialect, name, timed)
