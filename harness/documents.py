"""The verbs that make a project's documents of a run: ``harness docs`` and ``harness sample``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness.errors import UsageError
from harness.report_command import LATEST

if TYPE_CHECKING:
    from harness.record import Pair, Run

SAMPLE = Path("reports") / "sample"


def docs(
    run: Annotated[Path, typer.Argument(help="A run folder.")] = LATEST,
    write: Annotated[Path, typer.Option(help="The folder that the pages are written to.")] = Path("docs/pairs"),
) -> None:
    """Write a page on each pair: its lesson, its diff, and what a run measured of it."""
    from harness.catalog import catalogue_root, load_pairs
    from harness.report.pairdocs import write_pages
    from harness.store import load_run
    from harness.verdict import judge

    stored = load_run(run)
    root = catalogue_root()
    written = write_pages(write, stored, judge(stored), load_pairs(root), sample=root / SAMPLE)
    Console().print(f"{len(written)} pages in {write}", highlight=False)


def sample(
    run: Annotated[Path, typer.Argument(help="A run folder.")] = LATEST,
    write: Annotated[
        Path, typer.Option(help="The folder that takes the sample, in the place of an older one.")
    ] = SAMPLE,
    picture: Annotated[Path, typer.Option(help="The PNG of the report's first screen; needs Chromium.")] = Path(
        "docs/report.png"
    ),
) -> None:
    """Keep a run of the whole catalogue in the repository: its figures, its reports and a picture, without raw rows and logs."""
    from harness.catalog import catalogue_root, load_pairs
    from harness.report.picture import BROWSERS, find_browser, take_picture
    from harness.report.sample import keep_sample
    from harness.store import load_data, load_run
    from harness.verdict import judge

    stored = load_run(run)
    refuse_a_part(stored, load_pairs(catalogue_root()))
    out = Console(soft_wrap=True, highlight=False)
    size = keep_sample(write, stored, judge(stored), load_data(run))
    out.print(f"{write}: run {stored.id}, {size / 2**20:.1f} MiB")
    browser = find_browser()
    if browser is None:
        out.print(f"{picture} is what it was: a new picture needs one of {', '.join(BROWSERS)} on the PATH")
        return
    take_picture(browser, write / "report.html", picture)
    out.print(f"{picture}: the first screen of {write / 'report.html'}")


def refuse_a_part(run: Run, catalogue: list[Pair]) -> None:
    """Raises UsageError unless the run is complete and measured every pair of the catalogue."""
    measured = {pair.name for pair in run.pairs}
    lacking = [pair.name for pair in catalogue if pair.name not in measured]
    if lacking:
        raise UsageError(
            f"run {run.id} measured {len(catalogue) - len(lacking)} of {len(catalogue)} pairs, not {lacking[0]}: "
            "a sample is a run of all, of `harness bench` without pairs"
        )
    if run.status != "complete":
        raise UsageError(f"run {run.id} is partial: a sample is a run that came to its end")
