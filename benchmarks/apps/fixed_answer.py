"""The lightest server there is: one loop that answers every request with the same bytes, and stalls when it is told to.

While it stalls the loop is blocked: the kernel goes on accepting and queueing, as it does for an app whose loop is held.
"""

from __future__ import annotations

import asyncio
import time
from multiprocessing.connection import Connection
from typing import Any

from harness.forkserver import Message, receive, send

HEAD_END = b"\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
BACKLOG = 4096


class Course:
    """The stall that is to come, which is counted from the next request; and how many requests were answered so far."""

    def __init__(self) -> None:
        self.next: Message | None = None
        self.answers = 0

    def begin_stall(self) -> None:
        if self.next is not None:
            asyncio.get_running_loop().call_later(self.next["after_s"], time.sleep, self.next["for_s"])
            self.next = None


class Answering(asyncio.Protocol):
    """Counts the ends of request heads (the requests have no bodies) and answers as many."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._course.begin_stall()
        heads = (self._rest + data).split(HEAD_END)
        self._rest = heads.pop()
        if heads:
            self._transport.write(ANSWER * len(heads))
            self._course.answers += len(heads)


def serve(job: dict[str, Any], channel: Connection) -> None:
    """Entry point for the fork server. Says "ready" with its port; is told "stall" with "after_s" and "for_s", and to "tell" the answers so far."""
    asyncio.run(_serve(channel))


async def _serve(channel: Connection) -> None:
    loop = asyncio.get_running_loop()
    course, stop = Course(), asyncio.Event()
    server = await loop.create_server(lambda: Answering(course), "127.0.0.1", 0, backlog=BACKLOG)
    loop.add_reader(channel.fileno(), _obey, channel, course, stop)
    send(channel, {"kind": "ready", "port": server.sockets[0].getsockname()[1]})
    await stop.wait()


def _obey(channel: Connection, course: Course, stop: asyncio.Event) -> None:
    try:
        message = receive(channel)
    except (EOFError, OSError):
        message = {"kind": "stop"}
    if message["kind"] == "stop":
        asyncio.get_running_loop().remove_reader(channel.fileno())
        stop.set()
    elif message["kind"] == "tell":
        send(channel, {"kind": "told", "answers": course.answers})
    else:
        course.next = message
