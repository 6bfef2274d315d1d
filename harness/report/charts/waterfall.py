"""The request waterfall: one bar a request, coloured by where it waited.

A blocked loop draws a staircase, a drained pool a wall.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.report import units
from harness.report.charts import latency, scales
from harness.report.charts.canvas import WIDTH, Canvas, boxes, invalid_panel, ticks
from harness.report.charts.model import Chart, Floats, PairRows, Panel, TrialRows, VariantRows
from harness.split import COLUMNS, request_parts

_MOST = 64  # bars in a picture
_WANTED = 40  # requests that the slowest variant should get to finish in the slice
_HEIGHT, _TOP, _BOTTOM, _SIDE = 236.0, 6.0, 38.0, 10.0

PARTS: tuple[tuple[str, str], ...] = (
    *((role, words) for role, _, words in latency.PARTS),
    ("untimed", "inside the app, its steps not timed"),
    ("unfinished", "no answer by the end"),
)
_COLUMNS = ("token_wait_s", "checkout_wait_s", "sql_s")


@dataclass(frozen=True)
class Waterfall:
    """The requests of a slice of time, in the order in which they were meant to start.

    ``edges`` has a row for each request and a column for each edge of its parts: seconds since the slice began.
    """

    edges: Floats
    shown_of: int  # requests in progress in the slice, of which these are an even sample


def part_edges(rows: dict[str, Floats], end: float) -> Floats:
    """Edges of the parts of each request, in the order of ``PARTS``; NaN in the input means: not seen.

    The parts alternate in a request; each is drawn as one stretch of its summed length. The probe times the steps of a sample of
    requests: of the others only the waits and SQL are known, and the rest is "untimed". A request without an answer is drawn to the
    end, and what it waited for, where nobody saw it, as "unfinished".
    """
    intended, done, start = rows["intended_s"], rows["done_s"], rows["start_s"]
    unanswered = np.isnan(done)
    last = np.where(unanswered, end, done)
    sent = np.fmin(np.fmax(rows["sent_s"], intended), last)
    entered = np.fmin(np.where(np.isnan(start), last, start), last)
    entered = np.where(unanswered & np.isnan(start), sent, np.fmax(entered, sent))
    left = last - entered
    lengths = {"unsent": sent - intended, "queue": entered - sent}
    for role, name in zip(("token", "connection", "sql"), _COLUMNS, strict=True):
        lengths[role] = np.fmin(np.nan_to_num(rows[name]), left)
        left = left - lengths[role]
    zero = np.zeros_like(left)
    lengths |= {"untimed": np.where(unanswered, zero, left), "unfinished": np.where(unanswered, left, zero)}
    stacked = np.stack([lengths.get(role, zero) for role, _ in PARTS], axis=1)
    timed = ~unanswered & ~np.isnan(rows["answer_own_s"])
    if timed.any():
        parts = request_parts({name: rows[name][timed] for name in COLUMNS})
        known = [parts[name.removesuffix("_s")] for _, name, _ in latency.PARTS]
        stacked[timed] = np.stack([*known, *[np.zeros(int(timed.sum()))] * 2], axis=1)
    return np.cumsum(np.concatenate([intended[:, None], stacked], axis=1), axis=1)


def slice_of(trial: TrialRows, length: float) -> Waterfall:
    """The load's requests in progress in the first ``length`` seconds of a trial's window."""
    begin = trial.window[0]
    intended, done = trial.request_column("intended_s"), trial.request_column("done_s")
    busy = trial.requests_with("kind", "load") & (intended < begin + length) & ~(done < begin)
    busy &= ~trial.requests_with("outcome", "skipped") & ~trial.requests_with("phase", "sequential")
    picked = np.flatnonzero(busy)
    picked = picked[np.argsort(intended[picked], kind="stable")]
    total = len(picked)
    picked = picked[:: max(1, -(-total // _MOST))]
    rows = {name: trial.request_column(name)[picked] for name in (*COLUMNS, *_COLUMNS)}
    edges = part_edges(rows, begin + length)
    return Waterfall(np.clip(edges - begin, 0.0, length), total)


def slice_length(variants: tuple[VariantRows, ...]) -> float:
    """Seconds that let the slowest variant finish enough requests, within the shortest window."""
    window = min(v.trials[0].trial.window_s for v in variants)
    rates = [v.result.figures.throughput_rps or 0.0 for v in variants]
    return float(min(window, _WANTED / min(rates))) if min(rates) > 0 else window


def part_shares(w: Waterfall) -> Floats:
    """Each part's share of the time of all these requests, between 0 and 1; zeros when they took none."""
    spent: Floats = np.diff(w.edges, axis=1).sum(axis=0)
    total = float(spent.sum())
    return spent / total if total > 0 else np.zeros_like(spent)


