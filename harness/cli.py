"""Verbs and exit codes, nothing else.

0 passed, or measured where nothing is expected; 1 an expectation or a gate failed; 2 usage or set-up; 3 the run is invalid or inconclusive; 130 interrupted.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from harness.bench_command import bench
from harness.claims.command import claims
from harness.demo.command import demo
from harness.detectors.command import detectors
from harness.documents import docs, sample
from harness.errors import HarnessError
from harness.gate.command import gate
from harness.load_command import worker
from harness.measuring import REPORTS
from harness.report_command import compare, report
from harness.run_command import run

app = typer.Typer(
    name="harness",
    help="Load-tests FastAPI apps under concurrency, and says what serialises, leaks or waits, and on which line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
out = Console()
err = Console(stderr=True)


def list_pairs() -> None:
    """List the pairs of the catalogue."""
    from rich.table import Column, Table

    from harness.catalog import catalogue_root, load_pairs

    table = Table(Column("pair", no_wrap=True), "theme", "variants", "what it shows", box=None, pad_edge=False)
    for pair in load_pairs(catalogue_root()):
        table.add_row(pair.name, pair.theme, " ".join(pair.variants), pair.title)
    out.print(table)


def check(
    out_dir: Annotated[Path, typer.Option("--out", help="Where run folders would be made.")] = REPORTS,
) -> None:
    """Look whether this machine is fit to measure on. What is not is a warning: the exit code stays 0."""
    from rich.table import Table

    from harness.check import check_machine

    found = check_machine(out_dir)
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in found:
        mark = "[yellow]![/]" if finding.warning else "[green]✓[/]"
        table.add_row(mark, finding.name, Text(finding.value), Text(finding.warning or "", style="yellow"))
    out.print(table)
    warnings = sum(finding.warning is not None for finding in found)
    out.print(f"{warnings} of {len(found)} may bend the figures." if warnings else "Nothing here bends the figures.")


app.command("list")(list_pairs)
for verb in (bench, run, check, report, compare, claims, demo, detectors, docs, gate, sample, worker):
    app.command()(verb)


def main() -> NoReturn:
    """Entry point: one sentence instead of a traceback for what the user can mend."""
    try:
        app(standalone_mode=True)
    except HarnessError as error:
        err.print(f"harness: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    sys.exit(0)
