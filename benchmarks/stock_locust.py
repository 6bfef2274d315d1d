"""Plain Locust, headless, as its users run it; and what it says of itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Total:
    """Locust's own statistics of all its requests; times in seconds, first and last on the wall clock."""

    requests: int
    first_s: float
    last_s: float
    response_times_s: dict[float, int]  # Locust's rounded response times, and how often each was seen

    def quantile_s(self, probability: float) -> float:
        """As Locust computes its percentiles: from its own rounded times, the slowest first."""
        left = int(self.requests * (1 - probability))
        for time_s in sorted(self.response_times_s, reverse=True):
            left -= self.response_times_s[time_s]
            if left < 0:
                return time_s
        return 0.0


def run_locust(
    locustfile: Path, host: str, folder: Path, *, users: int, seconds: float, env: Mapping[str, str] | None = None
) -> Total:
    """Runs ``locust --headless`` for so long and returns its own totals."""
    process = start_locust(locustfile, host, folder, users=users, seconds=seconds, env=env)
    return total_of(process)


def start_locust(
    locustfile: Path, host: str, folder: Path, *, users: int, seconds: float, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable, "-m", "locust", "--headless", "--json", "--only-summary", "--loglevel", "WARNING",
            "-f", str(locustfile), "-H", host, "-u", str(users), "-r", str(users), "-t", f"{seconds:g}s",
        ],
        cwd=folder, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def total_of(process: subprocess.Popen[bytes]) -> Total:
    """Waits for Locust and reads what it printed."""
    output, _ = process.communicate(timeout=600)
    entries = json.loads(output)
    times: dict[float, int] = {}
    for entry in entries:
        for millis, count in entry["response_times"].items():
            times[float(millis) / 1e3] = times.get(float(millis) / 1e3, 0) + count
    return Total(
        requests=sum(entry["num_requests"] for entry in entries),
        first_s=min(entry["start_time"] for entry in entries),
        last_s=max(entry["last_request_timestamp"] for entry in entries),
        response_times_s=times,
    )
