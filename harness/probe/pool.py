"""SQLAlchemy's pools and sessions: who asks for a connection, how long it takes, who holds it and for how long.

SQLAlchemy has no events for asking or giving up, so ``Pool.connect`` is timed; and as a listener costs far more than a method,
``Pool._return_conn`` is too. A session takes its connection on first use, far from where it was made; the place where the
session was made is noted on the session, and a checkout finds the session that asks for it a few frames up its stack.
"""

from __future__ import annotations

import sys
from time import monotonic
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.orm import session as orm
from sqlalchemy.pool import NullPool, Pool, QueuePool, StaticPool
from sqlalchemy.pool.base import _ConnectionFairy, _ConnectionRecord

from harness.inside import Sight
from harness.probe.frames import FrameTuple
from harness.probe.recorder import Probe
from harness.probe.state import CheckoutState, current_request

# Frames from a session's transaction to its pool: five in SQLAlchemy 2, six in 1.4, more where others hook in; and from the session itself.
TRANSACTION_DEPTHS, SESSION_DEPTHS = range(5, 12), range(7, 12)

_ASKS = Session._connection_for_bind.__code__


def hook_pools(probe: Probe) -> None:
    """Hooks every pool and session of the process, those that exist and those to come."""
    _set_defaults()
    _remember_engine_place(probe)
    _remember_session_place(probe)
    _time_checkouts(probe)
    _see_returns(probe)
    _see_flushes(probe)
    event.listen(Pool, "connect", _note_opening)


def _set_defaults() -> None:
    """What pools, sessions and connections are told, for those that have not been told yet."""
    Pool.harness_engine = None  # type: ignore[attr-defined]
    Pool.harness_fresh = True  # type: ignore[attr-defined]  # no connection has been asked of it
    Session.harness_place = None  # type: ignore[attr-defined]
    _ConnectionRecord.harness_checkout = None  # type: ignore[attr-defined]
    _ConnectionRecord.harness_opened = False  # type: ignore[attr-defined]


def _remember_engine_place(probe: Probe) -> None:
    def __new__(cls: Any, *args: Any, **kwargs: Any) -> Any:
        # Not ``__init__``: create_engine reads from its signature which arguments a pool takes.
        pool = object.__new__(cls)
        pool.harness_engine = probe.frames.user_frame(sys._getframe(1))
        return pool

    Pool.__new__ = __new__  # type: ignore[method-assign]


def _remember_session_place(probe: Probe) -> None:
    # Every session puts itself there at the end of its ``__init__``. Around that itself, a function would have to pass on its
    # many named arguments, which costs more than to find the place.
    all_sessions: Any = orm._sessions
    maker, add = probe.frames.maker, type(all_sessions).__setitem__

    class Sessions(type(all_sessions)):  # type: ignore[misc]
        def __setitem__(self, key: int, session: Any) -> None:
            session.harness_place = maker(sys._getframe(2))
            add(self, key, session)

    all_sessions.__class__ = Sessions


def _time_checkouts(probe: Probe) -> None:
    original = Pool.connect

    def connect(self: Any) -> Any:
        if isinstance(self, StaticPool):
            return original(self)  # its one connection is everybody's at once: nobody waits for it, and nobody holds it
        request = current_request.get()
        session = _session_that_asks()
        # A session's place says more than the line that happens to use it first, and costs less to find: but not of a
        # connection that the request takes beside another, or after its answer.
        known = session is not None and request is not None and not request.holding and request.last_byte_s is None
        place = None if known else probe.frames.user_frame(sys._getframe(1))
        asked_s = request.enter_span() if request is not None and request.timed else monotonic()
        checkout = CheckoutState(place, session, self.harness_engine, None, asked_s, request=request, pool=self)
        if request is not None and request.holding:
            checkout.nested = any(
                c.request is request and c.pool is self and c.got_s is not None for c in list(probe.checkouts)
            )
        probe.checkouts.add(checkout)
        if request is not None:
            request.connecting = True
        try:
            connection = original(self)
        except BaseException as error:
            _not_got(probe, checkout, gave_up=isinstance(error, PoolTimeout))
            raise
        if request is None:
            checkout.got_s = monotonic()
        else:
            request.connecting = False
            checkout.got_s = now_s = request.leave_span() if request.timed else monotonic()
            request.checkout_wait_s += now_s - asked_s
            request.checkouts += 1
            request.holding += 1
            checkout.sql_s = -request.sql_s  # what the request spends from now on until the connection is back
        record = connection._connection_record
        record.harness_checkout = checkout
        if record.harness_opened:
            record.harness_opened = False
            checkout.opened = True
            checkout.not_reused = self.harness_fresh or isinstance(self, NullPool)
            if self.harness_fresh:
                self.harness_fresh = False
                _tell_limit(probe, self)
            if request is not None:
                request.connects += 1
        return connection

    Pool.connect = connect  # type: ignore[method-assign]


