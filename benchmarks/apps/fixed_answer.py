"""The lightest server there is: one loop that answers every request with the same bytes, and stalls when it is told to.

While it stalls the loop is blocked: the kernel goes on accepting and queueing, as it does for an app whose loop is held.
"""

from __future__ import annotations

import asyncio
import time
from multiprocessing.connection import Connection
from typing import Any

from harness.forkserver import receive, send

HEAD_END = b"\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
BACKLOG = 4096


class Answering(asyncio.Protocol):
    """Counts the ends of request heads (the requests have no bodies) and answers as many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        heads = (self._rest + data).split(HEAD_END)
        self._rest = heads.pop()
        if heads:
            self._transport.write(ANSWER * len(heads))


def serve(job: dict[str, Any], channel: Connection) -> None:
    """Entry point for the fork server. Says "ready" with its port; a message ``{"at_s", "for_s"}`` makes it stall (monotonic)."""
    asyncio.run(_serve(channel))


async def _serve(channel: Connection) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0, backlog=BACKLOG)
    stop = asyncio.Event()
    loop.add_reader(channel.fileno(), _obey, loop, channel, stop)
    send(channel, {"kind": "ready", "port": server.sockets[0].getsockname()[1]})
    await stop.wait()


def _obey(loop: asyncio.AbstractEventLoop, channel: Connection, stop: asyncio.Event) -> None:
    try:
        message = receive(channel)
    except (EOFError, OSError):
        message = {"kind": "stop"}
    if message["kind"] == "stop":
        loop.remove_reader(channel.fileno())
        stop.set()
    else:
        loop.call_later(message["at_s"] - time.monotonic(), time.sleep, message["for_s"])
