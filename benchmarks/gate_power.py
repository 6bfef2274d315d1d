"""How often a gate is wrong: false alarms where nothing has changed, and what it sees of slowdowns put in on purpose.

    python -m benchmarks.gate_power synthetic --gates 200       the decision alone, on made-up requests (minutes)
    python -m benchmarks.gate_power live aa --gates 5           real gates of an app against itself (two minutes each at most)
    python -m benchmarks.gate_power live cpu --gates 5          … against a slowed one: cpu, query, hold, median, tail
    python -m benchmarks.gate_power live busy --gates 5         … against itself, while others use the machine
    python -m benchmarks.gate_power pairs                       a fixed app against its buggy one: how soon are they told apart?
    python -m benchmarks.gate_power replay --gates 2000         blocks of the live A/A gates, in another order
    python -m benchmarks.gate_power widths                      how sure each metric was in the live A/A gates
    python -m benchmarks.gate_power summary                     all that has been kept, against what is wanted
    python -m benchmarks.gate_power chart                       power by the size of the change -> docs/gate_power.svg

Live gates are kept in benchmarks/kept/gate_power, a line each, so that they can be run in portions and add up. Slowdowns are measured
out by the A/A gates that were kept, so these come first.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.gate_blocks import ALIKE, CASES, MEANT, SIZES, made_up
from benchmarks.gate_kept import Kept, kept
from benchmarks.gate_live import live, pairs
from harness.gate.decision import LEAST_BLOCKS, decide
from harness.gate.findings import ARMS, Block, Decision, Look
from harness.gate.metrics import METRICS, Rules

ROOT = Path(__file__).resolve().parent.parent
POWER, FALSE_ALARMS = 0.95, 0.005
LIVE_ALIKE = 60  # live A/A gates at least
STALLS_PER_S = (0.3, 1.5)  # of the made-up machine: as this one was measured, and five times worse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["synthetic", "live", "pairs", "replay", "widths", "summary", "chart"])
    parser.add_argument("case", nargs="?", choices=list(CASES), help="synthetic: all when none is given")
    parser.add_argument("--gates", type=int, default=5)
    parser.add_argument("--budget", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=ROOT / "benchmarks/kept/gate_power")
    parser.add_argument("--whole", action="store_true", help="live: go on to the end of the budget when all is clear")
    options = parser.parse_args()
    if options.what == "synthetic":
        sys.exit(synthetic([options.case] if options.case else list(SIZES), options.gates, options.seed))
    if options.what == "live":
        live(options.case or "aa", options.gates, options.budget, options.folder, whole=options.whole)
    if options.what == "pairs":
        sys.exit(pairs(options.gates, options.budget, options.folder))
    if options.what == "replay":
        sys.exit(replay(options.gates, options.seed, options.folder))
    if options.what == "widths":
        widths(options.folder)
    if options.what == "chart":
        from benchmarks.gate_chart import write_chart

        write_chart(ROOT / "docs/gate_power.svg", options.gates, options.seed, options.folder, peeked, STALLS_PER_S[0])
    if options.what == "summary":
        sys.exit(summary(options.folder))


def synthetic(cases: Sequence[str], gates: int, seed: int) -> int:
    """The decision's error rates on made-up requests, by how often the machine stalls and how unlike its turns are."""
    columns = "change", "stalls", "turns", "regression", "passed", "inconclusive", "A differs from A", "blocks", "met"
    table = Table(*columns, box=None)
    met_all = True
    for case in cases:
        for stalls_per_s in STALLS_PER_S:
            for tails in ("normal", "heavy"):
                rng = np.random.default_rng([seed, list(SIZES).index(case), round(stalls_per_s * 10), tails == "heavy"])
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
    for n in range(LEAST_BLOCKS, len(blocks) + 1):
        looks.append(Look(blocks=n, fraction=n / len(blocks)))
        decision = decide(blocks[:n], looks, Rules())
        if decision.clear:
            break
    return decision, n


def judged(case: str, called: int, gates: int) -> bool:
    """Whether the goal is met: no more false alarms than allowed, or no fewer regressions than wanted."""
    return called <= FALSE_ALARMS * gates if case in ALIKE else called >= POWER * gates


