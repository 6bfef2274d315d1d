"""What a gate has found: frozen records, and what follows from them all in all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.gate.metrics import Metric

ARMS = ("a", "b", "a2")


Reading = Mapping[str, float | None]  # metric -> figure of one window; None: not measured
Block = Mapping[str, Reading]  # arm -> reading


class Change(StrEnum):
    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What became of one metric. Intervals hold at every look at once, 90 %."""

    metric: Metric
    change: Change
    blocks: int
    a: float | None  # typical of a window: the geometric mean without the highest and lowest fifth; of a count the mean
    b: float | None
    ratio: float | None  # B over A; None where A is zero
    low: float | None  # the interval, of the ratio; of a count where A is zero, of the difference
    high: float | None
    p: float | None  # of "nothing has changed", for this look alone
    level: float | None  # what p had to be below, at this look
    detectable: (
        float | None
    )  # the smallest change, as a share (count: as a number) that would have been seen 9 times out of 10
    is_ratio: bool = True
    gross: bool = False  # seen in each of the first rounds, see :mod:`harness.gate.gross`


@dataclass(frozen=True, kw_only=True)
class Look:
    """How far the gate had come when one looked."""

    blocks: int
    fraction: float  # of the budget, 0 to 1


@dataclass(frozen=True, kw_only=True)
class Promise:
    """An invariant: rows that right answers promised, and rows that the database kept; by arm."""

    name: str
    promised: Mapping[str, int]
    kept: Mapping[str, int]
    zero: bool = False  # nothing is promised: there must be no such row

    def lost(self, arm: str) -> int:
        kept = self.kept.get(arm, 0)
        return kept if self.zero else max(0, self.promised.get(arm, 0) - kept)

    @property
    def change(self) -> Change:
        """A promise is kept or it is not; where A breaks it too, nobody can say what B adds."""
        before, after = self.lost("a") + self.lost("a2"), self.lost("b")
        if before:
            return Change.INCONCLUSIVE if after else Change.IMPROVEMENT
        return Change.REGRESSION if after else Change.EQUIVALENT

    @property
    def alike(self) -> bool:
        """Whether A and A agree on whether it is kept."""
        return bool(self.lost("a")) == bool(self.lost("a2"))


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a gate has decided so far."""

    findings: tuple[Finding, ...]
    control: tuple[Finding, ...]  # the same, of A against A
    promises: tuple[Promise, ...] = ()
    unmeasured: Mapping[str, str] = field(default_factory=dict)  # metric -> why
    disturbed: bool = False  # other processes were at work

    @property
    def differs(self) -> tuple[str, ...]:
        """The metrics in which A differs from A: what the gate would have called a change, where there is none."""
        called = (Change.REGRESSION, Change.IMPROVEMENT)
        return tuple(f.metric.name for f in self.control if f.change in called) + tuple(
            p.name for p in self.promises if not p.alike
        )

    def believes(self, worse: Finding) -> bool:
        """Whether what got worse is a regression. Noise cannot move a count, so only counts are believed while A differs from A elsewhere.
        What else is at work may hit one process more than another for as long as a gate takes, but hardly the same one of three in
        each of many rounds in random order."""
        if self.differs:
            return worse.metric.count and worse.metric.name not in self.differs
        return worse.metric.count or worse.gross or not self.disturbed

    @property
    def doubted(self) -> tuple[Finding, ...]:
        """What got worse and is not believed."""
        return tuple(f for f in self.findings if f.change is Change.REGRESSION and not self.believes(f))

    @property
    def change(self) -> Change:
        """All in all."""
        worse = [f for f in self.findings if f.change is Change.REGRESSION and self.believes(f)]
        if worse or any(p.change is Change.REGRESSION for p in self.promises):
            return Change.REGRESSION
        if self.differs or self.doubted or not any(f.metric.required for f in self.findings):
            return Change.INCONCLUSIVE
        open_still = [f for f in self.findings if f.metric.required and f.change is Change.INCONCLUSIVE]
        return Change.INCONCLUSIVE if open_still else Change.EQUIVALENT

    @property
    def exit_code(self) -> int:
        """0 nothing got worse; 1 something did; 3 nobody can say."""
        return {Change.REGRESSION: 1, Change.INCONCLUSIVE: 3}.get(self.change, 0)

    @property
    def clear(self) -> bool:
        """Whether more blocks would add nothing: something got worse, or all that was asked is settled."""
        return self.change is Change.REGRESSION or (
            self.change is Change.EQUIVALENT
            and all(f.change is not Change.INCONCLUSIVE for f in self.findings if f.metric.required)
        )
