"""The sampler against sessions whose state the test makes."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg.rows import TupleRow

from harness.postgres.activity import ActivitySampler
from harness.postgres.databases import Databases
from harness.postgres.server import PostgresServer
from harness.postgres.urls import database_of
from tests.waiting import wait_until


@pytest.fixture
def url(databases: Databases) -> str:
    databases.create_template(lambda url: None)
    return databases.clone("watched")


@pytest.fixture
def started() -> float:
    return time.monotonic()


@pytest.fixture
def sampler(server: PostgresServer, url: str, started: float) -> Iterator[ActivitySampler]:
    sampler = ActivitySampler(server.url, database_of(url), started, interval_s=0.02)
    sampler.start()
    yield sampler
    sampler.stop()


def sampler_pids(admin: psycopg.Connection[TupleRow]) -> list[object]:
    rows = admin.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'harness activity'")
    return [pid for (pid,) in rows]


def test_sessions_are_counted_by_what_they_do(server: PostgresServer, url: str) -> None:
    def counts() -> tuple[int, int, int, int]:
        sampler = ActivitySampler(server.url, database_of(url), time.monotonic())
        sampler.start()
        sample = sampler.stop()[0]
        return sample.sessions, sample.active, sample.idle_in_transaction, sample.lock_waits

    assert counts() == (0, 0, 0, 0)
    with ExitStack() as stack:
        _idle, in_transaction, waiting, busy = (stack.enter_context(psycopg.connect(url)) for _ in range(4))
        in_transaction.execute("SELECT pg_advisory_xact_lock(1)")
        waiting.pgconn.send_query(b"SELECT pg_advisory_xact_lock(1)")
        busy.pgconn.send_query(b"SELECT pg_sleep(60)")
        wait_until(lambda: counts() == (4, 2, 1, 1), "one session idle, one in a transaction, two active, one blocked")
        for session in (busy, waiting):
            session.cancel_safe()
            session.pgconn.get_result()
            session.close()


def test_times_count_from_the_trials_start(sampler: ActivitySampler, started: float) -> None:
    wait_until(lambda: time.monotonic() > started + 0.3, "0.3 s have passed")
    times = [sample.t_s for sample in sampler.stop()]
    assert len(times) >= 2
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= time.monotonic() - started


def test_a_server_without_free_connections_is_still_watched(sampler: ActivitySampler, url: str, started: float) -> None:
    sessions = 0
    with ExitStack() as stack:
        with pytest.raises(psycopg.OperationalError, match=r"too many clients|remaining connection slots"):
            while True:
                stack.enter_context(psycopg.connect(url))
                sessions += 1
        full_s = time.monotonic() - started
        wait_until(lambda: time.monotonic() - started > full_s + 0.3, "a few intervals have passed")
        seen = {sample.sessions for sample in sampler.stop() if sample.t_s > full_s}
    assert seen == {sessions}


def test_a_lost_connection_leaves_a_gap(sampler: ActivitySampler, server: PostgresServer, started: float) -> None:
    with psycopg.connect(server.url, autocommit=True) as admin:
        (old,) = sampler_pids(admin)
        admin.execute("SELECT pg_terminate_backend(%s)", [old])
        wait_until(lambda: sampler_pids(admin) not in ([], [old]), "the sampler is back")
    back_s = time.monotonic() - started
    wait_until(lambda: time.monotonic() - started > back_s + 0.3, "a few intervals have passed")
    assert sampler.stop()[-1].t_s > back_s


def test_a_server_that_is_not_there_gives_no_samples() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql://nobody@127.0.0.1:{taken.getsockname()[1]}/none"
        sampler = ActivitySampler(url, "none", time.monotonic(), interval_s=0.02)
        sampler.start()
        assert sampler.stop() == []
