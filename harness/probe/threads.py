"""Thread tokens: how many of anyio's worker threads are in use, and how long requests wait for one."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Coroutine
from time import monotonic
from typing import Any

import anyio.to_thread
from anyio._backends import _asyncio as backend

from harness.inside import Sight
from harness.probe.frames import uncollected
from harness.probe.recorder import Probe
from harness.probe.state import RequestState, current_request, timed_request


class TokenWatch:
    """The default limiter of the loop it is started on."""

    def __init__(self) -> None:
        self._limiter: Any = None

    def start_on_running_loop(self) -> None:
        self._limiter = anyio.to_thread.current_default_thread_limiter()

    def now(self) -> tuple[int, int] | tuple[None, None]:
        """Tokens in use, and tasks waiting for one."""
        if self._limiter is None:
            return None, None
        return self._limiter.borrowed_tokens, self._limiter.statistics().tasks_waiting


def see_busy_threads(probe: Probe) -> None:
    """Tells what the app's code does in each worker thread."""
    with uncollected():
        frames = sys._current_frames()
        workers = [thread for thread in threading.enumerate() if isinstance(thread, backend.WorkerThread)]
        places = Counter(probe.frames.entry(frames.get(worker.ident or 0)) for worker in workers)
    for place, times in places.items():
        if place is not None:
            probe.see(Sight.IN_THREAD, place=place, times=times)


def hook_threads() -> None:
    """Books on the request that asked: every token, the wait for it, and, when it is timed, what its thread does with it."""
    _time_tokens()
    _time_work()


def _time_tokens() -> None:
    original = backend.CapacityLimiter.acquire_on_behalf_of

    async def wait(limiter: Any, borrower: object, request: RequestState) -> None:
        asked_s = request.enter_span()
        try:
            await original(limiter, borrower)
        finally:
            request.token_wait_s += request.leave_span() - asked_s

    def acquire_on_behalf_of(self: Any, borrower: object) -> Coroutine[Any, Any, None]:
        request = current_request.get()
        if request is None:
            return original(self, borrower)
        request.tokens += 1
        # With a token free nobody waits: no coroutine of ours around the limiter's.
        return original(self, borrower) if self.available_tokens > 0 else wait(self, borrower, request)

    backend.CapacityLimiter.acquire_on_behalf_of = acquire_on_behalf_of  # type: ignore[method-assign]


def _time_work() -> None:
    original = backend.AsyncIOBackend.run_sync_in_worker_thread

    def run_sync_in_worker_thread(_: Any, /, func: Any, args: Any, **named: Any) -> Any:
        request = timed_request.get()
        if request is None:
            return original(func, args, **named)
        return original(_work, (request, func, args), **named)

    backend.AsyncIOBackend.run_sync_in_worker_thread = classmethod(  # type: ignore[method-assign,assignment]
        run_sync_in_worker_thread
    )


def _work(request: RequestState, func: Any, args: Any) -> Any:
    request.since_s = monotonic()
    try:
        return func(*args)
    finally:
        if not request.spans:
            now_s = monotonic()
            request.own_s += now_s - request.since_s
            request.since_s = now_s
