"""What the verbs that measure share, ``harness bench`` and ``harness run``: flags, and how such a command ends."""

from __future__ import annotations

import re
import shlex
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from harness.errors import UsageError
from harness.report_command import show

if TYPE_CHECKING:
    from harness.bench import BenchPlan

REPORTS = Path("reports")
OutDir = Annotated[Path, typer.Option("--out", help="Where run folders are made.")]
Json = Annotated[bool, typer.Option("--json", help="Print run.json instead of the table.")]


def measure(plan: BenchPlan, *, json: bool) -> NoReturn:
    """Runs a plan, shows what came of it, and ends with its exit code."""
    from harness.bench import run_bench
    from harness.report.terminal import LiveProgress

    err = Console(stderr=True)
    end = run_bench(plan, lambda planned: LiveProgress(err, planned=planned))
    code = 0
    if end.folder is not None:
        code = show(end.folder, json=json)
    if isinstance(end.error, KeyboardInterrupt):
        err.print(
            "interrupted" + (": what was measured until then is kept" if end.folder else ": nothing was measured")
        )
        raise typer.Exit(130)
    if end.error is not None:
        raise end.error
    raise typer.Exit(code)


def command_line() -> str:
    """The command as it may stand in a report."""
    return shlex.join(["harness", *without_secrets(sys.argv[1:])])


def without_secrets(arguments: Sequence[str]) -> list[str]:
    """A command line that may stand in a report: no value of an environment variable, no password of a URL."""
    shown: list[str] = []
    for argument in arguments:
        if argument.startswith("--env="):
            argument = "--env=" + _hidden(argument.removeprefix("--env="))
        elif shown and shown[-1] == "--env":
            argument = _hidden(argument)
        shown.append(re.sub(r"(://[^/@\s:]*):[^/@\s]*@", r"\1:…@", argument))
    return shown


def _hidden(setting: str) -> str:
    name, equals, _ = setting.partition("=")
    return f"{name}={'…' if equals else ''}"


def free(port: int) -> int:
    """The port, when it can be had. Raises UsageError when something listens there already."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError as error:
        raise UsageError(
            f"--port {port} cannot be used: {error.strerror}; leave the flag out for any free port"
        ) from error
    return port
