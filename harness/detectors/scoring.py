"""Looks -> what each detector found of each pair's bug, by rules that are the same for all. Pure.

found        static: a rule that speaks of the buggy variant, in a function or on a line that the fix changes, and does not speak of the
             same function (or of any module-level line) of the fixed one;
             live: a kind of report that the buggy variant's run has and the fixed one's has not; a slow step counts from the second time
             on, since an app's first request imports and connects;
             sequential check: one user gets other answers from the buggy variant than from the fixed one;
             harness: the cause that the pair states, named on the buggy variant
line right   found, and a report behind it names the marked line or the function that it stands in
false alarm  a report on the fixed variant; static: in a function or on a line that the fix changes; blockbuster: with a line of the app
             in its stack
beside       any other report on the fixed variant
broke        the detector, or the app under it, did not get through on either variant: neither found nor missed
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.detectors.logs import SLOW
from harness.detectors.record import STATIC, Detector, Look, Report
from harness.record import Cause, Pair, Variant
from harness.verdict import function_around, same_place

MODULE = "<module>"


class Mark(StrEnum):
    """What became of one pair under one detector."""

    LINE = "line"  # found, and the place is right
    FOUND = "found"
    MISSED = "missed"
    BROKE = "broke"
    UNSEEN = "not looked at"


@dataclass(frozen=True, kw_only=True)
class Score:
    detector: Detector
    pair: str
    mark: Mark
    found: tuple[Report, ...] = ()  # what the mark rests on
    false_alarms: tuple[Report, ...] = ()
    beside: tuple[Report, ...] = ()  # said of the fixed variant, and not of what the pair is about
    broke: str | None = None


def score(pair: Pair, detector: Detector, looks: Mapping[tuple[Detector, str, str], Look]) -> Score:
    """The score of one detector on one pair, from the looks at its buggy and its fixed variant."""
    buggy, fixed = (looks.get((detector, pair.name, variant)) for variant in ("buggy", "fixed"))
    if buggy is None or fixed is None:
        return Score(detector=detector, pair=pair.name, mark=Mark.UNSEEN)
    if broke := buggy.broke or fixed.broke:
        return Score(detector=detector, pair=pair.name, mark=Mark.BROKE, broke=broke)
    said, alarms = _lasting(buggy.reports), _lasting(fixed.reports)
    if detector in STATIC:
        said = about_the_lesson(said, pair.variants["buggy"], pair.variants["fixed"])
        alarms = about_the_lesson(alarms, pair.variants["fixed"], pair.variants["buggy"])
        there = {_static_key(r) for r in fixed.reports}
        found = tuple(r for r in said if _static_key(r) not in there)
    else:
        kinds = {r.rule for r in alarms}
        found = tuple(r for r in said if r.rule not in kinds)
        if detector is Detector.BLOCKBUSTER:
            alarms = tuple(r for r in alarms if r.frame)
    return Score(
        detector=detector,
        pair=pair.name,
        mark=_mark(found, pair.variants["buggy"]),
        found=found,
        false_alarms=alarms,
        beside=tuple(r for r in fixed.reports if r not in alarms),
    )


def has_bug(pair: Pair) -> bool:
    """Whether there is a bug to find: two variants to compare, and a cause that the pair states of the buggy one."""
    return {"buggy", "fixed"} <= set(pair.variants) and pair.variants["buggy"].cause is not Cause.NONE


def about_the_lesson(reports: Iterable[Report], mine: Variant, other: Variant) -> tuple[Report, ...]:
    """The reports on lines that differ between two variants, or in functions in which a line differs."""
    lines = changed_lines(mine.source, other.source)
    functions = {name for line in lines if (name := function_around(mine.source, line))}
    return tuple(r for r in reports if r.frame and (r.frame.line in lines or r.frame.function in functions))


def changed_lines(source: str, other: str) -> set[int]:
    """1-based lines of a source that another has not; where the other only adds lines, those next to them."""
    before, after = source.splitlines(), other.splitlines()
    changed: set[int] = set()
    for tag, a, b, _, _ in difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        if tag == "insert":
            changed |= {n for n in (a, a + 1) if 1 <= n <= len(before)}
        elif tag != "equal":
            changed |= set(range(a + 1, b + 1))
    return changed


def _lasting(reports: Iterable[Report]) -> tuple[Report, ...]:
    return tuple(r for r in reports if r.rule != SLOW or r.times > 1)


def _static_key(report: Report) -> tuple[str, str]:
    return report.rule, report.frame.function if report.frame else MODULE


def _mark(found: tuple[Report, ...], buggy: Variant) -> Mark:
    if not found:
        return Mark.MISSED
    return Mark.LINE if any(same_place(r.frame, buggy) for r in found) else Mark.FOUND