def replay(gates: int, seed: int, folder: Path) -> int:
    """Gates over blocks of the live A/A gates: of one gate each, its blocks in another order, and
    drawn for each block which of the three arms stands for B, since all are A.

    Drawn with replacement, a block that comes up twice at an early look would count as evidence twice. Drawn once for
    a whole gate, the arm that chance has made the slowest would count as slower in truth. What two processes differ by
    for good is left out: that is what the live gates are for.
    """
    sources = [gate.blocks for gate in kept(folder, "aa") if len(gate.blocks) >= LEAST_BLOCKS]
    if not sources:
        sys.exit(f"there is no live A/A gate in {folder}: run `live aa` first")
    rng = np.random.default_rng(seed)
    codes: Counter[int] = Counter()
    for _ in range(gates):
        source = sources[rng.integers(len(sources))]
        blocks: list[Block] = []
        for place in rng.permutation(len(source)):
            arms = rng.permutation(ARMS)
            blocks.append({mine: source[place][taken] for mine, taken in zip(ARMS, arms, strict=True)})
        codes[peeked(blocks)[0].exit_code] += 1
    print(
        f"{gates} replays of {len(sources)} gates: {codes[1]} false alarms ({codes[1] / gates:.2%}, wanted ≤ {FALSE_ALARMS:.1%})"
    )
    return 0 if judged("aa", codes[1], gates) else 1


def widths(folder: Path) -> None:
    """How sure each metric was at the end of the A/A gates that were kept: half its 90 % interval, against its margin."""
    gates = kept(folder, "aa")
    decided = [_at_the_end(gate.blocks) for gate in gates]
    table = Table("metric", "margin", "± at 90 %: median", "most", "inconclusive", "A against A: furthest", box=None)
    for metric in METRICS:
        found = [f for d in decided for f in d.findings if f.metric.name == metric.name and f.ratio and f.high]
        if metric.count or not found:
            continue
        reach = [(f.high or 0.0) / (f.ratio or 1.0) - 1 for f in found]
        apart = [f.ratio or 1.0 for d in decided for f in d.control if f.metric.name == metric.name]
        table.add_row(
            metric.label, f"{metric.margin:.0%}", f"{median(reach):.1%}", f"{max(reach):.1%}",
            f"{sum(f.change == 'inconclusive' for f in found)} of {len(found)}", f"{min(apart):.3f} to {max(apart):.3f}",
        )  # fmt: skip
    Console(width=120).print(table)
    codes = [d.exit_code for d in decided]
    print(
        f"exit codes at the end of the budget: {codes}; as they looked: {[peeked(g.blocks)[0].exit_code for g in gates]}"
    )


def _at_the_end(blocks: Sequence[Block]) -> Decision:
    ends = range(LEAST_BLOCKS, len(blocks) + 1)
    return decide(blocks, [Look(blocks=n, fraction=n / len(blocks)) for n in ends], Rules())


def summary(folder: Path) -> int:
    columns = (
        "change",
        "found, median",
        "gates",
        "seen in it",
        "a regression",
        "passed",
        "inconclusive",
        "took, median",
        "wanted",
        "met",
    )
    table = Table(*columns, box=None)
    met_all = True
    for case, what in CASES.items():
        gates = kept(folder, case)
        if not gates:
            table.add_row(what, "", "0")
            met_all = False
            continue
        codes = Counter(gate.exit_code for gate in gates)
        seen = sum(MEANT.get(case) in gate.called for gate in gates)
        if case in ALIKE:
            wanted, met = "no regression", codes[1] == 0
        else:
            wanted, met = f"seen in ≥ {POWER:.0%}", judged(case, seen, len(gates))
        if case == "aa":
            wanted, met = f"{wanted} in ≥ {LIVE_ALIKE}", met and len(gates) >= LIVE_ALIKE
        met_all &= met
        table.add_row(
            what, _found(case, gates), str(len(gates)), "" if case in ALIKE else str(seen), str(codes[1]), str(codes[0]), str(codes[3]),
            f"{median(gate.wall_s for gate in gates):.0f} s", wanted, "yes" if met else "NO",
        )  # fmt: skip
    Console(width=140).print(table)
    return 0 if met_all else 1


def _found(case: str, gates: Sequence[Kept]) -> str:
    """By how much B was found to be worse in what was changed."""
    if case not in MEANT:
        return ""
    decided = [_at_the_end(gate.blocks) for gate in gates]
    ratios = [f.ratio for d in decided for f in d.findings if f.metric.name == MEANT[case] and f.ratio]
    return f"{median(ratios) - 1:+.1%}"


if __name__ == "__main__":
    main()
