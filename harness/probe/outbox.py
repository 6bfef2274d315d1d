"""The probe's messages on their way to the parent: whole, one after the other, and sent in pieces where nobody may wait."""

from __future__ import annotations

import os
import socket
from multiprocessing.connection import Connection

from msgspec import msgpack


class Outbox:
    """Not for several threads at once: who uses it holds a lock."""

    def __init__(self, channel: Connection) -> None:
        """channel: a connection over a socket; nobody else may write to it."""
        self._socket = socket.socket(fileno=os.dup(channel.fileno()))
        self._left = memoryview(b"")

    def __bool__(self) -> bool:
        """Whether something is left to send."""
        return bool(self._left)

    def put(self, message: dict[str, object]) -> None:
        """Adds a message, framed as :meth:`multiprocessing.connection.Connection.recv_bytes` wants it: length (4 bytes, big-endian), content."""
        content = msgpack.encode(message)
        self._left = memoryview(b"".join((self._left, len(content).to_bytes(4, "big"), content)))

    def send_some(self) -> None:
        """Sends as much as goes without waiting. Raises OSError when nobody is left to hear it."""
        try:
            while self._left:
                self._left = self._left[self._socket.send(self._left, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            return

    def send_all(self) -> None:
        """Sends everything. Raises OSError when nobody is left to hear it."""
        self._socket.sendall(self._left)
        self._left = memoryview(b"")
