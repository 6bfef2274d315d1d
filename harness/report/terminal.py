"""The run on a terminal: a live view while it goes on, and the verdict when it is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from harness.judgement import PairVerdict, RunVerdict
from harness.measured import Figures
from harness.record import Run
from harness.report import states, summary, sweeps, units
from harness.report.states import State

_STYLES = {
    State.MET: "green",
    State.MEASURED: "green",
    State.NOT_MET: "bold red",
    State.UNTOLD: "magenta",
    State.DOUBTFUL: "yellow",
    State.INVALID: "yellow",
    State.UNMEASURED: "dim",
}
_SHOWN = 12  # finished trials in the live view


def print_verdict(console: Console, run: Run, verdict: RunVerdict) -> None:
    """The final table, what is not as expected, and whether the figures can be trusted."""
    groups = summary.by_theme(summary.whole(run, verdict), run)
    ordered = [pair for _, pairs in groups for pair in pairs]
    if summary.all_own(run):
        for pair in ordered:
            _print_own(console, pair, run)
    elif ordered:
        console.print(_table(groups, run))
        console.print()
    for pair in ordered:
        for text in summary.failures(pair):
            console.print(f"[bold red]✗[/] [bold]{escape(pair.pair)}[/]: {escape(text)}", highlight=False)
    _print_sweeps(console, run)
    console.print(Text(summary.headline(run, verdict), style="bold"))
    for text in summary.trust(run):
        console.print(Text(text))
    for reason, times in summary.invalid_reasons(run):
        console.print(Text(f"  {times}× {reason}", style="yellow"))
    for warning in run.warnings:
        console.print(Text(f"  {warning}", style="yellow"))


def _print_sweeps(console: Console, run: Run) -> None:
    for sweep in run.sweeps:
        console.print(Text.assemble((f"{sweep.pair}/{sweep.variant}", "bold"), f": {sweeps.sentence(sweep)}"))
        for warning in sweep.warnings:
            console.print(Text(f"  {warning}", style="yellow"))
    if run.sweeps:
        console.print()


def _table(groups: Sequence[tuple[str, Sequence[PairVerdict]]], run: Run) -> Table:
    """A row a pair. What was named stands below its effect: beside it there is no room on a narrow terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in ("pair", "verdict", "effect of the fix, and what was named inside"):
        table.add_column(column, overflow="fold", no_wrap=column in ("pair", "verdict"))
    for n, (theme, pairs) in enumerate(groups):
        if theme:
            table.add_row("", "", Text(f"\n{theme}" if n else theme, style="bold underline"))
        for pair in pairs:
            state = states.state(pair, run)
            mark = Text(f"{states.MARKS[state]} {state}", style=_STYLES[state])
            told = summary.guilty(pair)
            effect = Text.assemble(summary.effect(pair, run), *([] if told == "nothing" else [("\n" + told, "dim")]))
            table.add_row(Text(pair.pair), mark, effect)
    return table


def _print_own(console: Console, pair: PairVerdict, run: Run) -> None:
    """The figures of an app of the user's own, and what was found in it."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for label, value in summary.key_figures(pair.pair, run):
        table.add_row(label, Text(value, style="bold"))
    if table.row_count:
        console.print(table)
        console.print()
    for _, message, evidence in summary.findings(pair):
        console.print(Text.assemble(("● ", "red"), message, " ", (f"({evidence})", "dim")))
    console.print(Text(f"{pair.sequential_note[:1].upper()}{pair.sequential_note[1:]}."))


@dataclass
class _Planned:
    """One trial of the plan, and what became of it."""

    name: tuple[str, str, int]  # pair, variant, block
    figures: Figures | None = None
    invalid: tuple[str, ...] = ()


class LiveProgress:
    """What a running bench shows. On a terminal it redraws one view; in a pipe it writes nothing.

    with LiveProgress(console, planned=[("blocking_http", "buggy", 0), ...]) as progress:
        progress.step(0, "warm-up")
        progress.finished(0, figures, invalid=())
    """

    def __init__(
        self,
        console: Console,
        planned: Sequence[tuple[str, str, int]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """In: the trials in their order, as (pair, variant, block); a clock in seconds, for tests."""
        self._trials = [_Planned(name) for name in planned]
        self._clock = clock
        self._started = clock()
        self._done: list[int] = []
        self._current: int | None = None
        self._step = "setting up"
        self._step_began = self._started
        self._spinner = Spinner("dots")
        shown = console.is_terminal and not console.is_dumb_terminal
        self._live = (
            Live(console=console, get_renderable=self.view, refresh_per_second=4, transient=True) if shown else None
        )

    def __enter__(self) -> LiveProgress:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def step(self, index: int, what: str) -> None:
        """The trial at this place of the plan has come to a step."""
        self._current, self._step, self._step_began = index, what, self._clock()

    def finished(self, index: int, figures: Figures, invalid: tuple[str, ...] = ()) -> None:
        """The trial at this place of the plan has ended."""
        self._trials[index].figures, self._trials[index].invalid = figures, invalid
        self._done.append(index)

    def remaining_s(self) -> float | None:
        """Seconds to go, judged by the trials so far; None before the first has ended."""
        if not self._done:
            return None
        each = (self._clock() - self._started) / len(self._done)
        return max(0.0, each * len(self._trials) - (self._clock() - self._started))

    def view(self) -> RenderableType:
        """The live view as it is now."""
        parts: list[RenderableType] = [self._finished_table()] if self._done else []
        return Group(*parts, self._now(), self._bar())

    def _finished_table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("trial")
        for column in ("goodput", "failed", "p99"):
            table.add_column(column, justify="right")
        table.add_column("")
        for index in self._done[-_SHOWN:]:
            trial = self._trials[index]
            f = trial.figures or Figures()
            style = "dim strike" if trial.invalid else ""
            cells = (units.rate(f.goodput_rps), units.share(f.failed_share), units.seconds(f.response_p99_s))
            why = Text(
                f"invalid: {trial.invalid[0]}" if trial.invalid else "",
                style="yellow",
                overflow="ellipsis",
                no_wrap=True,
            )
            table.add_row(Text(_trial_name(trial.name), style=style), *(Text(c, style=style) for c in cells), why)
        return table

    def _now(self) -> RenderableType:
        what = _trial_name(self._trials[self._current].name) if self._current is not None else ""
        line = Text.assemble(
            (what, "bold"), "  " if what else "", self._step, "  ", (self._seconds(self._step_began), "dim")
        )
        self._spinner.update(text=line)
        return self._spinner

    def _bar(self) -> RenderableType:
        total, done = len(self._trials), len(self._done)
        row = Table.grid(padding=(0, 1))
        left = self.remaining_s()
        words = f"{done} of {total} trials, {self._seconds(self._started)}"
        if left is not None and done < total:
            words += f", about {units.seconds(round(left))} to go"
        row.add_row(ProgressBar(total=max(1, total), completed=done, width=30), Text(words, style="dim"))
        return row

    def _seconds(self, since: float) -> str:
        return units.seconds(float(round(self._clock() - since)))


def _trial_name(name: tuple[str, str, int]) -> str:
    pair, variant, block = name
    return f"{pair}/{variant} #{block}"
