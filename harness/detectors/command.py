"""The verb ``harness detectors``: its flags, and what follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.errors import UsageError
from harness.signals import interrupt_on_termination


def detectors(
    run: Annotated[
        Path | None,
        typer.Argument(help="A run folder that the harness' own column is taken from; else the stored one."),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Let ruff, mypy, asyncio's debug mode and blockbuster look again.")
    ] = False,
    pair: Annotated[list[str] | None, typer.Option(help="Look again at this pair alone; may be repeated.")] = None,
    postgres: Annotated[
        str, typer.Option(help="embedded, docker, or the postgresql:// URL of a server of yours.")
    ] = "embedded",
    write: Annotated[
        Path | None, typer.Option(help="Write the document here, and store the evidence that it is made of.")
    ] = None,
) -> None:
    """Compare what ruff, mypy, debug mode, blockbuster and the harness find of the catalogue's bugs."""
    from harness.catalog import catalogue_root
    from harness.detectors.scoreboard import keep_score
    from harness.detectors.terminal import print_scoreboard

    out, err = Console(), Console(stderr=True)
    interrupt_on_termination()
    if pair and not refresh:
        raise UsageError("--pair says what to look at again: add --refresh")
    try:
        board = keep_score(
            catalogue_root(), run=run, refresh=refresh, names=pair or (), document=write, postgres=postgres,
            tell=lambda step: err.print(step, highlight=False),
        )  # fmt: skip
    except KeyboardInterrupt:
        err.print("interrupted: the stored looks are what they were")
        raise typer.Exit(130) from None
    print_scoreboard(out, board)
