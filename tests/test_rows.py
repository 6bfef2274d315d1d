"""What the two processes said, joined to one row per request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.probe.recorder import SAMPLE_COLUMNS
from harness.probe.state import REQUEST_COLUMNS
from harness.record import Outcome
from harness.rows import SERVER_COLUMNS, count_outcomes, join_requests, table_of
from harness.store import POSTGRES, REQUESTS, SAMPLES

T0, START_S, END_S = 1_000.0, 10.0, 20.0  # the window is 10 to 20 s after the trial's start

Row = tuple[Any, ...]


def client(seq: int = 1, *, at_s: float = 12.0, outcome: str = "ok", **known: Any) -> Row:
    """A row as the recorder sends it: times are those of the machine's clock."""
    ended = outcome not in ("skipped", "unfinished")
    row: dict[str, Any] = {
        "sequential": False,
        "kind": "load",
        "seq": seq,
        "name": "GET /",
        "intended_s": T0 + at_s,
        "sent_s": T0 + at_s + 0.001,
        "done_s": T0 + at_s + 0.5 if ended else None,
        "status": 200 if ended else None,
        "outcome": outcome,
        "bytes": 2 if ended else None,
        "error": None,
        "digest": None,
    }
    return tuple((row | known).values())


def server(seq: int | None, **known: Any) -> Row:
    """A row as the probe sends it."""
    row: dict[str, Any] = dict.fromkeys(REQUEST_COLUMNS, 0) | {"seq": seq, "route": "/items/{id}"}
    row |= {"start_s": T0 + 12.1, "first_byte_s": T0 + 12.2, "last_byte_s": T0 + 12.3, "end_s": T0 + 12.4}
    return tuple((row | known).values())


def joined(of_client: Iterable[Row], of_server: Iterable[Row] = ()) -> list[dict[str, Any]]:
    table = join_requests(7, list(of_client), list(of_server), T0, START_S, END_S)
    assert table.schema == REQUESTS
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def test_the_server_columns_are_what_the_probe_sends() -> None:
    assert ("seq", *SERVER_COLUMNS) == REQUEST_COLUMNS


def test_a_row_is_joined_by_its_sequence_number() -> None:
    found = joined(
        [client(1), client(2, at_s=13.0)],
        [server(2, queries=5, connects=1, sql_s=0.02, outlived=1), server(1, queries=3)],
    )

    assert [(r["seq"], r["queries"]) for r in found] == [(1, 3), (2, 5)]
    second = found[1]
    assert (second["connects"], second["sql_s"], second["outlived"], second["route"]) == (1, 0.02, 1, "/items/{id}")


def test_a_redirected_request_came_to_the_app_twice_and_is_one() -> None:
    """Both of Locust's clients follow with the headers of the first, and time both as one."""
    asked = server(1, route="POST /orders", queries=3, sql_s=0.02, first_byte_s=T0 + 12.2, end_s=T0 + 12.25)
    followed = server(1, route="GET /orders/{id}", start_s=T0 + 12.26, queries=1, sql_s=0.01, last_byte_s=T0 + 12.35)
    timed = [(*row[:-1], own) for row, own in ((asked, 0.04), (followed, 0.01))]
    for rows in (timed, timed[::-1]):
        (found,) = joined([client(1)], rows)
        assert (found["route"], found["queries"], found["sql_s"]) == ("POST /orders", 4, pytest.approx(0.03))
        assert (found["start_s"], found["last_byte_s"]) == (pytest.approx(12.1), pytest.approx(12.35))
        assert found["end_s"] == pytest.approx(12.4)
        assert found["answer_own_s"] == pytest.approx(0.05)
    (found,) = joined([client(1)], [asked, (*followed[:-1], None)])
    assert found["answer_own_s"] is None, "only one of the two was timed"


def test_a_request_that_was_told_of_twice_counts_once() -> None:
    """While it went on, and when it had ended."""
    (found,) = joined([client(1)], [server(1, queries=2, end_s=None), server(1, queries=3)])
    assert (found["queries"], found["end_s"]) == (3, pytest.approx(12.4))


def test_all_times_count_from_the_start_of_the_trial() -> None:
    (row,) = joined([client()], [server(1)])

    assert row["trial"] == 7
    assert [row[c] for c in ("intended_s", "sent_s", "done_s")] == pytest.approx([12.0, 12.001, 12.5])
    assert [row[c] for c in ("start_s", "first_byte_s", "last_byte_s", "end_s")] == pytest.approx(
        [12.1, 12.2, 12.3, 12.4]
    )


