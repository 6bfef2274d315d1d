"""Where the load comes from: this process, more of them, or workers on other machines."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from harness.errors import UsageError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class LoadSource:
    """Where the load comes from."""

    workers: int = 1
    master: tuple[str, int] | None = (
        None  # where workers of other machines come to; None: they are processes of this one
    )
    target_host: str = LOOPBACK  # where the app listens


def load_source(
    workers: int, master: str | None, expected: int | None, target_host: str, *, served: bool
) -> LoadSource:
    """What the flags say. Raises UsageError for those that do not fit together, and for an address that cannot be had.

    served: whether the harness starts the app.
    """
    if (master is None) != (expected is None):
        given, missing = ("--load-master HOST:PORT", "--expect-workers N")[:: 1 if expected is None else -1]
        raise UsageError(f"{given} and {missing} go together: where workers come to, and how many to wait for")
    if not served and target_host != LOOPBACK:
        raise UsageError("--target-host says where an app is served; the one at a URL runs already, so leave it out")
    _listenable("--target-host", target_host, 0)
    if master is None or expected is None:
        return LoadSource(workers=workers, target_host=target_host)
    if workers != 1:
        raise UsageError(
            "--load-workers starts processes here, --load-master lets in those of other machines: choose one"
        )
    host, port = parse_address("--load-master", master)
    _listenable("--load-master", host, port)
    if served and not _is_loopback(host) and _is_loopback(target_host):
        raise UsageError(
            f"workers on other machines cannot reach an app at {target_host}: give --target-host, this machine's address"
        )
    return LoadSource(workers=expected, master=(host, port), target_host=target_host)


def parse_address(flag: str, text: str) -> tuple[str, int]:
    """HOST:PORT. Raises UsageError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise UsageError(f"{flag} {text!r} is no address; write HOST:PORT, such as 192.0.2.10:5557")
    return host.strip("[]"), int(port)


def _listenable(flag: str, host: str, port: int) -> None:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        at = f"{host}:{port}" if port else host
        raise UsageError(f"{flag} {at} is not to be had here: {error.strerror}") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
