"""Which pairs are measured in more blocks than were planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.record import Expectation, Trial
from harness.untold import MOST_MORE_BLOCKS, more_blocks
from tests import builders

ALIKE = Expectation(
    that="both cost as much", metric="cpu_s_per_request", variant="buggy", over="fixed", equivalent_within=0.15
)
FASTER = Expectation(that="it is faster", metric="goodput_rps", variant="fixed", over="buggy", at_least=2)


def trials(ratios: Sequence[float]) -> list[Trial]:
    """Trials of blocks in which buggy costs so many times what fixed does."""
    return [
        builders.trial(name=variant, block=block, cpu_s_per_request=value)
        for block, ratio in enumerate(ratios, start=1)
        for variant, value in (("buggy", ratio), ("fixed", 1.0))
    ]


@pytest.mark.parametrize(
    ("ratios", "more"),
    [
        ([1.01, 0.99, 1.0], []),  # alike
        ([1.5, 1.52, 1.49], []),  # not alike
        ([1.2, 0.9, 1.1], [4, 5]),
        ([1.2, 0.9, 1.1, 1.2, 0.8], [6, 7]),
        ([1.3, 0.7, 1.1] * 3, []),  # enough of it
    ],
)
def test_blocks_are_added_while_they_leave_open_whether_variants_are_alike(
    ratios: list[float], more: list[int]
) -> None:
    assert 3 + MOST_MORE_BLOCKS == 9
    assert list(more_blocks(builders.pair(ALIKE), 3, trials(ratios))) == more


def test_a_pair_that_expects_no_two_variants_to_be_alike_gets_what_was_planned() -> None:
    assert not more_blocks(builders.pair(FASTER), 3, trials([1.2, 0.9, 1.1]))


def test_only_variants_that_are_compared_where_it_is_open_are_measured_in_them() -> None:
    told = Expectation(
        that="both answer as many", metric="goodput_rps", variant="partial", over="fixed", equivalent_within=0.15
    )
    partial = [builders.trial(name="partial", block=block, goodput_rps=1.0) for block in (1, 2, 3)]
    mine = [*trials([1.2, 0.9, 1.1]), *partial]
    mine = [replace(t, figures=replace(t.figures, goodput_rps=1.0)) if t.variant == "fixed" else t for t in mine]
    both = {"buggy", "fixed"}
    assert more_blocks(builders.pair(ALIKE, told), 3, mine) == {4: both, 5: both}
    assert not more_blocks(builders.pair(told), 3, mine)
