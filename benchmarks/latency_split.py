"""How right the latency split is: an app that spends known times in known ways, and what the split says of it.

Requests are sent one after the other, so that nothing waits but for what was put in. Each part must be within 5 % of it; the app's
own few hundred microseconds count as an error of the part ``own``.

    python -m benchmarks.latency_split [--requests 20] [--seconds 0.1]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from harness.forkserver import ForkServer
from harness.measured import LatencySplit
from harness.postgres.server import start_postgres
from harness.probe.recorder import rows_of
from harness.rows import join_requests, table_of
from harness.split import latency_split
from harness.target.target import PRELOAD, start_target, start_upstream
from harness.window import Window

ROOT = Path(__file__).resolve().parent.parent
APP = "benchmarks.apps.known_waits:app"
WITHIN = 0.05
CASES = {
    "async": (
        ("unsent",), ("token",), ("checkout",), ("sql",), ("upstream",), ("own",), ("loop",), ("other",),
        ("unsent", "token", "checkout", "sql", "upstream", "own", "loop", "other"),
    ),
    "sync": (("checkout",), ("sql",), ("upstream",), ("own",), ("checkout", "sql", "upstream", "own")),
}  # fmt: skip


@dataclass(frozen=True)
class Compared:
    route: str
    case: tuple[str, ...]
    part: str
    put_in_s: float
    measured_s: float

    @property
    def error(self) -> float:
        return self.measured_s / self.put_in_s - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20, help="of each case, at least 10")
    parser.add_argument("--seconds", type=float, default=0.1, help="of each part")
    options = parser.parse_args()
    table = Table("route", "case", "part", "put in", "measured", "error", f"within {WITHIN:.0%}", box=None)
    met_all = True
    for found in compare(max(10, options.requests), options.seconds):
        met = abs(found.error) <= WITHIN
        met_all &= met
        case = found.case[0] if len(found.case) == 1 else "all at once"
        times = (f"{found.put_in_s * 1000:.1f} ms", f"{found.measured_s * 1000:.1f} ms", f"{found.error:+.1%}")
        table.add_row(f"/{found.route}", case, found.part, *times, "yes" if met else "NO")
    Console().print(table)
    sys.exit(0 if met_all else 1)


def compare(requests: int, seconds: float) -> list[Compared]:
    """Each case of each route: what was put in, and what the split around the median says."""
    compared = []
    with tempfile.TemporaryDirectory() as logs, serving(Path(logs) / "log", seconds) as (url, rows):
        sent = [
            (route, case, drive(url, route, case, seconds, requests, 1000 * n))
            for n, (route, case) in enumerate((route, case) for route, cases in CASES.items() for case in cases)
        ]
    for route, case, client in sent:
        split = split_of(client, rows)
        compared += [Compared(route, case, part, seconds, getattr(split, f"{part}_s")) for part in case]
    return compared


@contextmanager
def serving(log: Path, upstream_s: float) -> Iterator[tuple[str, list[Any]]]:
    """The app under the probe: its URL, and the rows of its requests, which are there once it has ended."""
    rows: list[Any] = []
    with start_postgres("embedded", run_token="split") as postgres, ForkServer(PRELOAD) as forks:
        upstream = start_upstream(forks, upstream_s, log=log)
        env = {"DATABASE_URL": postgres.url, "UPSTREAM_URL": upstream.url}
        server = start_target(forks, APP, app_dir=ROOT, env=env, log=log)
        try:
            yield server.url, rows
        finally:
            for message in server.child.stop():
                rows += rows_of("requests", message.get("requests", []))
            upstream.child.stop()


def drive(url: str, route: str, case: Sequence[str], seconds: float, requests: int, first: int) -> list[Any]:
    """The client's rows, as :func:`harness.rows.join_requests` takes them; two requests to warm up are left out."""
    asked = {part: 1 if part == "upstream" else seconds for part in case if part != "unsent"}
    rows: list[Any] = []
    with httpx.Client(base_url=url, timeout=30) as client:
        for seq in range(first, first + requests + 2):
            intended_s = time.monotonic()
            time.sleep(seconds if "unsent" in case else 0.0)
            sent_s = time.monotonic()
            answer = client.get(f"/{route}", params=asked, headers={"x-harness-seq": str(seq)})
            done_s = time.monotonic()
            answer.raise_for_status()
            rows.append((False, "load", seq, route, intended_s, sent_s, done_s, 200, "ok", 4, None, None))
    return rows[2:]


def split_of(client: list[Any], server: list[Any]) -> LatencySplit:
    t0, end_s = client[0][4] - 1.0, client[-1][6] - client[0][4] + 2.0
    joined = join_requests(1, client, server, t0, 0.0, end_s)
    nothing = (table_of(name, 1, [], t0) for name in ("samples", "postgres"))
    window = Window(start_s=0.0, end_s=end_s, requests=joined, samples=next(nothing), postgres=next(nothing))
    return latency_split([window])[0]


if __name__ == "__main__":
    main()