def longest_part(w: Waterfall) -> str | None:
    """Where most of the time of these requests went, in words."""
    shares = part_shares(w)
    if not shares.any():
        return None
    i = int(shares.argmax())
    return f"{units.share(float(shares[i]))} of their time: {PARTS[i][1]}"


def draw(pair: PairRows) -> Chart | None:
    """One picture a variant, over the same length of time; None without rows, or where clients alone saw them."""
    if not pair.variants or not any(_seen_inside(t) for v in pair.variants for t in v.trials):
        return None
    length = slice_length(pair.variants)
    falls = [(v.name, slice_of(v.trials[0], length)) for v in pair.variants]
    falls = [(name, w) for name, w in falls if w.shown_of]
    if not falls:
        return None
    used = np.max([part_shares(w) for _, w in falls], axis=0) >= latency.SHOWN_SHARE
    return Chart(
        name="waterfall",
        title="Where each request waits",
        reading=f"{_stretch(length, len(falls))}: one bar a request, from when it was meant to start until its answer.",
        how="Short bars are good. Bars that end one after another like stairs wait for one thing that serves them one "
        "at a time; a wall of long bars waits for something that does not come back.",
        legend=tuple(part for part, seen in zip(PARTS, used, strict=True) if seen),
        panels=pair.panels(
            [_panel(pair.pair.name, name, w, length) for name, w in falls],
            lambda name: invalid_panel(pair.pair.name, name, "waterfall", _HEIGHT),
        ),
    )


def _seen_inside(trial: TrialRows) -> bool:
    return bool(np.any(~np.isnan(trial.request_column("start_s"))))


def _stretch(length: float, variants: int) -> str:
    return (
        f"The same {units.seconds(length)} of each variant"
        if variants > 1
        else f"{units.seconds(length)} of the window"
    )


def _panel(pair: str, variant: str, w: Waterfall, length: float) -> Panel:
    shown = len(w.edges)
    sample = "" if shown == w.shown_of else f"{shown} of {units.count(w.shown_of)}, evenly picked. "
    main = longest_part(w)
    note = f"{sample}{main}." if main else sample.strip()
    return Panel(svg=_picture(pair, variant, w, length, note), label=variant, note=note)


def _picture(pair: str, variant: str, w: Waterfall, length: float, note: str) -> str:
    canvas = Canvas(_HEIGHT, f"{pair}-waterfall-{variant}")
    axes = canvas.axes(bottom=_BOTTOM, height=_HEIGHT - _TOP - _BOTTOM, left=_SIDE, right=_SIDE + 6)
    rows = len(w.edges)
    axes.set_xlim(0, length)
    axes.set_ylim(max(rows, 20), 0)
    places = scales.nice_ticks(length)
    ticks(axes, x=scales.labelled(places, units.seconds))
    canvas.text(WIDTH - _SIDE, 4, "time since the window began", role="muted", align="right")
    top = np.arange(rows, dtype=float)
    for i, (role, _) in enumerate(PARTS):
        boxes(axes, role, w.edges[:, i], w.edges[:, i + 1], top + 0.86, top + 0.06)
    return canvas.svg(f"Waterfall of requests, {variant}. {note}")
