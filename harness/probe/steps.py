"""The steps of the event loop: for how long each executes, and how long it was ready before; booked on the timed request it is of.

A step belongs to the request in its context, which tasks and timers inherit: so do those that middleware and task groups start. There
are some fifteen of them in a request, and those of requests that are not timed stay asyncio's own: they pay for one look at their
context. In a request that is timed the clock is the most expensive thing: inside a span it is not asked.
"""

from __future__ import annotations

import asyncio
import asyncio.events
from asyncio import format_helpers
from contextvars import copy_context
from time import monotonic
from typing import Any

from harness.probe.state import RequestState, timed_request

_new = object.__new__
_Handle = asyncio.Handle
_run_plain = asyncio.Handle._run
_begun: RequestState | None = None  # a timed request that has begun in the step that runs, which did not know of it


class Step(asyncio.Handle):
    """A handle of a timed request, that knows since when it is ready: those that come with a context are the steps of tasks, and run once."""

    __slots__ = ("_ready_s",)

    def __init__(self, request: RequestState, callback: Any, args: Any, loop: Any, context: Any) -> None:
        super().__init__(callback, args, loop, context)
        self._ready_s = None if context is None or request.spans else monotonic()

    def _run(self) -> None:
        context = self._context  # type: ignore[attr-defined]
        request = context.get(timed_request)
        if not request.spans:
            now_s = monotonic()
            if self._ready_s is not None:  # what another task of the request ran meanwhile is booked already
                since_s = request.since_s
                request.loop_wait_s += now_s - (self._ready_s if self._ready_s > since_s else since_s)
            request.since_s = now_s
        try:  # from here on as asyncio's own, and as RequestState.book_own: without the calls
            context.run(self._callback, *self._args)  # type: ignore[attr-defined]
        except BaseException as error:  # noqa: BLE001 - as in asyncio, which is told of it
            _report(self, error)
        if not request.spans:
            now_s = monotonic()
            request.own_s += now_s - request.since_s
            request.since_s = now_s


def hook_steps() -> None:
    """Hooks every loop of the process that is to come."""
    asyncio.BaseEventLoop._call_soon = _call_soon  # type: ignore[attr-defined]
    asyncio.events.Handle = _make_handle  # type: ignore[misc,assignment]
    asyncio.Handle._run = _run  # type: ignore[method-assign,assignment]
    asyncio.TimerHandle._run = _run_timer  # type: ignore[method-assign,assignment]


def first_step_of(request: RequestState) -> None:
    """A timed request begins in the step that runs: what is left of the step is booked on it."""
    global _begun
    _begun = request


def _call_soon(loop: Any, callback: Any, args: Any, context: Any) -> Any:
    """As asyncio's own. All steps of tasks come here: the handle is made as its own class would, without the calls."""
    handle: Any
    if loop._debug:
        handle = _make_handle(callback, args, loop, context)
        if handle._source_traceback:
            del handle._source_traceback[-1]
        loop._ready.append(handle)
        return handle
    of_task = context is not None
    if not of_task:
        context = copy_context()
    request = context.get(timed_request)
    if request is None:
        handle = _new(_Handle)
    else:
        handle = _new(Step)
        handle._ready_s = monotonic() if of_task and not request.spans else None
    handle._context = context
    handle._loop = loop
    handle._callback = callback
    handle._args = args
    handle._cancelled = False
    handle._repr = handle._source_traceback = None
    loop._ready.append(handle)
    return handle


def _make_handle(callback: Any, args: Any, loop: Any, context: Any = None) -> asyncio.Handle:
    request = timed_request.get() if context is None else context.get(timed_request)
    if request is None:
        return _Handle(callback, args, loop, context)
    return Step(request, callback, args, loop, context)


def _run(handle: Any) -> None:
    """As asyncio's own."""
    try:
        handle._context.run(handle._callback, *handle._args)
    except BaseException as error:  # noqa: BLE001 - as in asyncio, which is told of it
        _report(handle, error)
    if _begun is not None:
        _end_first_step(handle._context)


def _end_first_step(context: Any) -> None:
    global _begun
    request, _begun = _begun, None
    if request is not None and not request.spans and context.get(timed_request) is request:
        request.book_own()


def _run_timer(handle: Any) -> None:
    context = handle._context
    request = context.get(timed_request)
    if request is not None and not request.spans:
        now_s = monotonic()
        request.loop_wait_s += max(0.0, now_s - max(handle._when, request.since_s))
        request.since_s = now_s
    _run_plain(handle)
    if request is not None and not request.spans:
        request.book_own()


def _report(handle: Any, error: BaseException) -> None:
    """What asyncio does with an error of a callback."""
    if isinstance(error, SystemExit | KeyboardInterrupt):
        raise error
    callback = format_helpers._format_callback_source(handle._callback, handle._args)
    told = {"message": f"Exception in callback {callback}", "exception": error, "handle": handle}
    handle._loop.call_exception_handler(told)
