"""What holds for every provider: isolation, removal, and nothing left after any end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from harness.postgres.databases import Databases
from harness.postgres.server import PostgresServer, start_postgres
from harness.postgres.urls import database_of, with_database
from tests.waiting import wait_until

# A run that makes two databases, holds a session in one, tells where they are, and waits to be ended.
RUN = """
import json, sys, time, psycopg
from harness.postgres.databases import Databases
from harness.postgres.server import start_postgres
choice, token = sys.argv[1:]
with start_postgres(choice, run_token=token) as server:
    databases = Databases(server.url, run_token=token)
    databases.create_template(lambda url: None)
    session = psycopg.connect(databases.clone("held"))
    print(json.dumps({"keeper": server.keeper.pid, "folder": session.info.host}), flush=True)
    time.sleep(60)
"""


def seed(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE item AS SELECT 1 AS id")


def item_count(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM item").fetchone()
    assert row is not None
    return int(row[0])


def names(url: str, prefix: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix])
        return [name for (name,) in rows]


def test_a_server_tells_what_it_is(server: PostgresServer) -> None:
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT split_part(current_setting('server_version'), ' ', 1)").fetchone()
    assert row == (server.version,)
    assert server.max_connections == 100
    assert "s3cret" not in repr(server)
    assert "harness:" not in repr(server)


def test_a_restart_ends_the_sessions_and_keeps_the_rows(
    server: PostgresServer, databases: Databases, run_token: str
) -> None:
    databases.create_template(seed)
    url = databases.clone("restarted")
    for _ in range(2):
        with psycopg.connect(url) as session:
            session.execute("INSERT INTO item VALUES (2)")
            session.commit()
            server.restart(database_of(url))
            with pytest.raises(psycopg.OperationalError):
                session.execute("SELECT 1")
    assert item_count(url) == 3
    databases.drop(url)


def test_clones_do_not_see_each_others_rows(databases: Databases, run_token: str) -> None:
    databases.create_template(seed)
    first, second = databases.clone("Pool/buggy"), databases.clone("Pool/buggy")
    with psycopg.connect(first) as connection:
        connection.execute("INSERT INTO item VALUES (2)")
    assert (item_count(first), item_count(second), item_count(databases.clone("later"))) == (2, 1, 1)
    databases.clone_ahead("ahead", within_s=0.0)
    assert "ahead" not in databases.clone("at once"), "it would take too long to make one ahead"
    databases.clone_ahead("ahead", within_s=60.0)
    assert "ahead" in (ahead := databases.clone("its turn"))
    assert item_count(ahead) == 1
    assert "at_its_time" in databases.clone("at its time"), "each is given away once"
    assert database_of(first) == f"harness_{run_token}_1_pool_buggy"


def test_the_template_takes_no_sessions_and_ends_those_that_seeding_left(
    databases: Databases, server: PostgresServer, run_token: str
) -> None:
    left: list[psycopg.Connection[TupleRow]] = []
    databases.create_template(lambda url: left.append(psycopg.connect(url)))
    databases.clone("works")
    with pytest.raises(psycopg.OperationalError):
        left[0].execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        psycopg.connect(with_database(server.url, f"harness_{run_token}_template"))


def test_drop_ends_the_sessions_that_are_left(databases: Databases, server: PostgresServer, run_token: str) -> None:
    databases.create_template(seed)
    url = databases.clone("busy")
    with psycopg.connect(url) as session:
        databases.drop(url)
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    databases.drop(url)  # a second time does no harm
    assert names(server.url, f"harness_{run_token}_") == [f"harness_{run_token}_template"]


def test_drop_refuses_a_database_of_someone_else(databases: Databases, users_url: str) -> None:
    with pytest.raises(ValueError, match="not a database of this run: 'lenas_own'"):
        databases.drop(users_url)


def test_a_run_leaves_the_databases_of_others(users_url: str, run_token: str) -> None:
    other = Databases(users_url, run_token=run_token + "0")
    other.create_template(seed)
    with start_postgres(users_url, run_token=run_token) as server:
        Databases(server.url, run_token=run_token).create_template(seed)
    assert names(users_url, f"harness_{run_token}") == [f"harness_{run_token}0_template"]
    assert names(users_url, "lenas") == ["lenas_own"]
    other.drop_all()


@pytest.mark.parametrize("end", ["kill -9", "Ctrl-C", "keeper gets SIGTERM"])
def test_nothing_is_left_after_any_end(choice: str, run_token: str, end: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", RUN, choice, run_token],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert parent.stdout is not None
        told = json.loads(parent.stdout.readline())
        folder = Path(told["folder"])
        postmaster = int((folder / "postmaster.pid").read_text().split()[0])
        if end == "kill -9":
            parent.kill()
        elif end == "Ctrl-C":
            os.killpg(parent.pid, signal.SIGINT)  # the terminal sends it to the whole group
        else:
            os.kill(told["keeper"], signal.SIGTERM)
        if choice == "embedded":
            wait_until(lambda: not alive(postmaster), "Postgres has ended")
            wait_until(lambda: not folder.parent.exists(), "its folder is gone")
        else:
            wait_until(lambda: not names(choice, f"harness_{run_token}_"), "the run's databases are gone")
            assert names(choice, "lenas") == ["lenas_own"]
    finally:
        parent.kill()
        parent.wait()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
