"""Sleeping until a moment of the monotonic clock, to better than a millisecond."""

from __future__ import annotations

import ctypes
import time
from contextlib import suppress

import gevent

from harness.timerfd import ABSOLUTE, create, once

READABLE = 1


class Sleeper:
    """Sleeps for one greenlet at a time. gevent's own timers are rounded up to whole milliseconds; a timerfd is not.

    Where the system has no timerfd, gevent's timers have to do.
    """

    def __init__(self) -> None:
        self._fd: int | None = None
        with suppress(AttributeError, OSError):
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._fd = create(self._libc)
            self._watcher = gevent.get_hub().loop.io(self._fd, READABLE)

    def sleep_until(self, at_s: float) -> None:
        """Returns at ``at_s``, in monotonic seconds; at once, and without giving way, when that has passed."""
        if time.monotonic() >= at_s:
            return
        if self._fd is None:
            gevent.sleep(max(0.0, at_s - time.monotonic()))
            return
        # this also forgets the last expiry
        self._libc.timerfd_settime(self._fd, ABSOLUTE, ctypes.byref(once(at_s)), None)
        gevent.get_hub().wait(self._watcher)


def sleep_until(at_s: float) -> None:
    """Returns at about ``at_s``, in monotonic seconds, or a millisecond later."""
    gevent.sleep(max(0.0, at_s - time.monotonic()))
