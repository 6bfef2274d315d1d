"""What the fix of a pair changes, in one line, told by the figure that its bug is about. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable

from harness.measured import Figures
from harness.record import Cause, Expectation, Outcome, Pair, VariantResult
from harness.report import units

Effect = tuple[str, float | None]

_FAILURES = ("failed_share", "pool_timeout_share", "http_error_share")
_WRONG = (Cause.ERROR_MASKED, Cause.CONTRACT_BROKEN)
_BY_CAUSE = {
    Cause.LOOP_BLOCKED: "canary_p99_s",
    Cause.THREADS_EXHAUSTED: "canary_p50_s",
    Cause.TOO_MANY_QUERIES: "queries_per_request",
    Cause.SESSION_SHARED: "failed_share",
    Cause.STALE_CONNECTION: "failed_share",
    Cause.WRITE_LOST: "failed_share",
}
_WORDS = {
    "canary_p99_s": "p99 of the canary {}",
    "canary_p50_s": "p50 of the canary {}",
    "queries_per_request": "{} queries per request",
    "tokens_per_request": "{} thread hops per request",
    "outlived_per_request": "{} connections not given back, per request",
    "connects_per_request": "{} connections opened per request",
    "hold_idle_share": "{} of the hold without SQL",
    "hold_p50_s": "a connection held for {}",
    "loop_held_share": "loop held for {} of the time",
}


def effect(pair: Pair, results: dict[str, VariantResult]) -> Effect:
    """The effect of the fix, and how many times better it makes what the effect tells of.

    In: the pair's results by variant. The ratio is fixed over buggy where more is better (goodput; the share of requests, or of promised
    rows, that came out right), buggy over fixed where less is; infinite where one of the two is nothing, and None where it was not measured.
    """
    if "buggy" not in results or "fixed" not in results:
        return "not measured on both sides", None
    buggy, fixed = results["buggy"], results["fixed"]
    for tell in _tellers(pair):
        if (told := tell(buggy, fixed)) is not None:
            return told
    return _goodput(buggy, fixed)


def state(results: dict[str, VariantResult]) -> str:
    """What an app of the user's own does, in few words."""
    told = [f"{_rate(r.figures)} requests/s, {_failed(r.figures)} failed" for r in results.values()]
    return "; ".join(told) or "not measured"


def _tellers(pair: Pair) -> list[Callable[[VariantResult, VariantResult], Effect | None]]:
    """Ways to tell of a pair's effect, the most fitting first; each says None when it was not measured, or says nothing."""
    cause = pair.variants["buggy"].cause
    if cause is Cause.WRITE_LOST:
        return [_lost, _failures]
    if cause in _WRONG:
        return [_wrong, _failures]
    if cause is not Cause.TOO_MANY_QUERIES and any(_promises_goodput(e) for e in pair.expectations):
        return [_goodput]
    metric = _BY_CAUSE.get(cause) if cause else None
    metric = metric or _harm(pair)
    if metric is None:
        return [_goodput]
    return [_failures if metric in _FAILURES else lambda buggy, fixed: _less(metric, buggy, fixed)]


def _promises_goodput(e: Expectation) -> bool:
    """Whether more correct answers are expected of the fix."""
    if e.metric != "goodput_rps" or {e.variant, e.over} != {"buggy", "fixed"}:
        return False
    return (e.at_least or 0.0) > 1.0 if e.variant == "fixed" else (e.at_most or math.inf) < 1.0


def _harm(pair: Pair) -> str | None:
    """The first figure of which the pair expects that the bug makes much: failures, where they are among them."""
    metrics = [e.metric for e in pair.expectations if e.variant == "buggy" and not e.over and e.at_least]
    return next((m for m in metrics if m in _FAILURES), next((m for m in metrics if m in _WORDS), None))


def _goodput(buggy: VariantResult, fixed: VariantResult) -> Effect:
    before, after = buggy.figures, fixed.figures
    ratio = _over(after.goodput_rps, before.goodput_rps or 0.0) if after.goodput_rps else None
    rates = f"{_rate(before)} → {_rate(after)} requests/s"
    if not (before.failed_share or after.failed_share):
        return rates, ratio
    return f"{rates}, {_failed(before)} failed → {_failed(after)}", ratio


def _failures(buggy: VariantResult, fixed: VariantResult) -> Effect | None:
    before, after = buggy.figures.failed_share, fixed.figures.failed_share
    if not before or after is None:
        return None
    return f"{_failed(buggy.figures)} failed → {_failed(fixed.figures)}", _over(1.0 - after, 1.0 - before)


def _wrong(buggy: VariantResult, fixed: VariantResult) -> Effect | None:
    """Answers that are wrong behind a good status, as shares of all that ended in the windows."""
    before, after = _wrong_share(buggy), _wrong_share(fixed)
    if not before or after is None:
        return None
    text = f"{_percent(before)} wrong behind a good status → {_percent(after)}"
    if fixed.figures.failed_share and not after:
        text += f", {_failed(fixed.figures)} fail openly"
    return text, _over(1.0 - after, 1.0 - before)


def _wrong_share(result: VariantResult) -> float | None:
    total = sum(result.outcomes.values())
    return result.outcomes.get(Outcome.WRONG_BODY, 0) / total if total else None


def _lost(buggy: VariantResult, fixed: VariantResult) -> Effect | None:
    before, after = ((sum(i.lost for i in r.invariants), sum(i.promised for i in r.invariants)) for r in (buggy, fixed))
    if not before[0] or not after[1]:
        return None
    text = (
        f"{before[0]:,} of {before[1]:,} promised rows lost → {f'{after[0]:,} of {after[1]:,}' if after[0] else 'none'}"
    )
    return text, _over(1.0 - after[0] / after[1], 1.0 - before[0] / before[1])


def _less(metric: str, buggy: VariantResult, fixed: VariantResult) -> Effect | None:
    before, after = getattr(buggy.figures, metric), getattr(fixed.figures, metric)
    if before is None or after is None:
        return None
    text = _WORDS[metric].format(f"{units.figure(metric, before)} → {units.figure(metric, after)}")
    if metric == "queries_per_request":
        text += f", {_goodput(buggy, fixed)[0]}"
    return text, _over(before, after)


def _over(more: float, less: float) -> float | None:
    if less:
        return more / less
    return math.inf if more else None


def _rate(figures: Figures) -> str:
    rate = figures.goodput_rps or 0.0
    return f"{rate:.1f}" if rate < 10 else f"{rate:,.0f}"


def _failed(figures: Figures) -> str:
    return _percent(figures.failed_share or 0.0)


def _percent(share: float) -> str:
    if share == 0:
        return "none"
    return f"{share * 100:.1f} %" if share < 0.01 else f"{share * 100:.0f} %"
