"""SQLAlchemy's pools and sessions: who asks for a connection, how long it takes, who holds it and for how long.

SQLAlchemy has events for handing out and taking back, none for asking or giving up, so ``Pool.connect`` is timed. A session
takes its connection on first use, far from where it was made; the place where the session was made is noted on the session and
joined with its connection when its transaction begins.
"""

from __future__ import annotations

import sys
from time import monotonic
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from harness.probe.state import CheckoutState, Probe, current_request

KEY = "harness"  # in record_info: what the connection is out for
OPENED = "harness_opened"


def hook_pools(probe: Probe) -> None:
    """Hooks every pool and session of the process, those that exist and those to come."""
    _remember_engine_place(probe)
    _remember_session_place(probe)
    _time_checkouts(probe)
    event.listen(Pool, "connect", _note_opening)
    event.listen(Pool, "checkin", lambda _, record: _give_back(probe, record))
    event.listen(Session, "after_begin", _join_session)


def _remember_engine_place(probe: Probe) -> None:
    original = Pool.__init__

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.harness_engine = probe.frames.user_frame(sys._getframe(1))

    Pool.__init__ = __init__  # type: ignore[method-assign]


def _remember_session_place(probe: Probe) -> None:
    original = Session.__init__

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.harness_place = place = probe.frames.user_frame(sys._getframe(1))
        request = current_request.get()
        if request is not None:
            request.session = place

    Session.__init__ = __init__  # type: ignore[method-assign]


def _time_checkouts(probe: Probe) -> None:
    original = Pool.connect

    def connect(self: Any) -> Any:
        request = current_request.get()
        # A session's place says more than the line that happens to use it first, and costs less to find.
        place = None if request is not None and request.session else probe.frames.user_frame(sys._getframe(1))
        checkout = CheckoutState(place, getattr(self, "harness_engine", None), request)
        probe.waiting.add(checkout)
        if request is not None:
            request.connecting = True
        try:
            connection = original(self)
        except PoolTimeout:
            _gave_up(probe, checkout)
            raise
        finally:
            probe.waiting.discard(checkout)
            if request is not None:
                request.connecting = False
                request.checkout_wait_s += monotonic() - checkout.asked_s
        _got(probe, checkout, connection)
        return connection

    Pool.connect = connect  # type: ignore[method-assign]


def _gave_up(probe: Probe, checkout: CheckoutState) -> None:
    checkout.returned_s = monotonic()
    if checkout.request is not None:
        checkout.request.pool_timeouts += 1
    probe.add("checkouts", checkout.row())


def _got(probe: Probe, checkout: CheckoutState, connection: Any) -> None:
    checkout.got_s = monotonic()
    info = connection.record_info
    checkout.opened = info.pop(OPENED, False)
    info[KEY] = checkout
    probe.out.add(checkout)
    request = checkout.request
    if request is not None:
        checkout.sql_s = -request.sql_s  # what the request spends from now on until the connection is back
        request.checkouts += 1
        request.connects += checkout.opened
        if request.end_s is None:
            request.open_checkouts += (checkout,)


def _note_opening(_: Any, record: Any) -> None:
    record.record_info[OPENED] = True


def _give_back(probe: Probe, record: Any) -> None:
    checkout = record.record_info.pop(KEY, None)
    if checkout is None:
        return
    checkout.returned_s = monotonic()
    probe.out.discard(checkout)
    request = checkout.request
    if request is not None:
        checkout.sql_s += request.sql_s
        others = request.open_checkouts
        request.open_checkouts = () if len(others) == 1 else tuple(c for c in others if c is not checkout)
    probe.add("checkouts", checkout.row())


def _join_session(session: Session, _: Any, connection: Any) -> None:
    info = connection.connection.record_info
    checkout = info.get(KEY) if info else None
    if checkout is not None:
        checkout.session = getattr(session, "harness_place", None)
