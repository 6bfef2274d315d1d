"""The stub upstream: a service with a delay that is exact and does not depend on load.

GET /quote/{sku} -> {"sku": ..., "price_cents": 7 × the sum of the sku's bytes}
"""

from __future__ import annotations

import asyncio
import json
import os
from multiprocessing.connection import Connection
from typing import Any

from msgspec import msgpack


class _Quotes(asyncio.Protocol):
    """HTTP/1.1, bodiless GET requests, keep-alive: just what a client library sends to a quote service."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode("ascii", "replace")
            asyncio.get_running_loop().call_later(self._delay_s, self._answer, path)

    def _answer(self, path: str) -> None:
        if not isinstance(self._transport, asyncio.WriteTransport) or self._transport.is_closing():
            return
        status, body = _quote(path)
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


def _quote(path: str) -> tuple[str, bytes]:
    if not path.startswith("/quote/"):
        return "404 Not Found", b"{}"
    sku = path.removeprefix("/quote/")
    return "200 OK", json.dumps({"sku": sku, "price_cents": 7 * sum(sku.encode())}).encode()


def serve(job: dict[str, Any], channel: Connection) -> None:
    """Entry point for the fork server. job: delay_s. Says "ready" with its port; ends when its parent says so or is gone."""
    asyncio.run(_serve(job["delay_s"], channel))


async def _serve(delay_s: float, channel: Connection) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Quotes(delay_s), "127.0.0.1", 0, backlog=1000)
    channel.send_bytes(msgpack.encode({"kind": "ready", "port": server.sockets[0].getsockname()[1]}))
    ended = asyncio.Event()
    loop.add_reader(channel.fileno(), ended.set)
    await ended.wait()
    os._exit(0)
