"""From blocks of windows to a decision. Pure.

A block holds one window of each arm: A, B, and A once more in a process of its own. The block is the replicate: what
is tested is the mean, over blocks, of B against the two As (of logarithms; of a count, as it may be zero, plainly),
with Student's t. Of what is no count the mean is a trimmed one: :mod:`harness.trimmed`.
The third server costs little, since its windows count as A's: with σ² the variance of a window, A B A' gives 3σ²/2 a
block, against 2σ² for A B alone.

Several metrics are tested at once, at several looks: S. Holm's procedure (Scand. J. Stat. 6, 1979), weighted, over
group-sequential tests (Y. Ye, A. Li, L. Liu and B. Yao, Stat. Med. 32, 2013). Whoever is rejected leaves its share of
the error rate to the others. A small part of that rate is for :mod:`harness.gate.gross`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from harness.gate.findings import ARMS, Block, Change, Decision, Finding, Look, Promise
from harness.gate.gross import SHARE, gross_changes
from harness.gate.metrics import Metric, Rules
from harness.gate.spending import levels
from harness.trimmed import Floats, Middle, middle

LEAST_BLOCKS = 3  # for a look
INTERVAL_ALPHA = 0.1  # an interval of 90 % within the margin is two one-sided tests at 5 % (D. J. Schuirmann, 1987)
MOST_LOG = 100.0  # of a ratio: what so few blocks say nothing of may be anywhere
POWER_MISSED = 0.1  # what could have been seen: with a chance of 90 %


def decide(
    blocks: Sequence[Block],
    looks: Sequence[Look],
    rules: Rules,
    promises: Sequence[Promise] = (),
    rounds: Sequence[Block] = (),
    *,
    disturbed: bool = False,
) -> Decision:
    """Decides at the last of the looks, of which each had the first so many of the blocks.

    looks: ascending in blocks and fraction; the last has all blocks. rounds: as for :func:`gross_changes`. disturbed: whether other
    processes were at work. Metrics of which too few blocks have a figure are left out, with the reason.
    """
    gross = gross_changes(rounds, rules)
    samples, unmeasured = {}, {}
    for metric in rules.metrics:
        if metric.name in gross:
            continue
        table = _figures(blocks, metric)
        if isinstance(table, str):
            unmeasured[metric.name] = table
        else:
            samples[metric.name] = table
    present = tuple(m for m in rules.metrics if m.name in samples)
    alpha = (1 - SHARE) * rules.alpha
    seen, alike = zip(*gross.values(), strict=True) if gross else ((), ())
    return Decision(
        findings=seen + _judged(present, [_contrast(m, samples[m.name]) for m in present], looks, alpha),
        control=alike + _judged(present, [_control(m, samples[m.name]) for m in present], looks, alpha),
        promises=tuple(promises),
        unmeasured=unmeasured,
        disturbed=disturbed,
    )


@dataclass(frozen=True)
class _Contrast:
    """One metric: by how much the one side exceeds the other, and what both are like."""

    excess: Middle  # over blocks; of logarithms where a ratio is meant
    a: float
    b: float
    margin: float  # of the excess: what is tolerated downwards and upwards


def _figures(blocks: Sequence[Block], metric: Metric) -> Floats | str:
    """A row per block, a column per arm; of a ratio their logarithms. Or why there is nothing to be judged."""
    found = [[block[arm].get(metric.name) for arm in ARMS] for block in blocks]
    whole = np.array([row for row in found if None not in row], dtype=np.float64)
    if len(whole) < LEAST_BLOCKS:
        return f"{len(whole)} of {len(blocks)} blocks have this figure for every arm, and {LEAST_BLOCKS} are needed"
    return whole if metric.count else np.log(np.maximum(whole, 1e-12))


def _contrast(metric: Metric, table: Floats) -> _Contrast:
    """B against both As."""
    return _between(metric, np.stack([table[:, 0], table[:, 2]], axis=1), table[:, 1])


def _control(metric: Metric, table: Floats) -> _Contrast:
    return _between(metric, table[:, :1], table[:, 2])


def _between(metric: Metric, before: Floats, after: Floats) -> _Contrast:
    values = after - before.mean(axis=1)
    if metric.count:  # nothing of it is noise, so nothing is trimmed
        a, b = float(before.mean()), float(after.mean())
        tolerated = metric.margin * max(a, 1.0) if metric.name != "failed_share" else metric.margin
        return _Contrast(middle(values, 0.0), a, b, tolerated)
    a, b = (float(np.exp(middle(side.ravel()).value)) for side in (before, after))
    return _Contrast(middle(values), a, b, float(np.log1p(metric.margin)))


def _judged(
    metrics: Sequence[Metric], contrasts: Sequence[_Contrast], looks: Sequence[Look], alpha: float
) -> tuple[Finding, ...]:
    weights = {m.name: m.weight for m in metrics}
    p_values = {m.name: c.excess.p for m, c in zip(metrics, contrasts, strict=True)}
    level = _holm(p_values, weights, looks, alpha)
    return tuple(
        _finding(m, c, p_values[m.name], level[m.name], looks) for m, c in zip(metrics, contrasts, strict=True)
    )


def _holm(
    p_values: Mapping[str, float], weights: Mapping[str, float], looks: Sequence[Look], alpha: float
) -> dict[str, float]:
    """The level that each metric is held against at the last look, once those below theirs have left them their share."""
    left = dict(weights)
    level: dict[str, float] = {}
    while left:
        total = sum(left.values())
        now = {name: _level(looks, alpha * weight / total) for name, weight in left.items()}
        rejected = [name for name in left if p_values[name] <= now[name]]
        level |= now
        if not rejected:
            break
        for name in rejected:
            del left[name]
    return level


def _level(looks: Sequence[Look], alpha: float) -> float:
    return levels(tuple(k.blocks for k in looks), tuple(k.fraction for k in looks), alpha)[-1]


def _finding(metric: Metric, contrast: _Contrast, p: float, level: float, looks: Sequence[Look]) -> Finding:
    mean, error, freedom = contrast.excess.value, contrast.excess.error, contrast.excess.freedom
    reach = error * _t(_level(looks, INTERVAL_ALPHA), freedom)
    low, high = mean - reach, mean + reach
    worse = mean > 0 if metric.more_is_worse else mean < 0
    if -contrast.margin < low and high < contrast.margin:
        change = Change.EQUIVALENT
    elif p <= level:
        change = Change.REGRESSION if worse else Change.IMPROVEMENT
    else:
        change = Change.INCONCLUSIVE
    seen = error * (_t(level, freedom) + float(stdtrit(freedom, 1 - POWER_MISSED)))
    a, is_ratio = contrast.a, not metric.count or contrast.a > 0
    shown = [mean, low, high] if not is_ratio else [1 + v / a for v in (mean, low, high)]
    if not metric.count:
        shown = [float(np.exp(np.clip(v, -MOST_LOG, MOST_LOG))) for v in (mean, low, high)]
    return Finding(
        metric=metric, change=change, blocks=contrast.excess.blocks, a=a, b=contrast.b, ratio=shown[0] if is_ratio else None, low=shown[1],
        high=shown[2], p=p, level=level, detectable=seen if metric.count else float(np.expm1(min(seen, MOST_LOG))), is_ratio=is_ratio,
    )  # fmt: skip


def _t(level: float, freedom: int) -> float:
    return float(-stdtrit(freedom, max(level, 1e-300) / 2))
