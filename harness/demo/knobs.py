"""What can be turned on a pair's page, and within what bounds: only what its apps, their libraries and its load really go by. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.errors import UsageError
from harness.record import Pair
from harness.report import units

_WORDS = {
    "users": "users, each waiting for an answer",
    "rate_rps": "arrivals per second",
    "query_s": "a query takes",
    "label_s": "printing a label takes",
    "upstream_delay_s": "the called service takes",
    "pool_size": "connections in the pool",
    "pool_timeout_s": "patience for a connection",
    "default_pool_size": "connections in a pool that names no size",
    "default_max_overflow": "and as many more when they are out (overflow)",
    "thread_tokens": "threads for def routes (tokens)",
    "failing_share": "share of requests that are to fail",
    "failing_orders_share": "share of orders that are to fail",
    "failing_users_share": "share of users whose requests are to fail",
    "leaving_share": "share that leaves before the answer",
}
MOST_USERS = 150
MOST_RATE_RPS = 200.0
MOST_CONNECTIONS = 90  # of the hundred that Postgres allows
_BOUNDS = {
    "default_pool_size": (1, MOST_CONNECTIONS // 2),  # SQLAlchemy takes 0 for no limit at all
    "default_max_overflow": (0, MOST_CONNECTIONS // 2),
    "thread_tokens": (1, 120),
}


@dataclass(frozen=True, kw_only=True)
class Knob:
    """A number that the student may choose."""

    name: str  # a setting of the pair, "users" or "rate_rps"
    label: str
    unit: str  # "s", "/s", "%" for a share, or nothing
    low: float
    high: float
    step: float
    value: float  # the pair's own


def knobs_of(pair: Pair) -> tuple[Knob, ...]:
    """The pair's knobs: first its load, then its settings."""
    workload = pair.workload
    if workload.model == "open" and workload.rate_rps is not None:
        high = min(MOST_RATE_RPS, 4 * workload.rate_rps)
        load = _knob("rate_rps", "/s", low=1, high=high, step=1, value=workload.rate_rps)
    else:
        high = max(workload.users, min(MOST_USERS, 4 * workload.users))
        load = _knob("users", "", low=1, high=high, step=1, value=workload.users)
    return (load, *(_setting(name, value) for name, value in pair.settings.items()))


def turned(pair: Pair, values: Mapping[str, object]) -> Pair:
    """The pair as the knobs stand. Values left out are the pair's own.

    Raises UsageError for a knob that the pair has not, and for what is not a number within its bounds: values come from a browser,
    which may send anything.
    """
    knobs = {knob.name: knob for knob in knobs_of(pair)}
    for name in values:
        if name not in knobs:
            raise UsageError(f"{pair.name} has no knob {name[:40]!r}; it has {', '.join(knobs)}")
    chosen = {name: _within(knobs[name], value) for name, value in values.items()}
    workload = pair.workload
    if "users" in chosen:
        workload = replace(workload, users=int(chosen.pop("users")))
    if "rate_rps" in chosen:
        workload = replace(workload, rate_rps=chosen.pop("rate_rps"))
    return replace(pair, workload=workload, settings={**pair.settings, **chosen})


def said(knob: Knob, value: float) -> str:
    """A value of the knob's, in words."""
    say = {"s": units.seconds, "/s": units.rate, "%": units.share}.get(knob.unit, units.number)
    return say(value)


def _within(knob: Knob, value: object) -> float:
    bounds = f"{knob.low:g} to {knob.high:g}"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"{knob.name} must be a number from {bounds}, not {str(value)[:40]!r}")
    if not knob.low <= value <= knob.high:
        raise UsageError(f"{knob.name} must be from {bounds}, not {value:g}")
    if knob.step >= 1 and value != int(value):
        raise UsageError(f"{knob.name} must be a whole number from {bounds}, not {value:g}")
    return float(value)


def _setting(name: str, value: float) -> Knob:
    if name.endswith("_s"):
        step = 0.01 if value < 0.2 else 0.05 if value < 1 else 0.1
        return _knob(name, "s", low=step, high=round(max(4 * value, 10 * step), 3), step=step, value=value)
    if name.endswith("_share"):
        return _knob(name, "%", low=0, high=1, step=0.01, value=value)
    low, high = _BOUNDS.get(name, (1, max(value, min(MOST_CONNECTIONS, 4 * value))))
    return _knob(name, "", low=low, high=high, step=1, value=value)


def _knob(name: str, unit: str, *, low: float, high: float, step: float, value: float) -> Knob:
    label = _WORDS.get(name) or name.removesuffix("_s").replace("_", " ")
    return Knob(name=name, label=label, unit=unit, low=low, high=high, step=step, value=value)
