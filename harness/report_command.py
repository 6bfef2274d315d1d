"""The verbs that show stored runs: ``harness report`` and ``harness compare``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from harness.judgement import RunVerdict
    from harness.record import Run

LATEST = Path("reports/latest")


class Format(StrEnum):
    HTML = "html"
    MD = "md"
    JUNIT = "junit"
    JSON = "json"
    ANNOTATIONS = "annotations"


class CompareFormat(StrEnum):
    TABLE = "table"
    MD = "md"


def report(
    run: Annotated[Path, typer.Argument(help="A run folder.")] = LATEST,
    format: Annotated[
        Format, typer.Option(help="html and charts go into the folder; the others are printed.")
    ] = Format.HTML,
) -> None:
    """Make a view of a stored run again."""
    from harness.store import load_run
    from harness.verdict import judge

    if format is Format.HTML:
        show(run, json=False)
        return
    stored = load_run(run)
    sys.stdout.write(_renderer(format)(stored, judge(stored)))


def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    second: Annotated[Path, typer.Argument(metavar="RUN", help="The run folder that is compared with it.")],
    format: Annotated[CompareFormat, typer.Option(help="A table for the terminal, or Markdown.")] = CompareFormat.TABLE,
    anyway: Annotated[bool, typer.Option("--anyway", help="Compare also what was measured in unlike ways.")] = False,
) -> None:
    """Show two runs side by side: the verdicts that differ; goodput, p99, failures and processor time, with their ratios.

    Exit codes: 0 all verdicts agree; 1 two contradict each other; 2 bad input; 3 one of the runs does not tell of some pair.
    """
    from harness.compare import compare as compare_runs
    from harness.report.agreement import agreement
    from harness.report.compared import print_compared, render_compared
    from harness.store import load_run

    found = compare_runs(load_run(first), load_run(second), anyway=anyway)
    agreed = agreement(found.first, found.second)
    if format is CompareFormat.MD:
        sys.stdout.write(render_compared(found, agreed))
    else:
        print_compared(Console(), found, agreed)
    raise typer.Exit(agreed.exit_code)


def show(folder: Path, *, json: bool) -> int:
    """Writes the reports of a run, prints its verdict or its run.json, and returns the exit code that it stands for."""
    from harness.report import write_report
    from harness.report.terminal import print_verdict
    from harness.store import load_data, load_run
    from harness.verdict import judge

    run = load_run(folder)
    verdict = judge(run)
    page = write_report(folder, run, verdict, load_data(folder))
    if json:
        sys.stdout.write((folder / "run.json").read_text(encoding="utf-8"))
    else:
        out = Console()
        print_verdict(out, run, verdict)
        out.print(f"report: {page}", highlight=False, soft_wrap=True)
    return verdict.exit_code


def _renderer(format: Format) -> Callable[[Run, RunVerdict], str]:
    """The function behind a printed format."""
    from harness.report import asjson, github, junit, markdown

    return {
        Format.MD: markdown.render_markdown,
        Format.JUNIT: junit.render_junit,
        Format.JSON: asjson.render_json,
        Format.ANNOTATIONS: github.render_annotations,
    }[format]
