"""Sentences and orders that every form of the report shares. Pure."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from harness.judgement import DiagnosisResult, ExpectationResult, PairVerdict, RunVerdict
from harness.record import Cause, Pair, Run
from harness.report import units
from harness.report.states import State, missing, state
from harness.report.words import (
    CAUSES,
    KEY_FIGURES,
    THEMES,
    bound,
    figure_label,
    measured,
    short_place,
    subject,
    true_cause,
)

FEW_PAIRS = 12  # beyond them they are grouped by theme
_NAMED_GAPS = 6
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
NOT_REACHED = "the run ended before this pair's turn"


def started(run: Run) -> datetime:
    """When the run began, in UTC."""
    return datetime.fromisoformat(run.started_utc).astimezone(UTC)


def whole(run: Run, verdict: RunVerdict) -> RunVerdict:
    """The verdict with an entry for every pair of the run: also for those that a partial run never came to."""
    judged = {p.pair for p in verdict.pairs}
    return RunVerdict(pairs=(*verdict.pairs, *(_unmeasured(p.name) for p in run.pairs if p.name not in judged)))


def _unmeasured(pair: str) -> PairVerdict:
    return PairVerdict(
        pair=pair,
        effect="not measured",
        effect_ratio=None,
        sequential_alike=False,
        sequential_note=NOT_REACHED,
        expectations=(),
        diagnoses=(),
        invalid=(),
    )


def by_effect(verdict: RunVerdict) -> list[PairVerdict]:
    """The pairs, the largest effect first; those without a measured effect last, by name."""
    return sorted(verdict.pairs, key=lambda p: (-effect_size(p.effect_ratio), p.pair))


def by_theme(verdict: RunVerdict, run: Run) -> list[tuple[str, list[PairVerdict]]]:
    """The pairs under the heading of their theme, in each the largest effect first; few pairs stand under one empty heading."""
    ordered = by_effect(verdict)
    if len(ordered) <= FEW_PAIRS:
        return [("", ordered)] if ordered else []
    themes = {p.name: p.theme for p in run.pairs}
    known = [*THEMES, *sorted(set(themes.values()) - set(THEMES))]
    groups = [(THEMES.get(t, t), [p for p in ordered if themes[p.pair] == t]) for t in known]
    return [(name, pairs) for name, pairs in groups if pairs]


def effect_size(ratio: float | None) -> float:
    """How far a ratio is from one, in either direction; −1 when it is unknown."""
    if ratio is None or math.isnan(ratio):
        return -1.0
    return abs(math.log10(ratio)) if 0 < ratio < math.inf else math.inf


def all_own(run: Run) -> bool:
    """Whether the run measured apps of the user's own, which nothing is expected of."""
    return bool(run.pairs) and not any(p.judged for p in run.pairs)


def effect(pair: PairVerdict, run: Run) -> str:
    """What the fix changes, or of which variants there is no valid trial to tell it by."""
    gaps = missing(pair.pair, run)
    if pair.sequential_note == NOT_REACHED or not {"buggy", "fixed"} & set(gaps):
        return pair.effect
    return f"no valid trial of {' and '.join(gaps)}"


def headline(run: Run, verdict: RunVerdict) -> str:
    """The result in one sentence: "5 of 6 pairs show what they should"."""
    if all_own(run):
        return " ".join(_own_headline(pair, run, verdict) for pair in run.pairs)
    met = sum(state(p, run) in (State.MET, State.DOUBTFUL) for p in verdict.pairs)
    total = len(run.pairs)
    if not total:
        return "Nothing was measured."
    if met == total:
        return (
            "The pair shows what is expected of it."
            if total == 1
            else f"All {total} pairs show what is expected of them."
        )
    unknown = len(run.pairs) - sum(not missing(p.name, run) for p in run.pairs)
    untold = sum(state(p, run) is State.UNTOLD for p in verdict.pairs)
    told = [f"{met} of {units.plural(total, 'pair')} show what is expected of them"]
    told += [f"{untold} cannot be told"] if untold else []
    told += [f"{unknown} could not be measured"] if unknown else []
    return "; ".join(told) + "."


def _own_headline(pair: Pair, run: Run, verdict: RunVerdict) -> str:
    found = next((p for p in verdict.pairs if p.pair == pair.name), None)
    if found is None or missing(pair.name, run):
        return f"{pair.title}: nothing was measured that can be trusted."
    return f"{pair.title}: {found.effect}; {_own_guilty(found)}."


def key_figures(pair: str, run: Run) -> list[tuple[str, str]]:
    """What was measured of an app of the user's own, in few figures: label, value with its unit and what limits it."""
    return [
        (figure_label(name), units.figure(name, value) + (f" ({r.warnings[name]})" if name in r.warnings else ""))
        for r in run.results
        if r.pair == pair
        for name in KEY_FIGURES
        if (value := getattr(r.figures, name)) is not None
    ]


def findings(pair: PairVerdict) -> list[tuple[str, str, str]]:
    """All that was found from inside: what and where, what it means, on what evidence."""
    return [
        (CAUSES[f.cause] + (f" at {short_place(f.frame)}" if f.frame else ""), f.message, f.evidence)
        for d in pair.diagnoses
        for f in d.found
    ]


