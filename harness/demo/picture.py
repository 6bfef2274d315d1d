"""What goes on in a trial, as one may look at it at any moment. Told message by message by the app's and the load's processes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.demo.look import BAR_ROWS, BARS_S, FROZEN_S, Bar, Look, Point
from harness.forkserver import Message
from harness.hearing import Heard, OnStep
from harness.inside import Sight
from harness.probe.recorder import COLUMNS, rows_of
from harness.record import FAILURES, Outcome
from harness.stats import quantile
from harness.target.library import DEFAULTS

STOPPED = "it was stopped by hand"
BUCKET_S = 0.5
SETTLED_S = 0.3  # after its end a bucket is complete: what is told arrives this much later at most
BAR_GAP_S = 0.06  # between two bars of a row, so that many short requests stay few bars
HOLD_FRESH_S = 0.4
_CHECKOUT_RETURNED = COLUMNS["checkouts"].index("returned_s")
_CHECKOUT_OUTLIVED = COLUMNS["checkouts"].index("outlived")
_REQUEST_OUTLIVED = COLUMNS["requests"].index("outlived")
_REQUEST_TIMEOUTS = COLUMNS["requests"].index("pool_timeouts")


@dataclass
class _Bucket:
    ok: int = 0
    responses_s: list[float] = field(default_factory=list)


@dataclass
class _Sample:
    """The latest of one server process."""

    lag_s: float | None
    tokens_in_use: int | None
    tokens_waiting: int | None
    out: int
    waiting: int
    at_s: float


class Picture:
    """Kept up to date by one thread, looked at by others."""

    def __init__(self, server_processes: int = 1, thread_tokens: int = DEFAULTS["thread_tokens"]) -> None:
        """thread_tokens: of each process."""
        self._lock = threading.Lock()
        self._tokens = server_processes * thread_tokens
        self._processes = server_processes
        self._start_s: float | None = None
        self._buckets: dict[int, _Bucket] = {}
        self._points: list[Point] = []
        self._ok = self._failed = self._gave_up = 0
        self._rows: dict[int, int] = {}  # the bars' rows of requests under way, by their number
        self._row_ends_s = [0.0] * BAR_ROWS
        self._bars: deque[tuple[int, float, float, bool]] = deque()
        self._flying: list[tuple[str, int, float, float]] = []
        self._under_way = 0
        self._samples: dict[int, _Sample] = {}
        self._hold: tuple[float, str] | None = None
        self._limits: dict[Any, int] = {}
        self._outlived = 0
        self._given_back_late = 0
        self._canary: deque[tuple[float, float]] = deque(maxlen=100)

    def tell(self, message: Message, process: int) -> None:
        """Takes in what a process has said."""
        with self._lock:
            match message["kind"]:
                case "rows" if "requests" in message:
                    self._hear_server(message, process)
                case "rows":
                    self._hear_clients(message["rows"])
                case "under_way":
                    self._under_way, self._flying = message["load"], message["oldest"]
                    for kind, seq, _, sent_s in self._flying:
                        if kind == "load" and seq not in self._rows:
                            self._give_row(seq, sent_s)

    def look(self, now_s: float | None = None) -> Look:
        """The picture at a moment (monotonic seconds), which is now unless given."""
        now_s = time.monotonic() if now_s is None else now_s
        with self._lock:
            return Look(
                t_s=max(0.0, now_s - self._start_s) if self._start_s is not None else 0.0,
                points=self._points_until(now_s),
                ok=self._ok,
                failed=self._failed,
                gave_up=self._gave_up,
                under_way=self._under_way,
                bars=self._bars_at(now_s),
                **self._clients_at(now_s),
                **self._server_at(now_s),
            )

    def _hear_clients(self, rows: Iterable[Any]) -> None:
        for sequential, kind, seq, _, intended_s, sent_s, done_s, _, outcome, *_ in rows:
            if sequential or done_s is None:
                continue
            if kind == "canary":
                self._canary.append((done_s, done_s - intended_s))
                continue
            self._start_s = min(self._start_s or intended_s, intended_s)
            self._count(outcome, done_s, done_s - intended_s)
            self._end_bar(seq, sent_s, done_s, failed=outcome != Outcome.OK)

    def _count(self, outcome: str, done_s: float, response_s: float) -> None:
        assert self._start_s is not None
        if outcome == Outcome.OK:
            bucket = self._buckets.setdefault(int((done_s - self._start_s) / BUCKET_S), _Bucket())
            bucket.ok += 1
            bucket.responses_s.append(response_s)
            self._ok += 1
        elif outcome in FAILURES:
            self._failed += 1

    def _give_row(self, seq: int, sent_s: float) -> int | None:
        taken = set(self._rows.values())
        for row in range(BAR_ROWS):
            if row not in taken and self._row_ends_s[row] + BAR_GAP_S <= sent_s:
                self._rows[seq] = row
                return row
        return None

    def _end_bar(self, seq: int, sent_s: float, done_s: float, *, failed: bool) -> None:
        row = self._rows.get(seq)
        if row is None:
            row = self._give_row(seq, sent_s)
        if row is None:
            return
        del self._rows[seq]
        self._row_ends_s[row] = done_s
        self._bars.append((row, sent_s, done_s, failed))
        while self._bars and self._bars[0][2] < done_s - 2 * BARS_S:
            self._bars.popleft()

    def _hear_server(self, message: Message, process: int) -> None:
        for row in rows_of("requests", message["requests"]):
            self._outlived += row[_REQUEST_OUTLIVED]
            self._gave_up += row[_REQUEST_TIMEOUTS] > 0
        for row in rows_of("checkouts", message["checkouts"]):
            self._given_back_late += bool(row[_CHECKOUT_OUTLIVED] and row[_CHECKOUT_RETURNED] is not None)
        for _, kind, what, _, place, *_ in rows_of("sightings", message["sightings"]):
            if kind == Sight.POOL:
                self._limits[place and tuple(place)] = int(what)
        for t_s, _, _, user, offender, _ in rows_of("holds", message["holds"]):
            self._hold = (t_s, place_words(user or offender))
        for t_s, lag_s, _, in_use, waiting, out, asking, *_ in rows_of("samples", message["samples"]):
            self._samples[process] = _Sample(lag_s, in_use, waiting, out, asking, t_s)

    def _points_until(self, now_s: float) -> tuple[Point, ...]:
        if self._start_s is None:
            return ()
        for n in range(len(self._points), int((now_s - SETTLED_S - self._start_s) / BUCKET_S)):
            before, bucket = self._buckets.get(n - 1, _Bucket()), self._buckets.get(n, _Bucket())
            over_s = BUCKET_S if n == 0 else 2 * BUCKET_S
            took_s = np.array([*before.responses_s, *bucket.responses_s])
            self._points.append(Point((n + 1) * BUCKET_S, (before.ok + bucket.ok) / over_s, quantile(took_s, 0.5)))
        return tuple(self._points)

    def _bars_at(self, now_s: float) -> tuple[Bar, ...]:
        ended = [Bar(r, now_s - a, now_s - b, bad) for r, a, b, bad in self._bars if now_s - b < BARS_S]
        sent = {seq: sent_s for _, seq, _, sent_s in self._flying}
        flying = [Bar(row, now_s - sent[seq], None, False) for seq, row in self._rows.items() if seq in sent]
        return (*ended, *flying)

    def _clients_at(self, now_s: float) -> dict[str, Any]:
        load = [now_s - intended_s for kind, _, intended_s, _ in self._flying if kind == "load"]
        canary = [now_s - intended_s for kind, _, intended_s, _ in self._flying if kind == "canary"]
        return {
            "oldest_s": max(load, default=None),
            "canary": tuple((now_s - at_s, took_s) for at_s, took_s in self._canary if now_s - at_s < BARS_S),
            "canary_waits_s": max(canary, default=None),
        }

    def _server_at(self, now_s: float) -> dict[str, Any]:
        samples = list(self._samples.values())
        lag_s = max((s.lag_s for s in samples if s.lag_s is not None), default=None)
        held = self._hold is not None and now_s - self._hold[0] < HOLD_FRESH_S and (lag_s or 0.0) >= FROZEN_S
        out = sum(s.out for s in samples) if samples else None
        return {
            "lag_s": lag_s,
            "holder": self._hold[1] if held and self._hold else None,
            "tokens": self._tokens,
            "tokens_in_use": _sum(s.tokens_in_use for s in samples),
            "tokens_waiting": _sum(s.tokens_waiting for s in samples),
            "pool_limit": self._processes * sum(self._limits.values()) if self._limits else None,
            "pool_out": out,
            "pool_leaked": max(0, min(self._outlived - self._given_back_late, out or 0)),
            "pool_waiting": sum(s.waiting for s in samples) if samples else None,
        }


@dataclass
class Watched(Heard):
    """Keeps what is said, and the picture of it up to date. ``stop`` ends the listening at the next word."""

    picture: Picture = field(default_factory=Picture)
    stopping: threading.Event = field(default_factory=threading.Event)
    at_end: Look | None = None  # before the processes were ended

    def take(self, message: Message, on_step: OnStep, process: int = 0) -> None:
        super().take(message, on_step, process)
        self.picture.tell(message, process)
        if message["kind"] == "window_end":
            self.at_end = self.picture.look()
        if self.stopping.is_set() and self.done is None and not self.lost:
            self.lost = True
            self.invalid.append(STOPPED)


def place_words(place: Any) -> str:
    """A frame as it is sent, in words."""
    if place is None:
        return "(a library)"
    file, line, function = place
    return f"{file}:{line} in {function}"


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
