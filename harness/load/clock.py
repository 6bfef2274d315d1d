"""Sleeping until a moment of the monotonic clock, to better than a millisecond."""

from __future__ import annotations

import ctypes
import os
import time
from contextlib import suppress

import gevent

NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC  # Linux gives TFD_NONBLOCK and TFD_CLOEXEC the same values
ABSOLUTE = 1  # TFD_TIMER_ABSTIME
READABLE = 1


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Timer(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("first", _Timespec))


class Sleeper:
    """Sleeps for one greenlet at a time. gevent's own timers are rounded up to whole milliseconds; a timerfd is not.

    Where the system has no timerfd, gevent's timers have to do.
    """

    def __init__(self) -> None:
        self._fd: int | None = None
        with suppress(AttributeError, OSError):
            self._libc = ctypes.CDLL(None, use_errno=True)
            fd = self._libc.timerfd_create(time.CLOCK_MONOTONIC, NONBLOCK_CLOEXEC)
            if fd >= 0:
                self._fd = fd
                self._watcher = gevent.get_hub().loop.io(fd, READABLE)

    def sleep_until(self, at_s: float) -> None:
        """Returns at ``at_s``, in monotonic seconds; at once, and without giving way, when that has passed."""
        if time.monotonic() >= at_s:
            return
        if self._fd is None:
            gevent.sleep(max(0.0, at_s - time.monotonic()))
            return
        seconds, nanoseconds = divmod(round(at_s * 1e9), 1_000_000_000)
        timer = _Timer(first=_Timespec(seconds, nanoseconds))
        self._libc.timerfd_settime(self._fd, ABSOLUTE, ctypes.byref(timer), None)  # this also forgets the last expiry
        gevent.get_hub().wait(self._watcher)


def sleep_until(at_s: float) -> None:
    """Returns at about ``at_s``, in monotonic seconds, or a millisecond later."""
    gevent.sleep(max(0.0, at_s - time.monotonic()))
