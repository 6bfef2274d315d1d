"""Bounds on what one server process may use."""

from __future__ import annotations

import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

MOST_THREADS = 400  # of the user, more than there were; the system does not hold root to it


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most that an app may use, for apps that nobody has looked at."""

    cpu_s: int
    memory_bytes: int  # of address space
    file_bytes: int  # of any file that it writes
    ready_s: float  # until it listens


def confine(limits: Limits) -> None:
    """Holds this process, and each that it starts, to the limits from now on. Beyond its processor time it ends with a sentence."""

    def out_of_time(signum: int, frame: FrameType | None) -> None:
        print(f"the app was ended: it used more than {limits.cpu_s} s of processor time", file=sys.stderr, flush=True)
        os._exit(1)

    signal.signal(signal.SIGXCPU, out_of_time)
    _lower(resource.RLIMIT_CPU, limits.cpu_s, hard=limits.cpu_s + 2)  # the rest is for who does not listen
    _lower(resource.RLIMIT_AS, limits.memory_bytes)
    _lower(resource.RLIMIT_FSIZE, limits.file_bytes)
    _lower(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":
        _lower(resource.RLIMIT_NPROC, _threads_of_user() + MOST_THREADS)


def _lower(which: int, most: int, hard: int | None = None) -> None:
    """A limit is never raised."""
    allowed = resource.getrlimit(which)[1]
    hard = most if hard is None else hard
    if allowed != resource.RLIM_INFINITY:
        most, hard = min(most, allowed), min(hard, allowed)
    resource.setrlimit(which, (most, hard))


def _threads_of_user() -> int:
    count = 0
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if process.stat().st_uid == os.getuid():
                    count += len(list((process / "task").iterdir()))
            except OSError:
                continue  # it has ended
    return count
