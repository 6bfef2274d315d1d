"""What was seen on a page -> one HTML file that needs nothing else. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources

from harness.demo import drawing
from harness.demo.compare import side_by_side, ticks
from harness.demo.knobs import knobs_of, said
from harness.demo.lessons import question_of
from harness.demo.live import Lane, Order
from harness.demo.results import table
from harness.demo.sandbox import EDITED
from harness.record import Pair
from harness.report import units

Guesses = Mapping[str, tuple[float | None, float | None]]
_WIDE, _HIGH = 640, 160


def render_report(pair: Pair, runs: Sequence[tuple[Order, Sequence[Lane], Guesses]], *, with_lesson: bool) -> bytes:
    """The report. runs: in their order, with what was guessed before each; with_lesson: whether it had been asked for."""
    style = resources.files("harness.demo").joinpath("static/demo.css").read_text(encoding="utf-8")
    parts = [_run(number, *run) for number, run in enumerate(runs, 1)]
    if with_lesson:
        parts.append(f"<h2>The lesson</h2><p>{ticks(pair.lesson)}</p>")
    page = (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>{pair.title}</title><style>{style}</style><body class='report'><main class='page'>"
        f"<h1>{ticks(question_of(pair))}</h1><p class='quiet'>{ticks(pair.title)} · {datetime.now(UTC):%Y-%m-%d %H:%M} UTC</p>"
        f"{''.join(parts)}</main></body></html>"
    )
    return page.encode()


def _run(number: int, order: Order, lanes: Sequence[Lane], guesses: Guesses) -> str:
    how = "together" if order.together else "in turn"
    edited = order.pair.variants.get(EDITED) if EDITED in order.subjects else None
    own = side_by_side(order.pair.variants["fixed"], edited) if edited else ""
    return (
        f"<h2>Run {number}</h2><p class='quiet'>{_settings(order.pair)} · {order.seconds:g} s, {how}</p>"
        f"{table(order, lanes, guesses)}{_curve(lanes, order.seconds)}"
        f"<div class='lanes'>{''.join(_lane(lane) for lane in lanes if lane.trial)}</div>{own}"
    )


def _settings(pair: Pair) -> str:
    load = pair.workload
    values = {"users": float(load.users), "rate_rps": load.rate_rps or 0.0, **pair.settings}
    return " · ".join(f"{knob.label}: {said(knob, values[knob.name])}" for knob in knobs_of(pair))


def _lane(lane: Lane) -> str:
    look = lane.last
    dials = (
        drawing.lamp(look) + drawing.pool(look) + drawing.tokens(look) + drawing.waterfall(look) + drawing.pulse(look)
    )
    return f"<section class='lane v-{lane.variant}'><h3>{lane.variant}, at the end</h3>{dials}</section>"


def _curve(lanes: Sequence[Lane], seconds: float) -> str:
    """Right answers per second over the time."""
    most = max((p.rate_rps for lane in lanes for p in lane.last.points), default=0.0)
    if not most:
        return ""
    lines = "".join(
        f"<polyline class='v-{lane.variant}' points='"
        + " ".join(
            f"{_WIDE * p.t_s / (seconds + 1):.0f},{_HIGH * (1 - p.rate_rps / most):.0f}" for p in lane.last.points
        )
        + "'/>"
        for lane in lanes
    )
    return (
        f"<figure class='curve'><svg viewBox='-2 -4 {_WIDE + 4} {_HIGH + 8}' role='img'>{lines}</svg>"
        f"<figcaption>right answers per second, up to {units.rate(most)}</figcaption></figure>"
    )
