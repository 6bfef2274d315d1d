"""What the charts are drawn from, against golden data; and that the drawings are lean and always the same."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import fields, replace
from subprocess import run as run_process

import numpy as np
import pytest

from harness.judgement import RunVerdict
from harness.measured import Figures, LatencySplit
from harness.record import Run, VariantResult
from harness.report.charts import (
    Chart,
    answers,
    canary,
    chart_files,
    draw_charts,
    latency,
    outcomes,
    percentiles,
    queries,
    throughput,
    waterfall,
)
from harness.report.charts.canvas import drawing_style
from harness.report.charts.model import Floats, PairRows, rows_by_pair
from harness.report.charts.palette import ROLES
from harness.report.charts.timeline import highest, layers, samples_of
from harness.split import COLUMNS
from harness.store import RunData
from tests.report.sample_run import without_valid

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
        ([], "No variant has a valid trial."),
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
    ("request_row", "lengths"),
    [
        # sent, start, done, token, checkout, sql -> lengths by part
        (
            (0.5, 1, 5, 0.5, 1, 0.5),
            {"unsent": 0.5, "queue": 0.5, "token": 0.5, "connection": 1, "sql": 0.5, "untimed": 2},
        ),
        ((0, 1, 5, _NAN, _NAN, _NAN), {"queue": 1, "untimed": 4}),
        ((0, 1, 2, 0, 9, 9), {"queue": 1, "connection": 1}),  # never longer than the whole
        ((0, _NAN, 2, _NAN, _NAN, _NAN), {"queue": 2}),  # the app was never called
        ((0, 1, _NAN, _NAN, _NAN, _NAN), {"queue": 1, "unfinished": 9}),  # no answer by the end
        ((0, _NAN, _NAN, _NAN, _NAN, _NAN), {"unfinished": 10}),
    ],
)
def test_a_request_is_parted_by_where_it_waited(request_row: tuple[float, ...], lengths: dict[str, float]) -> None:
    names = ("sent_s", "start_s", "done_s", "token_wait_s", "checkout_wait_s", "sql_s")
    rows = dict.fromkeys(COLUMNS, np.array([_NAN])) | {"intended_s": np.array([0.0])}
    rows |= {name: np.array([float(value)]) for name, value in zip(names, request_row, strict=True)}
    assert _lengths(rows) == pytest.approx(lengths)


def test_a_request_whose_steps_were_timed_is_parted_as_its_split_is() -> None:
    rows = {name: np.array([0.25]) for name in COLUMNS} | {name: np.array([9.0]) for name in waterfall._COLUMNS}
    rows |= {"intended_s": np.array([0.0]), "sent_s": np.array([0.5]), "start_s": np.array([1.0])}
    rows |= {"last_byte_s": np.array([3.0]), "done_s": np.array([3.5])}
    steps = dict.fromkeys(("token", "connection", "sql", "upstream", "own"), 0.25)
    assert _lengths(rows) == pytest.approx(steps | {"unsent": 0.5, "queue": 1.25, "rest": 0.5})


def _lengths(rows: dict[str, Floats]) -> dict[str, float]:
    """The parts that are not nothing."""
    lengths = np.diff(waterfall.part_edges(rows, end=10.0)[0])
    return {role: float(n) for (role, _), n in zip(waterfall.PARTS, lengths, strict=True) if n}


def test_a_blocked_loop_is_a_staircase(rows: dict[str, PairRows]) -> None:
    buggy = rows["blocking_http"].variants[0]
    w = waterfall.slice_of(buggy.trials[0], 2.0)
    ends = w.edges[:, -1]
    inside = ends[ends < 2.0]
    assert len(inside) >= 30
    assert np.all(np.diff(inside) > 0.03)  # one after another
    assert waterfall.longest_part(w) == "95\N{NO-BREAK SPACE}% of their time: waiting for the loop"


def test_a_drained_pool_is_a_wall(rows: dict[str, PairRows]) -> None:
    buggy = rows["return_session"].variants[0]
    w = waterfall.slice_of(buggy.trials[0], 1.2)
    assert "waiting for a connection" in (waterfall.longest_part(w) or "")


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
    assert names["blocking_http"] == [
        "throughput", "response", "latency", "outcomes", "canary", "waterfall", "timeline",
    ]  # fmt: skip
    assert "canary" not in names["return_session"]
    assert "answers" in names["return_session"]
    assert "outcomes" not in names["mutable_default"]  # all were right


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
    results = tuple(replace(r, figures=nothing, outcomes={"unfinished": 3}, split=()) for r in run.results)
    drawn = draw_charts(replace(run, results=results), replace(data, requests=data.requests.slice(0, 0)))
    assert [c.name for c in drawn["blocking_http"]] == ["throughput", "outcomes", "timeline"]


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


def _split(around: str = "p50", **parts: float) -> LatencySplit:
    names = [name for _, name, _ in latency.PARTS]
    known = dict.fromkeys(names, 0.0) | {f"{part}_s": value for part, value in parts.items()}
    return LatencySplit(
        around=around, from_quantile=0.4, to_quantile=0.6, requests=9, response_s=sum(known.values()), **known
    )


def test_the_split_knows_every_part_of_the_record() -> None:
    parts = {f.name for f in fields(LatencySplit)} - {
        "from_quantile",
        "to_quantile",
        "requests",
        "response_s",
        "around",
    }
    assert {name for _, name, _ in latency.PARTS} == parts


def test_the_split_is_told_by_its_largest_parts() -> None:
    told = latency.main_parts(_split(checkout=0.8, sql=0.15, own=0.05)).replace("\N{NO-BREAK SPACE}", " ")
    assert told == "80 % waiting for a connection, 15 % in SQL"
    assert latency.main_parts(_split(loop=0.99, own=0.01)).endswith("waiting for the loop")


def test_the_split_labels_what_colours_show(charts: dict[str, tuple[Chart, ...]]) -> None:
    (chart,) = (c for c in charts["return_session"] if c.name == "latency")
    texts = [e.text or "" for e in ET.fromstring(chart.panels[0].svg).iter() if e.tag.endswith("text")]
    assert sum(t.startswith("p50: ") for t in texts) == sum(t.startswith("p99: ") for t in texts) == 2
    assert any(t.endswith("waiting for a connection") for t in texts)
    assert {role for role, _ in chart.legend} <= {role for role, _, _ in latency.PARTS}
    assert len({ROLES[role].hatch for role, _ in waterfall.PARTS}) >= len(waterfall.PARTS) - 2, (
        "told apart without colour"
    )


def test_a_variant_without_a_valid_trial_has_a_hatched_place_in_every_chart(sample: Sample) -> None:
    drawn = draw_charts(without_valid(sample, "blocking_http", "partial"), sample[2])["blocking_http"]
    assert len(drawn) == 7
    for chart in drawn:
        hatched = [p for p in chart.panels if "f-invalid" in p.svg]
        assert len(hatched) == 1, chart.name
        if len(chart.panels) > 1:
            assert [p.label for p in chart.panels] == ["buggy", "partial", "fixed"]
            assert hatched[0].label == "partial"
        else:
            assert "invalid" in hatched[0].svg.split("</svg>")[0]


def test_a_pair_without_any_valid_trial_shows_hatched_places_alone(sample: Sample) -> None:
    run = without_valid((without_valid(sample, "return_session", "buggy"), *sample[1:]), "return_session", "fixed")
    (chart,) = draw_charts(run, sample[2])["return_session"]
    assert chart.reading == "No variant has a valid trial."
    assert chart.panels[0].svg.count("invalid: no figure") == 2


def test_queries_are_drawn_where_they_differ(rows: dict[str, PairRows]) -> None:
    assert queries.draw(rows["return_session"]) is None
    pair = rows["return_session"]
    many = replace(pair.variants[0], result=_result("buggy", queries_per_request=99.0, sql_p50_s=0.3))
    few = replace(pair.variants[1], result=_result("fixed", queries_per_request=3.0))
    chart = _drawn(queries.draw, replace(pair, variants=(many, few)))
    assert chart.reading == "A request sends 99 (buggy), 3 (fixed) queries."


def test_failures_are_drawn_when_they_came(rows: dict[str, PairRows]) -> None:
    buggy = answers.answers_of(rows["return_session"].variants[0])
    assert buggy.edges[0] == pytest.approx(-0.5)
    assert buggy.edges[-1] == pytest.approx(2.5)
    trial = rows["return_session"].variants[0].trials[0]
    done = trial.request_column("done_s")[trial.requests_with("outcome", "pool_timeout")] - trial.window[0]
    inside = int(((done >= -0.5) & (done <= 2.5)).sum())
    width = float(np.diff(buggy.edges)[0])
    assert float(buggy.rates["pool_timeout"].sum() * width) == pytest.approx(inside)
    assert answers.draw(rows["blocking_http"]) is None  # nothing failed


def _drawn(draw: Callable[[PairRows], Chart | None], pair: PairRows) -> Chart:
    with drawing_style():
        chart = draw(pair)
    assert chart is not None
    return chart
