"""Markdown, JUnit and the terminal."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from rich.console import Console

from harness.judgement import Equivalence, PairVerdict, RunVerdict
from harness.measured import Figures
from harness.record import Run
from harness.report.asjson import render_json
from harness.report.github import render_annotations
from harness.report.html import render_html
from harness.report.junit import render_junit
from harness.report.markdown import plain, render_markdown
from harness.report.states import MARKS, State, state
from harness.report.summary import invalid_reasons, trust
from harness.report.terminal import LiveProgress, print_verdict
from harness.store import RunData
from tests.report.sample_run import sample_run, stretched

Sample = tuple[Run, RunVerdict, RunData]


@pytest.fixture(scope="module")
def failing(sample: Sample) -> tuple[Run, RunVerdict]:
    """The made-up run with one expectation, one diagnosis and one sequential check that fail."""
    run, verdict, _ = sample
    return run, RunVerdict(pairs=tuple(_spoiled(p) if p.pair == "blocking_http" else p for p in verdict.pairs))


def _spoiled(p: PairVerdict) -> PairVerdict:
    first = replace(p.expectations[0], measured=2.0, met=False)
    wrong = replace(p.diagnoses[0], place_right=False)
    return replace(
        p,
        expectations=(first, *p.expectations[1:]),
        diagnoses=(wrong, *p.diagnoses[1:]),
        sequential_alike=False,
        sequential_note="fixed answers differently",
    )


def test_markdown_is_short_and_has_a_row_a_pair(sample: Sample) -> None:
    text = render_markdown(sample[0], sample[1])
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == ["return_session", "blocking_http", "mutable_default"]
    assert "✓ met" in rows[1]
    assert "buggy.py:26" in rows[1]
    assert text.startswith("## All 3 pairs show what is expected of them.")
    assert "1 of 14\N{NO-BREAK SPACE}trials is invalid" in text
    assert len(text) < 2500


def test_markdown_lists_what_failed(failing: tuple[Run, RunVerdict]) -> None:
    text = render_markdown(*failing)
    assert "### Not as expected" in text
    assert "is 2×, wanted at least 5×" in text
    assert "line wrong" in text
    assert "fixed answers differently" in text


def test_markdown_of_a_partial_run_says_so() -> None:
    run, verdict, _ = sample_run(partial=True)
    assert "This run is partial" in render_markdown(run, verdict)


@pytest.mark.parametrize(("text", "safe"), [("a|b", "a\\|b"), ("<b>", "\\<b\\>"), ("x\ny", "x y"), ("`c`", "\\`c\\`")])
def test_markdown_leaves_no_markup_in_texts(text: str, safe: str) -> None:
    assert plain(text) == safe


def test_junit_has_a_case_for_everything_judged(sample: Sample) -> None:
    run, verdict, _ = sample
    root = ET.fromstring(render_junit(run, verdict).encode())
    for pair in verdict.pairs:
        suite = root.find(f"testsuite[@name='{pair.pair}']")
        assert suite is not None
        bad = sum(bool(t.invalid) for t in run.trials if t.pair == pair.pair)
        assert len(suite) == 1 + len(pair.expectations) + len(pair.diagnoses) + bad
    assert root.get("failures") == "0"
    assert root.get("errors") == "1"


def test_junit_failures_carry_measured_and_wanted(failing: tuple[Run, RunVerdict]) -> None:
    root = ET.fromstring(render_junit(*failing).encode())
    messages = [f.get("message", "") for f in root.iter("failure")]
    assert len(messages) == 3 == int(root.get("failures", ""))
    assert "2×, wanted at least 5×" in messages


def test_junit_of_a_partial_run_marks_the_unmeasured_as_errors() -> None:
    run, verdict, _ = sample_run(partial=True)
    root = ET.fromstring(render_junit(run, verdict).encode())
    suite = root.find("testsuite[@name='mutable_default']")
    assert suite is not None
    assert suite.get("errors") == "1"


def test_junit_survives_characters_that_xml_cannot_carry(sample: Sample) -> None:
    run, verdict, _ = sample
    odd = replace(verdict.pairs[0], sequential_alike=False, sequential_note="\x00\x1b[31m & <broken>")
    assert ET.fromstring(render_junit(run, RunVerdict(pairs=(odd,))).encode()) is not None


def _console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=120, color_system=None, legacy_windows=False)


def _written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_final_table_has_a_row_a_pair_and_the_trust(sample: Sample) -> None:
    console = _console(terminal=False)
    print_verdict(console, sample[0], sample[1])
    text = _written(console)
    for pair in sample[0].pairs:
        assert pair.name in text
    assert "✓ met" in text
    assert "trials is invalid" in text


def test_what_cannot_be_told_looks_like_nothing_else(sample: Sample) -> None:
    run, verdict, _ = sample
    untold = tuple(_untold(p) if p.pair == "blocking_http" else p for p in verdict.pairs)
    assert [state(p, run) for p in untold].count(State.UNTOLD) == 1
    seen = [text for s, text in MARKS.items() if s is not State.UNTOLD]
    assert MARKS[State.UNTOLD] not in seen
    text = render_markdown(run, RunVerdict(pairs=untold))
    assert "1 cannot be told" in text.splitlines()[0]
    assert "| ? inconclusive |" in text
    page = render_html(run, RunVerdict(pairs=untold), {})
    assert (
        page.count('class="mark mark-inconclusive"') == 3
    )  # on the first screen, above its section, at its expectation


def _untold(p: PairVerdict) -> PairVerdict:
    wanted = replace(p.expectations[0].expectation, at_least=None, equivalent_within=0.15)
    first = replace(
        p.expectations[0], expectation=wanted, met=False, equivalence=Equivalence.UNTOLD, interval=(0.8, 1.5)
    )
    return replace(p, expectations=(first, *p.expectations[1:]))


def test_terms_of_the_effects_are_explained_where_they_are_used(sample: Sample) -> None:
    run, verdict, _ = sample
    told = tuple(replace(p, effect="p99 of the canary 2.1 s → 4 ms") for p in verdict.pairs)
    for text in (render_markdown(run, RunVerdict(pairs=told)), render_html(run, RunVerdict(pairs=told), {})):
        assert "The canary is a light request" in text
        assert "A hop is" not in text


def test_the_final_table_lists_failures(failing: tuple[Run, RunVerdict]) -> None:
    console = _console(terminal=False)
    print_verdict(console, *failing)
    assert "✗ blocking_http: the fix is worth it" in _written(console)


PLAN = [("p", "buggy", 1), ("p", "fixed", 1), ("p", "fixed", 2), ("p", "buggy", 2)]


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_progress_is_quiet_in_a_pipe() -> None:
    console = _console(terminal=False)
    with LiveProgress(console, PLAN) as progress:
        progress.step(0, "warm-up")
        progress.finished(0, Figures(goodput_rps=22.4))
    assert _written(console) == ""


def test_progress_shows_where_it_is_and_what_was_found() -> None:
    clock = _Clock()
    progress = LiveProgress(_console(terminal=True), PLAN, clock=clock)
    assert progress.remaining_s() is None
    clock.now += 4
    progress.finished(0, Figures(goodput_rps=22.4, failed_share=0.86, response_p99_s=1.5))
    progress.step(1, "warm-up")
    clock.now += 2
    progress.finished(1, Figures(goodput_rps=223.0), invalid=("the load generator was short of CPU",))
    progress.step(2, "measured window")
    assert progress.remaining_s() == pytest.approx(6.0)
    console = _console(terminal=True)
    console.print(progress.view())
    text = _written(console).replace("\N{NO-BREAK SPACE}", " ")
    for words in (
        "p/buggy #1",
        "22.4/s",
        "86 %",
        "1.5 s",
        "invalid: the load",
        "p/fixed #2",
        "measured window",
        "2 of 4 trials",
    ):
        assert words in text
    assert "about 6 s to go" in text


def test_progress_draws_on_a_terminal_and_cleans_up() -> None:
    console = _console(terminal=True)
    with LiveProgress(console, PLAN) as progress:
        progress.step(0, "warm-up")
    assert "\x1b[?25h" in _written(console)  # the cursor is back


def test_many_pairs_stand_by_theme_and_make_a_short_comment() -> None:
    run, verdict, _ = stretched(16)
    text = render_markdown(run, verdict)
    assert text.count("| `") == 48
    assert text.index("**The event loop**") < text.index("**Sessions, connections") < text.index("**Beliefs put")
    assert "<details><summary>All 48 pairs</summary>" in text
    assert len(text) < 16_000  # GitHub takes 65,536
    console = _console(terminal=False)
    print_verdict(console, run, verdict)
    shown = _written(console)
    assert shown.index("The event loop") < shown.index("blocking_http_15") < shown.index("Sessions, connections")
    narrow = Console(file=io.StringIO(), width=80, color_system=None)
    print_verdict(narrow, run, verdict)
    rows = [line for line in _written(narrow).splitlines() if line.startswith("return_session_")]
    assert len(rows) == 16
    assert all("0 → 487 requests/s" in row for row in rows)  # the figures stay on the pair's line


def test_reasons_that_differ_in_a_number_are_counted_together(sample: Sample) -> None:
    run = sample[0]
    trials = (
        replace(run.trials[0], invalid=("others used 0.8 of the 2 cores",)),
        replace(run.trials[1], invalid=("others used 0.5 of the 2 cores",)),
    )
    assert invalid_reasons(replace(run, trials=trials)) == [("others used 0.8 of the 2 cores (figures vary)", 2)]


def test_trials_that_were_run_once_more_are_told(sample: Sample) -> None:
    run = sample[0]
    again = replace(run.trials[0], id=99, repeats=run.trials[0].id)
    bad = replace(run.trials[0], invalid=("no",))
    assert "1 of them was run once more." in trust(replace(run, trials=(bad, *run.trials[1:], again)))


def test_json_holds_verdict_and_figures_without_numbers_that_json_lacks(failing: tuple[Run, RunVerdict]) -> None:
    run, verdict = failing
    endless = RunVerdict(pairs=(replace(verdict.pairs[0], effect_ratio=float("inf")), *verdict.pairs[1:]))

    def refuse(name: str) -> None:
        raise AssertionError(name)

    found = json.loads(render_json(run, endless), parse_constant=refuse)
    pairs = {p["pair"]: p for p in found["pairs"]}
    assert pairs[verdict.pairs[0].pair]["effect_ratio"] is None
    judged = pairs["blocking_http"]
    assert (judged["state"], found["met"], found["exit_code"]) == ("not met", False, 3)
    assert judged["expectations"][0]["measured"] == 2.0
    assert judged["diagnoses"][0]["found"][0]["frame"]["line"] == 26
    result = next(r for r in run.results if (r.pair, r.variant) == ("blocking_http", "buggy"))
    shown = judged["variants"]["buggy"]
    assert shown["figures"]["goodput_rps"] == result.figures.goodput_rps
    assert [s["around"] for s in shown["split"]] == ["p50", "p99"]


def test_annotations_stand_at_the_named_line_of_a_pair_that_failed(failing: tuple[Run, RunVerdict]) -> None:
    lines = render_annotations(*failing).splitlines()
    errors = [line for line in lines if line.startswith("::error ")]
    assert len(errors) == 3
    assert all(line.startswith("::error file=buggy.py,line=26,title=blocking_http::") for line in errors)
    assert [line for line in lines if line.startswith("::warning title=invalid trials::1×: ")]


def test_annotations_of_an_own_app_are_what_was_found(sample: Sample) -> None:
    run, verdict, _ = sample
    own = replace(
        run.pairs[2],
        expectations=(),
        variants={"app": replace(run.pairs[2].variants["buggy"], name="app", cause=None)},
    )
    judged = next(p for p in verdict.pairs if p.pair == own.name)
    odd = replace(judged.diagnoses[0].found[0], message="100 % of,\nit")
    told = replace(judged, diagnoses=(replace(judged.diagnoses[0], found=(odd,)),))
    text = render_annotations(replace(run, pairs=(own,), trials=()), RunVerdict(pairs=(told,)))
    assert text.startswith("::warning file=buggy.py,line=26,title=the event loop is blocked::100 %25 of,%0Ait ")
    assert text.count("\n") == 1
