"""The recorder: what is in the row of a request and of a connection, and from when on nothing more is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import msgpack

from harness.probe.recorder import COLUMNS, Probe, rows_of
from harness.probe.state import CheckoutState, current_request


class Route:
    path = "/items/{id}"


@pytest.fixture
def probe() -> Iterator[Probe]:
    yield Probe(str(Path(__file__).parent))
    current_request.set(None)


def scope(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http", "method": "GET", "route": Route, "headers": list(headers)}


def sent_home(probe: Probe, table: str) -> list[dict[str, Any]]:
    """The rows that the parent reads."""
    rows = rows_of(table, msgpack.decode(msgpack.encode(probe.take()))[table])
    return [dict(zip(COLUMNS[table], row, strict=True)) for row in rows]


@pytest.mark.parametrize(
    ("headers", "seq"),
    [
        ([], None),
        ([(b"host", b"x")], None),
        ([(b"host", b"x"), (b"x-harness-seq", b"12")], 12),
        ([(b"x-harness-seq", b"12"), (b"host", b"x")], 12),
        ([(b"x-harness-seq", b"not ours")], None),
    ],
)
def test_a_request_is_known_by_the_number_that_the_load_gave_it(
    probe: Probe, headers: list[tuple[bytes, bytes]], seq: int | None
) -> None:
    probe.end(probe.begin(scope(*headers)))
    assert [row["seq"] for row in sent_home(probe, "requests")] == [seq]


def test_what_a_task_does_that_outlives_its_request_is_not_in_the_row(probe: Probe) -> None:
    request = probe.begin(scope())
    request.queries = 2
    request.find_route()
    probe.end(request)
    request.queries = 3
    (row,) = sent_home(probe, "requests")
    assert (row["route"], row["queries"]) == ("GET /items/{id}", 2)
    assert request.scope is None, "it does not keep alive what the server knows of it"


def test_what_is_under_way_is_told_as_far_as_it_has_come(probe: Probe) -> None:
    request = probe.begin(scope())
    request.sql_s = 0.5
    out = CheckoutState(None, None, None, None, 1.0, got_s=2.0, sql_s=-0.2, request=request)
    probe.checkouts |= {out, CheckoutState(None, None, None, None, 1.0, request=request)}
    probe.add_unended()
    assert [(r["route"], r["end_s"]) for r in sent_home(probe, "requests")] == [("GET /items/{id}", None)]
    probe.add_unended()
    found = sorted((c["got_s"] or 0.0, round(c["sql_s"], 3), c["route"]) for c in sent_home(probe, "checkouts"))
    assert found == [(0.0, 0.0, "GET /items/{id}"), (2.0, 0.3, "GET /items/{id}")]
    assert request.scope is not None, "it goes on"
