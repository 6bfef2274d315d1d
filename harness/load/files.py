"""How many files a load process may have open, and its table of them."""

from __future__ import annotations

import fcntl
import os
import resource
import select
from pathlib import Path
from typing import Any

from gevent.monkey import get_original
from geventhttpclient.connectionpool import ConnectionPool

MOST_FILES = 4096
MOST_ALLOWED = 65536
SELECTABLE = 1024


def make_room_for_connections() -> None:
    """Lets the kernel make this process's table of open files large at once. To be called before there are threads.

    A table that is full, at 64, 128, 256 … files, is replaced by one of twice the size, and a process that has threads is then
    held for 10 to 20 ms until every core has let go of the old one (Linux, expand_fdtable): in the middle of the load, at each
    such number of connections, and the app would be charged for it. The process is allowed as many as it may have, 65,536 at most: the
    usual limit of 1,024 would make failures of the app out of connections that could not be opened here.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = MOST_ALLOWED if hard == resource.RLIM_INFINITY else min(MOST_ALLOWED, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        soft = allowed
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    limit = MOST_FILES if soft == resource.RLIM_INFINITY else min(MOST_FILES, soft)
    with Path(os.devnull).open("rb") as file:
        high = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, limit - 1)
    os.close(high)
    _look_at_high_files_too()


def _look_at_high_files_too() -> None:
    """geventhttpclient asks ``select`` whether a kept connection is alive, which knows no number from 1,024 on: each would be made anew."""
    original, poll = ConnectionPool._is_socket_alive, get_original("select", "poll")

    def is_alive(self: Any, sock: Any) -> bool:
        if sock is None or sock.fileno() < SELECTABLE:
            return bool(original(self, sock))
        looking = poll()
        looking.register(sock, select.POLLIN)
        return not looking.poll(0)

    ConnectionPool._is_socket_alive = is_alive  # type: ignore[method-assign]
