"""The verb ``harness claims``: its flags, and what follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.signals import interrupt_on_termination


def claims(
    run: Annotated[
        Path | None, typer.Argument(help="A run folder whose figures are taken; else those stored with the claims.")
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Run all check programs again; needs the network.")
    ] = False,
    check: Annotated[list[str] | None, typer.Option(help="Run only this check again; may be repeated.")] = None,
    write: Annotated[
        Path | None, typer.Option(help="Write the document here, and store the evidence that it is made of.")
    ] = None,
) -> None:
    """Rule on what is said about FastAPI under load, from what was measured."""
    from harness.catalog import catalogue_root
    from harness.claims.outcome import rule
    from harness.claims.terminal import print_rulings

    out, err = Console(), Console(stderr=True)
    interrupt_on_termination()
    names = check or ([] if refresh else None)
    try:
        outcome = rule(
            catalogue_root(), run=run, checks=names, document=write, tell=lambda name: err.print(f"check {name}")
        )
    except KeyboardInterrupt:
        err.print("interrupted: the stored evidence is what it was")
        raise typer.Exit(130) from None
    print_rulings(out, err, outcome)
    raise typer.Exit(outcome.exit_code)
