"""The databases of one run: a seeded template, and a clone of it per trial."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from itertools import count

import psycopg
from psycopg import errors, sql
from psycopg.rows import TupleRow

from harness.postgres.connection import admin_connection
from harness.postgres.urls import database_of, with_database

NAME_BYTES = 63  # Postgres cuts longer names without a word
PATIENCE_S = 5.0


class Databases:
    """Makes and removes databases on one server; all are named ``harness_<run_token>_…``, and no other is touched.

    Every method raises SetupError, with Postgres' reason, when the server cannot be reached or refuses.
    """

    def __init__(self, admin_url: str, *, run_token: str) -> None:
        """``run_token`` is lower-case letters and digits, so that no run's names begin with another's."""
        if not re.fullmatch(r"[a-z0-9]{1,32}", run_token):
            raise ValueError(f"not a run token: {run_token!r}")
        self._admin_url = admin_url
        self._prefix = f"harness_{run_token}_"
        self._template = self._prefix + "template"
        self._numbers = count(1)
        self._spare: str | None = None
        self._took_s = math.inf  # the last clone

    def create_template(self, seed: Callable[[str], None]) -> None:
        """Makes the template, lets ``seed`` fill it through its URL, and closes it: a clone needs it without sessions."""
        url = with_database(self._admin_url, self._template)
        # The same on every server: another encoding or order of letters would be another app.
        statement = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
        self._run(sql.SQL(statement).format(sql.Identifier(self._template)))
        seed(url)
        with admin_connection(url, name=self._prefix) as connection:
            # Clones inherit the planner's statistics; without them the first trials would run on other plans.
            connection.execute("VACUUM (ANALYZE)")
        self._run(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(self._template)))
        with admin_connection(self._admin_url, name=self._prefix) as connection:
            _end_sessions(connection, "datname", self._template)

    def clone(self, label: str) -> str:
        """The URL of a new database with the template's rows; ``label`` shows in its name, unless it was made ahead for another."""
        spare, self._spare = self._spare, None
        if spare is not None:
            return spare
        began_s = time.monotonic()
        name = f"{self._prefix}{next(self._numbers)}_{re.sub('[^a-z0-9_]', '_', label.lower())}"[:NAME_BYTES]
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._run(statement.format(sql.Identifier(name), sql.Identifier(self._template)))
        self._took_s = time.monotonic() - began_s
        return with_database(self._admin_url, name)

    def clone_ahead(self, label: str, within_s: float) -> None:
        """Makes the next clone now, if the last one took no longer than this."""
        if self._spare is None and self._took_s <= within_s:
            self._spare = self.clone(label)

    def end_sessions(self, name: str) -> None:
        """Ends all sessions of one database. Needs the rights of the role that they belong to."""
        with admin_connection(self._admin_url, name=self._prefix) as connection:
            _end_sessions(connection, "datname", name)

    def drop(self, url: str) -> None:
        """Removes one clone and ends the sessions it still has. Raises ValueError for a database of someone else."""
        name = database_of(url)
        if not name.startswith(self._prefix):
            raise ValueError(f"not a database of this run: {name!r}")
        with admin_connection(self._admin_url, name=self._prefix) as connection:
            _drop(connection, name)

    def drop_all(self) -> None:
        """Removes every database of the run, those included that another process of it is just making."""
        with admin_connection(self._admin_url) as connection:
            # A killed client's CREATE DATABASE runs on and would appear after the names were listed.
            _end_sessions(connection, "application_name", self._prefix)
            rows = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [self._prefix])
            for (name,) in rows.fetchall():
                _drop(connection, name)

    def _run(self, statement: sql.Composed) -> None:
        with admin_connection(self._admin_url, name=self._prefix) as connection:
            connection.execute(statement)


def _end_sessions(connection: psycopg.Connection[TupleRow], column: str, value: str) -> None:
    statement = sql.SQL(
        "SELECT pg_terminate_backend(pid, {}) FROM pg_stat_activity WHERE {} = %s AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    connection.execute(statement.format(int(PATIENCE_S * 1000), sql.Identifier(column)), [value])


def _drop(connection: psycopg.Connection[TupleRow], name: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            return
        except (errors.InsufficientPrivilege, errors.ObjectInUse):
            # Without superuser rights FORCE fails while an autovacuum worker visits the database; it soon leaves.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
