"""In which order the windows come. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator

from harness.gate.findings import ARMS


def rotation(seed: int) -> Iterator[tuple[str, ...]]:
    """Blocks of one window of each arm: in random order, and the next block mirrored (A B A' A' B A), without end.

    A drift of the machine that is linear over such two blocks falls out of their sum; one that keeps time with the
    schedule is not met
    again, since each two are drawn anew.
    """
    source = random.Random(seed)
    while True:
        order = source.sample(ARMS, len(ARMS))
        yield tuple(order)
        yield tuple(reversed(order))
