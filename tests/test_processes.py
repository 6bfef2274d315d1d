"""Samples of several processes that serve one app."""

from __future__ import annotations

from typing import Any

from harness.figures import measure
from harness.places import loop_holds
from harness.processes import process_count, summed
from harness.store import SAMPLES
from tests import builders


def sample(t_s: float, process: int, out: int | None, **known: Any) -> dict[str, Any]:
    return {"t_s": t_s, "process": process, "connections_out": out, **known}


def test_one_process_is_left_as_it_is() -> None:
    table = builders.table(SAMPLES, [sample(11.0, 0, 3), sample(11.1, 0, None)])
    assert summed(table) is table
    assert process_count(SAMPLES.empty_table()) == 1
    assert summed(SAMPLES.empty_table()).num_rows == 0


def test_processes_are_summed_at_a_time_and_not_by_their_own_peaks() -> None:
    # each has 5 connections out once, but never at the same time as the other
    rows = [sample(11.0, 0, 5), sample(11.01, 1, 1), sample(11.05, 0, 2), sample(11.06, 1, 5), sample(11.1, 0, 1)]
    table = summed(builders.table(SAMPLES, rows))
    assert table["t_s"].to_pylist() == [11.01, 11.05, 11.06, 11.1]  # at 11.0 nothing was known of the other
    assert table["connections_out"].to_pylist() == [6, 3, 7, 6]


def test_what_is_not_known_of_one_process_is_not_known_of_the_sum() -> None:
    rows = [sample(11.0, 0, 5), sample(11.01, 1, None), sample(11.06, 1, 2)]
    assert summed(builders.table(SAMPLES, rows))["connections_out"].to_pylist() == [None, 7]


def test_the_figures_are_those_of_all_processes_together() -> None:
    rows = [
        sample(t, process, 4, cpu_s=(process + 1) * 0.1 * (t - 10), rss_bytes=100)
        for t in (10.0, 15.0, 20.0)
        for process in (0, 1)
    ]
    window = builders.window(samples=rows, holds=[builders.hold(15.0, 1.0)])
    both, _ = measure([window])
    assert (both.connections_out_max, both.rss_max_bytes) == (8, 200)
    assert both.cpu_share is not None
    assert round(both.cpu_share, 6) == 0.3  # 0.1 and 0.2 of a core
    assert both.loop_held_share == 0.05  # of the two loops one was held for a tenth of the window
    (hold,) = loop_holds([window])
    assert (hold.held_s, hold.per_loop_s) == (1.0, 0.5)
