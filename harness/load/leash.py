"""Worker processes that end when the process that forked them does, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from gevent.monkey import get_original

# A thread of the system and a close at once: gevent's own wait until its loop runs.
_start_thread = get_original("_thread", "start_new_thread")
_close = get_original("os", "close")


@dataclass
class Leashed:
    """A forked process, from the side of the one that forked it. Closing the leash ends it."""

    pid: int
    leash: socket.socket

    def tell(self, number: int) -> None:
        """Sends the number that the process waits for."""
        self.leash.sendall(number.to_bytes(4, "big"))

    def wait(self) -> str:
        """Returns when the process has ended, with how it did and why, in words. Lets other greenlets run."""
        why = b""
        while chunk := self.leash.recv(4096):
            why += chunk
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if status < 0:
            return f"was ended by signal {signal.Signals(-status).name}"
        return f"ended with exit code {status}" + (f" ({why.decode()})" if why else "")


def fork_leashed(
    main: Callable[[Callable[[], int]], None], forget: Sequence[Leashed], close_fds: Sequence[int]
) -> Leashed:
    """Forks a process that calls ``main`` with a function that waits for the number it is told.

    forget: the processes forked before, whose leashes only this process may hold; close_fds: what else is not the child's.
    """
    ours, theirs = socket.socketpair()
    pid = os.fork()  # gevent's own, which gives the child a hub of its own
    if pid:
        theirs.close()
        return Leashed(pid, ours)
    code, leash = 1, -1
    try:
        for end in (ours, *(other.leash for other in forget)):
            _close(end.detach())
        for fd in close_fds:
            _close(fd)
        leash = theirs.detach()
        os.set_blocking(leash, True)
        main(lambda: _told(leash))
        code = 0
    except BaseException as error:  # noqa: BLE001 - the process ends here
        traceback.print_exc()
        with suppress(OSError):
            os.write(leash, f"{type(error).__name__}: {error}".encode())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _told(leash: int) -> int:
    """The number; from then on the end of the leash is the end of the process."""
    data = os.read(leash, 4)
    if len(data) < 4:
        os._exit(0)
    _start_thread(_end_with, (leash,))
    return int.from_bytes(data, "big")


def _end_with(leash: int) -> None:
    os.read(leash, 1)
    os._exit(0)
