"""Linux' timerfd: a timer of the monotonic clock that is waited for like a file, to better than a millisecond."""

from __future__ import annotations

import ctypes
import os
import time
from typing import Any

FROM_NOW, ABSOLUTE = 0, 1  # what a timer's seconds count from; the latter is TFD_TIMER_ABSTIME
NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC  # Linux gives TFD_NONBLOCK and TFD_CLOEXEC the same values


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class Timer(ctypes.Structure):
    """What timerfd_settime is given: when it rings first, and how often from then on; never again where that is 0."""

    _fields_ = (("interval", _Timespec), ("first", _Timespec))


def once(at_s: float) -> Timer:
    """Rings once, ``at_s`` seconds from now or on the monotonic clock."""
    seconds, nanoseconds = divmod(round(at_s * 1e9), 1_000_000_000)
    return Timer(first=_Timespec(seconds, nanoseconds))


def create(libc: Any) -> int:
    """The descriptor of a new timer, not set. Raises AttributeError or OSError where the system has none."""
    fd: int = libc.timerfd_create(time.CLOCK_MONOTONIC, NONBLOCK_CLOEXEC)
    if fd < 0:
        raise OSError("no timerfd")
    return fd