def test_times_that_never_came_stay_unknown() -> None:
    (row,) = joined([client(outcome="unfinished")], [server(1, first_byte_s=None, last_byte_s=None)])
    assert row["done_s"] is row["first_byte_s"] is row["last_byte_s"] is None
    assert row["end_s"] is not None


def test_a_request_that_the_probe_did_not_see_has_no_server_view() -> None:
    (row,) = joined([client(1)], [server(2), server(None)])
    assert {row[c] for c in SERVER_COLUMNS} == {None}


def test_rows_of_the_server_alone_are_not_requests() -> None:
    assert joined([], [server(1), server(None)]) == []


def test_rows_are_in_the_order_of_their_intended_start() -> None:
    found = joined([client(1, at_s=14.0), client(2, at_s=12.0), client(3, at_s=13.0)])
    assert [r["seq"] for r in found] == [2, 3, 1]


@pytest.mark.parametrize(
    ("outcome", "status", "pool_timeouts", "expected"),
    [
        ("http_error", 500, 1, "pool_timeout"),
        ("http_error", 503, 2, "pool_timeout"),
        ("http_error", 500, 0, "http_error"),
        ("http_error", 404, 1, "http_error"),  # the app got over it and said something else
        ("ok", 200, 1, "ok"),
        ("wrong_body", 200, 1, "wrong_body"),
        ("client_timeout", 0, 1, "client_timeout"),
        ("pool_timeout", 500, 0, "pool_timeout"),
    ],
)
def test_a_server_error_after_a_pool_timeout_is_a_pool_timeout(
    outcome: str, status: int, pool_timeouts: int, expected: str
) -> None:
    (row,) = joined([client(outcome=outcome, status=status)], [server(1, pool_timeouts=pool_timeouts)])
    assert (row["outcome"], row["status"]) == (expected, status)


def test_a_server_error_that_the_probe_did_not_see_stays_one() -> None:
    (row,) = joined([client(outcome="http_error", status=500)])
    assert row["outcome"] == "http_error"


@pytest.mark.parametrize(
    ("sequential", "at_s", "phase"),
    [
        (True, 1.0, "sequential"),
        (True, 15.0, "sequential"),
        (False, 9.999, "warmup"),
        (False, 10.0, "window"),
        (False, 19.999, "window"),
        (False, 20.0, "drain"),
    ],
)
def test_the_phase_is_that_of_the_intended_start(sequential: bool, at_s: float, phase: str) -> None:
    sent_late = T0 + at_s + 5.0
    (row,) = joined([client(at_s=at_s, sequential=sequential, sent_s=sent_late, done_s=sent_late + 1.0)])
    assert row["phase"] == phase


@given(st.lists(st.tuples(st.sampled_from(Outcome), st.booleans(), st.sampled_from(["load", "canary"]))))
def test_outcomes_add_up_to_the_rows(requests: list[tuple[Outcome, bool, str]]) -> None:
    """Whatever their phase or kind, and whatever the probe says of them."""
    rows = [client(seq, outcome=o.value, status=500, kind=kind) for seq, (o, _, kind) in enumerate(requests, 1)]
    seen = [server(seq, pool_timeouts=1) for seq, (_, timed_out, _) in enumerate(requests, 1) if timed_out]
    counts = count_outcomes(join_requests(1, rows, seen, T0, START_S, END_S))

    assert sum(counts.values()) == len(requests)
    moved = sum(o is Outcome.HTTP_ERROR and timed_out for o, timed_out, _ in requests)
    plain = [o for o, _, _ in requests]
    assert counts.get("pool_timeout", 0) == plain.count(Outcome.POOL_TIMEOUT) + moved
    assert counts.get("http_error", 0) == plain.count(Outcome.HTTP_ERROR) - moved
    assert all(counts.values()), "an outcome that did not happen is not listed"


def test_samples_and_sessions_count_from_the_start_of_the_trial() -> None:
    sample = (T0 + 1.5, 0.02, 3, 4, 5, 6, 7, 8.5, 900, 0)
    (row,) = table_of("samples", 7, [sample], T0).to_pylist()
    assert row == {"trial": 7, **dict(zip((*SAMPLE_COLUMNS, "process"), (1.5, *sample[1:]), strict=True))}
    assert list(row) == SAMPLES.names


def test_no_rows_are_an_empty_table_with_its_columns() -> None:
    assert table_of("postgres", 7, [], T0) == POSTGRES.empty_table()
    assert join_requests(7, [], [], T0, START_S, END_S) == REQUESTS.empty_table()
