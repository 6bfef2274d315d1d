"""The load process's table of open files."""

from __future__ import annotations

import fcntl
import os
import resource
from pathlib import Path

MOST_FILES = 4096


def make_room_for_connections() -> None:
    """Lets the kernel make this process's table of open files large at once. To be called before there are threads.

    A table that is full, at 64, 128, 256 … files, is replaced by one of twice the size, and a process that has threads is then
    held for 10 to 20 ms until every core has let go of the old one (Linux, expand_fdtable): in the middle of the load, at each
    such number of connections, and the app would be charged for it.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MOST_FILES if soft == resource.RLIM_INFINITY else min(MOST_FILES, soft)
    with Path(os.devnull).open("rb") as file:
        high = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, limit - 1)
    os.close(high)
