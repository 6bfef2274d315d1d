"""How many queries a request sends, by variant: for the pairs that are about that."""

from __future__ import annotations

from dataclasses import dataclass

from harness.record import VariantResult
from harness.report import units
from harness.report.charts import scales
from harness.report.charts.canvas import RIGHT, WIDTH, Canvas, box, invalid_row, ticks
from harness.report.charts.model import Chart, PairRows, Panel
from harness.report.charts.palette import variant_role

_ROW, _TOP, _BOTTOM, _SIDE, _BAR = 50.0, 4.0, 40.0, 10.0, 18.0
_APART = 1.5  # a ratio between variants from which the numbers say something


@dataclass(frozen=True)
class Count:
    """A variant's queries per request, and the seconds that half of its requests spend in SQL at most."""

    variant: str
    queries: float
    sql_s: float | None


def counts(results: list[VariantResult]) -> list[Count]:
    """The variants whose queries were counted."""
    return [
        Count(r.variant, r.figures.queries_per_request, r.figures.sql_p50_s)
        for r in results
        if r.figures.queries_per_request is not None
    ]


def reading(rows: list[Count]) -> str:
    """The numbers in words."""
    return "A request sends " + ", ".join(f"{units.number(r.queries)} ({r.variant})" for r in rows) + " queries."


def draw(pair: PairRows) -> Chart | None:
    """One bar a variant; None where the variants send about as many."""
    rows = counts([v.result for v in pair.variants])
    most, least = max((r.queries for r in rows), default=0.0), min((r.queries for r in rows), default=0.0)
    if most < _APART * max(least, 1.0):
        return None
    return Chart(
        name="queries",
        title="Queries per request",
        reading=reading(rows),
        how="Counted in the app, at every statement that its driver was given.",
        panels=(Panel(svg=_picture(pair, rows)),),
    )


def _queries(value: float) -> str:
    return f"{units.number(value)} {'query' if value == 1 else 'queries'}"


def _picture(pair: PairRows, rows: list[Count]) -> str:
    height = _ROW * (len(rows) + len(pair.invalid))
    canvas = Canvas(_TOP + _BOTTOM + height, f"{pair.pair.name}-queries")
    axes = canvas.axes(bottom=_BOTTOM, height=height, left=_SIDE, right=_SIDE)
    most = max(r.queries for r in rows) * 1.04
    axes.set_xlim(0, most)
    axes.set_ylim(0, height)
    ticks(axes, x=scales.labelled(scales.nice_ticks(most), units.number))
    canvas.text(WIDTH - RIGHT, 4, "queries per request", role="muted", align="right")
    for i, row in enumerate(rows):
        bottom = height - _ROW * (i + 1) + 8
        role, y = variant_role(row.variant), _BOTTOM + bottom + _BAR + 6
        box(axes, role, 0, row.queries, bottom, bottom + _BAR)
        canvas.text(_SIDE, y, row.variant, bold=True, role=role)
        in_sql = f", {units.seconds(row.sql_s)} in SQL (p50)" if row.sql_s is not None else ""
        canvas.text(WIDTH - _SIDE, y, f"{_queries(row.queries)}{in_sql}", align="right")
    for i, variant in enumerate(pair.invalid, len(rows)):
        bottom = height - _ROW * (i + 1) + 8
        invalid_row(canvas, axes, variant, bottom, _BAR, _BOTTOM + bottom + _BAR + 6)
    axes.grid(visible=False, axis="y")
    return canvas.svg(reading(rows))
