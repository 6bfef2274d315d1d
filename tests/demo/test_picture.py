"""From what the processes say to what is to be seen."""

from __future__ import annotations

from typing import Any

import pytest

from harness.demo import drawing
from harness.demo.look import Look
from harness.demo.picture import STOPPED, Picture, Watched
from harness.probe.recorder import COLUMNS

T0 = 100.0


def client(seq: int, sent_s: float, done_s: float | None, outcome: str = "ok", kind: str = "load") -> tuple[Any, ...]:
    return (False, kind, seq, "/", sent_s, sent_s, done_s, 200, outcome, 10, None, None)


def server(**tables: list[dict[str, Any]]) -> dict[str, Any]:
    """A message of the probe's, from rows by column."""
    rows = {t: [[row.get(c) for c in columns] for row in tables.get(t, [])] for t, columns in COLUMNS.items()}
    return {"kind": "rows", **rows}


def request(outlived: int = 0, pool_timeouts: int = 0) -> dict[str, Any]:
    return {"seq": b"", "outlived": outlived, "pool_timeouts": pool_timeouts}


def sample(**values: Any) -> dict[str, Any]:
    return {"t_s": T0, "loop_lag_s": 0.0, "tokens_in_use": 0, "tokens_waiting": 0, "connections_out": 0, "checkout_waiting": 0, **values}  # fmt: skip


def test_throughput_is_of_right_answers_in_the_second_before() -> None:
    picture = Picture()
    rows = [client(n, T0 + n / 10, T0 + n / 10 + 0.05) for n in range(20)]
    picture.tell({"kind": "rows", "rows": [*rows, client(99, T0, T0 + 0.1, "http_error")]}, 0)
    look = picture.look(T0 + 2.4)
    assert [point.t_s for point in look.points] == [0.5, 1.0, 1.5, 2.0]
    assert [point.rate_rps for point in look.points[1:]] == [10, 10, 10]
    assert look.points[-1].response_s == pytest.approx(0.05)
    assert (look.ok, look.failed) == (20, 1)


def test_a_second_without_an_answer_has_no_response_time() -> None:
    picture = Picture()
    picture.tell({"kind": "rows", "rows": [client(1, T0, T0 + 0.1)]}, 0)
    last = picture.look(T0 + 4).points[-1]
    assert (last.rate_rps, last.response_s) == (0, None)


def test_a_request_keeps_its_row_from_the_moment_it_is_told_of_to_its_end() -> None:
    picture = Picture()
    flying = [("load", 1, T0, T0), ("load", 2, T0, T0)]
    picture.tell({"kind": "under_way", "load": 2, "oldest": flying}, 0)
    before = {bar.row: bar for bar in picture.look(T0 + 1).bars}
    assert [bar.ended_s for bar in before.values()] == [None, None]
    picture.tell({"kind": "rows", "rows": [client(2, T0, T0 + 1.5)]}, 0)
    ended = [bar for bar in picture.look(T0 + 2).bars if bar.ended_s is not None]
    assert [(bar.row in before, bar.began_s, bar.ended_s) for bar in ended] == [(True, 2.0, 0.5)]


def test_a_connection_is_leaked_from_its_requests_end_until_it_comes_back() -> None:
    picture = Picture()
    picture.tell(server(requests=[request(outlived=1)] * 3, samples=[sample(connections_out=4)]), 0)
    assert (picture.look(T0).pool_out, picture.look(T0).pool_leaked) == (4, 3)
    late = {"outlived": True, "returned_s": T0 + 1}
    picture.tell(server(checkouts=[late, late], samples=[sample(connections_out=2)]), 0)
    assert (picture.look(T0).pool_out, picture.look(T0).pool_leaked) == (2, 1)


def test_the_line_that_holds_the_loop_is_named_while_it_does() -> None:
    picture = Picture()
    hold = {"t_s": T0, "user": ("app.py", 20, "book"), "offender": None}
    picture.tell(server(holds=[hold], samples=[sample(loop_lag_s=0.8)]), 0)
    assert picture.look(T0 + 0.1).holder == "app.py:20 in book"
    assert picture.look(T0 + 2).holder is None
    picture.tell(server(samples=[sample(loop_lag_s=0.001)]), 0)
    assert picture.look(T0 + 0.1).holder is None


def test_several_processes_are_seen_as_one_app() -> None:
    picture = Picture(server_processes=2)
    limit = {"t_s": T0, "kind": "pool", "what": "15", "place": ("app.py", 3, "<module>")}
    for process in range(2):
        picture.tell(server(sightings=[limit], samples=[sample(tokens_in_use=3, connections_out=5)]), process)
    look = picture.look(T0)
    assert (look.tokens_in_use, look.pool_out, look.pool_limit) == (6, 10, 30)


def test_who_gave_up_on_the_pool_is_counted_by_the_server() -> None:
    picture = Picture()
    picture.tell(server(requests=[request(pool_timeouts=1), request()]), 0)
    assert picture.look(T0).gave_up == 1


def test_stop_ends_the_listening_at_the_next_word() -> None:
    heard = Watched()
    heard.take({"kind": "rows", "rows": []}, lambda _: None)
    assert not heard.lost
    heard.stopping.set()
    for _ in range(2):
        heard.take({"kind": "rows", "rows": []}, lambda _: None)
    assert (heard.lost, heard.invalid) == (True, [STOPPED])


def test_what_an_app_told_is_escaped() -> None:
    look = Look(lag_s=1.0, holder="<script>alert(1)</script>")
    assert "<script>" not in drawing.lamp(look)


def test_slots_are_free_in_use_or_leaked() -> None:
    drawn = drawing.pool(Look(pool_limit=15, pool_out=7, pool_leaked=3, pool_waiting=4))
    counts = [drawn.count(f'class="{kind}"') for kind in ("leaked", "used", "free", "wait")]
    assert counts == [3, 4, 8, 4]
