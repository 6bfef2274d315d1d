"""Load from other machines on the command line: the flags of the master's side, and the verb ``harness worker``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.console import Console

from harness.forkserver import ForkServer
from harness.load_source import parse_address
from harness.signals import interrupt_on_termination

LoadWorkers = Annotated[int, typer.Option(min=1, max=64, help="Processes that send the load.")]
LoadMaster = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="Listen here for workers of other machines, and let them send the load."),
]
ExpectWorkers = Annotated[int | None, typer.Option(min=1, max=64, metavar="N", help="How many of them to wait for.")]
TargetHost = Annotated[
    str, typer.Option(metavar="HOST", help="This machine's address at which the app is served and they reach it.")
]


def worker(
    master: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where a harness bench or run with --load-master listens.")
    ],
) -> None:
    """Send load for a master on another machine, trial after trial, until interrupted.

    It runs the Locust file that the master sends: let only a master that you trust reach it.
    """
    host, port = parse_address("--master", master)
    err = Console(stderr=True)
    interrupt_on_termination()
    err.print(f"waiting for a master at {master}; Ctrl-C ends this worker", highlight=False)
    try:
        with tempfile.TemporaryFile() as log, ForkServer(("harness.load.remote",)) as forks:
            while True:
                _do_a_trial(forks, host, port, log, err)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _do_a_trial(forks: ForkServer, host: str, port: int, log: IO[bytes], err: Console) -> None:
    """log: has no name, so that nothing of it is left when this process is killed."""
    child = forks.spawn("harness.load.remote:run", {"host": host, "port": port}, log=Path(f"/dev/fd/{log.fileno()}"))
    try:
        while True:
            message = child.receive(3600)
            if message is not None and message["kind"] == "working":
                err.print(f"load for {message['host']}", highlight=False)
            elif message is not None:
                err.print(f"not let in: {message['error']}; install the same versions", highlight=False)
    except EOFError:
        log.seek(0)
        err.print(log.read().decode(errors="replace"), end="", markup=False, highlight=False)
        log.truncate(0)
    finally:
        child.stop(grace_s=0.5)
