"""Verbs and exit codes, nothing else.

0 passed, or measured where nothing is expected; 1 an expectation or a gate failed; 2 usage or set-up; 3 the run is invalid or inconclusive; 130 interrupted.
"""

from __future__ import annotations

import shlex
import socket
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from harness.claims.command import claims
from harness.demo.command import demo
from harness.detectors.command import detectors
from harness.documents import docs, sample
from harness.errors import HarnessError, UsageError
from harness.gate.command import gate
from harness.load_command import ExpectWorkers, LoadMaster, LoadWorkers, TargetHost, worker
from harness.load_source import LOOPBACK, load_source
from harness.signals import interrupt_on_termination

if TYPE_CHECKING:
    from harness.bench import BenchPlan
    from harness.judgement import RunVerdict
    from harness.record import Profile, Run

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


class Format(StrEnum):
    HTML = "html"
    MD = "md"
    JUNIT = "junit"
    JSON = "json"
    ANNOTATIONS = "annotations"


class CompareFormat(StrEnum):
    TABLE = "table"
    MD = "md"


@app.command("list")
def list_pairs() -> None:
    """List the pairs of the catalogue."""
    from rich.table import Column, Table

    from harness.catalog import catalogue_root, load_pairs

    table = Table(Column("pair", no_wrap=True), "theme", "variants", "what it shows", box=None, pad_edge=False)
    for pair in load_pairs(catalogue_root()):
        table.add_row(pair.name, pair.theme, " ".join(pair.variants), pair.title)
    out.print(table)


@app.command()
def bench(
    pairs: Annotated[list[str] | None, typer.Argument(help="Pairs to measure; all when none is given.")] = None,
    profile: Annotated[str, typer.Option(help="How long to measure: quick, standard or soak.")] = "standard",
    postgres: Annotated[
        str, typer.Option(help="embedded, docker, or the postgresql:// URL of a server of yours.")
    ] = "embedded",
    seed: Annotated[int, typer.Option(help="Seed of arrivals and of the scenarios' choices.")] = 1,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the apps under test; 0 for any free one.")] = 0,
    load_workers: LoadWorkers = 1,
    load_master: LoadMaster = None,
    expect_workers: ExpectWorkers = None,
    target_host: TargetHost = LOOPBACK,
    out_dir: Annotated[Path, typer.Option("--out", help="Where run folders are made.")] = Path("reports"),
    sweep: Annotated[
        str | None, typer.Option(help="Measure at these numbers of users as well, such as 1,2,4,8,16,32.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print run.json instead of the table.")] = False,
) -> None:
    """Measure pairs: every variant, interleaved, with a report at the end."""
    from harness.bench import BenchPlan, catalogue_subjects
    from harness.catalog import catalogue_root, load_pairs
    from harness.own import without_secrets
    from harness.sweep import parse_users

    interrupt_on_termination()
    root = catalogue_root()
    chosen = load_pairs(root, pairs)
    plan = BenchPlan(
        pairs=chosen,
        subjects=catalogue_subjects(root, chosen),
        profile=_profile(profile),
        postgres=postgres,
        catalogue=root,
        out=out_dir,
        seed=seed,
        command=shlex.join(["harness", *without_secrets(sys.argv[1:])]),
        port=_free(port),
        load=load_source(load_workers, load_master, expect_workers, target_host, served=True),
        sweep=parse_users(sweep) if sweep is not None else (),
    )
    _measure(plan, json=json)


