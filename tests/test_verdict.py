"""Expectations, effect, sequential check, and the diagnosis held against the marked line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import inf
from typing import Any

import pytest

from harness.inside import CheckoutSite, Frame, LoopHold
from harness.judgement import DiagnosisResult, PairVerdict, RunVerdict
from harness.record import Cause, Expectation, SequentialAnswer, Trial, Variant, VariantResult
from harness.verdict import judge
from tests.builders import ANSWER, BUGGY, frame, pair, result, run, trial, variant

METRIC: dict[str, Any] = {"that": "it is worth it", "metric": "goodput_rps", "variant": "fixed"}


def leaking(of: VariantResult, place: Frame) -> VariantResult:
    site = CheckoutSite(
        taken=None, session=place, engine=None, route=None, checkouts=9, timeouts=0, opened=0, outlived=9, wait_s=0,
        hold_s=9, sql_s=0,
    )  # fmt: skip
    return replace(of, checkouts=(site,))


def blocking(of: VariantResult, place: Frame) -> VariantResult:
    return replace(of, holds=(LoopHold(user=place, offender=place, route=None, held_s=9.0, times=9),))


def verdict(
    *results: VariantResult,
    expectations: Iterable[Expectation] = (),
    variants: Iterable[Variant] | None = None,
    trials: list[Trial] | None = None,
) -> PairVerdict:
    of = run(pair(*expectations, variants=variants), results, trials if trials or results else [trial()])
    (found,) = judge(of).pairs
    return found


def diagnosis(seen: VariantResult, source: str = BUGGY, name: str = "buggy", **known: Any) -> DiagnosisResult:
    (found,) = verdict(seen, variants=[variant(name, source=source, **known)]).diagnoses
    return found


@pytest.mark.parametrize(
    ("limits", "fixed", "buggy", "measured", "met"),
    [
        ({"at_least": 100.0}, 100.0, None, 100.0, True),
        ({"at_least": 100.0}, 99.9, None, 99.9, False),
        ({"at_most": 100.0}, 100.0, None, 100.0, True),
        ({"at_most": 100.0}, 100.1, None, 100.1, False),
        ({"at_most": 0.0}, 0.0, None, 0.0, True),
        ({"at_least": 10.0, "at_most": 20.0}, 15.0, None, 15.0, True),
        ({"at_least": 10.0, "at_most": 20.0}, 5.0, None, 5.0, False),
        ({"at_least": 5.0, "over": "buggy"}, 100.0, 20.0, 5.0, True),
        ({"at_least": 5.0, "over": "buggy"}, 99.0, 20.0, 4.95, False),
        ({"at_least": 100.0}, None, None, None, False),  # what was not measured meets nothing
        ({"at_most": 100.0}, None, None, None, False),
        ({"at_least": 5.0, "over": "buggy"}, 100.0, None, None, False),
        ({"at_least": 5.0, "over": "buggy"}, None, 20.0, None, False),
        ({"at_least": 5.0, "over": "buggy"}, 100.0, 0.0, None, False),  # no ratio to nothing
    ],
)
def test_expectations(
    limits: dict[str, Any], fixed: float | None, buggy: float | None, measured: float | None, met: bool
) -> None:
    seen = [result("buggy", goodput_rps=buggy), result("fixed", goodput_rps=fixed)]
    (found,) = verdict(*seen, expectations=[Expectation(**METRIC, **limits)]).expectations
    assert found.measured == (None if measured is None else pytest.approx(measured))
    assert found.met is met


def test_an_expectation_of_a_variant_that_was_not_measured_is_not_met() -> None:
    found = verdict(result("buggy"), expectations=[Expectation(**METRIC, at_least=1.0)])
    assert [(e.measured, e.met) for e in found.expectations] == [(None, False)]
    assert not found.met


@pytest.mark.parametrize(
    ("buggy", "fixed", "sentence", "ratio"),
    [
        ({"goodput_rps": 22.4}, {"goodput_rps": 223.6}, "22 → 224 requests/s", 9.98),
        ({"goodput_rps": 9.94}, {"goodput_rps": 99.4}, "9.9 → 99 requests/s", 10.0),
        (
            {"goodput_rps": 22.0, "failed_share": 0.86},
            {"goodput_rps": 220.0, "failed_share": 0.0},
            "22 → 220 requests/s, 86 % failed → none",
            10.0,
        ),
        (
            {"goodput_rps": 50.0, "failed_share": 0.0},
            {"goodput_rps": 100.0, "failed_share": 0.004},
            "50 → 100 requests/s, none failed → 0.4 %",
            2.0,
        ),
        ({"goodput_rps": 0.0, "failed_share": 1.0}, {"goodput_rps": 50.0}, "0.0 → 50 requests/s, 100 % failed → none", inf),
    ],
)  # fmt: skip
def test_the_effect_is_one_sentence(
    buggy: dict[str, float], fixed: dict[str, float], sentence: str, ratio: float
) -> None:
    found = verdict(result("buggy", **buggy), result("fixed", **fixed))
    assert found.effect == sentence
    assert found.effect_ratio == pytest.approx(ratio, rel=0.001)


def test_one_side_alone_has_no_effect() -> None:
    found = verdict(result("buggy", goodput_rps=22.0))
    assert (found.effect, found.effect_ratio) == ("not measured on both sides", None)


def test_variants_that_answer_one_user_alike() -> None:
    found = verdict(trials=[trial(1), trial(2, "fixed"), trial(3, "fixed", 2), trial(4, "buggy", 2)])
    assert found.sequential_alike
    assert found.sequential_note == "one user, one request at a time: 2 answers, alike in buggy and fixed"


@pytest.mark.parametrize(
    "odd",
    [
        (ANSWER, replace(ANSWER, body_digest="0000")),
        (ANSWER, replace(ANSWER, status=500)),
        (ANSWER, SequentialAnswer(name="GET /b", status=200, body_digest="9f2c")),
        (ANSWER,),
    ],
)
def test_a_variant_that_answers_one_user_differently_is_named(odd: tuple[SequentialAnswer, ...]) -> None:
    trials = [trial(1), trial(2, "fixed"), trial(3, "fixed", 2, sequential=odd), trial(4, "buggy", 2)]
    found = verdict(trials=trials)
    assert not found.sequential_alike
    assert found.sequential_note == "fixed (block 2) answers one user differently from the others"
    assert not found.met


def test_later_trials_need_no_sequential_check_but_the_first_ones_do() -> None:
    later = [trial(3, "fixed", 2, sequential=()), trial(4, "buggy", 2, sequential=())]
    assert verdict(trials=[trial(1), trial(2, "fixed"), *later]).sequential_alike
    assert not verdict(trials=[trial(1), trial(2, "fixed", sequential=()), *later]).sequential_alike


def test_a_sequential_check_without_answers_shows_nothing() -> None:
    found = verdict(trials=[trial(1, sequential=()), trial(2, "fixed", sequential=())])
    assert (found.sequential_alike, found.sequential_note) == (False, "no answer of the sequential check was kept")


ENGINE = """\
engine = create_engine(
    url,  # BUG
    pool_size=1,
)
other = create_engine(url)
"""
DEPENDENCIES = """\
class Shop:
    def get_db(self):
        note = "taken"
        return SessionLocal(
            self.bind  # BUG
        )

    def close(self):
        pass


