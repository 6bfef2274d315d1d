"""An alarm that rings when nobody has put it off for a while: a thread sleeps until then, and wants the interpreter only when it rings.

A Python thread that ticks slows the loop down even when it does next to nothing: it waits for the interpreter, which the loop lets
go of at each of its system calls, and each time the loop has to wake it, in vain. On Linux a timerfd keeps it asleep.
"""

from __future__ import annotations

import ctypes
import os
import select
from contextlib import suppress
from typing import Any

from harness.timerfd import FROM_NOW, create, once


class Alarm:
    """Rings once it has not been put off for ``after_s``, and goes on until it is. It is set from the start.

    Where the system has no timerfd it always rings: who waits for it has to see for himself.
    """

    def __init__(self, after_s: float) -> None:
        self._timer = once(after_s)
        self._after = ctypes.byref(self._timer)
        self._fd: int | None = None
        with suppress(AttributeError, OSError):
            libc = ctypes.PyDLL(None)  # not CDLL: setting it must not hand the interpreter over
            self._set: Any = libc.timerfd_settime
            self._fd = create(libc)
            self.put_off()

    def put_off(self) -> None:
        """It rings ``after_s`` from now at the earliest."""
        if self._fd is not None:
            self._set(self._fd, FROM_NOW, self._after, None)  # this also ends its ringing

    def wait(self, channel: Any) -> bool:
        """Returns when it rings, or there is something to read from ``channel``: whether there is."""
        if self._fd is None:
            return is_readable(channel, 0.0)
        return channel in select.select((channel, self._fd), (), ())[0]

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def is_readable(channel: Any, within_s: float) -> bool:
    """Whether there is something to read from ``channel``, or its end, within so many seconds."""
    return bool(select.select((channel,), (), (), within_s)[0])
