"""Live gates of the power benchmark: real servers, real load, and what each found kept as a line.

The app is one that reads a row (benchmarks/apps/slowed.py), 200 times a second; B is slowed down by its environment.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import NormalDist, median

from rich.console import Console
from rich.table import Table

from benchmarks.gate_blocks import RATE_RPS, SIZES, TAIL_SHARE
from benchmarks.gate_kept import keep, keep_told, kept, told_apart
from harness.gate.live import GatePlan, run_gate
from harness.gate.versions import own_version, pair_versions
from harness.own import OwnApp
from harness.placement import side_by_side_here
from harness.postgres.server import start_postgres

ROOT = Path(__file__).resolve().parent.parent
TOLD_APART = ("n_plus_one", "blocking_sleep", "return_session", "engine_per_request", "pool_undersized", "blocking_cpu")
AT_ONCE_S = 1e-9  # A waits as well, no longer than it takes to wait at all
TOLD_APART_S = 20.0  # after the servers are ready
OTHERS = 2
BURSTS = "import random, time\nwhile True:\n    end = time.monotonic() + random.uniform(0.2, 2)\n    while time.monotonic() < end: pass\n    time.sleep(random.uniform(0.2, 2))"


def live(case: str, gates: int, budget_s: float, folder: Path, *, whole: bool) -> None:
    """Runs gates of the app against the app, slowed down in B, and keeps each as a line. whole: each goes on to the end of its
    budget."""
    env, env_a = slowdown(case, folder)
    before = len(kept(folder, case))
    place = side_by_side_here()
    with ExitStack() as stack:
        cpus = place.postgres if place else None
        postgres = stack.enter_context(start_postgres("embedded", run_token="gatepower", cpus=cpus))
        logs = stack.enter_context(tempfile.TemporaryDirectory())
        own = OwnApp(
            target="", locustfile=ROOT / "benchmarks/apps/locust_slowed.py", rate_rps=RATE_RPS, canary="/health",
            env=[f"DATABASE_URL={postgres.url}", f"SLOW_TAIL_SHARE={TAIL_SHARE}"],
        )  # fmt: skip
        name = f"{ROOT}#benchmarks.apps.slowed:app"
        if case == "busy":
            stack.enter_context(others())
        for n in range(gates):
            plan = GatePlan(
                a=own_version(name, own, env=env_a, label="A"), b=own_version(name, own, env=env, label="B"), logs=Path(logs), budget_s=budget_s,
                seed=1 + before + n, stop_early=not whole,
            )  # fmt: skip
            result = run_gate(plan)
            keep(folder, case, env, result)
            print(
                f"{case} {before + n + 1}: exit code {result.decision.exit_code} after {len(result.blocks)} blocks, {result.wall_s:.0f} s",
                flush=True,
            )


def slowdown(case: str, folder: Path) -> tuple[list[str], list[str]]:
    """B's environment and A's: B as much slower than the A/A gates that were kept as the case says."""
    if case in ("aa", "busy", "query"):
        return ["SLOW_QUERIES=1"] if case == "query" else [], []
    blocks = [block for gate in kept(folder, "aa") for block in gate.blocks]
    if not blocks:
        sys.exit(f"slowdowns are measured out by A/A gates, and none is kept in {folder}: run `live aa` first")
    names = "cpu_s_per_request", "hold_p50_s", "response_p50_s", "response_p95_s"
    cpu_s, held_s, p50_s, p95_s = (median(b["a"][name] or 0.0 for b in blocks) for name in names)
    if case == "cpu":
        return [f"SLOW_CPU_S={SIZES['cpu'] * cpu_s:.7f}"], []
    setting, longer_s = {
        "hold": ("SLOW_HOLD_S", SIZES["hold"] * held_s),
        "median": ("SLOW_WAIT_S", SIZES["median"] * p50_s),
        "tail": ("SLOW_TAIL_S", slower_tail_s(p50_s, p95_s)),
    }[case]
    return [f"{setting}={longer_s:.7f}"], [f"{setting}={AT_ONCE_S}"]


def slower_tail_s(p50_s: float, p95_s: float) -> float:
    """What some of the requests have to wait for p95 to grow by the size, response times being log-normal."""
    normal = NormalDist()
    spread = math.log(p95_s / p50_s) / normal.inv_cdf(0.95)
    aim_s = (1 + SIZES["tail"]) * p95_s
    beyond = 1 - normal.cdf(math.log(aim_s / p50_s) / spread)  # without a wait
    share = (0.05 - (1 - TAIL_SHARE) * beyond) / TAIL_SHARE  # of those that wait
    return aim_s - p50_s * math.exp(spread * normal.inv_cdf(1 - share))


@contextmanager
def others() -> Iterator[None]:
    """Processes that use all of a core for up to two seconds, and then nothing for as long, by chance."""
    busy = [subprocess.Popen([sys.executable, "-c", BURSTS]) for _ in range(OTHERS)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def pairs(gates: int, budget_s: float, folder: Path) -> int:
    """Gates of a fixed app against its buggy one, kept as lines; prints all that have been kept. Returns 1 when one of them took too long."""
    for _ in range(gates):
        for pair in TOLD_APART:
            fixed, buggy = pair_versions(f"{pair}/fixed", f"{pair}/buggy")
            with tempfile.TemporaryDirectory() as logs:
                result = run_gate(GatePlan(a=fixed, b=buggy, logs=Path(logs), budget_s=budget_s, catalogue=ROOT))
            keep_told(folder, pair, result)
            print(f"{pair}: exit code {result.decision.exit_code} after {result.measured_s:.1f} s", flush=True)
    table = Table(
        "pair", "gates", "a regression", "told apart after: least", "median", "most", "wanted", "met", box=None
    )
    met_all = True
    for pair in TOLD_APART:
        told = told_apart(folder, pair)
        took = sorted(t.measured_s for t in told)
        met = all(t.exit_code == 1 and t.measured_s <= TOLD_APART_S for t in told)
        met_all &= met
        table.add_row(
            pair, str(len(told)), str(sum(t.exit_code == 1 for t in told)), f"{took[0]:.1f} s", f"{median(took):.1f} s", f"{took[-1]:.1f} s",
            f"≤ {TOLD_APART_S:g} s", "yes" if met else "NO",
        )  # fmt: skip
    Console(width=120).print(table)
    return 0 if met_all else 1