def elsewhere():
    return SessionLocal()
"""
NESTED = """\
def create_app():
    def get_db():
        session = SessionLocal()  # BUG
        yield session

    return FastAPI()
"""
BLOCK = """\
with pool() as opened:  # BUG
    warm(opened)
"""


@pytest.mark.parametrize(
    ("source", "line", "function", "right"),
    [
        (BUGGY, 7, "get_db", True),  # the line
        (BUGGY, 8, "get_db", True),  # the function that it stands in: the dependency
        (BUGGY, 3, "<module>", False),
        *[(ENGINE, line, "<module>", line < 5) for line in range(1, 6)],  # a statement of four lines
        *[(DEPENDENCIES, line, "Shop.get_db", True) for line in (3, 4, 5, 6)],
        *[(BLOCK, line, "<module>", line == 1) for line in (1, 2)],  # the mark is on its head alone
        (DEPENDENCIES, 9, "Shop.close", False),
        (DEPENDENCIES, 13, "elsewhere", False),
        (NESTED, 4, "create_app.<locals>.get_db", True),  # named as the probe names it
        (NESTED, 6, "create_app", False),
    ],
)
def test_the_place_is_right_in_the_marked_statement_or_its_function(
    source: str, line: int, function: str, right: bool
) -> None:
    found = diagnosis(leaking(result(), frame(line, function)), source)
    assert (found.cause_right, found.place_right) == (True, right)


def test_the_right_line_of_another_file_is_wrong() -> None:
    found = diagnosis(leaking(result(), frame(7, file="target_apps/shop/fixed.py")))
    assert (found.cause_right, found.place_right) == (True, False)


def test_a_cause_without_a_place_is_not_the_marked_one() -> None:
    starved = result(tokens_in_use_max=40, token_wait_p95_s=0.5, response_p95_s=1.0)
    found = diagnosis(starved, cause=Cause.THREADS_EXHAUSTED)
    assert (found.cause_right, found.place_right) == (True, False)


def test_a_variant_without_a_mark_has_no_place_to_be_right_about() -> None:
    found = diagnosis(leaking(result("partial"), frame()), BUGGY.replace("# BUG", ""), "partial")
    assert (found.cause_right, found.place_right) == (True, None)


@pytest.mark.parametrize(
    ("seen", "right"),
    [
        (result(), False),  # nothing found
        (blocking(result(), frame()), False),
        (blocking(leaking(result(), frame()), frame()), False),  # found, but something else comes first
    ],
)
def test_another_cause_than_the_expected_is_wrong_and_has_no_place(seen: VariantResult, right: bool) -> None:
    found = diagnosis(seen)
    assert (found.cause_right, found.place_right) == (right, None)


@pytest.mark.parametrize(
    ("name", "healthy", "with_a_finding"), [("fixed", True, False), ("partial", None, None), ("buggy", None, None)]
)
def test_a_variant_without_a_cause(name: str, healthy: bool | None, with_a_finding: bool | None) -> None:
    """A fix must leave nothing to name; of the others the pair does not say."""
    for seen, right in ((result(name), healthy), (leaking(result(name), frame()), with_a_finding)):
        found = diagnosis(seen, name=name, cause=Cause.NONE)
        assert (found.cause_right, found.place_right) == (right, None)


@pytest.mark.parametrize(
    ("expected_rps", "found_at", "sequential", "invalid", "code"),
    [
        (100.0, frame(7), (ANSWER,), (), 0),
        (999.0, frame(7), (ANSWER,), (), 1),  # an expectation
        (100.0, frame(1, "elsewhere"), (ANSWER,), (), 1),  # the place
        (100.0, frame(7), (replace(ANSWER, status=500),), (), 1),  # the sequential check
        (100.0, frame(7), (ANSWER,), ("short of CPU",), 3),
        (999.0, frame(7), (ANSWER,), ("short of CPU",), 3),  # what is invalid has not failed
    ],
)
def test_exit_codes(
    expected_rps: float, found_at: Frame, sequential: tuple[SequentialAnswer, ...], invalid: tuple[str, ...], code: int
) -> None:
    seen = [leaking(result(goodput_rps=20.0), found_at), result("fixed", goodput_rps=200.0)]
    trials = [trial(1, sequential=(ANSWER,)), trial(2, "fixed", sequential=sequential, invalid=invalid)]
    judged = judge(run(pair(Expectation(**METRIC, at_least=expected_rps)), seen, trials))
    assert judged.exit_code == code
    assert judged.pairs[0].invalid == tuple(f"fixed, block 1: {reason}" for reason in invalid)


def test_one_bad_pair_decides_the_exit_code() -> None:
    good = verdict(result(), result("fixed"), variants=[variant(cause=Cause.NONE), variant("fixed", Cause.NONE)])
    assert RunVerdict(pairs=(good, good)).exit_code == 0
    assert RunVerdict(pairs=(good, replace(good, sequential_alike=False))).exit_code == 1
    assert RunVerdict(pairs=(replace(good, sequential_alike=False), replace(good, invalid=("x",)))).exit_code == 3


def test_a_pair_that_was_not_reached_is_not_judged() -> None:
    assert judge(run(pair(), trials=[])).pairs == ()


def test_an_invalid_trial_that_was_run_once_more_is_replaced_by_that() -> None:
    both = [result(), result("fixed")]
    spoilt, again = trial(1, invalid=("short of CPU",)), trial(3, repeats=1)
    judged = judge(run(pair(), both, [spoilt, trial(2, "fixed"), again]))
    assert judged.valid
    still = judge(run(pair(), both, [spoilt, trial(2, "fixed"), replace(again, invalid=("still short of CPU",))]))
    assert still.pairs[0].invalid == ("buggy, block 1: still short of CPU",)
