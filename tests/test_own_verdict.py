"""What is concluded from, and said of, an app that nothing is expected of. Pure."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from harness.judgement import RunVerdict
from harness.places import loop_holds
from harness.record import Pair, Run, SequentialAnswer, Variant
from harness.report import summary
from harness.report.junit import render_junit
from harness.report.markdown import render_markdown
from harness.report.states import State, state
from harness.report.terminal import print_verdict
from harness.report.view import page
from harness.verdict import judge
from tests import builders
from tests.builders import ANSWER, hold, result, run, trial

GOOD = {"goodput_rps": 41.0, "failed_share": 0.0, "loop_held_share": 0.0, "response_p99_s": 0.2}
FAILS = SequentialAnswer(name="GET /orders", status=500, body_digest="")


def own() -> Pair:
    """An app of the user's own, as `harness run` makes it."""
    variant = Variant(name="app", summary="started under the probe", cause=None, source="", file="", bug_line=None)
    empty: dict[str, Any] = {"question": "", "lesson": "", "look_for": "", "sources": (), "claims": (), "ceilings": {}}
    return replace(builders.pair(), title="shop:app", variants={"app": variant}, **empty)


def measured(
    *, invalid: tuple[str, ...] = (), answers: tuple[SequentialAnswer, ...] = (ANSWER,), **figures: Any
) -> Run:
    made = trial(1, "app", sequential=answers, invalid=invalid)
    return run(own(), [] if invalid else [result("app", **(GOOD | figures))], [made])


def printed(of: Run, verdict: RunVerdict) -> str:
    console = Console(file=io.StringIO(), width=200)
    print_verdict(console, of, verdict)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_an_app_without_a_finding_is_measured_and_not_judged() -> None:
    of = measured()
    verdict = judge(of)
    assert (verdict.exit_code, verdict.pairs[0].sequential_alike) == (0, None)
    assert state(verdict.pairs[0], of) is State.MEASURED
    assert summary.headline(of, verdict) == "shop:app: 41 requests/s, none failed; nothing to name was found inside."
    inside = page(of, verdict, {}).sections[0].inside
    assert inside is not None
    assert inside.sentences[0].startswith("Nothing was found to name")


def test_a_finding_is_told_in_every_view_and_fails_nothing() -> None:
    of = measured()
    holds = loop_holds([builders.window(holds=[hold(12.0 + n, 0.5) for n in range(8)])])
    of = replace(of, results=(replace(of.results[0], holds=holds),))
    verdict = judge(of)
    assert verdict.exit_code == 0
    for view in (render_markdown(of, verdict).replace("\\", ""), render_junit(of, verdict), printed(of, verdict)):
        assert "buggy.py:7 in get_db" in view
    assert 'failures="0"' in render_junit(of, verdict)
    assert "expected" not in printed(of, verdict)


def test_what_was_seen_from_outside_is_not_called_sound() -> None:
    of = measured(loop_held_share=None)
    verdict = judge(of)
    assert summary.headline(of, verdict).endswith("seen from outside only.")
    inside = page(of, verdict, {}).sections[0].inside
    assert inside is not None
    assert inside.sentences[0].startswith("It was measured from outside")
    assert "loop lag" not in dict(page(of, verdict, {}).glossary)


def test_errors_of_a_single_user_are_told_with_the_first() -> None:
    note = judge(measured(answers=(ANSWER, FAILS))).pairs[0].sequential_note
    assert "already gets 1 error in 2 answers (GET /orders: status 500)" in note
    gone = replace(FAILS, status=0)
    assert "GET /orders: no answer" in judge(measured(answers=(gone,))).pairs[0].sequential_note
    assert "no answer to a single user" in judge(measured(answers=())).pairs[0].sequential_note


def test_an_app_without_a_valid_trial_gives_no_conclusion() -> None:
    of = measured(invalid=("the app ended before the trial did",))
    verdict = judge(of)
    assert verdict.exit_code == 3
    assert summary.headline(of, verdict) == "shop:app: nothing was measured that can be trusted."
    assert "the app ended before the trial did" in printed(of, verdict)


@pytest.mark.parametrize("name", ["response_p99_s", "failed_share"])
def test_a_key_figure_says_when_not_to_trust_it(name: str) -> None:
    of = measured()
    of = replace(of, results=(replace(of.results[0], warnings={name: "at least: 3 of 9 had not ended"}),))
    told = [value for _, value in summary.key_figures("shop", of) if "at least" in value]
    assert len(told) == 1
