"""The steps of the event loop: for how long each executes, and how long it was ready before; booked on the timed request it is of.

A step belongs to the request in its context, which tasks and timers inherit: so do those that middleware and task groups start. This
is run some fifteen times in a request, and the clock is the most expensive thing in it: inside a span it is not asked.
"""

from __future__ import annotations

import asyncio
import asyncio.events
from asyncio import format_helpers
from contextvars import copy_context
from time import monotonic
from typing import Any

from harness.probe.state import timed_request

_run_plain = asyncio.Handle._run


class Step(asyncio.Handle):
    """A handle that knows since when it is ready: those that come with a context are the steps of tasks, and run once."""

    __slots__ = ("_ready_s",)

    def __init__(self, callback: Any, args: Any, loop: Any, context: Any = None) -> None:
        if loop.get_debug():
            super().__init__(callback, args, loop, context)
        else:  # the same without the call
            self._callback = callback
            self._args = args
            self._loop = loop
            self._context = copy_context() if context is None else context
            self._cancelled = False
            self._repr = self._source_traceback = None
        self._ready_s = None
        if context is not None:
            request = context.get(timed_request)
            if request is not None and not request.spans:
                self._ready_s = monotonic()

    def _run(self) -> None:
        context = self._context
        request = context.get(timed_request)
        if request is not None and not request.spans:
            now_s = monotonic()
            if self._ready_s is not None:  # what another task of the request ran meanwhile is booked already
                request.loop_wait_s += now_s - max(self._ready_s, request.since_s)
            request.since_s = now_s
        try:
            context.run(self._callback, *self._args)
        except BaseException as error:  # noqa: BLE001 - as in asyncio, which is told of it
            _report(self, error)
        request = context.get(timed_request)  # the first step of a request finds it out itself
        if request is not None and not request.spans:
            now_s = monotonic()
            request.own_s += now_s - request.since_s
            request.since_s = now_s


def hook_steps() -> None:
    """Hooks every loop of the process that is to come."""
    asyncio.events.Handle = Step  # type: ignore[misc]
    asyncio.TimerHandle._run = _run_timer  # type: ignore[method-assign,assignment]


def _run_timer(handle: Any) -> None:
    context = handle._context
    request = context.get(timed_request)
    if request is not None and not request.spans:
        now_s = monotonic()
        request.loop_wait_s += max(0.0, now_s - max(handle._when, request.since_s))
        request.since_s = now_s
    _run_plain(handle)
    if request is not None and not request.spans:
        now_s = monotonic()
        request.own_s += now_s - request.since_s
        request.since_s = now_s


def _report(handle: Any, error: BaseException) -> None:
    """What asyncio does with an error of a callback."""
    if isinstance(error, SystemExit | KeyboardInterrupt):
        raise error
    callback = format_helpers._format_callback_source(handle._callback, handle._args)
    told = {"message": f"Exception in callback {callback}", "exception": error, "handle": handle}
    handle._loop.call_exception_handler(told)
