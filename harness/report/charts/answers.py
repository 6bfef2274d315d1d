"""How requests ended over time: what failed, and when; one picture a variant, same axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from harness.record import FAILURES, Outcome
from harness.report import units
from harness.report.charts import scales
from harness.report.charts.canvas import LEFT, WIDTH, Canvas, invalid_panel, ticks
from harness.report.charts.model import Chart, Floats, PairRows, Panel, TrialRows, VariantRows
from harness.report.charts.palette import LIGHT
from harness.report.words import OUTCOMES

_BINS = 40  # in the window
_HEIGHT, _TOP, _BOTTOM = 170.0, 24.0, 38.0
_SHOWN = (Outcome.OK, *FAILURES)


@dataclass(frozen=True)
class Answers:
    """One trial's answers per second, by outcome, in equal bins whose edges are seconds since the window began."""

    variant: str
    edges: Floats
    rates: dict[str, Floats]


def answers_of(variant: VariantRows) -> Answers:
    """The load's answers of the first valid trial, warm-up and window."""
    trial: TrialRows = variant.trials[0]
    begin, end = trial.window
    width = (end - begin) / _BINS
    edges: Floats = np.arange(-round(trial.trial.warmup_s / width), _BINS + 1).astype(np.float64) * width
    done = trial.request_column("done_s") - begin
    load = trial.requests_with("kind", "load") & ~trial.requests_with("phase", "sequential") & ~np.isnan(done)
    rates = {}
    for outcome in _SHOWN:
        counted, _ = np.histogram(done[load & trial.requests_with("outcome", outcome)], bins=edges)
        rates[str(outcome)] = counted / width
    return Answers(variant.name, edges, rates)


def draw(pair: PairRows) -> Chart | None:
    """One picture a variant; None where next to nothing failed."""
    if not any(name in FAILURES and n for v in pair.variants for name, n in v.result.outcomes.items()):
        return None
    found = [answers_of(v) for v in pair.variants]
    seen = [name for name in _SHOWN if any(a.rates[name].any() for a in found)]
    if not any(name in FAILURES for name in seen):
        return None
    highest = max(float(np.sum(list(a.rates.values()), axis=0).max()) for a in found)
    return Chart(
        name="answers",
        title="How requests ended, over time",
        reading=" ".join(_reading(a) for a in found),
        how="Answers per second of one trial of each variant, stacked by how they ended; the tinted part is the warm-up. "
        "The axes are the same for all variants.",
        legend=tuple((str(name), OUTCOMES[name]) for name in seen),
        panels=pair.panels(
            [_panel(pair.pair.name, a, highest) for a in found],
            lambda name: invalid_panel(pair.pair.name, name, "answers", _HEIGHT),
        ),
    )


def _reading(a: Answers) -> str:
    """When failures began, and how often they came."""
    failed = sum((a.rates[name] for name in FAILURES), start=np.zeros(len(a.edges) - 1))
    if not failed.any():
        return f"{a.variant}: nothing failed."
    first = float(a.edges[int(np.flatnonzero(failed)[0])])
    when = "the warm-up" if first < 0 else f"{units.seconds(first)} into the window"
    return f"{a.variant}: failures from {when} on, up to {units.rate(float(failed.max()))}."


def _panel(pair: str, a: Answers, highest: float) -> Panel:
    canvas = Canvas(_HEIGHT, f"{pair}-answers-{a.variant}")
    axes = canvas.axes(bottom=_BOTTOM, height=_HEIGHT - _TOP - _BOTTOM)
    axes.set_xlim(float(a.edges[0]), float(a.edges[-1]))
    axes.set_ylim(0, highest * 1.05)
    axes.axvspan(float(a.edges[0]), 0, facecolor=LIGHT["shade"], linewidth=0)
    _stack(axes, a)
    times = scales.nice_ticks(float(a.edges[-1]), 5)
    ticks(
        axes,
        x=scales.labelled(times, units.seconds),
        y=scales.labelled(scales.nice_ticks(highest * 1.05, 4), units.rate),
    )
    canvas.text(LEFT, _HEIGHT - 12, "answers per second")
    canvas.text(WIDTH - 10, 4, "time since the window began", role="muted", align="right")
    return Panel(svg=canvas.svg(f"How requests ended, over time. {_reading(a)}"), label=a.variant)


def _stack(axes: Axes, a: Answers) -> None:
    below = np.zeros(len(a.edges) - 1)
    for name in reversed(_SHOWN):  # failures below: where they begin is read from the axis
        above = below + a.rates[name]
        if a.rates[name].any():
            axes.stairs(above, a.edges, baseline=below, color=LIGHT[str(name)], linewidth=0, fill=True)
        below = above
