"""What Postgres says of one database's sessions while a trial runs."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import psycopg
from psycopg.rows import TupleRow

RECONNECT_S = 2

QUERY = """
SELECT count(*),
       count(*) FILTER (WHERE state = 'active'),
       count(*) FILTER (WHERE state LIKE 'idle in transaction%%'),
       count(*) FILTER (WHERE wait_event_type = 'Lock')
FROM pg_stat_activity
WHERE datname = %s AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, kw_only=True)
class ActivitySample:
    """The sessions of one database at one moment."""

    t_s: float
    sessions: int
    active: int
    idle_in_transaction: int
    lock_waits: int


class ActivitySampler:
    """Samples in a thread at a steady interval. Where Postgres gives no answer there is a gap, never an exception."""

    def __init__(self, admin_url: str, database: str, t0_monotonic: float, interval_s: float = 0.2) -> None:
        """``t0_monotonic`` is the ``time.monotonic()`` from which the samples' ``t_s`` count."""
        self._admin_url = admin_url
        self._database = database
        self._t0 = t0_monotonic
        self._interval_s = interval_s
        self._samples: list[ActivitySample] = []
        self._connection: psycopg.Connection[TupleRow] | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="postgres-activity", daemon=True)

    def start(self) -> None:
        """Takes the first sample, on a connection that it keeps: once an app has used up all of them it is too late."""
        self._sample()
        self._thread.start()

    def stop(self) -> list[ActivitySample]:
        """Ends the thread and returns the samples, oldest first."""
        self._ending.set()
        self._thread.join(RECONNECT_S + 1)  # a server that hangs holds up the thread, which then ends by itself
        return list(self._samples)

    def _run(self) -> None:
        started = time.monotonic()
        while not self._ending.wait(self._interval_s - (time.monotonic() - started) % self._interval_s):
            self._sample()
        self._disconnect()

    def _sample(self) -> None:
        t_s = time.monotonic() - self._t0
        try:
            if self._connection is None:
                self._connection = psycopg.connect(
                    self._admin_url, autocommit=True, connect_timeout=RECONNECT_S, application_name="harness activity"
                )
            row = self._connection.execute(QUERY, [self._database]).fetchone()
        except psycopg.Error:
            self._disconnect()
            return
        assert row is not None
        sessions, active, idle, waits = row
        self._samples.append(
            ActivitySample(t_s=t_s, sessions=sessions, active=active, idle_in_transaction=idle, lock_waits=waits)
        )

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
