"""The verb ``harness demo``: its flags, and what follows from them."""

from __future__ import annotations

import os
import sys
import webbrowser
from importlib.util import find_spec
from typing import Annotated

import typer
from rich.console import Console

from harness.errors import SetupError
from harness.signals import interrupt_on_termination

PORT = 8765


def demo(
    port: Annotated[int, typer.Option(min=1024, max=65535, help="Port of the page, or the next that is free.")] = PORT,
    browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = True,
    postgres: Annotated[
        str, typer.Option(help="embedded, or the postgresql:// URL of a server of yours.")
    ] = "embedded",
) -> None:
    """Serve the teaching page on this machine: guess, run a pair under load, watch, edit, run again.

    Exit codes: 0 when it is ended with Ctrl-C; 2 bad input or set-up.
    """
    from harness.catalog import catalogue_root

    if find_spec("nicegui") is None:
        raise SetupError("the teaching page needs NiceGUI: run `make demo`, or install the package's extra `demo`")
    from harness.demo.server import free_port, serve

    err = Console(stderr=True)
    interrupt_on_termination()

    def on_ready(address: str) -> None:
        print(address, flush=True)
        if browser and _has_screen():
            webbrowser.open(address)

    listening = free_port(port)
    found = listening.getsockname()[1]
    if found != port:
        err.print(f"port {port} is taken: this is on port {found}", highlight=False)
    err.print("the teaching page; Ctrl-C ends it", highlight=False)
    try:
        serve(catalogue_root(), listening, postgres, on_ready)
    except KeyboardInterrupt:
        err.print("ended")


def _has_screen() -> bool:
    """Whether a browser with windows could be opened: one in the terminal would take it over."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
