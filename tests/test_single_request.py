"""Pairs whose bug shows with a single request, and expectations that cannot be told."""

from __future__ import annotations

from dataclasses import replace

from harness.judgement import Equivalence, ExpectationResult, PairVerdict, RunVerdict
from harness.record import Cause, Expectation, SequentialAnswer
from harness.report import words
from harness.verdict import judge
from tests.builders import ANSWER, pair, result, run, trial, variant

LEAKY = replace(ANSWER, body_digest="0000")
FAILED = replace(ANSWER, status=500)
SAYS = "the answer carries a secret"


def alone(buggy: SequentialAnswer, *fixed: SequentialAnswer) -> PairVerdict:
    """The verdict on a pair that says it shows with a single request, by what each trial answered."""
    variants = [variant(cause=Cause.NONE), variant("fixed", Cause.NONE)]
    trials = [trial(1, sequential=(buggy,))]
    trials += [trial(n, "fixed", n - 1, sequential=(answer,)) for n, answer in enumerate(fixed, start=2)]
    of = replace(pair(variants=variants), shows_alone=SAYS)
    (found,) = judge(run(of, [result(), result("fixed")], trials)).pairs
    return found


def test_a_difference_that_the_pair_tells_of_is_as_it_should_be() -> None:
    found = alone(LEAKY, ANSWER, ANSWER)
    assert (found.sequential_alike, found.shows_alone, found.met) == (False, True, True)
    assert found.sequential_note == f"shows with a single request: {SAYS}"


def test_fixed_must_be_right_each_time() -> None:
    for found in (alone(LEAKY, FAILED), alone(LEAKY, ANSWER, LEAKY), alone(LEAKY)):
        assert (found.shows_alone, found.met) == (False, False)


def test_a_pair_that_shows_nothing_alone_must_not_say_so() -> None:
    found = alone(ANSWER, ANSWER)
    assert (found.sequential_alike, found.shows_alone, found.met) == (True, False, False)
    assert SAYS in found.sequential_note


def test_what_cannot_be_told_is_neither_met_nor_failed() -> None:
    expected = Expectation(
        that="both cost as much", metric="cpu_s_per_request", variant="buggy", over="fixed", equivalent_within=0.15
    )
    untold = ExpectationResult(
        expectation=expected, measured=1.1, met=False, equivalence=Equivalence.UNTOLD, interval=(0.8, 1.5)
    )
    known = replace(alone(LEAKY, ANSWER), expectations=(untold,))
    assert not known.met
    assert RunVerdict(pairs=(known,)).exit_code == 3
    failed = replace(untold, equivalence=Equivalence.DIFFERENT, interval=(1.3, 1.5))
    assert RunVerdict(pairs=(known, replace(known, expectations=(failed,)))).exit_code == 1
    assert words.bound(expected) == "no more than 15\N{NO-BREAK SPACE}% apart"
