"""Whether two runs come to the same verdict on each pair that both have. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.judgement import PairVerdict, RunVerdict
from harness.record import Run
from harness.report.states import State, state
from harness.report.summary import failed_points, whole
from harness.verdict import judge

_TOLD = {State.MET: True, State.MEASURED: True, State.DOUBTFUL: True, State.NOT_MET: False}  # the others tell nothing


@dataclass(frozen=True, kw_only=True)
class Differing:
    """A pair on which two runs do not agree, or of which one of them tells nothing."""

    pair: str
    first: State
    second: State
    points: tuple[str, ...]  # what is not as it should be in one of the two alone

    @property
    def contradicts(self) -> bool:
        """Whether both runs tell of the pair."""
        return self.first in _TOLD and self.second in _TOLD


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The verdicts of two runs, side by side."""

    pairs: int  # that both runs have
    differing: tuple[Differing, ...]

    @property
    def exit_code(self) -> int:
        """0 where all verdicts agree, 1 where two contradict each other, else 3: a run does not tell of some pair."""
        return 1 if any(d.contradicts for d in self.differing) else 3 if self.differing else 0


def agreement(first: Run, second: Run) -> Agreement:
    """The pairs of both runs, and those whose verdicts are not the same: as expected, or the same points of it not."""
    before, after = (_by_name(run) for run in (first, second))
    shared = [name for name in before if name in after]
    differing = []
    for name in shared:
        states = state(before[name], first), state(after[name], second)
        points = tuple(_points(before[name], first, after[name])) + tuple(_points(after[name], second, before[name]))
        both_tell = all(s in _TOLD for s in states)
        if not both_tell or points or _TOLD[states[0]] != _TOLD[states[1]]:
            shown = points if both_tell else ()
            differing.append(Differing(pair=name, first=states[0], second=states[1], points=shown))
    return Agreement(pairs=len(shared), differing=tuple(differing))


def _by_name(run: Run) -> dict[str, PairVerdict]:
    verdict: RunVerdict = whole(run, judge(run))
    return {pair.pair: pair for pair in verdict.pairs}


def _points(here: PairVerdict, run: Run, there: PairVerdict) -> Iterator[str]:
    also = failed_points(there)
    yield from (f"{run.id}: {sentence}" for point, sentence in failed_points(here).items() if point not in also)


def sentences(found: Agreement) -> list[str]:
    """How many verdicts agree, and what those that do not say."""
    said = [f"{found.pairs - len(found.differing)} of {found.pairs} verdicts agree."]
    for d in found.differing:
        points = f" ({'; '.join(d.points)})" if d.points else ""
        said.append(f"{d.pair}: {d.first} → {d.second}{points}.")
    return said
