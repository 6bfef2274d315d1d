"""The page: whole, self-contained, honest about what is missing, and the same each time."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.judgement import RunVerdict
from harness.measured import Contention
from harness.record import Run
from harness.report import write_report
from harness.report.charts import Chart, draw_charts
from harness.report.html import render_html
from harness.store import RunData
from harness.verdict import judge
from tests.report.sample_run import HOSTILE, sample_run, without_valid

Sample = tuple[Run, RunVerdict, RunData]
_VOID = {"meta", "link", "br", "input", "img", "hr", "path", "rect", "use"}


class _Page(HTMLParser):
    """Collects what the tests look at, and that every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.refs: list[str] = []
        self.headings: list[int] = []
        self.loads: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag)
        self._note(tag, dict(attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data

    def _note(self, tag: str, attrs: dict[str, str | None]) -> None:
        if attrs.get("id"):
            self.ids.append(str(attrs["id"]))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for key in ("src", "href", "srcset", "action", "data", "poster"):
            value = attrs.get(key) or ""
            if value.startswith("#"):
                self.refs.append(value[1:])
            elif value and value != "data:,":
                self.loads.append(value)


@pytest.fixture(scope="module")
def html(sample: Sample, charts: dict[str, tuple[Chart, ...]]) -> str:
    return render_html(sample[0], sample[1], charts)


@pytest.fixture(scope="module")
def page(html: str) -> _Page:
    return _Page(html)


def _render(run: Run, verdict: RunVerdict, data: RunData) -> _Page:
    return _Page(render_html(run, verdict, draw_charts(run, data)))


def test_the_page_needs_nothing_else(html: str, page: _Page) -> None:
    assert page.loads == []
    assert "@import" not in html
    assert not re.findall(r"https?://(?!www\.w3\.org/)", re.sub(r'<td class="src">.*?</td>', "", html))
    assert not re.findall(r"url\((?!#)", html)


def test_the_page_is_well_formed(page: _Page) -> None:
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert set(page.refs) <= set(page.ids)
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False))


def test_hostile_text_stays_text(html: str, page: _Page) -> None:
    assert HOSTILE not in html
    assert HOSTILE in page.text


def test_every_pair_variant_expectation_and_chart_is_there(
    sample: Sample, page: _Page, html: str, charts: dict[str, tuple[Chart, ...]]
) -> None:
    for pair in sample[0].pairs:
        assert pair.name in page.ids
        for text in (pair.title, pair.question, pair.lesson):
            assert text in page.text
        for variant in pair.variants:
            assert f">{variant}<" in html
        for expectation in pair.expectations:
            assert expectation.that in page.text
    assert html.count('<svg class="chart" ') == sum(len(c.panels) for drawn in charts.values() for c in drawn)


def test_pairs_stand_in_the_order_of_their_effect(page: _Page) -> None:
    names = ["return_session", "blocking_http", "mutable_default"]
    assert [i for i in page.ids if i in names] == names


def test_the_diagnosis_stands_at_the_guilty_line(html: str) -> None:
    guilty = html.index("requests.get(")
    note = html.index("requests.get ran on the event loop")
    assert 0 < note - guilty < 1500
    assert html.count("◀ the bug") == 3  # buggy of two pairs; once more in the diff to the partial fix


def test_an_invalid_trial_is_told_with_its_reason(page: _Page) -> None:
    assert "1 of 14\N{NO-BREAK SPACE}trials is invalid" in page.text
    assert "the load generator used 97 % of its core" in page.text
    assert "partly invalid" in page.text


def test_a_warned_figure_carries_its_warning(html: str) -> None:
    assert re.search(r'<td class="warned">[^<]+<sup><a href="#return_session-note-a"', html)
    assert "a lower bound: 24 requests had no answer" in html


def test_lost_promises_are_told(page: _Page) -> None:
    assert "2 of 20 lost" in page.text
    assert "all 20 kept" in page.text


def test_a_valid_run_says_so() -> None:
    page = _render(*sample_run(invalid=False))
    assert "All 14\N{NO-BREAK SPACE}trials are valid." in page.text
    assert "invalid: shown" not in page.text


def test_a_partial_run_says_so_and_shows_the_rest() -> None:
    page = _render(*sample_run(partial=True))
    assert "This run is partial" in page.text
    assert "Without a valid trial: mutable_default/buggy, mutable_default/fixed." in page.text
    assert "the run ended before" not in page.text.split("What each bug costs")[0]
    assert "2 of 3\N{NO-BREAK SPACE}pairs show what is expected of them; 1 could not be measured." in page.text
    assert "mutable_default" in page.ids


def test_a_run_without_any_trial_still_makes_a_page(sample: Sample) -> None:
    run = replace(sample[0], trials=(), results=(), status="partial")
    page = _render(run, RunVerdict(pairs=()), sample[2])
    assert "No trial was finished." in page.text


def test_an_app_of_the_user_without_a_fix_makes_a_page(sample: Sample) -> None:
    run, verdict, data = sample
    pair = next(p for p in run.pairs if p.name == "blocking_http")
    alone = replace(
        pair, variants={"buggy": pair.variants["buggy"]}, expectations=(), ceilings={}, sources=(), claims=()
    )
    trials = tuple(t for t in run.trials if (t.pair, t.variant) == (pair.name, "buggy"))
    results = tuple(r for r in run.results if (r.pair, r.variant) == (pair.name, "buggy"))
    judged = replace(next(p for p in verdict.pairs if p.pair == pair.name), expectations=(), effect_ratio=None)
    page = _render(replace(run, pairs=(alone,), trials=trials, results=results), RunVerdict(pairs=(judged,)), data)
    assert "The lines that differ" not in page.text
    assert "Where each request waits" in page.text


def test_all_views_are_written_and_written_alike(sample: Sample, tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    assert write_report(first, *sample) == first / "report.html"
    (second / "charts").mkdir(parents=True)
    (second / "charts" / "of-an-older-version.svg").touch()
    write_report(second, *sample)
    assert not (second / "charts" / "of-an-older-version.svg").exists()
    names = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert {Path("report.html"), Path("report.md"), Path("junit.xml")} < set(names)
    assert len([n for n in names if n.parent == Path("charts")]) == 28
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_a_variant_without_a_valid_trial_is_no_result_anywhere(sample: Sample) -> None:
    run = without_valid(sample, "return_session", "buggy")
    page = _render(run, judge(run), sample[2])
    assert "pairs show what is expected of them; 1 could not be measured." in page.text
    assert page.text.count("no valid trial of buggy") == 2  # on the first screen and above the pair
    assert "Without a valid trial: return_session/buggy." in page.text


def test_the_trials_tell_who_else_was_at_work_and_what_was_run_again(sample: Sample) -> None:
    run, verdict, data = sample
    first = replace(run.trials[0], invalid=("no",), contention=Contention(cores=2, busy_cores=2.0, others_cores=0.82))
    again = replace(run.trials[0], id=77, repeats=first.id)
    page = _render(replace(run, trials=(first, *run.trials[1:], again)), verdict, data)
    assert "0.82" in page.text
    assert "run once more, as trial 77" in page.text
    assert f"77: {again.variant}, block {again.block}, run again for {first.id}" in page.text


def test_the_way_to_see_it_again_is_exact(page: _Page) -> None:
    assert "harness bench blocking_http --profile quick --seed 7" in page.text
