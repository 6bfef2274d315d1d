"""In which order the turns come. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator

from harness.gate.findings import ARMS


def rotation(seed: int) -> Iterator[tuple[str, ...]]:
    """Turns, one of each arm: in random order, and the next ones mirrored (A B A' A' B A), without end.

    A drift of the machine that is linear over such two falls out of their sum; one that keeps time with the schedule is not met
    again, since they are drawn anew. In each six turns every arm is twice the first, twice in the middle and twice the last.
    """
    source = random.Random(seed)
    while True:
        for middle in source.sample(ARMS, len(ARMS)):
            first, last = source.sample([arm for arm in ARMS if arm != middle], 2)
            yield first, middle, last
            yield last, middle, first
