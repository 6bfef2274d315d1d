"""Response time by percentile, one curve a variant, on the axes of HdrHistogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from harness.report import units
from harness.report.charts import scales
from harness.report.charts.canvas import LEFT, WIDTH, Canvas, box, ticks
from harness.report.charts.model import Chart, Floats, PairRows, Panel, VariantRows
from harness.report.charts.palette import LIGHT, VARIANT_DASHES, VARIANT_MARKERS, variant_role
from harness.stats import quantiles

_POINTS = 120
_MARKED = (0.5, 0.9, 0.99, 0.999, 0.9999)
_GAP = "\N{NO-BREAK SPACE}"
_HOW = (
    f"Lower is better. Read upwards from a share: at 99{_GAP}%, 99 of 100 requests were answered within this time. "
    "The time axis is logarithmic: equal steps multiply."
)
_HOW_BOUND = " Dotted: so long or longer, because requests were still waiting when the trial ended."
_HEIGHT, _TOP, _BOTTOM, _RIGHT = 250.0, 24.0, 40.0, 64.0


@dataclass(frozen=True)
class Curve:
    """One variant's response times in seconds, by nines: 1 is 90 %, 2 is 99 %.

    Beyond ``certain`` nines the times are lower bounds: the quantile lies among requests that had not ended.
    """

    variant: str
    nines: Floats
    times: Floats
    certain: float


def durations(variant: VariantRows) -> tuple[Floats, Floats]:
    """Known, and cut off, response times of a variant's valid windows, in seconds."""
    parts = [t.durations() for t in variant.trials]
    return np.concatenate([known for known, _ in parts]), np.concatenate([cut for _, cut in parts])


def curve(variant: str, known: Floats, cut: Floats) -> Curve | None:
    """The percentile curve, up to the last percentile that these many requests can tell; None below two requests."""
    total = len(known) + len(cut)
    if total < 2:
        return None
    nines = np.linspace(0.0, np.log10(total), _POINTS)
    found = [q for q in quantiles(known, cut, list(np.clip(1.0 - 10.0**-nines, 0.0, 1.0))) if q is not None]
    bounded = [q.lower_bound for q in found]
    certain = float(nines[bounded.index(True)]) if any(bounded) else float("inf")
    return Curve(variant, nines, np.array([max(q.value, scales.SHORTEST_S) for q in found]), certain)


def at(c: Curve, q: float) -> str:
    """The curve's time at a quantile, in words."""
    nines = -float(np.log10(1 - q))
    words = units.seconds(float(np.interp(nines, c.nines, c.times)))
    return words if nines < c.certain else f"{words} or more"


def reading(curves: list[Curve]) -> str:
    """Half and the slow tail, by variant."""
    parts = []
    for c in curves:
        tail = 0.99 if c.nines[-1] >= 2 else 0.9
        parts.append(f"{c.variant}: half within {at(c, 0.5)}, {units.share(tail)} within {at(c, tail)}")
    return "; ".join(parts) + "." if parts else ""


def draw(pair: PairRows) -> Chart | None:
    """One curve a variant; None when no variant was asked at least twice."""
    curves = [c for v in pair.variants if (c := curve(v.name, *durations(v))) is not None]
    if not curves:
        return None
    return Chart(
        name="response",
        title="How long an answer takes",
        reading=reading(curves),
        how=_HOW + (_HOW_BOUND if any(c.certain < c.nines[-1] for c in curves) else ""),
        panels=(Panel(svg=_picture(pair.pair.name, curves, pair.invalid)),),
    )


def _picture(pair: str, curves: list[Curve], invalid: tuple[str, ...]) -> str:
    canvas = Canvas(_HEIGHT, f"{pair}-response")
    height = _HEIGHT - _TOP - _BOTTOM
    axes = canvas.axes(bottom=_BOTTOM, height=height, right=_RIGHT)
    low, high = scales.log_limits(min(float(c.times.min()) for c in curves), max(float(c.times.max()) for c in curves))
    floor, ceiling = float(np.log10(low)), float(np.log10(high))
    furthest = max(1.0, max(float(c.nines[-1]) for c in curves))
    axes.set_xlim(0, furthest)
    axes.set_ylim(floor, ceiling)
    marked = [(nines, f"{q * 100:g}{_GAP}%") for q in _MARKED if (nines := -float(np.log10(1 - q))) <= furthest + 1e-9]
    ticks(axes, x=marked, y=[(float(np.log10(v)), words) for v, words in scales.decade_ticks(low, high)])
    canvas.text(4, _HEIGHT - 10, "response time", role="muted")
    canvas.text(WIDTH - _RIGHT, 4, "share of requests answered within that time", role="muted", align="right")
    for c in curves:
        _line(axes, c, [nines for nines, _ in marked])
    ends = [(float(np.log10(c.times[-1])) - floor) / (ceiling - floor) * height for c in curves]
    for c, y in zip(curves, scales.spread(ends, 13, 0, height - 4), strict=True):
        x = LEFT + float(c.nines[-1]) / furthest * (WIDTH - LEFT - _RIGHT) + 6
        canvas.text(x, _BOTTOM + y - 4, c.variant, role=variant_role(c.variant), bold=True)
    for i, variant in enumerate(invalid):
        y = _HEIGHT - _TOP - 14 * (i + 1)
        box(axes, "invalid", 0.02 * furthest, 0.1 * furthest, *_band(axes, y - 3 - _BOTTOM, height))
        canvas.text(LEFT + 0.12 * (WIDTH - LEFT - _RIGHT), y, f"{variant}: invalid, no curve", role="muted")
    return canvas.svg(f"Response time by percentile. {reading(curves)}")


def _band(axes: Axes, bottom: float, height: float) -> tuple[float, float]:
    """A stretch of the axis, 11 units high, that begins so many units above its foot."""
    low, high = axes.get_ylim()
    return low + bottom / height * (high - low), low + (bottom + 11) / height * (high - low)


def _line(axes: Axes, c: Curve, marked: list[float]) -> None:
    """The curve, dotted where it is a lower bound, with a mark at each labelled percentile that is certain."""
    role, log = variant_role(c.variant), np.log10(c.times)
    sure = c.nines <= c.certain
    style: dict[str, Any] = {"color": LIGHT[role], "linewidth": 2}
    axes.plot(c.nines[sure], log[sure], dashes=VARIANT_DASHES[role] or (None, None), **style)
    if not sure.all():
        rest = c.nines >= c.certain
        axes.plot(c.nines[rest], log[rest], dashes=(1, 1.5), **style)
    known = [nines for nines in marked if nines <= min(c.nines[-1], c.certain)]
    at_marks = np.interp(known, c.nines, log)
    marker = VARIANT_MARKERS[role]
    axes.plot(known, at_marks, color=LIGHT[role], linewidth=0, marker=marker, markersize=5, markeredgewidth=0)
