"""Whether a pair needs more blocks: those that were planned may leave open whether two variants are alike. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.equivalence import judge_equivalence
from harness.judgement import Equivalence
from harness.record import Pair, Trial

MORE_BLOCKS = 2  # at a time, the second the mirror of the first
MOST_MORE_BLOCKS = 6


def more_blocks(pair: Pair, planned: int, trials: Sequence[Trial]) -> Mapping[int, set[str]]:
    """The numbers of the blocks to add (from 1), and which variants to measure in each: none where every equivalence is told, or
    enough have been added.

    planned: how many blocks were; trials: what has been measured of the pair.

    Each time is one more look at the data. Of variants that differ by just the margin 5 % would be called alike at one look, and so at the four
    looks that there may be 20 % at most.
    """
    mine = [trial for trial in trials if trial.pair == pair.name]
    measured = max((trial.block for trial in mine), default=0)
    untold = _untold_variants(pair, mine)
    if measured >= planned + MOST_MORE_BLOCKS or not untold:
        return {}
    return dict.fromkeys(range(measured + 1, measured + 1 + MORE_BLOCKS), untold)


def _untold_variants(pair: Pair, trials: Sequence[Trial]) -> set[str]:
    """The variants that are compared where it is open whether they are alike: more of the others would tell nothing."""
    return {
        variant
        for expectation in pair.expectations
        if expectation.equivalent_within is not None
        and judge_equivalence(expectation, trials).equivalence is Equivalence.UNTOLD
        for variant in (expectation.variant, expectation.over)
        if variant is not None
    }
