"""What a gate decides on, in its order, and how much of a change is tolerated."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One figure of a window, and what a change of it means."""

    name: str
    label: str
    unit: str  # as in harness.report.units: "" for a number
    count: bool = False  # noise cannot move it: compared by its difference, as it may be zero; else by its ratio
    more_is_worse: bool = True
    margin: float  # tolerated: of a ratio, as a share (0.05: +5 %); of a count, per request or as a share
    required: bool = True  # a gate passes only when this is shown to be within its margin
    weight: float = 1.0  # its part of the error rate, in Holm's procedure


# A count needs little of the error rate: it either never changes, or in every block.
_count = partial(Metric, count=True, unit="", weight=0.1)
METRICS: tuple[Metric, ...] = (
    _count(name="queries_per_request", label="queries per request", margin=0.05),
    _count(name="checkouts_per_request", label="connections taken per request", margin=0.05),
    _count(name="connects_per_request", label="connections opened per request", margin=0.1),
    _count(name="tokens_per_request", label="thread tokens per request", margin=0.05),
    _count(name="outlived_per_request", label="connections that outlive their request", margin=0.02),
    _count(name="failed_share", label="requests that fail", margin=0.005),
    Metric(name="cpu_s_per_request", label="CPU per request", unit="s", margin=0.03),
    Metric(name="goodput_rps", label="goodput", unit="/s", margin=0.08, more_is_worse=False),
    Metric(
        name="hold_p50_s", label="hold of a connection, p50", unit="s", margin=0.15,
        required=False, weight=0.3,
    ),
    Metric(name="response_p50_s", label="response time, p50", unit="s", margin=0.08),
    Metric(name="response_p95_s", label="response time, p95", unit="s", margin=0.15),
    Metric(
        name="response_p99_s", label="response time, p99", unit="s", margin=0.25,
        required=False, weight=0.3,
    ),
    Metric(
        name="canary_p99_s", label="canary, p99", unit="s", margin=0.5,
        required=False, weight=0.3,
    ),
)  # fmt: skip
METRIC_NAMES = tuple(m.name for m in METRICS)
MOST_MARGIN = 10.0
LEAST_REQUESTS = {"response_p95_s": 10, "response_p99_s": 100, "canary_p99_s": 10}  # in a window, for its quantile
DEFAULT_ALPHA = 0.01


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What is decided on, and how sure it must be."""

    metrics: tuple[Metric, ...] = METRICS
    alpha: float = DEFAULT_ALPHA  # chance, over all metrics and looks, to call a change where there is none


def rules_from(
    config: Path | None, *, names: Sequence[str] = (), margins: Sequence[str] = (), alpha: float | None = None
) -> Rules:
    """The defaults, changed by a TOML file, changed by flags.

    config: keys ``alpha``, ``metrics`` (a list of names), ``required`` (a list of names) and a table ``[margins]``. names:
    metrics to decide on, instead of all. margins: ``name=0.1``. Raises UsageError that names the file and key, or the flag.
    """
    table: Mapping[str, Any] = _read(config) if config is not None else {}
    where = str(config)
    wanted = names or _names(table, "metrics", where) or METRIC_NAMES
    metrics = {name: _metric(name, "--metric" if names else f"{where}: metrics") for name in wanted}
    required = _names(table, "required", where)
    if required is not None:
        for name in required:
            _metric(name, f"{where}: required")
        metrics = {name: replace(m, required=name in required) for name, m in metrics.items()}
    given = table.get("margins", {})
    if not isinstance(given, dict):
        raise UsageError(f"{where}: margins must be a table of metrics and shares")
    for name, value in given.items():
        _set_margin(metrics, name, value, f"{where}: margins.{name}")
    for setting in margins:
        name, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(f"--margin {setting!r} has no value; write --margin response_p95_s=0.15")
        _set_margin(metrics, name, value, f"--margin {setting}")
    chosen = alpha if alpha is not None else table.get("alpha", DEFAULT_ALPHA)
    if not isinstance(chosen, (int, float)) or not 0 < chosen <= 0.2:
        raise UsageError(
            f"{'--alpha' if alpha is not None else where + ': alpha'} {chosen!r} is out of range; give more than 0 and at most 0.2"
        )
    return Rules(metrics=tuple(metrics[name] for name in METRIC_NAMES if name in metrics), alpha=float(chosen))


def _read(config: Path) -> Mapping[str, Any]:
    try:
        table = tomllib.loads(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--config {config} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{config}: not valid TOML: {error}") from error
    for key in table:
        if key not in ("alpha", "metrics", "required", "margins"):
            raise UsageError(f"{config}: unknown key {key!r}; there are alpha, metrics, required and [margins]")
    return table


def _names(table: Mapping[str, Any], key: str, where: str) -> list[str] | None:
    found = table.get(key)
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise UsageError(f"{where}: {key} must be a list of metrics")
    return found


def _metric(name: str, where: str) -> Metric:
    for metric in METRICS:
        if metric.name == name:
            return metric
    close = difflib.get_close_matches(name, METRIC_NAMES, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(METRIC_NAMES)}"
    raise UsageError(f"{where}: unknown metric {name!r}; {hint}")


def _set_margin(metrics: dict[str, Metric], name: str, value: Any, where: str) -> None:
    metric = _metric(name, where)
    try:
        margin = float(value)
    except (TypeError, ValueError):
        raise UsageError(f"{where}: a margin is a number, such as 0.05 for 5 %") from None
    if not (math.isfinite(margin) and 0 < margin <= MOST_MARGIN):
        raise UsageError(
            f"{where}: a margin is out of range; give more than 0 and at most {MOST_MARGIN:g} (0.05 is 5 %)"
        )
    if name in metrics:
        metrics[name] = replace(metrics.get(name, metric), margin=margin)
