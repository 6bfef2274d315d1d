"""Scores and their evidence -> ``docs/detectors.md``. Pure: the same evidence always gives the same text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from harness.detectors.record import FROM_RUN, Detector, Evidence, Look, Report
from harness.detectors.scoring import Mark, Score, has_bug
from harness.detectors.words import HEAD, SEES
from harness.record import Pair
from harness.report.markdown import plain

MARKS = {Mark.LINE: "**line**", Mark.FOUND: "found", Mark.MISSED: "·", Mark.BROKE: "broke", Mark.UNSEEN: "–"}
RULES_SHOWN = 2


def render_document(pairs: Sequence[Pair], scores: Sequence[Score], evidence: Evidence) -> str:
    """The whole page, as Markdown."""
    bugs = [p for p in pairs if has_bug(p)]
    others = [p for p in pairs if not has_bug(p)]
    parts = [
        HEAD,
        _totals(bugs, scores),
        "## What each can see, and what it cannot\n",
        *(_sees(detector, bugs, scores) for detector in Detector),
        "## Pair by pair\n",
        "**line**: found, on the right line or function; found: found elsewhere; ·: missed; –: not looked at; broke: it did not get "
        "through. ⚠: a false alarm on the fixed variant. What it reported stands beside.\n",
        _table(bugs, scores),
        *(_without_bug(others, evidence) if others else []),
        _alarms(bugs, scores),
        _broken(bugs, scores),
        _provenance(evidence),
    ]
    return "\n".join(part for part in parts if part)


def counts(detector: Detector, pairs: Iterable[Pair], scores: Iterable[Score]) -> Counter[Mark]:
    """How many of the pairs have which mark under a detector."""
    names = {p.name for p in pairs}
    return Counter(s.mark for s in scores if s.detector is detector and s.pair in names)


def _totals(bugs: Sequence[Pair], scores: Sequence[Score]) -> str:
    marked = {p.name for p in bugs if p.variants["buggy"].bug_line}
    rows = []
    for detector in Detector:
        mine = [s for s in scores if s.detector is detector and s.pair in {p.name for p in bugs}]
        of = Counter(s.mark for s in mine)
        looked = [s for s in mine if s.mark not in (Mark.BROKE, Mark.UNSEEN)]
        if not looked:
            rows.append(f"| {detector} | – | – | – | – | {of[Mark.BROKE]} | {of[Mark.UNSEEN]} |")
            continue
        lines = f"{of[Mark.LINE]} of {sum(s.pair in marked for s in looked)}"
        alarms = sum(bool(s.false_alarms) for s in looked)
        beside = sum(bool(s.beside) for s in looked)
        rows.append(
            f"| {detector} | {of[Mark.LINE] + of[Mark.FOUND]} of {len(looked)} | {lines} | {alarms} | {beside} | {of[Mark.BROKE]} | {of[Mark.UNSEEN]} |"
        )
    head = "| detector | bugs found | line or function right | fixed variants with a false alarm | with other reports | broke | not looked at |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows, ""])


def _sees(detector: Detector, bugs: Sequence[Pair], scores: Sequence[Score]) -> str:
    """What the detector looks at, and in which themes it found what there is."""
    by_theme: dict[str, list[Mark]] = {}
    marks = {s.pair: s.mark for s in scores if s.detector is detector}
    for pair in bugs:
        if (mark := marks.get(pair.name, Mark.UNSEEN)) not in (Mark.BROKE, Mark.UNSEEN):
            by_theme.setdefault(pair.theme, []).append(mark)
    found = {theme: sum(m in (Mark.LINE, Mark.FOUND) for m in ms) for theme, ms in by_theme.items()}
    some = [f"{theme} {n} of {len(by_theme[theme])}" for theme, n in found.items() if n]
    none = [theme for theme, n in found.items() if not n]
    if not by_theme:
        told = "It has not been asked yet."
    else:
        told = f"Found here: {', '.join(some) or 'nothing'}" + (
            f"; nothing in {', '.join(none)}." if none and some else "."
        )
    return f"**{detector}.** {SEES[detector]} {told}\n"


def _table(pairs: Sequence[Pair], scores: Sequence[Score]) -> str:
    by = {(s.pair, s.detector): s for s in scores}
    head = "| pair | theme | " + " | ".join(Detector) + " |"
    rows = [
        f"| [{p.name}](pairs/{p.name}.md) | {p.theme} | " + " | ".join(_cell(by[p.name, d]) for d in Detector) + " |"
        for p in sorted(pairs, key=lambda p: (p.theme, p.name))
    ]
    return "\n".join([head, "|---" * (2 + len(Detector)) + "|", *rows, ""])


def _cell(score: Score) -> str:
    rules = list(dict.fromkeys(r.rule for r in score.found))
    told = f" {_rules(rules)}" if rules and score.detector not in FROM_RUN else ""
    return MARKS[score.mark] + told + (" ⚠" if score.false_alarms else "")


def _rules(rules: Sequence[str]) -> str:
    shown = ", ".join(f"`{rule}`" for rule in rules[:RULES_SHOWN])
    return shown + (f" +{len(rules) - RULES_SHOWN}" if len(rules) > RULES_SHOWN else "")


def _without_bug(pairs: Sequence[Pair], evidence: Evidence) -> list[str]:
    """Pairs that state no cause, or have nothing to compare: nothing there is to be found, and nothing counts."""
    rows = []
    for pair in pairs:
        said = {v: [k for k in evidence.looks if (k.pair, k.variant) == (pair.name, v)] for v in ("buggy", "fixed")}
        rows.append(f"| [{pair.name}](pairs/{pair.name}.md) | {_said(said['buggy'])} | {_said(said['fixed'])} |")
    return [
        "### Pairs that state no bug\n",
        "A belief that did not hold, or a habit without a stated cause. What is reported there counts neither way.\n",
        "\n".join(["| pair | reported on buggy | reported on fixed |", "|---|---|---|", *rows, ""]),
    ]


def _said(looks: Iterable[Look]) -> str:
    told = [f"{k.detector}: {_rules(list(dict.fromkeys(r.rule for r in k.reports)))}" for k in looks if k.reports] + [
        f"{k.detector}: broke" for k in looks if k.broke
    ]
    return "; ".join(told) or "nothing"


def _alarms(bugs: Sequence[Pair], scores: Sequence[Score]) -> str:
    names = {p.name for p in bugs}
    lines = [
        f"- {s.detector}, `{s.pair}`: {'; '.join(_report(r) for r in s.false_alarms)}"
        for s in scores
        if s.false_alarms and s.pair in names
    ]
    return "\n".join(["## False alarms on fixed variants\n", *(lines or ["None."]), ""])


def _report(report: Report) -> str:
    where = f" at {plain(str(report.frame))}" if report.frame else ""
    return f"`{report.rule}`{where}" + (f" ({report.times} times)" if report.times > 1 else "")


def _broken(bugs: Sequence[Pair], scores: Sequence[Score]) -> str:
    names = {p.name for p in bugs}
    lines = [f"- {s.detector}, `{s.pair}`: {plain(s.broke)}" for s in scores if s.broke and s.pair in names]
    return "\n".join(["## What broke\n", *lines, ""]) if lines else ""


def _provenance(evidence: Evidence) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in evidence.versions.items())
    looked = f"ruff, mypy, debug mode and blockbuster looked on {evidence.measured}: {versions}." if evidence.measured else (
        "ruff, mypy, debug mode and blockbuster have not looked yet."
    )  # fmt: skip
    run = evidence.run
    inside = (
        f"The harness' diagnoses and the sequential check are those of run `{run.id}` ({run.measured}, profile {run.profile}, {run.cores} cores)."
        if run
        else "There is no run yet: the columns of the harness and of the sequential check are empty."
    )
    return f"## Where this is from\n\n{looked} {inside}\n"