@app.command()
def run(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="module:app, started under the probe; or the URL of an app that runs, seen from outside.",
        ),
    ],
    locustfile: Annotated[
        Path, typer.Option("--locustfile", "-f", metavar="LOCUSTFILE", help="The Locust file that drives it.")
    ],
    users: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Users who each wait for their answer; with --rate, the most requests in flight."
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="R", help="Requests a second that arrive by the clock, whether or not earlier ones are answered."
        ),
    ] = None,
    arrivals: Annotated[
        str | None,
        typer.Option(metavar="poisson|even", help="How they arrive at a --rate: poisson (the default) or even."),
    ] = None,
    seconds: Annotated[float, typer.Option(metavar="S", help="Length of each measured window.")] = 10.0,
    warmup: Annotated[
        float, typer.Option(metavar="S", help="Seconds of load before each window, which do not count.")
    ] = 2.0,
    blocks: Annotated[int, typer.Option(metavar="N", help="Windows; the app is started anew for each.")] = 2,
    app_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder to import and run the app in.", show_default="the current one"),
    ] = None,
    env: Annotated[
        list[str] | None, typer.Option(metavar="K=V", help="An environment variable for the app, K=V; may be repeated.")
    ] = None,
    factory: Annotated[bool, typer.Option("--factory", help="module:name is a function that makes the app.")] = False,
    canary: Annotated[
        str | None, typer.Option(metavar="PATH", help="Path of a light route, asked 20 times a second beside the load.")
    ] = None,
    think: Annotated[
        float | None,
        typer.Option(metavar="S", help="Seconds between a user's tasks, instead of the Locust file's wait_time."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of arrivals and of the Locust file's choices.")] = 1,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the app; 0 for any free one.")] = 0,
    load_workers: LoadWorkers = 1,
    load_master: LoadMaster = None,
    expect_workers: ExpectWorkers = None,
    target_host: TargetHost = LOOPBACK,
    out_dir: Annotated[Path, typer.Option("--out", help="Where run folders are made.")] = Path("reports"),
    json: Annotated[bool, typer.Option("--json", help="Print run.json instead of the table.")] = False,
) -> None:
    """Measure an app of your own under any Locust file.

    It runs in this environment, with its own settings and its own database, which the harness neither makes nor cleans up.
    The same report as for a pair says how it fares and, when it was started here, what serialises, leaks or waits in it.

    Exit codes: 0 measured; 2 bad input; 3 a trial is invalid, no conclusion; 130 interrupted, what was measured is kept.
    """
    from harness.own import OwnApp, own_plan, without_secrets

    interrupt_on_termination()
    own = OwnApp(
        target=target,
        locustfile=locustfile,
        users=users,
        rate_rps=rate,
        arrivals=arrivals,
        think_s=think,
        canary=canary,
        seconds=seconds,
        warmup_s=warmup,
        blocks=blocks,
        app_dir=app_dir,
        env=env or (),
        factory=factory,
        port=_free(port),
        load=load_source(load_workers, load_master, expect_workers, target_host, served="://" not in target),
    )
    command = shlex.join(["harness", *without_secrets(sys.argv[1:])])
    _measure(own_plan(own, out=out_dir, seed=seed, command=command), json=json)


@app.command()
def check(
    out_dir: Annotated[Path, typer.Option("--out", help="Where run folders would be made.")] = Path("reports"),
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


def _measure(plan: BenchPlan, *, json: bool) -> NoReturn:
    """Runs a plan, shows what came of it, and ends with its exit code."""
    from harness.bench import run_bench
    from harness.report.terminal import LiveProgress

    end = run_bench(plan, lambda planned: LiveProgress(err, planned=planned))
    code = 0
    if end.folder is not None:
        code = _show(end.folder, json=json)
    if isinstance(end.error, KeyboardInterrupt):
        err.print(
            "interrupted" + (": what was measured until then is kept" if end.folder else ": nothing was measured")
        )
        raise typer.Exit(130)
    if end.error is not None:
        raise end.error
    raise typer.Exit(code)


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="A run folder.")] = Path("reports/latest"),
    format: Annotated[
        Format, typer.Option(help="html and charts go into the folder; the others are printed.")
    ] = Format.HTML,
) -> None:
    """Make a view of a stored run again."""
    from harness.store import load_run
    from harness.verdict import judge

    if format is Format.HTML:
        _show(run, json=False)
        return
    stored = load_run(run)
    render = _renderer(format)
    sys.stdout.write(render(stored, judge(stored)))


def _renderer(format: Format) -> Callable[[Run, RunVerdict], str]:
    """The function behind a printed format."""
    from harness.report import asjson, github, junit, markdown

    return {
        Format.MD: markdown.render_markdown,
        Format.JUNIT: junit.render_junit,
        Format.JSON: asjson.render_json,
        Format.ANNOTATIONS: github.render_annotations,
    }[format]


@app.command()
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
        print_compared(out, found, agreed)
    raise typer.Exit(agreed.exit_code)


for verb in (claims, demo, detectors, docs, gate, sample, worker):
    app.command()(verb)


def main() -> NoReturn:
    """Entry point: one sentence instead of a traceback for what the user can mend."""
    try:
        app(standalone_mode=True)
    except HarnessError as error:
        err.print(f"harness: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    sys.exit(0)


def _show(folder: Path, *, json: bool) -> int:
    """Writes the reports of a run, shows its verdict, and returns the exit code that it stands for."""
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
        print_verdict(out, run, verdict)
        out.print(f"report: {page}", highlight=False, soft_wrap=True)
    return verdict.exit_code


def _profile(name: str) -> Profile:
    from harness.record import PROFILES

    if name not in PROFILES:
        raise UsageError(f"--profile {name!r} does not exist; choose one of {', '.join(PROFILES)}")
    return PROFILES[name]


def _free(port: int) -> int:
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
