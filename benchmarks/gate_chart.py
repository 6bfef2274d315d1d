"""The chart of gate_power: how often a gate sees a change, by the size of the change. Drawn like the charts of a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.gate_blocks import made_up
from benchmarks.gate_kept import kept
from harness.gate.findings import Block, Decision
from harness.report.charts.canvas import LEFT, WIDTH, Canvas, drawing_style, ticks
from harness.report.charts.palette import LIGHT, VARIANT_DASHES
from harness.report.charts.svg import standalone

SHOWN = {"tail": ("p95", "buggy"), "median": ("p50", "fixed"), "cpu": ("CPU per request", "other")}
LARGEST, STEPS = 0.3, 11
METRICS = {"aa": "", "tail": "response_p95_s", "median": "response_p50_s", "cpu": "cpu_s_per_request"}
HEIGHT, TOP, BOTTOM = 250.0, 44.0, 62.0
COMMAND = "python -m benchmarks.gate_power chart --gates {gates} --seed {seed}"

Peek = Callable[[Sequence[Block]], tuple[Decision, int]]


def write_chart(path: Path, gates: int, seed: int, folder: Path, peeked: Peek, stalls_per_s: float) -> None:
    """Runs made-up gates of each size and draws what share of them called a regression; a mark for live gates that are kept."""
    sizes = np.linspace(0.0, LARGEST, STEPS)
    power = {case: [_seen(case, float(s), gates, seed, peeked, stalls_per_s) for s in sizes] for case in SHOWN}
    with drawing_style():
        svg = _drawn(
            sizes.tolist(), power, _live(folder, peeked), f"{COMMAND.format(gates=gates, seed=seed)}", stalls_per_s
        )
    path.write_text(standalone(svg, title="What share of gates sees a change", legend=()), encoding="utf-8")


def _seen(case: str, size: float, gates: int, seed: int, peeked: Peek, stalls_per_s: float) -> float:
    rng = np.random.default_rng([seed, list(SHOWN).index(case), round(size * 1000)])
    ended = [peeked(made_up(rng, case, size, stalls_per_s=stalls_per_s, tails="normal"))[0] for _ in range(gates)]
    return sum(d.exit_code == 1 for d in ended) / gates


def _live(folder: Path, peeked: Peek) -> dict[str, tuple[float, float]]:
    """By case: the size that the live gates found, none where nothing was changed, and the share that called a regression."""
    points = {}
    for case, metric in METRICS.items():
        gates = kept(folder, case)
        found = [
            f.ratio - 1 for g in gates for f in peeked(g.blocks)[0].findings if f.metric.name == metric and f.ratio
        ]
        if gates:
            size = float(np.median(found)) if found else 0.0
            points[case] = (size, sum(g.exit_code == 1 for g in gates) / len(gates))
    return points


def _drawn(
    sizes: list[float],
    power: dict[str, list[float]],
    live: dict[str, tuple[float, float]],
    command: str,
    stalls_per_s: float,
) -> str:
    canvas = Canvas(HEIGHT, "gate-power")
    axes = canvas.axes(bottom=BOTTOM, height=HEIGHT - TOP - BOTTOM)
    axes.set_xlim(0, LARGEST)
    axes.set_ylim(0, 1.03)
    ticks(
        axes,
        x=[(s, f"+{s:.0%}" if s else "0") for s in (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)],
        y=[(s, f"{s:.0%}") for s in (0.0, 0.25, 0.5, 0.75, 0.95)],
    )
    at = 0.0
    for case, shares in power.items():
        words, role = SHOWN[case]
        axes.plot(sizes, shares, color=LIGHT[role], linewidth=2, linestyle=(0, VARIANT_DASHES[role] or None))
        canvas.text(LEFT + at, HEIGHT - 34, words, role=role, bold=True)
        at += 70
    for case, (size, share) in live.items():
        role = SHOWN[case][1] if case in SHOWN else "ink"
        axes.plot([size], [share], color=LIGHT[role], marker="o", markersize=7, markeredgewidth=0, clip_on=False)
    canvas.text(LEFT, HEIGHT - 14, "share of gates that call a regression")
    canvas.text(WIDTH - 10, 33, "how much worse B is", role="muted", align="right")
    canvas.text(10, 22, f"made-up gates, {stalls_per_s:g} stalls a second; a dot: live gates", role="muted")
    canvas.text(10, 5, command, role="muted")
    return canvas.svg("; ".join(_reading(SHOWN[case][0], sizes, shares) for case, shares in power.items()))


def _reading(words: str, sizes: list[float], shares: list[float]) -> str:
    enough = [size for size, share in zip(sizes, shares, strict=True) if share >= 0.95]
    return f"{words}: seen by 95 % of gates from +{enough[0]:.0%} on" if enough else f"{words}: never seen by 95 %"
