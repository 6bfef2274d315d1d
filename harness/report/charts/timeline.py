"""The inside of the target over time: loop lag, connections, worker threads; one picture a variant, same axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from harness.report import units
from harness.report.charts import scales
from harness.report.charts.canvas import LEFT, WIDTH, Canvas, invalid_panel, ticks
from harness.report.charts.model import Chart, Floats, PairRows, Panel, TrialRows, VariantRows
from harness.report.charts.palette import LIGHT
from harness.report.words import short_place

_POINTS = 160
_LAYER, _GAP, _TOP, _BOTTOM = 62.0, 30.0, 4.0, 38.0
_HOW = {
    "loop": "All async code takes turns on one event loop: while it is late, every request that needs it waits.",
    "pool": "A connection is in use from when code takes it from the pool until it gives it back.",
    "threads": "Plain def routes and dependencies run in worker threads, 40 at a time unless the app says otherwise.",
}
_NOTABLE_LAG_S = 0.1
_NOTABLE_TOKENS = 30  # of 40


@dataclass(frozen=True)
class Samples:
    """One trial's samples, thinned; ``t`` in seconds since the window began."""

    variant: str
    warmup_s: float
    t: Floats
    lag: Floats  # seconds
    out: Floats  # connections
    asking: Floats  # requests that wait for a connection
    tokens: Floats  # threads in use
    queued: Floats  # calls that wait for a thread


def samples_of(variant: VariantRows) -> Samples | None:
    """The first valid trial's samples, warm-up and window; None when there are none."""
    trial = variant.trials[0]
    t = trial.sample_column("t_s") - trial.trial.window_start_s
    inside = (t >= -trial.trial.warmup_s) & (t <= trial.trial.window_s)
    if not inside.any():
        return None
    names = ("loop_lag_s", "connections_out", "checkout_waiting", "tokens_in_use", "tokens_waiting")
    columns = [_column(trial, name, inside) for name in names]
    thin_t, thin = scales.thin_peaks(t[inside], columns, _POINTS)
    return Samples(variant.name, trial.trial.warmup_s, thin_t, *thin)


