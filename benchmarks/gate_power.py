"""How often a gate is wrong: false alarms where nothing has changed, and what it sees of slowdowns put in on purpose.

    python -m benchmarks.gate_power synthetic --gates 200       the decision alone, on made-up requests (minutes)
    python -m benchmarks.gate_power live aa --gates 5           real gates of an app against itself (two minutes each)
    python -m benchmarks.gate_power live cpu --gates 5          … against a slowed one: cpu, query, hold, median, tail
    python -m benchmarks.gate_power replay --gates 2000         blocks of the live A/A gates, in another order
    python -m benchmarks.gate_power statistics                  quantiles of each window, or of all: on the same live blocks
    python -m benchmarks.gate_power summary                     all that has been kept, against what is wanted
    python -m benchmarks.gate_power chart                       power by the size of the change -> docs/gate_power.svg

Live gates are kept in a folder, a line each, so that they can be run in portions and add up. Slowdowns are measured
out by the A/A gates that were kept, so these come first.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean, median

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.gate_blocks import RATE_RPS, as_line, kept, made_up
from harness.gate.decision import FIRST_LOOK, decide
from harness.gate.findings import ARMS, Block, Decision, Look
from harness.gate.live import EVERY, GatePlan, run_gate
from harness.gate.metrics import METRICS, Metric, Rules
from harness.gate.versions import own_version
from harness.own import OwnApp
from harness.postgres.server import start_postgres

ROOT = Path(__file__).resolve().parent.parent
CASES = {  # the slowdown, and the share of gates that must call it a regression; of "aa" none may
    "aa": "nothing changed",
    "cpu": "CPU +5 %",
    "query": "one query more",
    "hold": "a connection held for 50 % longer",
    "median": "median response +10 %",
    "tail": "p95 +20 %",
}
SIZES = {"aa": 0.0, "cpu": 0.05, "query": 1.0, "hold": 0.5, "median": 0.1, "tail": 0.2}
POWER, FALSE_ALARMS = 0.95, 0.005
STALLS_PER_S = (0.3, 1.5)  # of the made-up machine: as this one was measured, and five times worse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["synthetic", "live", "replay", "statistics", "summary", "chart"])
    parser.add_argument("case", nargs="?", choices=list(CASES), help="synthetic: all when none is given")
    parser.add_argument("--gates", type=int, default=5)
    parser.add_argument("--budget", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("reports/gate_power"))
    parser.add_argument("--whole", action="store_true", help="live: go on to the end of the budget when all is clear")
    options = parser.parse_args()
    if options.what == "synthetic":
        sys.exit(synthetic([options.case] if options.case else list(CASES), options.gates, options.seed))
    if options.what == "live":
        live(options.case or "aa", options.gates, options.budget, options.folder, whole=options.whole)
    if options.what == "replay":
        sys.exit(replay(options.gates, options.seed, options.folder))
    if options.what == "statistics":
        statistics(options.folder)
    if options.what == "chart":
        from benchmarks.gate_chart import write_chart

        write_chart(ROOT / "docs/gate_power.svg", options.gates, options.seed, options.folder, peeked, STALLS_PER_S[0])
    if options.what == "summary":
        sys.exit(summary(options.folder))


def synthetic(cases: Sequence[str], gates: int, seed: int) -> int:
    """The decision's error rates on made-up requests, by how often the machine stalls and how unlike its windows are."""
    columns = "change", "stalls", "windows", "regression", "passed", "inconclusive", "A differs from A", "blocks", "met"
    table = Table(*columns, box=None)
    met_all = True
    for case in cases:
        for stalls_per_s in STALLS_PER_S:
            for tails in ("normal", "heavy"):
                rng = np.random.default_rng([seed, list(CASES).index(case), round(stalls_per_s * 10), tails == "heavy"])
                ended = [
                    peeked(made_up(rng, case, SIZES[case], stalls_per_s=stalls_per_s, tails=tails))
                    for _ in range(gates)
                ]
                codes = Counter(d.exit_code for d, _ in ended)
                met = judged(case, codes[1], gates)
                met_all &= met
                table.add_row(
                    CASES[case], f"{stalls_per_s:g}/s", tails, f"{codes[1] / gates:.2%}", f"{codes[0] / gates:.1%}", f"{codes[3] / gates:.1%}",
                    f"{sum(bool(d.differs) for d, _ in ended) / gates:.2%}", f"{fmean(n for _, n in ended):.0f}", "yes" if met else "NO",
                )  # fmt: skip
    Console(width=150).print(table)
    return 0 if met_all else 1


