"""What is known of each route, and what the probe told, from hand-made windows of 10 to 20 s."""

from __future__ import annotations

from typing import Any

import pytest

from harness.inside import Sight
from harness.routes import route_uses, sightings
from harness.window import Seen
from tests.builders import frame, request, unfinished, window


def seen(t_s: float, kind: Sight = Sight.FAILED, **known: Any) -> Seen:
    plain: dict[str, Any] = {"what": "KeyError", "told": "'a'", "place": frame(), "via": None, "route": "/", "times": 1}
    return Seen(t_s=t_s, kind=kind, **(plain | known))


def test_what_was_told_is_summed_from_the_windows_start_on() -> None:
    told = [seen(9.9), seen(10.0), seen(15.0, told="'b'"), seen(25.0, told="'b'"), seen(12.0, route="/b", times=9)]
    found = sightings([window(seen=told), window(seen=[seen(11.0, told="'b'")], trial=2)])
    assert [(s.route, s.times, s.told) for s in found] == [("/b", 9, "'a'"), ("/", 4, "'b'")]


def test_how_promised_rows_were_lost_is_told_of_the_warm_up_too() -> None:
    told = [seen(1.0, Sight.AFTER_ANSWER), seen(2.0, Sight.UNKEPT), seen(3.0, Sight.UNAWAITED), seen(4.0, Sight.MASKED)]
    assert {s.kind for s in sightings([window(seen=told)])} == {Sight.AFTER_ANSWER, Sight.UNKEPT, Sight.UNAWAITED}


def test_a_routes_endpoint_is_known_whenever_it_was_told() -> None:
    told = [seen(1.0, Sight.ENDPOINT, place=frame(40, "read"))]
    of = window([request(12.0)], seen=told)
    assert [u.endpoint for u in route_uses([of])] == [frame(40, "read")]
    assert sightings([of]) == ()


def test_the_answers_of_a_route_are_counted_by_the_clients_name() -> None:
    rows = [
        request(12.0, name="a", bytes=100, queries=2),
        request(13.0, 0.1, "wrong_body", name="a", bytes=300, queries=4),
        request(14.0, 0.1, "http_error", name="b", status=500),
        request(9.0, name="a"),  # of the warm-up
        request(12.0, name="a", kind="canary"),
        unfinished(12.0, name="a"),
    ]
    rows[3]["phase"] = "warmup"
    a, b = route_uses([window(rows)])
    assert (a.name, a.answers, a.wrong_bodies, a.bytes_mean, a.queries_mean) == ("a", 2, 1, 200.0, 3.0)
    assert (b.name, b.answers, b.wrong_bodies) == ("b", 1, 0)


@pytest.mark.parametrize(
    ("status", "checkouts", "hidden"),
    [(200, 0, 1), (503, 0, 0), (200, 1, 0)],
    ids=["told nobody", "told so", "tried again"],
)
def test_a_pool_timeout_is_hidden_when_the_status_does_not_tell(status: int, checkouts: int, hidden: int) -> None:
    rows = [request(12.0, status=status, pool_timeouts=1, checkouts=checkouts)]
    assert [u.hidden_timeouts for u in route_uses([window(rows)])] == [hidden]
