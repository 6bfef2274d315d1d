"""Thread tokens: how many of anyio's worker threads are in use, and how long requests wait for one."""

from __future__ import annotations

from time import monotonic
from typing import Any

import anyio.to_thread
from anyio._backends import _asyncio as backend

from harness.probe.state import current_request


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


def hook_limiters() -> None:
    """Times every acquisition of a token and books it on the request that asked."""
    original = backend.CapacityLimiter.acquire_on_behalf_of

    async def acquire_on_behalf_of(self: Any, borrower: object) -> None:
        request = current_request.get()
        if request is None:
            await original(self, borrower)
            return
        asked_s = monotonic()
        try:
            await original(self, borrower)
        finally:
            request.token_wait_s += monotonic() - asked_s
            request.tokens += 1

    backend.CapacityLimiter.acquire_on_behalf_of = acquire_on_behalf_of  # type: ignore[method-assign]