def _session_that_asks() -> FrameTuple | None:
    """Where the session was made for which ``Pool.connect``, which calls this, is to get a connection; None when it is for no session."""
    try:
        for depth in SESSION_DEPTHS:
            frame = sys._getframe(depth)
            if frame.f_code is _ASKS:
                return frame.f_locals["self"].harness_place  # type: ignore[no-any-return]
    except ValueError:  # the stack is not as deep
        pass
    return _session_that_flushes()


def _session_that_flushes() -> FrameTuple | None:
    """The same for a transaction that asks by itself. Its frame comes second, for to list its many variables takes longer than all else here."""
    try:
        for depth in TRANSACTION_DEPTHS:
            frame = sys._getframe(depth + 1)
            if frame.f_code.co_name == "_connection_for_bind":
                return frame.f_locals["self"].session.harness_place  # type: ignore[no-any-return]
    except ValueError:
        pass
    return None


def _tell_limit(probe: Probe, pool: Any) -> None:
    if isinstance(pool, QueuePool) and pool._max_overflow >= 0:
        probe.see(Sight.POOL, str(pool.size() + pool._max_overflow), place=pool.harness_engine)  # type: ignore[attr-defined]


def _not_got(probe: Probe, checkout: CheckoutState, *, gave_up: bool) -> None:
    request = checkout.request
    if request is not None:
        request.connecting = False
        request.checkout_wait_s += request.leave_span() - checkout.asked_s
        request.pool_timeouts += gave_up
    if gave_up:
        probe.end_checkout(checkout)
    else:
        probe.checkouts.discard(checkout)


def _note_opening(_: Any, record: Any) -> None:
    record.harness_opened = True


def _see_returns(probe: Probe) -> None:
    returned, detached = Pool._return_conn, _ConnectionFairy.detach

    def _return_conn(self: Any, record: Any) -> None:
        if record.harness_checkout is not None:
            _close_checkout(probe, record)
        returned(self, record)

    def detach(self: Any) -> None:
        # So end the connections of the app's choice, and those of an async engine that the collector finds.
        record = self._connection_record
        if record is not None and record.harness_checkout is not None:
            _close_checkout(probe, record)
        detached(self)

    Pool._return_conn = _return_conn  # type: ignore[method-assign]
    _ConnectionFairy.detach = detach  # type: ignore[method-assign]


def _close_checkout(probe: Probe, record: Any) -> None:
    checkout: CheckoutState = record.harness_checkout
    record.harness_checkout = None
    request = checkout.request
    if request is not None:
        checkout.sql_s += request.sql_s
        request.holding -= 1
    probe.end_checkout(checkout)


def _see_flushes(probe: Probe) -> None:
    original = Session._flush

    def _flush(self: Any, objects: Any = None) -> None:
        original(self, objects)
        request = current_request.get()
        if request is not None:
            request.unkept += 1
            if probe.unkept_routes and request.find_route() in probe.unkept_routes:
                request.wrote = probe.frames.user_frame(sys._getframe(1))

    Session._flush = _flush  # type: ignore[method-assign]