def _column(trial: TrialRows, name: str, inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    return trial.sample_column(name)[inside]


def highest(values: Floats) -> float:
    """The largest value; 0 when none was measured."""
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else 0.0


def layers(samples: list[Samples]) -> list[str]:
    """Which layers say something for these variants."""
    out = []
    if max(highest(s.lag) for s in samples) >= _NOTABLE_LAG_S:
        out.append("loop")
    if max(highest(s.out) for s in samples) > 0:
        out.append("pool")
    if max(max(highest(s.queued), highest(s.tokens) - _NOTABLE_TOKENS) for s in samples) > 0:
        out.append("threads")
    return out


def draw(pair: PairRows) -> Chart | None:
    """One picture a variant; None when nothing notable was sampled."""
    samples = [s for v in pair.variants if (s := samples_of(v)) is not None]
    kinds = layers(samples) if samples else []
    if not kinds:
        return None
    limits = {kind: max(_limit(kind, s) for s in samples) or 1.0 for kind in kinds}
    span = (min(-s.warmup_s for s in samples), max(float(s.t[-1]) for s in samples))
    holders = {v.name: _holder(v) for v in pair.variants}
    legend = [("fixed", "in use"), ("queue", "waiting in line")] if set(kinds) & {"pool", "threads"} else []
    return Chart(
        name="timeline",
        title="Inside the app, over time",
        reading=_reading(samples, kinds),
        how=" ".join(_HOW[kind] for kind in kinds)
        + " One trial of each variant, watched from inside the process; the tinted part "
        "is the warm-up. The axes are the same for all variants.",
        legend=tuple(legend),
        panels=pair.panels(
            [_panel(pair.pair.name, s, kinds, limits, span, holders[s.variant]) for s in samples],
            lambda name: invalid_panel(pair.pair.name, name, "timeline", _TOP + _BOTTOM + (_LAYER + _GAP) * len(kinds)),
        ),
    )


def _limit(kind: str, s: Samples) -> float:
    return {
        "loop": highest(s.lag),
        "pool": highest(np.nan_to_num(s.out) + np.nan_to_num(s.asking)),
        "threads": highest(np.nan_to_num(s.tokens) + np.nan_to_num(s.queued)),
    }[kind]


def _reading(samples: list[Samples], kinds: list[str]) -> str:
    parts = []
    if "loop" in kinds:
        parts.append("loop lag up to " + _each(samples, lambda s: units.seconds(highest(s.lag))))
    if any(highest(s.asking) for s in samples):
        parts.append(
            "requests in line for a connection, up to " + _each(samples, lambda s: units.count(highest(s.asking)))
        )
    if any(highest(s.queued) for s in samples):
        parts.append("calls in line for a thread, up to " + _each(samples, lambda s: units.count(highest(s.queued))))
    text = "; ".join(parts) or "nobody waits in line"
    return f"{text[:1].upper()}{text[1:]}."


def _each(samples: list[Samples], words: Callable[[Samples], str]) -> str:
    return ", ".join(f"{words(s)} ({s.variant})" for s in samples)


def _holder(v: VariantRows) -> str | None:
    """The line that held the loop longest, when it held it for a notable part of the windows."""
    window = sum(t.trial.window_s for t in v.trials)
    longest = max(v.result.holds, key=lambda h: h.per_loop_s, default=None)
    if longest is None or not window or longest.per_loop_s / window < 0.1:
        return None
    place = longest.user or longest.offender
    return (
        f"{short_place(place)} held the loop for {units.share(min(1.0, longest.per_loop_s / window))} of the window."
        if place
        else None
    )


def _panel(
    pair: str, s: Samples, kinds: list[str], limits: dict[str, float], span: tuple[float, float], holder: str | None
) -> Panel:
    canvas = Canvas(_TOP + _BOTTOM + (_LAYER + _GAP) * len(kinds), f"{pair}-timeline-{s.variant}")
    for i, kind in enumerate(kinds):
        bottom = _BOTTOM + (_LAYER + _GAP) * (len(kinds) - 1 - i)
        axes = canvas.axes(bottom=bottom, height=_LAYER)
        axes.set_xlim(*span)
        axes.set_ylim(0, limits[kind] * 1.05)
        axes.axvspan(span[0], 0, facecolor=LIGHT["shade"], linewidth=0)
        _layer(canvas, axes, kind, s, bottom + _LAYER + 10)
        last = i == len(kinds) - 1
        times = scales.nice_ticks(span[1], 5)
        show = units.seconds if kind == "loop" else units.count
        values = scales.labelled(scales.nice_ticks(limits[kind] * 1.05, 3), show)
        ticks(axes, x=[(t, units.seconds(t) if last and t else "0" if last else "") for t in times], y=values)
    canvas.text(WIDTH - 10, 4, "time since the window began", role="muted", align="right")
    words = f"Inside {s.variant}: {_reading([s], kinds)}"
    return Panel(svg=canvas.svg(words), label=s.variant, note=holder)


def _layer(canvas: Canvas, axes: Axes, kind: str, s: Samples, title_y: float) -> None:
    if kind == "loop":
        canvas.text(LEFT, title_y, "Event loop: how late it is")
        canvas.text(WIDTH - 10, title_y, f"at most {units.seconds(highest(s.lag))}", align="right", role="muted")
        known = ~np.isnan(s.lag)
        _area(axes, s.t[known], np.zeros(int(known.sum())), s.lag[known], "queue")
        return
    used, line = (s.out, s.asking) if kind == "pool" else (s.tokens, s.queued)
    canvas.text(LEFT, title_y, "Database connections" if kind == "pool" else "Worker threads")
    words = f"at most {units.count(highest(used))} in use, {units.count(highest(line))} in line"
    canvas.text(WIDTH - 10, title_y, words, align="right", role="muted")
    known = ~np.isnan(used + line)
    t, used, line = s.t[known], used[known], line[known]
    _area(axes, t, np.zeros_like(t), used, "fixed")
    _area(axes, t, used, used + line, "queue")


def _area(axes: Axes, t: Floats, low: Floats, high: Floats, role: str) -> None:
    if np.any(high > low):
        there, back = _steps(t, high), _steps(t, low)[::-1]
        outline = np.concatenate([there, back, there[:1]])
        axes.add_artist(Polygon(outline, closed=True, facecolor=LIGHT[role], linewidth=0))


def _steps(t: Floats, values: Floats) -> Floats:
    """The corners of a line that holds each value until the next one differs."""
    change = np.flatnonzero(np.diff(values)) + 1
    x = np.concatenate([t[:1], np.repeat(t[change], 2), t[-1:]])
    y = np.repeat(values[np.concatenate([[0], change])], 2)
    return np.stack([x, y], axis=1)
