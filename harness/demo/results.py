"""What was guessed, what theory says and what was measured, beside each other, as HTML. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape

from harness.demo.live import Lane, Order
from harness.demo.picture import STOPPED
from harness.formula import ceiling_of, failures_of
from harness.record import Outcome
from harness.report import units

_NOT_FAILED = (Outcome.OK, Outcome.UNFINISHED, Outcome.SKIPPED)


def table(order: Order, lanes: Sequence[Lane], guesses: Mapping[str, tuple[float | None, float | None]]) -> str:
    """A table for the run. guesses: for a variant, right answers per second and requests that fail."""
    head = "<tr><th>variant</th><th>figure</th><th>your guess</th><th>theory</th><th>measured</th></tr>"
    body = "".join(_rows(order, lane, guesses.get(lane.variant, (None, None))) for lane in lanes)
    return f"<table class='results'><thead>{head}</thead><tbody>{body}</tbody></table>{notes(order, lanes)}"


def notes(order: Order, lanes: Sequence[Lane]) -> str:
    """What limits the figures."""
    said = []
    if order.together and len(lanes) > 1:
        said.append("The variants ran at once and shared the processors; run them in turn for figures to compare.")
    for lane in lanes:
        if lane.error is not None:
            said.append(f"{lane.variant} was not measured: {lane.error}")
        elif lane.trial is not None and STOPPED in lane.trial.invalid:
            said.append(f"{lane.variant}: {STOPPED}; its figures are of the time until then.")
        elif lane.trial is not None and lane.trial.invalid and not order.together:
            said.append(f"{lane.variant}: not to be trusted: {'; '.join(lane.trial.invalid)}.")
    return "".join(f"<p class='note'>{escape(sentence)}</p>" for sentence in said)


def _failures(order: Order, variant: str) -> float | None:
    """How many are to fail in the run, from when the first have waited for as long as they wait."""
    rate_rps = failures_of(order.pair, variant)
    patience_s = order.pair.settings.get("pool_timeout_s", 0.0)
    return None if rate_rps is None else rate_rps * max(0.0, order.seconds - patience_s)


def _theory(say: Callable[[float], str], value: float | None) -> str:
    return "<span class='quiet'>no simple arithmetic</span>" if value is None else say(value)


def _least(count: float) -> str:
    """More fail where a newcomer is served before those who wait: that makes their wait the longer."""
    return f"at least {units.count(math.floor(count))}" if count else "none, if all wait their turn"


def _rows(order: Order, lane: Lane, guess: tuple[float | None, float | None]) -> str:
    if lane.trial is None:
        return f"<tr class='v-{lane.variant}'><th>{lane.variant}</th><td colspan='4'>not measured</td></tr>"
    figures, outcomes = lane.trial.figures, lane.trial.outcomes
    failed = sum(count for name, count in outcomes.items() if name not in _NOT_FAILED)
    rows = [
        ("right answers", units.rate(guess[0]), _theory(units.rate, ceiling_of(order.pair, lane.variant)), units.rate(figures.goodput_rps)),
        ("requests that fail", units.count(guess[1]), _theory(_least, _failures(order, lane.variant)), units.count(failed)),
        ("half within", "", "", units.seconds(figures.response_p50_s)),
        ("a light request, 99 % within", "", "", units.seconds(figures.canary_p99_s)),
    ]  # fmt: skip
    if figures.promises_lost is not None:
        rows.append(("answered, and not in the database", "", "0", units.count(figures.promises_lost)))
    first = f"<th rowspan='{len(rows)}'>{lane.variant}</th>"
    cells = (f"<td>{what}</td><td>{g}</td><td>{t}</td><td><b>{m}</b></td>" for what, g, t, m in rows)
    return "".join(f"<tr class='v-{lane.variant}'>{first if n == 0 else ''}{c}</tr>" for n, c in enumerate(cells))
