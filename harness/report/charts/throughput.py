"""Throughput and goodput by variant, against the ceiling."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes

from harness.record import VariantResult
from harness.report import units
from harness.report.charts import scales
from harness.report.charts.canvas import RIGHT, WIDTH, Canvas, box, invalid_row, ticks
from harness.report.charts.model import Chart, PairRows, Panel
from harness.report.charts.palette import LIGHT, variant_role

_ROW, _TOP, _BOTTOM, _SIDE = 62.0, 6.0, 40.0, 10.0
_BAR = 18.0
_FAR = 2.5  # a ceiling this much above everything measured is shown as an arrow at the edge

_HOW = "A longer bar is better."
_HOW_FAILED = " What is hatched was answered, and wrong."
_HOW_CEILING = " The dashed line is the ceiling: the most that the mechanism can allow."


@dataclass(frozen=True)
class Bar:
    """One variant's rates per second."""

    variant: str
    good: float
    failed: float  # answered, and wrong
    ceiling: float | None


def bars(results: list[VariantResult]) -> list[Bar]:
    """The rates of all variants that have a throughput."""
    out = []
    for r in results:
        total, good = r.figures.throughput_rps, r.figures.goodput_rps
        if total is not None and good is not None:
            out.append(Bar(r.variant, good, max(0.0, total - good), r.figures.ceiling_rps))
    return out


def reading(rows: list[Bar]) -> str:
    """What the bars say: the best against the worst, and how near to its ceiling a variant comes."""
    if not rows:
        return "No variant has a valid trial."
    worst, best = min(rows, key=lambda b: b.good), max(rows, key=lambda b: b.good)
    if len(rows) == 1:
        text = f"{best.variant} answers {units.rate(best.good)} correctly."
    elif best.good <= worst.good * 1.1:
        text = f"All variants answer about alike: {units.rate(worst.good)} to {units.rate(best.good)}."
    else:
        times = f", {units.ratio(best.good / worst.good)} as many" if worst.good > 0 else ""
        text = (
            f"{worst.variant} gives {units.rate(worst.good)} correct answers, "
            f"{best.variant} {units.rate(best.good)}{times}."
        )
    near = [b for b in rows if b.ceiling and 0.8 <= b.good / b.ceiling <= 1.2]
    if near:
        shares = ", ".join(f"{b.variant} {units.share(b.good / b.ceiling)}" for b in near if b.ceiling)
        text += f" Of the predicted ceiling: {shares}."
    return text


def draw(pair: PairRows) -> Chart | None:
    """One bar a variant, a hatched place for one without a valid trial; None when nothing was measured."""
    rows = bars([v.result for v in pair.variants])
    if not rows and not pair.invalid:
        return None
    return Chart(
        name="throughput",
        title="Correct answers per second",
        reading=reading(rows),
        how=_HOW
        + (_HOW_FAILED if any(b.failed for b in rows) else "")
        + (_HOW_CEILING if any(b.ceiling for b in rows) else ""),
        panels=(Panel(svg=_picture(pair.pair.name, rows, pair.invalid)),),
    )


def _picture(pair: str, rows: list[Bar], invalid: tuple[str, ...]) -> str:
    height = _ROW * (len(rows) + len(invalid))
    canvas = Canvas(_TOP + _BOTTOM + height, f"{pair}-throughput")
    axes = canvas.axes(bottom=_BOTTOM, height=height, left=_SIDE, right=_SIDE)
    measured = max((b.good + b.failed for b in rows), default=0.0)
    ceilings = [b.ceiling for b in rows if b.ceiling is not None and b.ceiling <= _FAR * measured]
    highest = max([measured, *ceilings]) * 1.04 or 1.0
    axes.set_xlim(0, highest)
    axes.set_ylim(0, height)
    ticks(axes, x=scales.labelled(scales.nice_ticks(highest), units.number) if rows else ())
    canvas.text(WIDTH - RIGHT, 4, "answers per second", role="muted", align="right")
    for i, row in enumerate(rows):
        bottom = height - _ROW * (i + 1) + 18
        role = variant_role(row.variant)
        box(axes, role, 0, row.good, bottom, bottom + _BAR)
        box(axes, f"{role}-failed", row.good, row.good + row.failed, bottom, bottom + _BAR)
        y = _BOTTOM + bottom + _BAR + 6
        canvas.text(_SIDE, y, row.variant, bold=True, role=role)
        failed = f" + {units.rate(row.failed)} failed" if row.failed > 0 else ""
        canvas.text(WIDTH - _SIDE, y, f"{units.rate(row.good)} correct{failed}", align="right")
        if row.ceiling is not None:
            _ceiling(canvas, axes, row.ceiling, highest, bottom)
    for i, variant in enumerate(invalid, len(rows)):
        bottom = height - _ROW * (i + 1) + 18
        invalid_row(canvas, axes, variant, bottom, _BAR, _BOTTOM + bottom + _BAR + 6)
    axes.grid(visible=False, axis="y")
    return canvas.svg(f"Correct answers per second. {reading(rows)}")


def _ceiling(canvas: Canvas, axes: Axes, ceiling: float, highest: float, bottom: float) -> None:
    """The ceiling's mark below and across its bar, or an arrow when it lies far outside."""
    y = _BOTTOM + bottom - 12
    if ceiling > highest:
        canvas.text(WIDTH - _SIDE, y, f"ceiling {units.rate(ceiling)} →", role="muted", align="right")
        return
    axes.plot([ceiling, ceiling], [bottom - 4, bottom + _BAR + 2], color=LIGHT["ink"], linewidth=1.6, dashes=(3, 2))
    at = _SIDE + ceiling / highest * (WIDTH - 2 * _SIDE)
    align = "left" if at < WIDTH * 0.3 else "right" if at > WIDTH * 0.7 else "center"
    canvas.text(at, y, f"ceiling {units.rate(ceiling)}", role="muted", align=align)
