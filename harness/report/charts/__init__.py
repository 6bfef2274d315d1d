"""Charts: what a run's rows look like. One function a family; each says None when it has nothing to say for a pair."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from harness.record import Run
from harness.report.charts.model import Chart, PairRows, Panel, rows_by_pair
from harness.report.charts.svg import standalone
from harness.store import RunData

__all__ = ["Chart", "Panel", "chart_files", "draw_charts"]

MOST_PROCESSES = 4
WORTH_FORKING = 8  # pairs
_pairs: list[PairRows] = []  # that are being drawn: processes are forked with them


def draw_charts(run: Run, data: RunData) -> dict[str, tuple[Chart, ...]]:
    """All charts of a run, by pair, in the order in which they are read. Loads matplotlib on first use."""
    from harness.report.charts.canvas import drawing_style

    _pairs[:] = rows_by_pair(run, data)
    try:
        with drawing_style():
            return dict(_drawn(len(_pairs)))
    finally:
        _pairs.clear()


def _drawn(pairs: int) -> Iterable[tuple[str, tuple[Chart, ...]]]:
    """In several processes where that is worth their start, and where forking is safe: no thread is left behind."""
    processes = min(os.cpu_count() or 1, MOST_PROCESSES)
    if pairs < WORTH_FORKING or processes == 1 or sys.platform != "linux" or threading.active_count() > 1:
        return map(_charts, range(pairs))
    _families()  # imported once
    with ProcessPoolExecutor(processes, mp_context=get_context("fork")) as pool:
        return list(pool.map(_charts, range(pairs)))


def _charts(number: int) -> tuple[str, tuple[Chart, ...]]:
    rows = _pairs[number]
    return rows.pair.name, tuple(chart for draw in _families() if (chart := draw(rows)) is not None)


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
