"""A gate's findings in words. Pure."""

from __future__ import annotations

from harness.gate.findings import Change, Decision, Finding, Promise
from harness.gate.live import GateResult
from harness.report import units

FARTHEST = 100.0  # a ratio
MARKS = {Change.REGRESSION: "✗", Change.IMPROVEMENT: "↑", Change.EQUIVALENT: "=", Change.INCONCLUSIVE: "?"}


def value(finding: Finding, which: str) -> str:
    """A's or B's figure with its unit."""
    return units.figure(finding.metric.name, getattr(finding, which))


def change(finding: Finding) -> str:
    """B against A: ``1.05 [1.02, 1.08]``; of a count that was zero the difference, ``+1 [+1, +1]``."""
    if finding.ratio is not None:
        return f"{finding.ratio:.3f} [{_ratio(finding.low)}, {_ratio(finding.high)}]"
    assert finding.a is not None and finding.b is not None
    return f"{finding.b - finding.a:+.3g} [{finding.low:+.3g}, {finding.high:+.3g}]"


def _ratio(value: float | None) -> str:
    """To so few digits, and no farther than can be meant."""
    assert value is not None, "a finding with a ratio has its interval"
    if value > FARTHEST:
        return f"> {FARTHEST:g}"
    return f"{value:.3f}"


def margin(finding: Finding) -> str:
    metric = finding.metric
    return f"±{units.number(metric.margin)}" if metric.count else f"±{metric.margin * 100:g} %"


def detectable(finding: Finding) -> str:
    """The smallest change that would have been seen nine times out of ten."""
    if finding.detectable is None:
        return units.NONE
    if finding.metric.count:
        return f"{finding.detectable:.2g}"
    return f"{finding.detectable * 100:.2g} %" if finding.detectable < FARTHEST else f"> {FARTHEST:g} times"


def verdict(result: GateResult) -> str:
    """The one sentence at the end."""
    decision, names = result.decision, f"{result.b} against {result.a}"
    if decision.change is Change.REGRESSION:
        return f"Regression: {names} is worse in {', '.join(worse(decision))}."
    if decision.differs:
        return f"Inconclusive: A differs from A in {', '.join(decision.differs)}, so the same would be said of a version that changes nothing."
    if decision.doubted:
        return (
            f"Inconclusive: {', '.join(worse(decision))} got worse, but other processes were at work meanwhile; "
            "measure again when they have ended."
        )
    if decision.change is Change.INCONCLUSIVE:
        left = [f"{f.metric.label} (could have seen {detectable(f)})" for f in undecided(decision)]
        return "Inconclusive: not enough was measured" + (
            f" to settle {', '.join(left)}; give a longer --budget." if left else "; give a longer --budget."
        )
    better = [f.metric.label for f in decision.findings if f.change is Change.IMPROVEMENT]
    gained = f"; better in {', '.join(better)}" if better else ""
    return f"Passed: {names} is no worse, within the margins{gained}."


def worse(decision: Decision) -> list[str]:
    found = [
        f"{f.metric.label} ({value(f, 'a')} → {value(f, 'b')})"
        for f in decision.findings
        if f.change is Change.REGRESSION
    ]
    promises = [p for p in decision.promises if p.change is Change.REGRESSION]
    return found + [f"{p.name} ({lost(p, 'b')})" for p in promises]


def lost(promise: Promise, arm: str) -> str:
    """What one arm did not keep."""
    if promise.zero:
        return f"{promise.lost(arm)} rows that must not be"
    return f"{promise.lost(arm)} of {promise.promised[arm]} rows lost"


def undecided(decision: Decision) -> list[Finding]:
    return [f for f in decision.findings if f.metric.required and f.change is Change.INCONCLUSIVE]


def control(result: GateResult) -> str:
    """What the A-against-A arm says."""
    decision = result.decision
    called = len(decision.differs)
    widest = [f for f in decision.control if not f.metric.count and f.ratio is not None]
    apart = max(widest, key=lambda f: abs((f.ratio or 1) - 1), default=None)
    most = "" if apart is None else f"; furthest apart: {apart.metric.label}, {change(apart)}"
    found = "none" if not called else ", ".join(decision.differs)
    return f"A against A, by the same rule: {found} of {len(decision.control)} metrics called a change{most}."


def effort(result: GateResult) -> str:
    windows = 3 * len(result.blocks)
    return (
        f"{len(result.blocks)} blocks of {windows} windows of {units.seconds(result.window_s)}, {len(result.looks)} looks, "
        f"{units.seconds(result.wall_s)} of {units.seconds(result.budget_s)}; seed {result.seed}."
    )
