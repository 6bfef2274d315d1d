"""What became of a pair, an expectation or a diagnosis: a mark and a word for each. Pure."""

from __future__ import annotations

from enum import StrEnum

from harness.judgement import DiagnosisResult, ExpectationResult, PairVerdict
from harness.record import Run


class State(StrEnum):
    """Each has a mark and a word, so that none needs a colour."""

    MET = "met"
    MEASURED = "measured"  # and nothing was expected of it
    NOT_MET = "not met"
    UNTOLD = "inconclusive"  # neither as expected nor refuted: more or longer blocks would tell
    DOUBTFUL = "partly invalid"  # as expected, and some of its trials are invalid
    INVALID = "invalid"
    UNMEASURED = "not measured"
    UNJUDGED = "not judged"


MARKS = {
    State.MET: "✓",
    State.MEASURED: "✓",
    State.NOT_MET: "✗",
    State.UNTOLD: "?",
    State.DOUBTFUL: "!",
    State.INVALID: "!",
    State.UNMEASURED: "–",
    State.UNJUDGED: "·",
}


def state(pair: PairVerdict, run: Run) -> State:
    """What became of a pair."""
    if missing(pair.pair, run):
        return State.INVALID if pair.invalid else State.UNMEASURED
    if not pair.met:
        return State.NOT_MET if pair.refuted else State.UNTOLD
    if pair.invalid:
        return State.DOUBTFUL
    return State.MET if judged(pair.pair, run) else State.MEASURED


def judged(pair: str, run: Run) -> bool:
    """Whether a pair says what must be seen of it."""
    return any(p.name == pair and p.judged for p in run.pairs)


def missing(pair: str, run: Run) -> list[str]:
    """The variants of a pair that have no valid trial."""
    measured = {t.variant for t in run.trials if t.pair == pair and not t.invalid}
    return [v for p in run.pairs if p.name == pair for v in p.variants if v not in measured]


def met_state(met: bool) -> State:
    """The state of something that was judged."""
    return State.MET if met else State.NOT_MET


def expectation_state(e: ExpectationResult) -> State:
    """The state of an expectation: inconclusive where the blocks do not tell."""
    return State.UNTOLD if e.undecided else met_state(e.met)


def diagnosis_state(d: DiagnosisResult) -> State:
    """The state of a diagnosis: not judged where nothing is known of the variant."""
    known = [right for right in (d.cause_right, d.place_right) if right is not None]
    return met_state(all(known)) if known else State.UNJUDGED
