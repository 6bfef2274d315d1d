"""Sweeps in the report: told, drawn, and doubted where they must be."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from harness.judgement import RunVerdict
from harness.measured import Figures
from harness.record import Run, Scalability, Workload
from harness.report import sweeps
from harness.report.charts import draw_charts, scalability
from harness.report.html import render_html
from harness.store import RunData
from harness.sweep import scalability as concluded
from harness.usl import rate
from tests.builders import trial

Sample = tuple[Run, RunVerdict, RunData]
USERS = (1, 2, 4, 8, 16, 32, 64)


def sweep(variant: str, rates: Sequence[float], users: Sequence[int] = USERS, **figures: float) -> Scalability:
    timed = {"response_p50_s": 0.1, "response_p99_s": 0.3, "failed_share": 0.0} | figures
    trials = [
        replace(
            trial(200 + n, variant, sequential=()),
            pair="blocking_http",
            workload=Workload(users=n),
            figures=Figures(goodput_rps=float(r), **timed),  # type: ignore[arg-type]
            warnings={"response_p99_s": "at least: 3 of 9 requests had not ended"} if n == 64 else {},
        )
        for n, r in zip(users, rates, strict=True)
    ]
    return concluded("blocking_http", variant, trials)


def law(single: float, contention: float, coherency: float) -> list[float]:
    """Rates that follow the law but for one per cent up and down."""
    exact = rate(np.array(USERS, dtype=np.float64), single, contention, coherency)
    return [float(r) for r in exact * (1 + 0.01 * np.array([1, -1, 1, -1, 1, -1, 1]))]


FLAT = sweep("buggy", [20.0] * 7, ceiling_rps=20.0)
PEAKED = sweep("fixed", law(50.0, 0.05, 0.002))
CLIFF = sweep("partial", [300, 500, 100, 20, 10, 3, 0])


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (FLAT, "a second user adds nothing to the 20/s of the first"),
        (CLIFF, "most answered is 500/s at 2 users; the law does not describe it"),
        (sweep("fixed", [10, 20], (1, 2)), "10/s at 1 user and 20/s at 2 users; no fit"),
        (sweep("fixed", [10], (8,)), "10/s at 8 users; no fit"),
        (Scalability(pair="p", variant="fixed", trials=()), "no valid trial of its sweep"),
        (
            sweep("fixed", law(50.0, 0.0, 0.0)),
            "no peak to be seen up to 64 users; what an added user costs the others cannot be told from nothing",
        ),
    ],
)
def test_a_sweep_is_told_in_one_sentence(found: Scalability, words: str) -> None:
    assert sweeps.sentence(found).replace("\N{NO-BREAK SPACE}", " ") == words


def test_a_peak_is_told_with_its_interval_and_its_price() -> None:
    words = sweeps.sentence(PEAKED).replace("\N{NO-BREAK SPACE}", " ")
    assert words.startswith("gains up to about 22 users (95 %: 2")
    assert "each added user adds 5" in words
    assert "for each user already there" in words


def test_a_time_that_is_a_lower_bound_is_marked() -> None:
    rows = sweeps.part(PEAKED).points
    assert [row[3].startswith("≥") for row in rows] == [False] * 6 + [True]


def test_sweeps_are_drawn_lean_and_with_words(sample: Sample) -> None:
    run, _, data = sample
    one = sweep("other", [10.0], (8,))
    for found in ((FLAT, CLIFF, PEAKED), (one,)):
        charts = {c.name: c for c in draw_charts(replace(run, sweeps=found), data)["blocking_http"]}
        for name in ("sweep-goodput", "sweep-response"):
            (panel,) = charts[name].panels
            assert ET.fromstring(panel.svg).get("role") == "img"
            assert len(panel.svg) < 16_000
            assert all(f"{s.variant}: " in charts[name].reading for s in found)


def test_no_sweep_no_chart(sample: Sample) -> None:
    names = [c.name for c in draw_charts(sample[0], sample[2])["blocking_http"]]
    assert not [n for n in names if n.startswith("sweep")]


def test_the_axis_of_users_keeps_its_words_apart() -> None:
    ticks = scalability.user_ticks((1, 2, 40, 50, 55, 60), 300.0)
    assert ticks[-1][1] == "60"
    places = [at for at, _ in ticks]
    assert min(np.diff(places)) / (places[-1] - places[0]) * 300 >= 22


def test_the_page_shows_a_sweep_with_its_warnings(sample: Sample) -> None:
    run, verdict, data = sample
    swept = replace(run, sweeps=(FLAT, CLIFF, PEAKED))
    page = render_html(swept, verdict, draw_charts(swept, data))
    assert page.count("With more users") == 1
    assert "the law does not describe these points" in page
    assert "σ is at its bound of 1" in page
    assert "With more users" not in render_html(run, verdict, draw_charts(run, data))
