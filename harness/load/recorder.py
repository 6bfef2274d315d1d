"""One row for every request that a Locust user makes, kept at full resolution.

Locust's own request event carries a rounded wall-clock start and is fired only at a request's end. The ``request`` methods of
its two HTTP clients are therefore wrapped: the row begins before the send, travels in the request's context, and is completed
by the event. A request of any other client still gets its row, from the event alone.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from itertools import count
from operator import attrgetter
from typing import Any

import locust.clients
import locust.contrib.fasthttp
import msgspec
from gevent import GreenletExit
from locust.exception import CatchResponseError

from harness.load.outcomes import outcome_of
from harness.record import Outcome

SEQ_HEADER = "x-harness-seq"
CONTEXT_KEY = "harness_row"


class Row(msgspec.Struct, gc=False, eq=False, array_like=True):
    """A request on its way, and what is sent home of it: made and packed by C code, and nothing to the garbage collector."""

    sequential: bool
    kind: str
    seq: int
    name: str
    intended_s: float
    sent_s: float
    done_s: float | None = None
    status: int | None = None
    outcome: Outcome = Outcome.UNFINISHED
    bytes: int | None = None
    error: str | None = None
    digest: str | None = None


COLUMNS = Row.__struct_fields__
_SENT = attrgetter("sent_s")


class Recorder:
    """Gives rows to requests and keeps them. ``sequential`` marks the rows of the sequential check and digests their bodies.

    first_seq, seq_step: sequence numbers are first_seq, first_seq + seq_step, …, so that several processes share no number.
    """

    def __init__(self, *, first_seq: int = 1, seq_step: int = 1) -> None:
        self.sequential = False
        self.in_flight: set[Row] = set()
        self.planned = 0  # every row that was begun or skipped
        self.finished = 0  # rows of load (not of the canary) that Locust's statistics must count too
        self._done: list[Row] = []
        self._seqs = count(first_seq, seq_step)

    def begin(self, kind: str, name: str, intended_s: float | None) -> Row:
        now_s = time.monotonic()
        self.planned += 1
        # All by position, here and below: names cost, and this is done for each request.
        row = Row(self.sequential, kind, next(self._seqs), name, now_s if intended_s is None else intended_s, now_s)
        self.in_flight.add(row)
        return row

    def finish(
        self, row: Row, response_time_s: float, response: Any, exception: Any, length: int | None, counted: bool = True
    ) -> None:
        """counted: whether Locust counts it as well."""
        row.done_s = row.sent_s + response_time_s
        row.status = getattr(response, "status_code", 0) or 0
        row.bytes = length
        if exception is None and not row.sequential:
            row.outcome = Outcome.OK
        else:
            self._look_into(row, response, exception)
        self.in_flight.discard(row)
        self.keep(row)
        if counted and row.kind == "load":
            self.finished += 1

    def finish_untold(self, meta: dict[str, Any], error: BaseException) -> None:
        """An answer at which the task raised within its ``with`` block: Locust tells nobody of such a request."""
        row = (meta.get("context") or {}).get(CONTEXT_KEY)
        if row in self.in_flight:
            exception = meta.get("exception") or CatchResponseError(f"{type(error).__name__}: {error}")
            took_s = meta["response_time"] / 1000
            self.finish(row, took_s, meta.get("response"), exception, meta.get("response_length"), counted=False)

    def finish_raised(self, row: Row, error: BaseException) -> None:
        """A request that was never sent, or that its own task gave up: Locust tells nobody of it."""
        if row in self.in_flight:
            self.finish(row, time.monotonic() - row.sent_s, None, error, None, counted=False)

    def _look_into(self, row: Row, response: Any, exception: Any) -> None:
        body = _body(response)
        row.outcome = outcome_of(exception, row.status or 0, body)
        row.error = None if exception is None else str(exception)[:200]
        if row.sequential:
            row.digest = hashlib.sha256(body).hexdigest()[:16]

    def keep(self, row: Row) -> None:
        self._done.append(row)

    def keep_skipped(self, intended_s: float) -> None:
        """An arrival that was planned and will not be sent."""
        row = Row(False, "load", 0, "(skipped)", intended_s, intended_s)
        row.outcome = Outcome.SKIPPED
        self.planned += 1
        self.keep(row)

    def keep_unfinished(self) -> None:
        """Turns all requests that are still under way into rows."""
        for row in self.in_flight:
            self.keep(row)
        self.in_flight.clear()

    def take(self) -> list[Row]:
        """The rows that have come since the last call; packed, each is an array as :data:`COLUMNS` say."""
        rows, self._done = self._done, []
        return rows

    def under_way(self, most: int) -> dict[str, Any]:
        """How many requests of the load are under way, and when the oldest of them, and the oldest canary, were meant to start and sent."""
        rows = sorted(self.in_flight, key=_SENT)
        load = [row for row in rows if row.kind == "load"]
        told = load[:most] + [row for row in rows if row.kind == "canary"][:1]
        return {"load": len(load), "oldest": [(row.kind, row.seq, row.intended_s, row.sent_s) for row in told]}

    def listen(self, request_event: Any) -> None:
        """Completes rows from a Locust request event."""

        def on_request(
            name: str,
            response_time: float | None,
            response_length: int | None = None,
            response: Any = None,
            context: dict[str, Any] | None = None,
            exception: Any = None,
            **_: Any,
        ) -> None:
            took_s = (response_time or 0.0) / 1000
            row = (context and context.get(CONTEXT_KEY)) or self._begun_before(name, took_s)
            row.name = name  # the scenario's own choice, where it renames or redirects
            self.finish(row, took_s, response, exception, response_length)

        request_event.add_listener(on_request)

    def _begun_before(self, name: str, took_s: float) -> Row:
        """A row for a request that no hook saw begin."""
        row = self.begin("load", name, None)
        row.sent_s = row.intended_s = row.sent_s - took_s
        return row


def hook_clients(recorder: Recorder, take_intended: Callable[[Any], float | None]) -> None:
    """Wraps the ``request`` method of Locust's HTTP clients, so that any Locust file is recorded unchanged.

    take_intended: from the session's user to the intended start of its next request, or None for "when it is sent".
    """
    for session_class in (locust.contrib.fasthttp.FastHttpSession, locust.clients.HttpSession):
        _hook(session_class, recorder, take_intended)
    for answer_class in (locust.contrib.fasthttp.ResponseContextManager, locust.clients.ResponseContextManager):
        _hook_leaving(answer_class, recorder)


def _hook(session_class: Any, recorder: Recorder, take_intended: Callable[[Any], float | None]) -> None:
    original = session_class.request

    def request(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        name = kwargs.get("name") or (args[0] if args else None) or self.request_name or url
        row = recorder.begin("load" if self.user else "canary", name, take_intended(self.user or self))
        headers, context = kwargs.get("headers"), kwargs.get("context")
        kwargs["headers"] = {**headers, SEQ_HEADER: str(row.seq)} if headers else {SEQ_HEADER: str(row.seq)}
        kwargs["context"] = {**context, CONTEXT_KEY: row} if context else {CONTEXT_KEY: row}
        try:
            return original(self, method, url, *args, **kwargs)
        except GreenletExit:  # the user is stopped: the request is unfinished
            raise
        except BaseException as error:
            recorder.finish_raised(row, error)
            raise

    session_class.request = request


def _hook_leaving(answer_class: Any, recorder: Recorder) -> None:
    original = answer_class.__exit__

    def __exit__(self: Any, kind: Any, error: Any, traceback: Any) -> Any:
        handled = original(self, kind, error, traceback)
        if not handled and error is not None and not isinstance(error, GreenletExit):
            recorder.finish_untold(self.request_meta, error)
        return handled

    answer_class.__exit__ = __exit__


def _body(response: Any) -> bytes:
    """As far as it has been read: to ask for the rest would wait for it, and take it from the scenario."""
    for name in ("_content", "_cached_content"):  # of requests, and of geventhttpclient
        content = getattr(response, name, None)
        if isinstance(content, bytes):
            return content
    return b""
