"""What is concluded from a run: frozen records. They are never stored: every view derives them from the run again."""

from __future__ import annotations

from dataclasses import dataclass

from harness.record import Cause, Expectation, Frame


@dataclass(frozen=True, kw_only=True)
class ExpectationResult:
    expectation: Expectation
    measured: float | None  # the figure, or the ratio of two; None when it was not measured
    met: bool


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What the harness concludes from inside the target, without knowing what the pair says of itself."""

    cause: Cause
    frame: Frame | None  # the line, or the dependency, that is to blame
    message: str  # one or two sentences for people
    evidence: str  # the figures behind it


@dataclass(frozen=True, kw_only=True)
class DiagnosisResult:
    """A diagnosis held against the pair's ground truth."""

    variant: str
    found: tuple[Diagnosis, ...]  # strongest first; empty: nothing to name
    probed: bool = True  # False: clients alone looked at it, so that nothing inside could be seen
    expected: Cause | None  # None: nothing is known of it beforehand
    cause_right: bool | None  # None: the pair does not say (a partial without a cause)
    place_right: bool | None


@dataclass(frozen=True, kw_only=True)
class PairVerdict:
    pair: str
    effect: str  # "22 → 223 requests/s, 86 % failed → none"; of an app of the user's own "223 requests/s, none failed"
    effect_ratio: float | None  # how many times better the fix makes what the effect tells of; infinite: from nothing
    sequential_alike: bool | None  # None: there is nothing to compare the answers with
    sequential_note: str
    expectations: tuple[ExpectationResult, ...]
    diagnoses: tuple[DiagnosisResult, ...]
    invalid: tuple[str, ...]  # reasons of invalid trials

    @property
    def met(self) -> bool:
        return (
            self.sequential_alike is not False
            and all(e.met for e in self.expectations)
            and all(d.cause_right is not False and d.place_right is not False for d in self.diagnoses)
        )


@dataclass(frozen=True, kw_only=True)
class RunVerdict:
    pairs: tuple[PairVerdict, ...]

    @property
    def valid(self) -> bool:
        return not any(p.invalid for p in self.pairs)

    @property
    def met(self) -> bool:
        return all(p.met for p in self.pairs)

    @property
    def exit_code(self) -> int:
        """0 passed, 1 an expectation failed, 3 some trial is invalid."""
        if not self.valid:
            return 3
        return 0 if self.met else 1
