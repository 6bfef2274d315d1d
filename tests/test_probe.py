"""The probe around a real app under real uvicorn, against a real Postgres."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.forkserver import TELL, Child, ForkServer, send
from harness.probe.recorder import COLUMNS, rows_of
from harness.target.target import PRELOAD, start_target
from tests.waiting import wait_until

pytestmark = pytest.mark.alone
ROOT = Path(__file__).resolve().parent.parent
Seen = dict[str, list[dict[str, Any]]]
Watch = Callable[..., Seen]


@pytest.fixture(scope="module")
def forks() -> Iterator[ForkServer]:
    with ForkServer(PRELOAD) as server:
        yield server


@pytest.fixture
def watch(forks: ForkServer, embedded_server: Any, tmp_path: Path) -> Watch:
    """Starts the app, asks each path so many times at once, stops it, and returns what the probe said."""

    def run(*paths: str, at_once: int = 1) -> Seen:
        env = {"DATABASE_URL": embedded_server.url}
        server = start_target(forks, "tests.apps.observed:app", app_dir=ROOT, env=env, log=tmp_path / "log")
        messages = []
        try:
            with httpx.Client(base_url=server.url, timeout=10) as client, ThreadPoolExecutor(at_once) as pool:
                for path in paths:
                    # uvicorn hangs up after an exception: the next request must not try the same connection.
                    headers = [{"x-harness-seq": str(n), "connection": "close"} for n in range(at_once)]
                    list(pool.map(lambda h, path=path: client.get(path, headers=h), headers))
        finally:
            messages = server.child.stop()
        seen: Seen = {name: [] for name in COLUMNS}
        for message in messages:
            for name, columns in COLUMNS.items():
                seen[name] += [dict(zip(columns, row, strict=True)) for row in rows_of(name, message.get(name, []))]
        seen["requests"].sort(key=lambda request: request["start_s"])
        return seen

    return run


def test_a_request_is_seen_from_its_start_to_its_end(watch: Watch) -> None:
    seen = watch("/plain", "/background", "/settled", "/nowhere", "/fails")
    plain, background, _, nowhere, fails = seen["requests"]
    assert (plain["seq"], plain["route"], nowhere["route"]) == (0, "GET /plain", None)
    assert plain["start_s"] <= plain["first_byte_s"] <= plain["last_byte_s"] <= plain["end_s"]
    assert 0.1 <= background["end_s"] - background["last_byte_s"] < 2, (
        "background work is part of the request, not of the answer"
    )
    assert fails["route"] == "GET /fails"
    assert fails["end_s"] is not None


def test_the_line_that_blocks_the_loop_is_named(watch: Watch) -> None:
    seen = [h for h in watch("/blocks", "/blocks")["holds"] if h["user"]]  # a first request may import for long
    holds = [h for h in seen if h["user"][2] == "helper_that_sleeps"]
    assert sum(h["held_s"] for h in seen if h not in holds) < 0.1, "what a busy machine cut short is little"
    assert {h["offender"][2] for h in holds} == {"helper_that_sleeps"}, (
        "time.sleep is C: the leaf is the line that calls it"
    )
    assert {h["route"] for h in holds} == {"GET /blocks"}
    assert sum(h["first"] for h in holds) == 2
    assert 0.3 < sum(h["held_s"] for h in holds) < 0.8


def test_a_loop_that_is_busy_with_short_steps_is_late_but_not_blocked(watch: Watch) -> None:
    holds = watch("/busy", at_once=8)["holds"]
    assert sum(h["held_s"] for h in holds if h["user"]) < 0.2


def test_thread_tokens_and_the_wait_for_them(watch: Watch) -> None:
    seen = watch("/threads", at_once=60)
    assert max(s["tokens_in_use"] for s in seen["samples"] if s["tokens_in_use"] is not None) == 40
    waits = sorted(r["token_wait_s"] for r in seen["requests"])
    assert {r["tokens"] for r in seen["requests"]} == {2}, (
        "one for the route, one to check its answer against the annotation"
    )
    assert waits[-1] > 0.05, "with 40 tokens the last of 60 waits for a first one to end"


@pytest.mark.parametrize("path", ["/query", "/async-query"])
def test_queries_and_connections_are_booked_on_their_request(watch: Watch, path: str) -> None:
    seen = watch(path, path)
    first, second = seen["requests"]
    assert [(r["queries"], r["checkouts"], r["outlived"]) for r in (first, second)] == [(2, 1, 0)] * 2
    assert (first["connects"], second["connects"]) == (1, 0)
    assert all(0.05 <= r["sql_s"] <= r["end_s"] - r["start_s"] for r in (first, second))
    for checkout in seen["checkouts"]:
        function = "query" if path == "/query" else "async_query"
        assert checkout["session"][2] == ("get_db" if path == "/query" else function)
        assert checkout["engine"][2] == "<module>"
        assert checkout["route"] == f"GET {path}"
        assert checkout["asked_s"] <= checkout["got_s"] < checkout["returned_s"]


@pytest.mark.parametrize(("path", "capacity"), [("/query", 2), ("/async-query", 1)])
def test_waits_for_the_pool_and_giving_up(watch: Watch, path: str, capacity: int) -> None:
    seen = watch(f"{path}?seconds=0.4", at_once=20)
    gave_up = [r for r in seen["requests"] if r["pool_timeouts"]]
    assert gave_up
    assert all(0.2 <= r["checkout_wait_s"] < 2 for r in gave_up)
    assert max(s["connections_out"] for s in seen["samples"]) == capacity
    assert max(s["checkout_waiting"] for s in seen["samples"]) > 0
    assert sum(c["got_s"] is None for c in seen["checkouts"]) == len(gave_up)


def test_a_connection_that_outlives_its_request_is_told_with_the_dependency_that_took_it(watch: Watch) -> None:
    seen = watch("/leak", "/leak")
    assert [r["outlived"] for r in seen["requests"]] == [1, 1]
    assert {c["session"][2] for c in seen["checkouts"]} == {"get_leaky_db"}
    assert all(c["returned_s"] is None and c["outlived"] for c in seen["checkouts"])


def test_a_session_that_asks_for_its_connection_when_it_writes_is_found_as_well(watch: Watch) -> None:
    (checkout,) = watch("/flushed-first")["checkouts"]
    assert (checkout["route"], checkout["session"][2], checkout["taken"]) == ("GET /flushed-first", "get_db", None)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/blocks", "own"),
        ("/child", "own"),
        ("/ready", "loop"),
        ("/calls", "upstream"),
        ("/sleeps", "other"),
        ("/query?seconds=0.2", "sql"),
        ("/async-query?seconds=0.2", "sql"),
    ],
)
def test_the_time_of_a_request_is_booked_where_it_went(watch: Watch, path: str, part: str) -> None:
    booked = watch(path, path)["requests"][1]  # a first request opens connections
    parts = {name: booked[f"answer_{name}_s"] for name in ("token", "checkout", "sql", "upstream", "loop", "own")}
    spent_s = booked["last_byte_s"] - booked["start_s"]
    assert sum(parts.values()) <= spent_s, "nothing is booked twice"
    parts["other"] = spent_s - sum(parts.values())
    assert parts[part] >= 0.19
    assert parts[part] == max(parts.values())


@pytest.mark.parametrize(
    ("path", "kind", "what", "place"),
    [
        ("/fails", "failed", "RuntimeError", "fails"),
        ("/fails-later", "after_answer", "RuntimeError", "fails"),
        ("/swallowed", "masked", "KeyError", "swallowed"),
        ("/unawaited", "unawaited", "sleep", "unawaited"),
        ("/unkept", "unkept", "", "write"),
        ("/many", "repeated", "SELECT 1", "many"),
    ],
)
def test_what_goes_wrong_is_told_with_its_line(watch: Watch, path: str, kind: str, what: str, place: str) -> None:
    # What is told when a request has ended, after its answer, may miss the last one when the app is stopped at once.
    told = [s for s in watch(path, path, path)["sightings"] if s["kind"] not in ("endpoint", "pool")][:2]
    assert [(s["kind"], s["what"], s["route"]) for s in told] == [(kind, what, f"GET {path}")] * 2
    assert told[-1]["place"][0] == "tests/apps/observed.py"
    # Of the second at the latest: where rows are written is looked for from then on.
    assert told[-1]["place"][2].startswith(place)


def test_who_swallows_an_error_is_told(watch: Watch) -> None:
    assert [s["via"][2] for s in watch("/swallowed")["sightings"] if s["via"]] == ["Swallower.__call__"]


def test_a_connection_that_breaks_is_told(watch: Watch) -> None:
    (told,) = (s for s in watch("/lost")["sightings"] if s["kind"] == "failed")
    assert told["what"].startswith("OperationalError")
    assert told["what"].endswith("connection lost")
    assert told["place"][2] == "lost"


def test_of_an_app_that_is_well_nothing_is_told_but_its_endpoints(watch: Watch) -> None:
    seen = watch("/query", "/query", "/async-query", "/kept", "/kept", "/nowhere")["sightings"]
    endpoints = {"/query": "query", "/async-query": "async_query", "/kept": "kept_in_time"}
    assert [(s["kind"], s["route"], s["place"][2]) for s in seen if s["kind"] != "pool"] == [
        ("endpoint", f"GET {path}", function) for path, function in endpoints.items()
    ]


def test_a_second_connection_is_told_from_the_first_and_has_a_line(watch: Watch) -> None:
    first, second = sorted(watch("/nested")["checkouts"], key=lambda c: c["asked_s"])
    assert (first["nested"], first["taken"]) == (False, None)
    assert (second["nested"], second["taken"][2]) == (True, "nested")


def test_a_connection_of_another_engine_is_not_waited_for_in_a_circle(watch: Watch) -> None:
    assert [c["nested"] for c in watch("/two-engines")["checkouts"]] == [False, False]


def test_a_connection_that_all_share_is_nobodys(watch: Watch) -> None:
    seen = watch("/shared", "/query", "/sleeps", at_once=4)
    assert [r["outlived"] for r in seen["requests"] if r["route"] == "GET /shared"] == [0] * 4
    assert {c["route"] for c in seen["checkouts"]} == {"GET /query"}
    assert seen["samples"][-1]["connections_out"] == 0


def test_a_route_is_named_with_the_prefixes_of_its_routers_and_mounts(watch: Watch) -> None:
    paths = ("/things/7", "/things/inner", "/apart/7")
    routes = ["GET /things/{number}", "GET /things/inner", "GET /apart/{number}"]
    seen = watch(*paths)
    assert [r["route"] for r in seen["requests"]] == routes
    endpoints = [(s["route"], s["place"][2]) for s in seen["sightings"] if s["kind"] == "endpoint"]
    assert endpoints == list(zip(routes, ("thing", "other", "far_thing"), strict=True))


def test_the_filling_of_a_pool_is_not_the_opening_of_one_for_each_request(watch: Watch) -> None:
    checkouts = watch("/query?seconds=0.1", at_once=2)["checkouts"]
    assert sorted((c["opened"], c["not_reused"]) for c in checkouts) == [(True, False), (True, True)]


def test_the_most_connections_of_a_pool_are_told_once(watch: Watch) -> None:
    told = [s for s in watch("/query", "/query", "/async-query")["sightings"] if s["kind"] == "pool"]
    assert [(s["what"], s["place"][2]) for s in told] == [("2", "<module>"), ("1", "<module>")]


def test_a_generator_that_is_driven_by_hand_has_its_session_made_there(watch: Watch) -> None:
    assert {c["session"][2] for c in watch("/by-hand")["checkouts"]} == {"by_hand"}


def test_where_the_threads_are_is_told_while_others_wait_for_one(watch: Watch) -> None:
    busy = [s for s in watch("/threads", at_once=60)["sightings"] if s["kind"] == "in_thread"]
    assert {s["place"][2] for s in busy} == {"threads"}
    assert max(s["times"] for s in busy) == 40


def told(child: Child, seqs: list[int]) -> int:
    """Asks the probe; returns how many requests are under way, and adds the numbers of those that have ended."""
    send(child.channel, TELL)
    while True:
        message = child.receive(5)
        assert message is not None
        if message["kind"] == "told":
            return int(message["in_flight"])
        seqs += [row[0] for row in rows_of("requests", message.get("requests", []))]


def test_the_probe_tells_all_so_far_when_it_is_asked(forks: ForkServer, embedded_server: Any, tmp_path: Path) -> None:
    env = {"DATABASE_URL": embedded_server.url}
    server = start_target(forks, "tests.apps.observed:app", app_dir=ROOT, env=env, log=tmp_path / "log")
    try:
        with httpx.Client(base_url=server.url, timeout=10) as client:
            for asked in (1, 2):
                client.get("/plain", headers={"x-harness-seq": str(asked)})
                seqs: list[int] = []
                wait_until(lambda: not told(server.child, seqs), "nothing is under way any more")  # noqa: B023 - called at once
                assert seqs == [asked], "once each"
    finally:
        server.child.stop()
