"""What the neighbours feel: response time of the canary, a light route, by variant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.record import VariantResult
from harness.report import units
from harness.report.charts import scales
from harness.report.charts.canvas import WIDTH, Canvas, invalid_row, ticks
from harness.report.charts.model import Chart, PairRows, Panel
from harness.report.charts.palette import LIGHT, variant_role
from harness.report.charts.scales import SHORTEST_S

_ROW, _TOP, _BOTTOM, _SIDE = 46.0, 4.0, 40.0, 26.0
_LONG_S, _APART = 0.02, 2.0


@dataclass(frozen=True)
class Span:
    """A variant's canary: seconds for half, and for 99 of 100, of its requests."""

    variant: str
    p50: float
    p99: float


def spans(results: list[VariantResult]) -> list[Span]:
    """The variants whose canary was measured."""
    out = []
    for r in results:
        p50, p99 = r.figures.canary_p50_s, r.figures.canary_p99_s
        if p50 is not None and p99 is not None:
            out.append(Span(r.variant, max(p50, SHORTEST_S), max(p99, SHORTEST_S)))
    return out


def reading(rows: list[Span], path: str | None) -> str:
    """How long the light route took, by variant."""
    parts = [f"{units.seconds(r.p50)} beside {r.variant} (p99 {units.seconds(r.p99)})" for r in rows]
    return f"{_name(path)}, which needs nothing of what the load uses, takes " + ", ".join(parts) + "."


def _name(path: str | None) -> str:
    return path or "The canary"


def draw(pair: PairRows) -> Chart | None:
    """One line a variant, from p50 to p99; None when no canary was measured, or none of the variants disturbs it."""
    rows = spans([v.result for v in pair.variants])
    if not rows or not (_told_apart(rows) or any(e.metric.startswith("canary_") for e in pair.pair.expectations)):
        return None
    return Chart(
        name="canary",
        title="What a neighbouring route feels",
        reading=reading(rows, pair.pair.workload.canary),
        how="The canary: a light request, sent at a steady rate beside the load. Further left is better. Half of them took no longer than "
        "the circle, 99 of 100 no longer than the bar's end. The axis is logarithmic: equal steps multiply.",
        panels=(Panel(svg=_picture(pair, rows)),),
    )


def _told_apart(rows: list[Span]) -> bool:
    """Whether the canary tells of anything: a long wait, or one that differs by variant."""
    slowest = max(r.p99 for r in rows)
    return slowest >= _LONG_S and (len(rows) == 1 or slowest >= _APART * min(r.p99 for r in rows))


def _picture(pair: PairRows, rows: list[Span]) -> str:
    height = _ROW * (len(rows) + len(pair.invalid))
    canvas = Canvas(_TOP + _BOTTOM + height, f"{pair.pair.name}-canary")
    axes = canvas.axes(bottom=_BOTTOM, height=height, left=_SIDE, right=_SIDE)
    low, high = scales.log_limits(min(r.p50 for r in rows), max(r.p99 for r in rows))
    axes.set_xlim(np.log10(low), np.log10(high))
    axes.set_ylim(0, height)
    ticks(axes, x=[(float(np.log10(v)), words) for v, words in scales.decade_ticks(low, high)])
    canvas.text(WIDTH - 10, 4, f"response time of {_name(pair.pair.workload.canary)}", role="muted", align="right")
    for i, row in enumerate(rows):
        y = height - _ROW * (i + 1) + 12
        role = variant_role(row.variant)
        a, b = np.log10(row.p50), np.log10(row.p99)
        axes.plot([a, b], [y, y], color=LIGHT[role], linewidth=3)
        axes.plot([a], [y], color=LIGHT[role], marker="o", markersize=9, markeredgewidth=0)
        axes.plot([b], [y], color=LIGHT[role], marker="|", markersize=14, markeredgewidth=3)
        canvas.text(10, _BOTTOM + y + 14, row.variant, bold=True, role=role)
        words = f"half within {units.seconds(row.p50)}, 99 % within {units.seconds(row.p99)}"
        canvas.text(WIDTH - 10, _BOTTOM + y + 14, words, align="right")
    for i, variant in enumerate(pair.invalid, len(rows)):
        y = height - _ROW * (i + 1) + 12
        invalid_row(canvas, axes, variant, y - 5, 10, _BOTTOM + y + 14)
    return canvas.svg(reading(rows, pair.pair.workload.canary))
