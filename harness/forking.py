"""The process behind :class:`harness.forkserver.ForkServer`: it has the preloaded modules, and forks a child for each job."""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

# Bound before any module can patch the standard library: the load room's preload does.
from os import _exit, close, fork, waitpid  # isort: skip


def read_exactly(source: socket.socket, count: int) -> bytes:
    """So many bytes. Raises EOFError when the other side closes before."""
    data = b""
    while len(data) < count:
        chunk = source.recv(count - len(data))
        if not chunk:
            raise EOFError("connection closed")
        data += chunk
    return data


def _serve(server: socket.socket) -> None:
    """The fork server's life: a request, a fork, a pid back; until the parent's end of the socket closes."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are told apart by their channels; nobody waits for them
    children: list[int] = []
    while True:
        try:
            header, fds, _, _ = socket.recv_fds(server, 4, 2)
            if not header:
                break
            header += read_exactly(server, 4 - len(header)) if len(header) < 4 else b""
            request = json.loads(read_exactly(server, int.from_bytes(header, "big")))
        except (EOFError, OSError):
            break
        pid = fork()
        if pid == 0:
            server.close()
            _run_child(request, *fds)
        for fd in fds:
            close(fd)
        children.append(pid)
        server.sendall(pid.to_bytes(4, "big"))
    _end_all(children)


def _end_all(children: list[int]) -> None:
    for pid in children:
        with suppress(ChildProcessError, ProcessLookupError, PermissionError):
            if waitpid(pid, os.WNOHANG) == (0, 0):  # still ours and alive, so the id is its own
                os.kill(pid, signal.SIGKILL)
                os.killpg(pid, signal.SIGKILL)  # what it has forked


def _run_child(request: dict[str, Any], channel_fd: int, log_fd: int) -> None:
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(log_fd, 1)
        os.dup2(log_fd, 2)
        close(log_fd)
        faulthandler.enable()  # where a crash of the interpreter was, stands in the log
        os.environ.update(request["env"])
        os.chdir(request["cwd"])
        module, function = request["main"].split(":")
        getattr(importlib.import_module(module), function)(request["job"], Connection(channel_fd))
        code = 0
    except SystemExit as stop:
        if stop.code is not None and not isinstance(stop.code, int):
            print(stop.code, file=sys.stderr)
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:  # noqa: BLE001 - the child ends here; its log is all that is left to tell
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        _exit(code)


def main() -> None:
    """``python -m harness.forking FD MODULE...``"""
    server = socket.socket(fileno=int(sys.argv[1]))
    server.set_inheritable(False)
    for name in sys.argv[2:]:
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # preloading is only for speed; whoever needs the module will say that it is missing
    _serve(server)


if __name__ == "__main__":
    main()
