"""Charts: what a run's rows look like. One function a family; each says None when it has nothing to say for a pair."""

from __future__ import annotations

from collections.abc import Callable

from harness.record import Run
from harness.report.charts.model import Chart, PairRows, Panel, rows_by_pair
from harness.report.charts.svg import standalone
from harness.store import RunData

__all__ = ["Chart", "Panel", "chart_files", "draw_charts"]


def draw_charts(run: Run, data: RunData) -> dict[str, tuple[Chart, ...]]:
    """All charts of a run, by pair, in the order in which they are read. Loads matplotlib on first use."""
    from harness.report.charts.canvas import drawing_style

    families = _families()
    with drawing_style():
        return {rows.pair.name: _charts(rows, families) for rows in rows_by_pair(run, data)}


def _charts(rows: PairRows, families: tuple[Callable[[PairRows], Chart | None], ...]) -> tuple[Chart, ...]:
    return tuple(chart for draw in families if (chart := draw(rows)) is not None)


def _families() -> tuple[Callable[[PairRows], Chart | None], ...]:
    from harness.report.charts import (
        answers,
        canary,
        latency,
        outcomes,
        percentiles,
        queries,
        scalability,
        throughput,
        timeline,
        waterfall,
    )

    overview = throughput.draw, percentiles.draw, latency.draw, queries.draw, outcomes.draw, canary.draw
    by_variant = waterfall.draw, timeline.draw, answers.draw
    return *overview, *by_variant, scalability.draw_goodput, scalability.draw_response


def chart_files(charts: dict[str, tuple[Chart, ...]]) -> dict[str, str]:
    """Each picture as an SVG file of its own: file name -> content."""
    files = {}
    for pair, drawn in charts.items():
        for chart in drawn:
            for panel in chart.panels:
                suffix = f"-{panel.label}" if panel.label else ""
                title = f"{chart.title}: {panel.label}" if panel.label else chart.title
                files[f"{pair}-{chart.name}{suffix}.svg"] = standalone(panel.svg, title=title, legend=chart.legend)
    return files
