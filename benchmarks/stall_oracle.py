"""A server that stalls for S seconds in a run of T: what its clients must have felt is known, so tools can be held against it.

With even arrivals the response times of the stall fall evenly from S to 0, and all others are near 0. The slowest share q of all
arrivals therefore waited for S - qT or longer, which is the quantile 1 - q. Beside ours, the same stall is put to stock Locust, whose
users hold a rate by ``constant_throughput``, and to wrk where it is installed; both by the percentiles that they print themselves.

    python -m benchmarks.stall_oracle [--seconds 30] [--rate 50] [--without-others]
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.driving import ROOT, LightServer, collect, light_server, start_load
from benchmarks.shown import Line, show_and_exit
from benchmarks.stock_locust import start_locust, total_of
from harness.forkserver import ForkServer
from harness.record import Workload

STALL_SHARES = (0.2, 0.4)  # of the run; above 0.1, so that the 90th percentile lies in the stall as well
PROBABILITIES = (0.9, 0.99, 0.999)
MOST_OFF = 0.02
STALL_AFTER = 0.1  # of the run
THROUGHPUT_LOCUSTFILE = ROOT / "benchmarks/apps/locust_throughput.py"
WRK_LINE = re.compile(r"^\s+(90|99)%\s+([\d.]+)(us|ms|s|m)\s*$", re.MULTILINE)
WRK_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}

Quantiles = dict[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="T; the stalls are 0.2 and 0.4 of it")
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--without-others", action="store_true")
    options = parser.parse_args()
    lines: list[Line] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        loads = stack.enter_context(ForkServer(["harness.load.main"]))
        forks = stack.enter_context(ForkServer([]))
        server = stack.enter_context(light_server(forks, folder / "log"))
        for share in STALL_SHARES:
            stall_s = share * options.seconds
            expected = {p: stall_s - (1 - p) * options.seconds for p in PROBABILITIES}
            what = f"stall of {stall_s:g} s in {options.seconds:g} s"
            lines += judged(
                f"{what}: ours", ours(loads, server, folder, options.rate, options.seconds, stall_s), expected
            )
            if not options.without_others:
                found = locust(server, folder, options.rate, options.seconds, stall_s)
                lines += beside(f"{what}: stock Locust", found, expected)
                if shutil.which("wrk"):
                    lines += beside(f"{what}: wrk", wrk(server, options.rate, options.seconds, stall_s), expected)
    show_and_exit(lines)


def ours(
    loads: ForkServer, server: LightServer, folder: Path, rate_rps: float, seconds: float, stall_s: float
) -> Quantiles:
    users = round(rate_rps * (stall_s + 2))  # enough for all that arrive in the stall
    workload = Workload(model="open", users=users, rate_rps=rate_rps, arrivals="even")
    load = start_load(loads, server.url, workload, folder / "log", warmup_s=1.0, window_s=seconds)
    message = load.receive(30)
    while message is not None and message["kind"] != "window":
        message = load.receive(30)
    server.stall(STALL_AFTER * seconds, stall_s)
    times_s = [row.done_s - row.intended_s for row in collect(load, seconds + 60).window if row.done_s is not None]
    found = np.quantile(times_s, PROBABILITIES, method="inverted_cdf")
    return dict(zip(PROBABILITIES, map(float, found), strict=True))


def locust(server: LightServer, folder: Path, rate_rps: float, seconds: float, stall_s: float) -> Quantiles:
    """As many users as requests a second, so that each holds one a second."""
    users = round(rate_rps)
    server.stall(STALL_AFTER * seconds, stall_s)
    process = start_locust(
        THROUGHPUT_LOCUSTFILE, server.url, folder, users=users, seconds=seconds, env={"RATE_PER_USER": "1"}
    )
    total = total_of(process)
    return {p: total.quantile_s(p) for p in PROBABILITIES}


def wrk(server: LightServer, rate_rps: float, seconds: float, stall_s: float) -> Quantiles:
    """With as many connections as Locust has users; it knows no rate."""
    command = [
        "wrk",
        "-t1",
        f"-c{round(rate_rps)}",
        f"-d{round(seconds)}s",
        "--timeout",
        "60s",
        "--latency",
        server.url,
    ]
    server.stall(STALL_AFTER * seconds, stall_s)
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 60).stdout
    return {int(p) / 100: float(value) * WRK_UNITS[unit] for p, value, unit in WRK_LINE.findall(output)}


def judged(what: str, found: Quantiles, expected: Quantiles) -> list[Line]:
    return [
        Line(
            f"{what}, p{p * 100:g}",
            shown(found[p], s),
            f"{s:.3f} s within {MOST_OFF:.0%}",
            abs(found[p] / s - 1) <= MOST_OFF,
        )
        for p, s in expected.items()
    ]


def beside(what: str, found: Quantiles, expected: Quantiles) -> list[Line]:
    return [
        Line(f"{what}, p{p * 100:g}", shown(found[p], s) if p in found else "not printed") for p, s in expected.items()
    ]


def shown(found_s: float, expected_s: float) -> str:
    return f"{found_s:.3f} s ({found_s / expected_s - 1:+.1%})"


if __name__ == "__main__":
    main()
