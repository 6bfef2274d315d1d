"""A wait that keeps its length: an event loop's own timers are up to a millisecond late."""

import asyncio
import ctypes
import os
import time
from typing import ClassVar

_libc = ctypes.CDLL(None, use_errno=True)


class _Timespec(ctypes.Structure):
    _fields_: ClassVar = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


class _Setting(ctypes.Structure):
    _fields_: ClassVar = [("interval", _Timespec), ("value", _Timespec)]


class Pauses:
    """Timers of the kernel (timerfd, Linux), kept for the next wait."""

    def __init__(self) -> None:
        self._idle: list[int] = []

    async def pause(self, length_s: float) -> None:
        """Returns after so many seconds, at the least 1 ns, or some ten microseconds later."""
        timer = self._idle.pop() if self._idle else _libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK)
        loop = asyncio.get_running_loop()
        rung = loop.create_future()
        loop.add_reader(timer, _ring, rung)
        try:
            setting = _Setting(value=_Timespec(*divmod(max(1, round(length_s * 1e9)), 10**9)))
            if _libc.timerfd_settime(timer, 0, ctypes.byref(setting), None):
                raise OSError(ctypes.get_errno(), "timerfd_settime failed")
            await rung
            os.read(timer, 8)
        except BaseException:
            loop.remove_reader(timer)
            os.close(timer)
            raise
        loop.remove_reader(timer)
        self._idle.append(timer)


def _ring(rung: asyncio.Future[None]) -> None:
    if not rung.done():
        rung.set_result(None)
