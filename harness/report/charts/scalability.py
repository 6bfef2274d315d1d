"""Goodput and response time against the number of users, of the variants' closed sweeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from harness.record import Scalability, Trial
from harness.report import sweeps, units
from harness.report.charts import scales
from harness.report.charts.canvas import LEFT, WIDTH, Canvas, ticks
from harness.report.charts.model import Chart, Floats, PairRows, Panel
from harness.report.charts.palette import LIGHT, VARIANT_DASHES, VARIANT_MARKERS, variant_role
from harness.usl import curve, described

_HEIGHT, _TOP, _BOTTOM, _RIGHT = 250.0, 24.0, 40.0, 64.0
_TICK_GAP = 22.0  # between two numbers on the axis of users
_CURVE_POINTS = 60
_FAR = 2.5  # a ceiling this much above everything measured is left out of the picture
_HOW_GOODPUT = (
    "Higher is better. Marks are measured, one trial each. The line is the Universal Scalability Law fitted to them, between the "
    "thin lines of its 95 % band; dotted from mark to mark where the law does not describe them. Dashed and level: the ceiling, "
    "unless it lies far above. The axis of users is logarithmic."
)
_HOW_RESPONSE = (
    "Lower is better. The line is half of the requests (p50), the dotted one 99 of 100 (p99), as lower bounds where requests had "
    "not ended. Both axes are logarithmic."
)


def draw_goodput(pair: PairRows) -> Chart | None:
    """Points, fit, band and ceiling, one colour a variant; None when no sweep has a valid trial."""
    found = [s for s in pair.sweeps if len(known(s, "goodput_rps")[0])]
    if not found:
        return None
    return Chart(
        name="sweep-goodput",
        title="Correct answers per second, by users",
        reading=reading(found),
        how=_HOW_GOODPUT,
        panels=(Panel(svg=_goodput_picture(pair.pair.name, found)),),
    )


def draw_response(pair: PairRows) -> Chart | None:
    """p50 and p99 against users; None when no request of a sweep was timed."""
    found = [s for s in pair.sweeps if len(known(s, "response_p50_s")[0])]
    if not found:
        return None
    return Chart(
        name="sweep-response",
        title="How long an answer takes, by users",
        reading=response_reading(found),
        how=_HOW_RESPONSE,
        panels=(Panel(svg=_response_picture(pair.pair.name, found)),),
    )


def reading(found: Sequence[Scalability]) -> str:
    """Goodput from the fewest to the most users, by variant."""
    return _from_to(found, lambda t: units.rate(t.figures.goodput_rps))


def response_reading(found: Sequence[Scalability]) -> str:
    """How the middle request fares from the fewest to the most users, by variant."""
    return _from_to(found, lambda t: f"p50 {sweeps.response_time(t, 'response_p50_s')}")


def _from_to(found: Sequence[Scalability], words: Callable[[Trial], str]) -> str:
    parts = []
    for s in found:
        ends = dict.fromkeys((0, len(s.points) - 1))
        told = (f"{words(t)} with {units.plural(t.workload.users, 'user')}" for t in (s.points[i] for i in ends))
        parts.append(f"{s.variant}: {', '.join(told)}")
    return "; ".join(parts) + "."


def known(sweep: Scalability, figure: str) -> tuple[Floats, Floats]:
    """Numbers of users at which a figure was measured, and the figure."""
    pairs = [(t.workload.users, v) for t in sweep.points if (v := getattr(t.figures, figure)) is not None]
    return np.array([float(n) for n, _ in pairs]), np.array([float(v) for _, v in pairs])


def _times(sweep: Scalability, figure: str) -> tuple[Floats, Floats]:
    users, values = known(sweep, figure)
    return users, np.maximum(values, scales.SHORTEST_S)


def user_ticks(users: Sequence[int], width: float) -> list[tuple[float, str]]:
    """Numbers of users on a log axis, without those whose words would touch; the largest one is kept."""
    if len(users) < 2:
        return [(float(np.log2(n)), units.count(n)) for n in users]
    low, high = np.log2(users[0]), np.log2(users[-1])
    kept = [users[-1]]
    for smaller in users[-2::-1]:
        if (np.log2(kept[-1]) - np.log2(smaller)) / (high - low) * width >= _TICK_GAP:
            kept.append(smaller)
    return [(float(np.log2(n)), units.count(n)) for n in kept[::-1]]


def _goodput_picture(pair: str, found: Sequence[Scalability]) -> str:
    canvas, axes, height = _board(f"{pair}-sweep-goodput", found, "correct answers per second")
    measured = max(float(known(s, "goodput_rps")[1].max()) for s in found)
    ceilings = {s.variant: c for s in found if (c := _ceiling(s.points)) is not None and c <= _FAR * measured}
    highest = max([measured, *ceilings.values()]) * 1.08 or 1.0
    axes.set_ylim(0, highest)
    _scale(axes, scales.labelled(scales.nice_ticks(highest), units.number))
    ends = []
    for s in found:
        color = LIGHT[variant_role(s.variant)]
        users, rates = known(s, "goodput_rps")
        if s.variant in ceilings:
            axes.axhline(ceilings[s.variant], color=color, linewidth=1.2, dashes=(3, 2))
        if s.fit is None or not described(s.fit):
            axes.plot(np.log2(users), rates, color=color, linewidth=1, dashes=(1, 1.5))
        else:
            at = np.geomspace(users[0], users[-1], _CURVE_POINTS)
            fitted, low, high = curve(s.fit, at)
            for edge in (low, np.minimum(high, highest)):
                axes.plot(np.log2(at), edge, color=color, linewidth=0.7)
            axes.plot(np.log2(at), fitted, color=color, linewidth=2, **_dashes(s.variant))
        _marks(axes, s.variant, users, rates)
        ends.append(float(rates[-1]) / highest)
    _names(canvas, found, ends, height)
    return canvas.svg(f"Correct answers per second by users. {reading(found)}")


def _response_picture(pair: str, found: Sequence[Scalability]) -> str:
    canvas, axes, height = _board(f"{pair}-sweep-response", found, "response time")
    drawn = {s.variant: (_times(s, "response_p50_s"), _times(s, "response_p99_s")) for s in found}
    all_times = np.concatenate([t for lines in drawn.values() for _, t in lines])
    low, high = scales.log_limits(float(all_times.min()), float(all_times.max()))
    floor, top = float(np.log10(low)), float(np.log10(high))
    axes.set_ylim(floor, top)
    _scale(axes, [(float(np.log10(v)), words) for v, words in scales.decade_ticks(low, high)])
    ends = []
    for s in found:
        (users, p50), (users_99, p99) = drawn[s.variant]
        color = LIGHT[variant_role(s.variant)]
        axes.plot(np.log2(users), np.log10(p50), color=color, linewidth=2, **_dashes(s.variant))
        axes.plot(np.log2(users_99), np.log10(p99), color=color, linewidth=1.5, dashes=(1, 1.5))
        _marks(axes, s.variant, users, np.log10(p50))
        ends.append((float(np.log10(p50[-1])) - floor) / (top - floor))
    _names(canvas, found, ends, height)
    return canvas.svg(f"Response time by users. {response_reading(found)}")


def _board(key: str, found: Sequence[Scalability], what: str) -> tuple[Canvas, Axes, float]:
    """A canvas whose axis of users is ready; the height of its axes."""
    canvas, height = Canvas(_HEIGHT, key), _HEIGHT - _TOP - _BOTTOM
    axes = canvas.axes(bottom=_BOTTOM, height=height, right=_RIGHT)
    users = sorted({t.workload.users for s in found for t in s.points})
    first, last = float(np.log2(users[0])), float(np.log2(users[-1]))
    air = max(0.03 * (last - first), 0.05)
    axes.set_xlim(first - air, last + air)
    ticks(axes, x=user_ticks(users, WIDTH - LEFT - _RIGHT))
    canvas.text(4, _HEIGHT - 10, what, role="muted")
    canvas.text(WIDTH - _RIGHT, 4, "users", role="muted", align="right")
    return canvas, axes, height


def _marks(axes: Axes, variant: str, users: Floats, values: Floats) -> None:
    role = variant_role(variant)
    style: dict[str, Any] = {"marker": VARIANT_MARKERS[role], "markersize": 6, "markeredgewidth": 0, "linewidth": 0}
    axes.plot(np.log2(users), values, color=LIGHT[role], clip_on=False, **style)


def _names(canvas: Canvas, found: Sequence[Scalability], ends: Sequence[float], height: float) -> None:
    """The variants' names beside the ends of their lines."""
    places = scales.spread([end * height for end in ends], 13, 0, height - 4)
    for s, y in zip(found, places, strict=True):
        canvas.text(WIDTH - _RIGHT + 6, _BOTTOM + y - 4, s.variant, role=variant_role(s.variant), bold=True)


def _dashes(variant: str) -> dict[str, Any]:
    return {"dashes": VARIANT_DASHES[variant_role(variant)] or (None, None)}


def _ceiling(points: Sequence[Trial]) -> float | None:
    return points[0].figures.ceiling_rps


def _scale(axes: Axes, labelled: Sequence[tuple[float, str]]) -> None:
    axes.set_yticks([at for at, _ in labelled], [words for _, words in labelled])
