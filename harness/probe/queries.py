"""Statements per request, and the time they take, booked on the request; its checkouts take their share from there.

The dialect's own calls are timed. SQLAlchemy's engine events would say the same, but one listener makes every connection
assemble its event machinery anew, which costs a request more than its query.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from harness.inside import Sight
from harness.probe.recorder import Probe
from harness.probe.state import RequestState, current_request

LOOKED_AT = frozenset((11, 31))  # of a request's statements, from which line they come
LONGEST_STATEMENT = 120  # characters


def hook_queries(probe: Probe) -> None:
    """Hooks every dialect of the process that is imported by now; others inherit from the one that all derive from."""
    for dialect in (DefaultDialect, *_derived(DefaultDialect)):
        for name, timed in HOOKS.items():
            if name in vars(dialect):
                setattr(dialect, name, timed(getattr(dialect, name), probe))


def _derived(dialect: type[Any]) -> set[type[Any]]:
    return {each for child in dialect.__subclasses__() for each in (child, *_derived(child))}


def _timed_statement(original: Callable[..., None], probe: Probe) -> Callable[..., None]:
    # Parameters by name: passing on ``*args, **kwargs`` costs more than all else that is done here.
    def timed(self: Any, cursor: Any, statement: Any, parameters: Any, context: Any = None) -> None:
        request = current_request.get()
        if request is None or request.connecting:
            original(self, cursor, statement, parameters, context)
            return
        started_s = request.enter_span() if request.timed else monotonic()
        try:
            original(self, cursor, statement, parameters, context)
        finally:
            request.queries += 1
            request.sql_s += (request.leave_span() if request.timed else monotonic()) - started_s
            if request.queries in LOOKED_AT:
                _see_statement(probe, request, statement)

    return timed


def _timed_statement_no_params(original: Callable[..., None], probe: Probe) -> Callable[..., None]:
    def timed(self: Any, cursor: Any, statement: Any, context: Any = None) -> None:
        request = current_request.get()
        if request is None or request.connecting:
            original(self, cursor, statement, context)
            return
        started_s = request.enter_span() if request.timed else monotonic()
        try:
            original(self, cursor, statement, context)
        finally:
            request.queries += 1
            request.sql_s += (request.leave_span() if request.timed else monotonic()) - started_s
            if request.queries in LOOKED_AT:
                _see_statement(probe, request, statement)

    return timed


def _timed_end(original: Callable[..., None], probe: Probe) -> Callable[..., None]:
    def timed(self: Any, connection: Any) -> None:
        request = current_request.get()
        if request is None or request.connecting:
            original(self, connection)
            return
        started_s = request.enter_span() if request.timed else monotonic()
        try:
            original(self, connection)
        finally:
            request.sql_s += (request.leave_span() if request.timed else monotonic()) - started_s

    return timed


def _timed_commit(original: Callable[..., None], probe: Probe) -> Callable[..., None]:
    ends = _timed_end(original, probe)

    def timed(self: Any, connection: Any) -> None:
        ends(self, connection)
        request = current_request.get()
        if request is not None:
            request.unkept = 0

    return timed


def _seen_commit(original: Callable[..., None], _: Probe) -> Callable[..., None]:
    def commit(self: Any, *args: Any, **named: Any) -> None:
        original(self, *args, **named)
        request = current_request.get()
        if request is not None:
            request.unkept = 0

    return commit


def _see_statement(probe: Probe, request: RequestState, statement: str) -> None:
    shown = " ".join(statement.split())[:LONGEST_STATEMENT]
    probe.see(Sight.REPEATED, shown, place=probe.frames.user_frame(sys._getframe(2)), route=request.find_route())


HOOKS = {
    "do_execute": _timed_statement,
    "do_execute_no_params": _timed_statement_no_params,
    "do_executemany": _timed_statement,
    "do_commit": _timed_commit,
    "do_commit_twophase": _seen_commit,
    "do_rollback": _timed_end,
}