def peeked(blocks: Sequence[Block]) -> tuple[Decision, int]:
    """A gate over blocks that are there already: looks as a live one does."""
    looks: list[Look] = []
    for n in (*range(FIRST_LOOK, len(blocks) - EVERY + 1, EVERY), len(blocks)):
        looks.append(Look(blocks=n, fraction=n / len(blocks)))
        decision = decide(blocks[:n], looks, Rules())
        if decision.clear:
            break
    return decision, n


def judged(case: str, called: int, gates: int) -> bool:
    """Whether the goal is met: no more false alarms than allowed, or no fewer regressions than wanted."""
    return called <= FALSE_ALARMS * gates if case == "aa" else called >= POWER * gates


def live(case: str, gates: int, budget_s: float, folder: Path, *, whole: bool) -> None:
    """Runs gates of the app against the app, slowed down in B, and keeps each as a line. whole: each goes on to the end of its
    budget."""
    folder.mkdir(parents=True, exist_ok=True)
    env = slowdown(case, folder)
    before = len(kept(folder, case))
    with start_postgres("embedded", run_token="gatepower") as postgres, tempfile.TemporaryDirectory() as logs:
        own = OwnApp(
            target="", locustfile=ROOT / "benchmarks/apps/locust_slowed.py", rate_rps=RATE_RPS, canary="/health",
            env=[f"DATABASE_URL={postgres.url}"],
        )  # fmt: skip
        name = f"{ROOT}#benchmarks.apps.slowed:app"
        for n in range(gates):
            plan = GatePlan(
                a=own_version(name, own, label="A"), b=own_version(name, own, env=env, label="B"), logs=Path(logs), budget_s=budget_s,
                seed=1 + before + n, stop_early=not whole,
            )  # fmt: skip
            result = run_gate(plan)
            line = {
                "case": case,
                "env": env,
                "exit_code": result.decision.exit_code,
                **asdict(replace(result, blocks=())),
            }
            line["blocks"] = [as_line(block) for block in result.blocks]
            with (folder / f"{case}.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            print(
                f"{case} {before + n + 1}: exit code {result.decision.exit_code} after {len(result.blocks)} blocks, {result.wall_s:.0f} s",
                flush=True,
            )


def slowdown(case: str, folder: Path) -> list[str]:
    """B's environment: as much slower than the A/A gates that were kept as the case says."""
    if case in ("aa", "query"):
        return ["SLOW_QUERIES=1"] if case == "query" else []
    blocks = [block for gate in kept(folder, "aa") for block in gate["blocks"]]
    if not blocks:
        sys.exit(f"slowdowns are measured out by A/A gates, and none is kept in {folder}: run `live aa` first")
    cpu_s = median(b["a"].figures["cpu_s_per_request"] or 0.0 for b in blocks)
    held_us, took_us = (np.concatenate([b["a"].times_us[of] for b in blocks]) for of in ("hold", "response"))
    p50_s, p95_s = (float(t) * 1e-6 for t in np.quantile(took_us, [0.5, 0.95]))
    return {
        "cpu": [f"SLOW_CPU_S={SIZES['cpu'] * cpu_s:.7f}"],
        "hold": [f"SLOW_HOLD_S={SIZES['hold'] * float(np.median(held_us)) * 1e-6:.7f}"],
        "median": [f"SLOW_WAIT_S={SIZES['median'] * p50_s:.7f}"],
        "tail": [f"SLOW_TAIL_S={(1 + SIZES['tail']) * p95_s - p50_s:.7f}"],
    }[case]


