"""What the charts are drawn from, against golden data; and that the drawings are lean and always the same."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from subprocess import run as run_process

import numpy as np
import pytest

from harness.judgement import RunVerdict
from harness.record import Figures, Run, VariantResult
from harness.report.charts import Chart, canary, chart_files, draw_charts, outcomes, percentiles, throughput, waterfall
from harness.report.charts.model import PairRows, rows_by_pair
from harness.report.charts.timeline import highest, layers, samples_of
from harness.store import RunData

Sample = tuple[Run, RunVerdict, RunData]


def _result(variant: str, outcomes: dict[str, int] | None = None, **figures: float) -> VariantResult:
    return VariantResult(pair="p", variant=variant, figures=Figures(**figures), outcomes=outcomes or {})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def rows(sample: Sample) -> dict[str, PairRows]:
    return {r.pair.name: r for r in rows_by_pair(sample[0], sample[2])}


def test_throughput_bars_part_the_failed_from_the_good_and_skip_what_was_not_measured() -> None:
    results = [_result("buggy", throughput_rps=157.0, goodput_rps=22.0, ceiling_rps=20.0), _result("fixed")]
    assert throughput.bars(results) == [throughput.Bar("buggy", 22.0, 135.0, 20.0)]


@pytest.mark.parametrize(
    ("bars", "words"),
    [
        ([], "No variant was measured."),
        ([("fixed", 10.0, None)], "fixed answers 10/s correctly."),
        ([("buggy", 100.0, None), ("fixed", 105.0, None)], "All variants answer about alike: 100/s to 105/s."),
        ([("buggy", 0.0, None), ("fixed", 105.0, None)], "buggy gives 0/s correct answers, fixed 105/s."),
        (
            [("buggy", 20.0, 20.0), ("fixed", 200.0, 800.0)],
            "buggy gives 20/s correct answers, fixed 200/s, 10× as many. Of the predicted ceiling: buggy 100 %.",
        ),
    ],
)
def test_throughput_is_told_in_words(bars: list[tuple[str, float, float | None]], words: str) -> None:
    rows = [throughput.Bar(name, good, 0.0, ceiling) for name, good, ceiling in bars]
    assert throughput.reading(rows).replace("\N{NO-BREAK SPACE}", " ") == words


def test_percentile_curve_is_exact_at_its_percentiles() -> None:
    c = percentiles.curve("fixed", np.arange(1.0, 1001.0) / 1000, np.empty(0))
    assert c is not None
    assert c.nines[-1] == pytest.approx(3.0)
    assert c.times[0] == 0.001
    assert c.times[-1] == 0.999  # of 1000 requests, 99.9 % can be told
    assert float(np.interp(2.0, c.nines, c.times)) == pytest.approx(0.99, abs=0.002)
    assert c.certain == float("inf")
    assert len(c.nines) <= 200


def test_percentile_curve_says_from_where_it_is_a_lower_bound() -> None:
    c = percentiles.curve("buggy", np.full(90, 0.1), np.full(10, 2.0))
    assert c is not None
    assert c.certain == pytest.approx(1.0, abs=0.02)  # 90 %
    assert percentiles.at(c, 0.5) == "100\N{NO-BREAK SPACE}ms"
    assert percentiles.at(c, 0.99) == "2\N{NO-BREAK SPACE}s or more"


def test_a_single_request_makes_no_curve() -> None:
    assert percentiles.curve("buggy", np.ones(1), np.empty(0)) is None


def test_outcomes_are_shares_in_the_order_of_the_record() -> None:
    (row,) = outcomes.ends([_result("buggy", {"pool_timeout": 86, "ok": 14}), _result("fixed", {})])
    assert row == outcomes.Ends("buggy", (("ok", 0.14), ("pool_timeout", 0.86)), 100)
    assert outcomes.headline(row) == "86\N{NO-BREAK SPACE}% no connection in time"


def test_canary_needs_both_percentiles() -> None:
    results = [_result("buggy", canary_p50_s=0.1, canary_p99_s=1.0), _result("fixed", canary_p50_s=0.1)]
    assert canary.spans(results) == [canary.Span("buggy", 0.1, 1.0)]


_NAN = float("nan")


@pytest.mark.parametrize(
    ("request_row", "edges"),
    [
        # intended, start, done, token, checkout, sql -> edges of: queue token connection sql rest unfinished
        ((0.0, 1.0, 5.0, 0.5, 1.0, 0.5), (0, 1, 1.5, 2.5, 3, 5, 5)),
        ((0.0, 1.0, 5.0, _NAN, _NAN, _NAN), (0, 1, 1, 1, 1, 5, 5)),
        ((0.0, 1.0, 2.0, 0.0, 9.0, 9.0), (0, 1, 1, 2, 2, 2, 2)),  # never longer than the whole
        ((0.0, _NAN, 2.0, _NAN, _NAN, _NAN), (0, 2, 2, 2, 2, 2, 2)),  # the app was never called
        ((0.0, 1.0, _NAN, _NAN, _NAN, _NAN), (0, 1, 1, 1, 1, 1, 10)),  # no answer by the end
        ((0.0, _NAN, _NAN, _NAN, _NAN, _NAN), (0, 0, 0, 0, 0, 0, 10)),
    ],
)
def test_a_request_is_parted_by_where_it_waited(request_row: tuple[float, ...], edges: tuple[float, ...]) -> None:
    intended, start, done, token, checkout, sql = (np.array([value]) for value in request_row)
    found = waterfall.part_edges(intended, start, done, token, checkout, sql, end=10.0)
    assert found[0] == pytest.approx(edges)


def test_a_blocked_loop_is_a_staircase(rows: dict[str, PairRows]) -> None:
    buggy = rows["blocking_http"].variants[0]
    w = waterfall.slice_of(buggy.trials[0], 2.0)
    ends = w.edges[:, -1]
    inside = ends[ends < 2.0]
    assert len(inside) >= 30
    assert np.all(np.diff(inside) > 0.03)  # one after another
    assert waterfall.longest_part(w) == "95\N{NO-BREAK SPACE}% of their time: waiting before the app got to it"


def test_a_drained_pool_is_a_wall(rows: dict[str, PairRows]) -> None:
    buggy = rows["return_session"].variants[0]
    w = waterfall.slice_of(buggy.trials[0], 1.2)
    assert "waiting for a database connection" in (waterfall.longest_part(w) or "")


def test_the_waterfall_is_an_even_sample(rows: dict[str, PairRows]) -> None:
    fixed = rows["return_session"].variants[1]
    w = waterfall.slice_of(fixed.trials[0], 2.5)
    assert len(w.edges) <= 120 < w.shown_of


def test_the_pool_fills_over_time(rows: dict[str, PairRows]) -> None:
    buggy = samples_of(rows["return_session"].variants[0])
    assert buggy is not None
    assert highest(buggy.out) == 15
    assert highest(buggy.asking) >= 30
    assert layers([buggy]) == ["pool", "threads"]
    assert len(buggy.t) <= 200


def test_invalid_trials_are_not_charted(rows: dict[str, PairRows]) -> None:
    fixed = rows["return_session"].variants[1]
    assert [t.trial.block for t in fixed.trials] == [1]


def test_rows_are_sorted_to_their_trials_in_any_order(sample: Sample) -> None:
    run, _, data = sample
    mixed = replace(data, requests=data.requests.take(np.random.default_rng(1).permutation(data.requests.num_rows)))
    for a, b in zip(rows_by_pair(run, data), rows_by_pair(run, mixed), strict=True):
        for v, w in zip(a.variants, b.variants, strict=True):
            assert [t.requests.num_rows for t in v.trials] == [t.requests.num_rows for t in w.trials]


def test_only_charts_that_say_something_are_drawn(charts: dict[str, tuple[Chart, ...]]) -> None:
    names = {pair: [c.name for c in drawn] for pair, drawn in charts.items()}
    assert names["blocking_http"] == ["throughput", "response", "outcomes", "canary", "waterfall", "timeline"]
    assert "canary" not in names["return_session"]


def test_drawings_are_the_same_each_time(sample: Sample, charts: dict[str, tuple[Chart, ...]]) -> None:
    assert draw_charts(sample[0], sample[2]) == charts


def test_drawings_are_lean_and_carry_words(charts: dict[str, tuple[Chart, ...]]) -> None:
    for drawn in charts.values():
        for chart in drawn:
            assert chart.title
            assert chart.reading
            for panel in chart.panels:
                root = ET.fromstring(panel.svg)
                assert root.get("role") == "img"
                assert len(root.get("aria-label", "")) > 20
                assert "#" not in panel.svg.replace("url(#", "").replace('href="#', ""), "a colour outside the palette"
                assert len(panel.svg) < 16_000


def test_a_variant_that_answered_nothing_is_drawn(sample: Sample) -> None:
    run, _, data = sample
    nothing = Figures(throughput_rps=0.0, goodput_rps=0.0, ceiling_rps=20.0, canary_p50_s=0.0, canary_p99_s=0.0)
    results = tuple(replace(r, figures=nothing, outcomes={"unfinished": 3}) for r in run.results)
    drawn = draw_charts(replace(run, results=results), replace(data, requests=data.requests.slice(0, 0)))
    assert [c.name for c in drawn["blocking_http"]] == ["throughput", "outcomes", "canary", "timeline"]


def test_a_run_without_samples_is_drawn(sample: Sample) -> None:
    run, _, data = sample
    drawn = draw_charts(run, replace(data, samples=data.samples.slice(0, 0)))
    assert "timeline" not in [c.name for c in drawn["blocking_http"]]


def test_charts_stand_alone_as_files(charts: dict[str, tuple[Chart, ...]]) -> None:
    files = chart_files(charts)
    assert "blocking_http-waterfall-partial.svg" in files
    assert "return_session-throughput.svg" in files
    for text in files.values():
        root = ET.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "<style>" in text


def test_the_command_line_does_not_pay_for_matplotlib() -> None:
    code = "import sys, harness.report, harness.report.terminal, harness.report.charts; sys.exit('matplotlib' in sys.modules)"
    assert run_process([sys.executable, "-c", code], check=False).returncode == 0
