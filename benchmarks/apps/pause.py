"""A wait that keeps its length: an event loop's own timers are up to a millisecond late. Linux only."""

import asyncio
import ctypes
import os

from harness.timerfd import FROM_NOW, create, once

SHORTEST_S = 1e-9  # a timer that is set to nothing never rings


class Pauses:
    """Timers of the kernel, kept for the next wait."""

    def __init__(self) -> None:
        self._libc = ctypes.PyDLL(None)
        self._idle: list[int] = []

    async def pause(self, length_s: float) -> None:
        """Returns after so many seconds, or some ten microseconds later."""
        timer = self._idle.pop() if self._idle else create(self._libc)
        loop = asyncio.get_running_loop()
        rung = loop.create_future()
        loop.add_reader(timer, _ring, rung)
        try:
            self._libc.timerfd_settime(timer, FROM_NOW, ctypes.byref(once(max(SHORTEST_S, length_s))), None)
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
