"""A Run -> what of its expectations is met, and whether the diagnosis is right. Pure."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Sequence

from harness.diagnosis import diagnose
from harness.effect import effect, state
from harness.equivalence import judge_equivalence
from harness.inside import Frame
from harness.judgement import DiagnosisResult, ExpectationResult, PairVerdict, RunVerdict
from harness.record import Cause, Expectation, Pair, Run, Trial, Variant, VariantResult


def judge(run: Run) -> RunVerdict:
    """The verdict on every pair that the run has trials of."""
    return RunVerdict(pairs=tuple(_judge_pair(run, pair) for pair in run.pairs if _trials(run, pair)))


def _judge_pair(run: Run, pair: Pair) -> PairVerdict:
    results = {r.variant: r for r in run.results if r.pair == pair.name}
    trials = _trials(run, pair)
    asked = [t for t in trials if t.sequential or t.block == 1]  # one user comes first in each variant's first trial
    alike, note = _sequential(asked) if pair.judged else _alone(trials)
    shows, note = (None, note) if pair.shows_alone is None else _shows_alone(pair.shows_alone, asked)
    told, ratio = effect(pair, results) if pair.judged else (state(results), None)
    return PairVerdict(
        pair=pair.name,
        effect=told,
        effect_ratio=ratio,
        sequential_alike=alike,
        sequential_note=note,
        shows_alone=shows,
        expectations=tuple(_expect(e, results, trials) for e in pair.expectations),
        diagnoses=tuple(_hold_against_truth(pair.variants[v], r) for v, r in results.items()),
        invalid=(
            *(f"{t.variant}, block {t.block}: {reason}" for t in _standing(trials) for reason in t.invalid),
            *(
                f"{t.variant}, sweep at {t.workload.users} users: {reason}"
                for sweep in run.sweeps
                if sweep.pair == pair.name
                for t in _standing(sweep.trials)
                for reason in t.invalid
            ),
        ),
    )


def _trials(run: Run, pair: Pair) -> list[Trial]:
    return [t for t in run.trials if t.pair == pair.name]


def _standing(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that count: an invalid one that was run once more is replaced by that."""
    replaced = {t.repeats for t in trials}
    return [t for t in trials if t.id not in replaced]


def _expect(expectation: Expectation, results: dict[str, VariantResult], trials: Sequence[Trial]) -> ExpectationResult:
    if expectation.equivalent_within is not None:
        return judge_equivalence(expectation, trials)
    measured = _metric(results.get(expectation.variant), expectation.metric)
    if measured is not None and expectation.over is not None:
        base = _metric(results.get(expectation.over), expectation.metric)
        measured = None if not base else measured / base
    least = float("-inf") if expectation.at_least is None else expectation.at_least
    most = float("inf") if expectation.at_most is None else expectation.at_most
    met = measured is not None and least <= measured <= most
    return ExpectationResult(expectation=expectation, measured=measured, met=met)


def _metric(result: VariantResult | None, name: str) -> float | None:
    return None if result is None else getattr(result.figures, name)


def _sequential(trials: list[Trial]) -> tuple[bool, str]:
    """Whether one user, alone, got the same answers from every variant."""
    answers: dict[object, list[Trial]] = defaultdict(list)
    for trial in trials:
        answers[trial.sequential].append(trial)
    count = max((len(t.sequential) for t in trials), default=0)
    variants = {t.variant for t in trials}
    if not count:
        return False, "no answer of the sequential check was kept"
    if len(answers) > 1:
        odd = min(answers.values(), key=len)[0]
        return False, f"{odd.variant} (block {odd.block}) answers one user differently from the others"
    if not all(200 <= answer.status < 400 for answer in trials[0].sequential):
        return False, "one user already gets errors, from every variant"
    return True, f"one user, one request at a time: {count} answers, alike in {_listed(sorted(variants))}"


def _shows_alone(what: str, trials: list[Trial]) -> tuple[bool, str]:
    """Whether a single request shows the bug, as the pair says: fixed alone answers right, and alike each time."""
    fixed = {t.sequential for t in trials if t.variant == "fixed"}
    answers = [answer for sequence in fixed for answer in sequence]
    if not answers:
        return False, "no answer of fixed to a single user was kept"
    if len(fixed) > 1 or not all(200 <= answer.status < 400 for answer in answers):
        return False, "fixed does not answer a single user right each time"
    if all(t.sequential in fixed for t in trials):
        return (
            False,
            f"the pair says that it shows with a single request ({what}), but all variants answer one user alike",
        )
    return True, f"shows with a single request: {what}"


def _alone(trials: list[Trial]) -> tuple[bool | None, str]:
    """What one user got from an app that is compared with no other; whether answers are right only its scenario can say."""
    answers = [answer for trial in trials for answer in trial.sequential]
    if not answers:
        return None, "no answer to a single user was kept"
    bad = [answer for answer in answers if not 200 <= answer.status < 400]
    if bad:
        what = f"{bad[0].name}: status {bad[0].status}" if bad[0].status else f"{bad[0].name}: no answer"
        return (
            None,
            f"one user, one request at a time, already gets {_counted(len(bad), 'error')} in {_counted(len(answers), 'answer')} ({what})",
        )
    return None, f"one user, one request at a time: {_counted(len(answers), 'answer')} without an error"


def _hold_against_truth(variant: Variant, result: VariantResult) -> DiagnosisResult:
    found = diagnose(result)
    causes = [d.cause for d in found]
    if variant.cause is None:
        return DiagnosisResult(
            variant=variant.name,
            found=found,
            probed=result.figures.loop_held_share is not None,
            expected=None,
            cause_right=None,
            place_right=None,
        )
    if variant.cause is Cause.NONE:
        # A fix must leave nothing to name; of a partial without a cause the pair does not say what remains.
        right = not causes if variant.name == "fixed" else None
        return DiagnosisResult(
            variant=variant.name, found=found, expected=variant.cause, cause_right=right, place_right=None
        )
    right = bool(causes) and causes[0] is variant.cause
    place = same_place(found[0].frame, variant) if right and variant.bug_line else None
    return DiagnosisResult(
        variant=variant.name, found=found, expected=variant.cause, cause_right=right, place_right=place
    )


def same_place(frame: Frame | None, variant: Variant) -> bool:
    """Whether the frame is the marked line, or the function (the dependency) that the marked line stands in."""
    if frame is None or frame.file != variant.file or variant.bug_line is None:
        return False
    first, last = _statement_around(variant.source, variant.bug_line)
    return (
        first <= frame.line <= last
        or function_around(variant.source, variant.bug_line) == frame.function.rpartition(".")[2]
    )


def _statement_around(source: str, line: int) -> tuple[int, int]:
    """First and last line of the innermost simple statement on a line: a call may be written over several."""
    best = (line, line)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt) and not hasattr(node, "body") and node.lineno <= line <= (node.end_lineno or 0):
            best = (node.lineno, node.end_lineno or node.lineno)
    return best


def function_around(source: str, line: int) -> str | None:
    """Name of the innermost function that a line (1-based) of Python source stands in; None at module or class level."""
    names = [
        (node.lineno, node.name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    return max(names)[1] if names else None


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