def replay(gates: int, seed: int, folder: Path) -> int:
    """Gates over blocks of the live A/A gates: of one gate each, its mirrored pairs of blocks in another order, and
    drawn for each pair which of the three arms stands for B, since all are A.

    Drawn with replacement, a pair that comes up twice at an early look would count as evidence twice. Drawn once for
    a whole gate, the arm that chance has made the slowest would count as slower in truth. What two processes differ by
    for good is left out: that is what the live gates are for.
    """
    sources = [gate["blocks"] for gate in kept(folder, "aa") if len(gate["blocks"]) >= FIRST_LOOK]
    if not sources:
        sys.exit(f"there is no live A/A gate in {folder}: run `live aa` first")
    rng = np.random.default_rng(seed)
    codes: Counter[int] = Counter()
    for _ in range(gates):
        source = sources[rng.integers(len(sources))]
        blocks: list[Block] = []
        for start in rng.permutation(len(source) // EVERY):
            arms = rng.permutation(len(ARMS))
            for block in source[EVERY * start : EVERY * (start + 1)]:
                blocks.append({ARMS[i]: block[ARMS[j]] for i, j in enumerate(arms)})
        codes[peeked(blocks)[0].exit_code] += 1
    print(
        f"{gates} replays of {len(sources)} gates: {codes[1]} false alarms ({codes[1] / gates:.2%}, wanted ≤ {FALSE_ALARMS:.1%})"
    )
    return 0 if judged("aa", codes[1], gates) else 1


def statistics(folder: Path) -> None:
    """What the kept A/A gates say when a quantile is taken of each window, and when it is taken of all together."""
    gates = kept(folder, "aa")
    by_window = tuple(replace(m, quantile=None) for m in METRICS)
    columns = "metric", "gates", "by window: ± at 95 %", "inconclusive", "of all: ± at 95 %", "inconclusive"
    table = Table(*columns, box=None)
    decided = [[_at_the_end(gate["blocks"], metrics) for gate in gates] for metrics in (by_window, METRICS)]
    for metric in METRICS:
        if metric.count:
            continue
        row = [metric.label, str(len(gates))]
        for decisions in decided:
            found = [f for d in decisions for f in d.findings if f.metric.name == metric.name]
            widths = [f.high / f.ratio - 1 for f in found if f.high is not None and f.ratio]
            row += [", ".join(f"{w:.1%}" for w in widths), str(sum(f.change == "inconclusive" for f in found))]
        table.add_row(*row)
    codes = [[d.exit_code for d in decisions] for decisions in decided]
    table.add_row("exit codes", str(len(gates)), str(codes[0]), "", str(codes[1]), "")
    Console(width=170).print(table)


def _at_the_end(blocks: Sequence[Block], metrics: tuple[Metric, ...]) -> Decision:
    ends = (*range(FIRST_LOOK, len(blocks) - EVERY + 1, EVERY), len(blocks))
    return decide(blocks, [Look(blocks=n, fraction=n / len(blocks)) for n in ends], Rules(metrics=metrics))


def summary(folder: Path) -> int:
    table = Table("change", "gates", "regression", "passed", "inconclusive", "wanted", "met", box=None)
    met_all = True
    for case, what in CASES.items():
        gates = kept(folder, case)
        codes = Counter(gate["exit_code"] for gate in gates)
        met = codes[1] == 0 if case == "aa" else judged(case, codes[1], len(gates))
        met_all &= bool(gates) and met
        wanted = "no regression in ≥ 60" if case == "aa" else f"regression in ≥ {POWER:.0%}"
        table.add_row(
            what,
            str(len(gates)),
            str(codes[1]),
            str(codes[0]),
            str(codes[3]),
            wanted,
            ("yes" if met else "NO") if gates else "—",
        )
    Console(width=120).print(table)
    return 0 if met_all else 1


if __name__ == "__main__":
    main()
