"""The ASGI wrapper around the app: one record for each request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from time import monotonic
from typing import Any

from harness.probe.loop import LoopWatch
from harness.probe.state import Probe, RequestState, current_request

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SEQ_HEADER = b"x-harness-seq"


class ProbedApp:
    """Pure ASGI: adds nothing to a response and swallows no exception."""

    def __init__(self, app: App, probe: Probe, watch: LoopWatch) -> None:
        self._app = app
        self._probe = probe
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._watch.started:
            self._watch.start_on_running_loop()
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = RequestState(_sequence(scope), scope)
        probe = self._probe
        probe.in_flight.add(request)
        current_request.set(request)

        def watched_send(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                request.first_byte_s = monotonic()
            elif not message.get("more_body", False):
                request.last_byte_s = monotonic()
            return send(message)

        try:
            await self._app(scope, receive, watched_send)
        finally:
            row = request.end(probe.out)
            probe.in_flight.discard(request)
            probe.add("requests", row)


def _sequence(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == SEQ_HEADER:
            return int(value) if value.isdigit() else None
    return None
