"""The ASGI wrapper around the app: one record for each request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from time import monotonic
from typing import Any

from harness.probe.loop import LoopWatch
from harness.probe.recorder import Probe
from harness.probe.route import Scope
from harness.probe.sights import tell_of

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def probed(app: App, probe: Probe, watch: LoopWatch) -> App:
    """Pure ASGI: adds nothing to a response and swallows no exception."""

    async def probed_app(scope: Scope, receive: Receive, send: Send) -> None:
        if not watch.started:
            watch.start_on_running_loop()
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        request = probe.begin(scope)

        def send_on(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                request.first_byte_s = monotonic()
                request.status = message["status"]
            elif not message.get("more_body", False):
                request.last_byte_s = now_s = monotonic()
                if request.timed:
                    request.book_answer(now_s)
            return send(message)

        try:
            await app(scope, receive, send_on)
        except Exception as error:
            request.error = error
            raise
        finally:
            if (
                (request.route or request.find_route()) not in probe.routes
                or request.unkept
                or request.error is not None
            ):
                tell_of(request, probe)  # before its end: an exception that is kept keeps the sessions of its frames
            probe.end(request)

    return probed_app