def trust(run: Run) -> list[str]:
    """Whether the figures can be trusted, in sentences; the first one is the answer."""
    bad = [t for t in run.all_trials if t.invalid]
    total = units.plural(len(run.all_trials), "trial")
    if not run.all_trials:
        out = ["No trial was finished."]
    elif not bad:
        out = ["The trial is valid." if len(run.trials) == 1 else f"All {total} are valid."]
    else:
        verb = "is" if len(bad) == 1 else "are"
        out = [f"{len(bad)} of {total} {verb} invalid: shown with the reasons, and used for no figure."]
        repeated = {t.repeats for t in run.all_trials}
        if again := sum(t.id in repeated for t in bad):
            out.append(f"{again} of them {'was' if again == 1 else 'were'} run once more.")
    if run.status == "partial":
        out.append("This run is partial: it ended before its plan did. What had been measured is reported.")
    gaps = [f"{p.name}/{v}" for p in run.pairs for v in missing(p.name, run)]
    if gaps:
        more = f" and {len(gaps) - _NAMED_GAPS} more" if len(gaps) > _NAMED_GAPS else ""
        out.append(f"Without a valid trial: {', '.join(gaps[:_NAMED_GAPS])}{more}.")
    return out


def invalid_reasons(run: Run) -> list[tuple[str, int]]:
    """Why trials are invalid, and how many each; the most frequent first. Reasons that differ in a number alone are one."""
    kinds: dict[str, list[str]] = {}
    for reason in (reason for t in run.all_trials for reason in t.invalid):
        kinds.setdefault(_NUMBER.sub("#", reason), []).append(reason)
    told = [
        (alike[0] if len(set(alike)) == 1 else f"{alike[0]} (figures vary)", len(alike)) for alike in kinds.values()
    ]
    return sorted(told, key=lambda t: -t[1])


def named(result: DiagnosisResult) -> str:
    """What the harness named: "the event loop is blocked at buggy.py:23 in quote"."""
    if not result.found:
        return "nothing named"
    first = result.found[0]
    return f"{CAUSES[first.cause]} at {short_place(first.frame)}" if first.frame else CAUSES[first.cause]


def guilty(pair: PairVerdict) -> str:
    """What was named in the variants that have a bug, and, wrongly, in others."""
    told = [d for d in pair.diagnoses if d.found and (d.expected is not Cause.NONE or d.cause_right is False)]
    return "; ".join(f"{d.variant}: {named(d)}" for d in told) or "nothing"


def _own_guilty(pair: PairVerdict) -> str:
    if any(not d.probed for d in pair.diagnoses):
        return "seen from outside only"
    return ", and ".join(what for what, _, _ in findings(pair)) or "nothing to name was found inside"


def ruling(result: DiagnosisResult) -> str:
    """How a diagnosis compares with what is known of the variant."""
    words = []
    if result.cause_right is not None:
        words.append("cause right" if result.cause_right else "cause wrong")
    if result.place_right is not None:
        words.append("line right" if result.place_right else "line wrong")
    return ", ".join(words) or "not judged"


def failures(pair: PairVerdict) -> list[str]:
    """Everything of a pair that is not as it should be, a sentence each."""
    return list(failed_points(pair).values())


def failed_points(pair: PairVerdict) -> dict[str, str]:
    """The same, by a name of each point that holds no figure and so is the same in every run."""
    out = {}
    if pair.sequential_note == NOT_REACHED:
        return {NOT_REACHED: NOT_REACHED}
    if not pair.sequential_met:
        out["one user alone"] = f"one user alone does not see what the pair says: {pair.sequential_note}"
    for e in pair.expectations:
        if not e.met:
            that, wanted = f"{e.expectation.that}: {subject(e.expectation)}", bound(e.expectation)
            out[f"{that}, {wanted}"] = f"{that} is {measured(e)}, wanted {wanted}"
    for d in pair.diagnoses:
        if d.cause_right is False or d.place_right is False:
            out[f"{d.variant}, {ruling(d)}"] = f"{d.variant}: {named(d)} ({ruling(d)}; true: {true_cause(d)})"
    return out


def expectation_words(e: ExpectationResult) -> tuple[str, str, str]:
    """What is judged, what was measured, and what was wanted."""
    return subject(e.expectation), measured(e), bound(e.expectation)


def diagnosis_words(d: DiagnosisResult) -> tuple[str, str]:
    """What the harness named from inside a variant, and how that compares with what is true of it."""
    head = f"Named from inside {d.variant}: {named(d)}" if d.found else f"Nothing named inside {d.variant}"
    if d.expected is None:
        return head, "Nothing was known of it beforehand."
    if d.cause_right is None and d.place_right is None:
        return head, "What remains of the bug there was not stated beforehand."
    if d.expected is Cause.NONE:
        return head, "Rightly: it has no bug." if d.cause_right else "Wrongly: it has no bug."
    return head, f"True of it: {true_cause(d)}. Named: {ruling(d)}."
