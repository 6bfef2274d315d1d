"""The steps of the event loop: for how long each executes, and how long it was ready before; booked on the request it belongs to.

A step belongs to the request in its context, which tasks and timers inherit: so do those that middleware and task groups start.
"""

from __future__ import annotations

import asyncio
import asyncio.events
from time import monotonic
from typing import Any

from harness.probe.state import current_request

_run_plain = asyncio.Handle._run  # type: ignore[attr-defined]


class Step(asyncio.Handle):
    """A handle that knows since when it is ready: those that come with a context are the steps of tasks, and run once."""

    __slots__ = ("_ready_s",)

    def __init__(self, callback: Any, args: Any, loop: Any, context: Any = None) -> None:
        self._ready_s = None if context is None or context.get(current_request) is None else monotonic()
        super().__init__(callback, args, loop, context)

    def _run(self) -> None:
        _run_timed(self, self._ready_s)


def hook_steps() -> None:
    """Hooks every loop of the process that is to come."""
    asyncio.events.Handle = Step  # type: ignore[misc]
    asyncio.TimerHandle._run = _run_timer  # type: ignore[attr-defined]


def _run_timer(handle: Any) -> None:
    _run_timed(handle, handle._when)


def _run_timed(handle: Any, ready_s: float | None) -> None:
    context = handle._context
    request = context.get(current_request)
    if request is not None:
        request.since_s = now_s = monotonic()
        if ready_s is not None and not request.spans:
            request.loop_wait_s += now_s - ready_s
    _run_plain(handle)
    request = context.get(current_request)  # the first step of a request finds it out itself
    if request is not None and not request.spans:
        request.own_s += monotonic() - request.since_s
