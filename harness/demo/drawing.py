"""A look at a trial -> HTML: the loop's lamp, connections and threads as slots, requests as bars, the canary's pulse. Pure.

Colours come from the style sheet. All that was told by an app is escaped.
"""

from __future__ import annotations

from html import escape

from harness.demo.look import BAR_ROWS, BARS_S, FROZEN_S, Look
from harness.report import units

_WIDE, _ROW = 1000, 9
_PULSE_HIGH = 46
_PULSE_FULL_S = 1.0  # a canary that takes longer reaches the top
_MOST_SLOTS = 120
_MOST_WAITING = 40


def lamp(look: Look) -> str:
    """The event loop: free, or held and by which line."""
    if look.lag_s is None:
        return _row("Event loop", '<span class="lamp off"></span><b>not yet running</b>')
    if look.lag_s < FROZEN_S:
        return _row("Event loop", '<span class="lamp free"></span><b>free</b>')
    by = f"<code>{escape(look.holder)}</code>" if look.holder else "<span>busy, with no single line holding it</span>"
    word = f"held for {units.seconds(look.lag_s)}" if look.holder else f"late by {units.seconds(look.lag_s)}"
    return _row("Event loop", f'<span class="lamp held"></span><b class="bad">{word}</b>{by}')


def pool(look: Look) -> str:
    """The connection pool: a slot for each connection, and who waits for one."""
    out = look.pool_out
    if look.pool_limit is None and not out:
        return _row("Pool", '<span class="quiet">no connection used so far</span>')
    out, leaked, limit = out or 0, look.pool_leaked, look.pool_limit
    shown = max(out, limit or 0)
    kinds = ["leaked"] * leaked + ["used"] * (out - leaked) + ["free"] * (shown - out)
    words = f"{out} of {limit} in use" if limit else f"{out} in use, no limit"
    if leaked:
        words += f', <b class="bad">{leaked} after their request’s end</b>'
    return _row("Pool", f"<span>{words}</span>" + _slots(kinds) + _queue(look.pool_waiting, "for a connection"))


def tokens(look: Look) -> str:
    """anyio's worker threads, and who waits for one."""
    if look.tokens_in_use is None:
        return _row("Threads", '<span class="quiet">not yet known</span>')
    used = look.tokens_in_use
    kinds = ["used"] * used + ["free"] * (look.tokens - used)
    words = f"<span>{used} of {look.tokens} in use</span>"
    return _row("Threads", words + _slots(kinds, small=True) + _queue(look.tokens_waiting, "for a thread"))


def waterfall(look: Look) -> str:
    """Requests as bars that move left with the time; the right edge is now."""
    groups: dict[str, list[str]] = {"done": [], "failed": [], "waiting": []}
    for bar in look.bars:
        left = _x(bar.began_s)
        right = _WIDE if bar.ended_s is None else _x(bar.ended_s)
        kind = "waiting" if bar.ended_s is None else "failed" if bar.failed else "done"
        groups[kind].append(f"M{left} {bar.row * _ROW + 5}H{max(right, left + 3)}")
    paths = "".join(f'<path class="{kind}" d="{"".join(d)}"/>' for kind, d in groups.items() if d)
    more = f", {look.under_way} under way" if look.under_way else ""
    wait = f", the oldest for {units.seconds(look.oldest_s)}" if look.oldest_s and look.under_way else ""
    high = BAR_ROWS * _ROW
    picture = (
        f'<svg class="waterfall" viewBox="0 0 {_WIDE} {high}" preserveAspectRatio="none" role="img" '
        f'aria-label="requests as bars"><g class="glide">{paths}</g></svg>'
    )
    return _row("Requests", f"<span>the last {BARS_S:g} s{more}{wait}</span>{picture}")


def pulse(look: Look) -> str:
    """What the canary's requests took: a flat line is well, a steep one is a neighbour who waits."""
    at = [(x, took) for x, took in sorted(look.canary, reverse=True)]
    waits = look.canary_waits_s
    if waits is not None and waits >= FROZEN_S:
        words = f'<b class="bad">a light request waits, for {units.seconds(waits)} now</b>'
    elif at:
        words = f"<span>a light request took {units.seconds(at[-1][1])}</span>"
    else:
        return _row("Canary", '<span class="quiet">none answered so far</span>')
    points = [f"{_x(age)},{_y(took)}" for age, took in at]
    if waits is not None and waits >= FROZEN_S:
        points += [f"{_x(min(waits, BARS_S))},{_y(0)}", f"{_WIDE},{_y(waits)}"]
    line = f'<polyline points="{" ".join(points)}"/>'
    svg = f'<svg class="pulse" viewBox="0 0 {_WIDE} {_PULSE_HIGH}" preserveAspectRatio="none"><g class="glide">{line}</g></svg>'
    return _row("Canary", words + svg)


def numbers(look: Look, ceiling_rps: float | None) -> str:
    """The figures of the moment, as tiles."""
    last = look.points[-1] if look.points else None
    of = f"of at most {units.rate(ceiling_rps)}" if ceiling_rps is not None else "right answers"
    tiles = (
        (units.rate(last.rate_rps) if last else "—", of),
        (units.seconds(last.response_s) if last else "—", "half within"),
        (units.count(look.failed), "failed"),
        (units.count(look.gave_up), "gave up on the pool"),
    )
    return "".join(f"<div><b>{value}</b><span>{what}</span></div>" for value, what in tiles)


def _row(name: str, content: str) -> str:
    return f'<div class="dial"><h4>{name}</h4><div>{content}</div></div>'


def _slots(kinds: list[str], *, small: bool = False) -> str:
    cells = "".join(f'<i class="{kind}"></i>' for kind in kinds[:_MOST_SLOTS])
    rest = f"<em>+{len(kinds) - _MOST_SLOTS}</em>" if len(kinds) > _MOST_SLOTS else ""
    return f'<div class="slots{" small" if small else ""}">{cells}{rest}</div>'


def _queue(waiting: int | None, what: str) -> str:
    """Always takes its line, so that nothing jumps when somebody begins to wait."""
    if not waiting:
        return f'<div class="queue quiet">nobody waits {what}</div>'
    dots = '<i class="wait"></i>' * min(waiting, _MOST_WAITING)
    return f'<div class="queue">{dots}<b class="bad">{waiting} wait {what}</b></div>'


def _x(age_s: float) -> int:
    return round(_WIDE * max(0.0, min(1.0, 1 - age_s / BARS_S)))


def _y(took_s: float) -> int:
    return round((_PULSE_HIGH - 4) * (1 - min(1.0, took_s / _PULSE_FULL_S))) + 2
