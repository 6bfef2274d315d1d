"""A change so gross that a few turns show it: B more than twice as bad as either A in each of the first rounds. Pure.

Where nothing has changed each of the three arms of a round is the worst one equally often, so that B is it in n rounds in a row with a chance
of 3⁻ⁿ, whatever the figures are like: a randomisation test (R. A. Fisher, *The Design of Experiments*, 1935), asked once. What two
processes of one app differ by for good would break that, and is nowhere near the factor that is asked for besides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from harness.gate.findings import ARMS, Block, Change, Finding
from harness.gate.metrics import Metric, Rules
from harness.trimmed import Floats

FACTOR = 2.0
SHARE = 0.02  # of the error rate
SEEN_IN = ("goodput_rps", "response_p50_s")

Pairs = dict[str, tuple[Finding, Finding]]  # metric -> B against both As, and A against A


def rounds_needed(alpha: float) -> int:
    """After how many rounds is asked: all that is seen in them together may take its share of the error rate, and no more."""
    return math.ceil(math.log(len(SEEN_IN) / (SHARE * alpha), len(ARMS)))


def gross_changes(rounds: Sequence[Block], rules: Rules) -> Pairs:
    """What has got grossly worse, by metric; nothing while there are too few rounds to say so.

    rounds: in each a turn of every arm, side by side.
    """
    first = rounds[: rounds_needed(rules.alpha)]
    if len(first) < rounds_needed(rules.alpha):
        return {}
    found: Pairs = {}
    for metric in rules.metrics:
        if metric.name not in SEEN_IN:
            continue
        figures = [[turn[arm].get(metric.name) for arm in ARMS] for turn in first]
        if any(None in row for row in figures):
            continue
        logs = np.log(np.array(figures, dtype=np.float64))
        a, b, a2 = logs.T
        worse = b - np.maximum(a, a2) if metric.more_is_worse else np.minimum(a, a2) - b
        if worse.min() > math.log(FACTOR):
            level = SHARE * rules.alpha / len(SEEN_IN)
            found[metric.name] = (
                _finding(metric, Change.REGRESSION, (a + a2) / 2, b, level),
                _finding(metric, Change.INCONCLUSIVE, a, a2, level),
            )
    return found


def _finding(metric: Metric, change: Change, before: Floats, after: Floats, level: float) -> Finding:
    """The least and the greatest of n ratios hold the median between them in all but 2¹⁻ⁿ of cases."""
    ratios = np.exp(after - before)
    return Finding(
        metric=metric, change=change, blocks=len(ratios), a=float(np.exp(np.median(before))), b=float(np.exp(np.median(after))),
        ratio=float(np.median(ratios)), low=float(ratios.min()), high=float(ratios.max()),
        p=float(len(ARMS)) ** -len(ratios) if change is Change.REGRESSION else None, level=level, detectable=FACTOR - 1, gross=change is Change.REGRESSION,
    )  # fmt: skip
