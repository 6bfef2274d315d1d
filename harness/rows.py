"""From what the processes said to the tables that are stored: one row per request, client's and server's view joined."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from harness.inside import Frame, Sight
from harness.record import Outcome
from harness.store import REQUESTS, TABLES
from harness.window import Checkout, Hold, Seen

SERVER_COLUMNS = tuple(REQUESTS.names[REQUESTS.names.index("route") :])
_START, _SPENT = SERVER_COLUMNS.index("start_s"), SERVER_COLUMNS.index("end_s") + 1
_POOL_TIMEOUTS = SERVER_COLUMNS.index("pool_timeouts")


def join_requests(
    trial: int, client: Sequence[Any], server: Sequence[Any], t0: float, start_s: float, end_s: float
) -> pa.Table:
    """The requests table of one trial.

    client: rows of :data:`harness.load.recorder.COLUMNS`; server: rows of :data:`harness.probe.state.REQUEST_COLUMNS`, joined
    by seq; both in monotonic seconds, of which t0 is the trial's start. start_s, end_s: the window, from the trial's start.
    """
    seen = _by_seq(server)
    nothing = (None,) * len(SERVER_COLUMNS)
    rows = [_joined(trial, row, seen.get(row[2], nothing), t0, start_s, end_s) for row in client]
    rows.sort(key=lambda row: row[5])
    return _table(REQUESTS, rows)


def _by_seq(server: Sequence[Any]) -> dict[int, tuple[Any, ...]]:
    """What the app saw of each of the load's requests. One that was redirected came to it more than once, under the same number."""
    seen: dict[int, tuple[Any, ...]] = {}
    for seq, *row in server:
        if seq is not None:
            seen[seq] = _both(seen[seq], row) if seq in seen else tuple(row)
    return seen


def _both(one: Sequence[Any], other: Sequence[Any]) -> tuple[Any, ...]:
    """Two visits as one: it starts and has its route with the first, is answered and ends with the last; the rest adds up."""
    if one[_START] == other[_START]:  # the one visit, told of while it went on and when it had ended
        return tuple(other)
    first, last = sorted((one, other), key=lambda row: row[_START])
    spent = (None if a is None or b is None else a + b for a, b in zip(first[_SPENT:], last[_SPENT:], strict=True))
    return (*first[: _START + 1], *last[_START + 1 : _SPENT], *spent)


def strays(client: Sequence[Any], server: Sequence[Any], t0: float) -> list[tuple[float, float]]:
    """Start and end, in seconds from t0, of what the app answered that no client's row belongs to; endless where it never ended.

    They come from elsewhere, or from a scenario that speaks to the app without Locust's clients. Rows as for :func:`join_requests`.
    """
    ours = {row[2] for row in client}
    return [
        (row[2] - t0, math.inf if row[5] is None else row[5] - t0)
        for row in server
        if row[0] is None or row[0] not in ours
    ]


def table_of(name: str, trial: int, rows: Sequence[Any], t0: float) -> pa.Table:
    """The samples or postgres table of one trial; the first value of each row is its time."""
    return _table(TABLES[name], [(trial, row[0] - t0, *row[1:]) for row in rows])


def count_outcomes(requests: pa.Table) -> dict[str, int]:
    """Requests by outcome, all phases and kinds."""
    counts = Counter(requests["outcome"].to_pylist())
    return {outcome.value: counts[outcome.value] for outcome in Outcome if counts[outcome.value]}


def hold_of(row: Any, t0: float) -> Hold:
    """From a row of :data:`harness.probe.recorder.HOLD_COLUMNS`, in monotonic seconds."""
    t_s, held_s, first, user, offender, route = row
    return Hold(t_s=t_s - t0, held_s=held_s, first=first, user=_frame(user), offender=_frame(offender), route=route)


def checkout_of(row: Any, t0: float) -> Checkout:
    """From a row of :data:`harness.probe.state.CHECKOUT_COLUMNS`, in monotonic seconds."""
    taken, session, engine, route, asked_s, got_s, returned_s, opened, not_reused, nested, outlived, sql_s = row
    return Checkout(
        taken=_frame(taken),
        session=_frame(session),
        engine=_frame(engine),
        route=route,
        asked_s=asked_s - t0,
        got_s=_since(got_s, t0),
        returned_s=_since(returned_s, t0),
        opened=bool(opened),
        not_reused=bool(not_reused),
        nested=bool(nested),
        outlived=outlived,
        sql_s=sql_s,
    )


def seen_of(row: Any, t0: float) -> Seen:
    """From a row of :data:`harness.probe.recorder.SIGHTING_COLUMNS`, in monotonic seconds."""
    t_s, kind, what, told, place, via, route, times = row
    return Seen(
        t_s=t_s - t0,
        kind=Sight(kind),
        what=what,
        told=told,
        place=_frame(place),
        via=_frame(via),
        route=route,
        times=times,
    )


def _frame(raw: Any) -> Frame | None:
    return None if raw is None else Frame(file=raw[0], line=raw[1], function=raw[2])


def _joined(trial: int, row: Any, seen: tuple[Any, ...], t0: float, start_s: float, end_s: float) -> tuple[Any, ...]:
    sequential, kind, seq, name, intended_s, sent_s, done_s, status, outcome, size, error, _ = row
    route, begin_s, first_s, last_s, ended_s, *rest = seen
    pool_timeouts = seen[_POOL_TIMEOUTS]
    if outcome == Outcome.HTTP_ERROR and pool_timeouts and status >= 500:
        outcome = Outcome.POOL_TIMEOUT.value
    times = (_since(t, t0) for t in (intended_s, sent_s, done_s))
    phase = _phase(sequential, intended_s - t0, start_s, end_s)
    inside = (_since(t, t0) for t in (begin_s, first_s, last_s, ended_s))
    return (trial, phase, kind, seq, name, *times, status, outcome, size, error, route, *inside, *rest)


def _since(moment_s: float | None, t0: float) -> float | None:
    return None if moment_s is None else moment_s - t0


def _phase(sequential: bool, intended_s: float, start_s: float, end_s: float) -> str:
    if sequential:
        return "sequential"
    if intended_s < start_s:
        return "warmup"
    return "window" if intended_s < end_s else "drain"


def _table(schema: pa.Schema, rows: Sequence[Sequence[Any]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
