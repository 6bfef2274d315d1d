"""Live gates of the power benchmark that were kept, a line each, so that they can be run in portions and add up.

A line has, of each metric, a row per block with one figure per arm: small enough to be part of the repository.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.gate.findings import ARMS, Block, Change
from harness.gate.live import GateResult
from harness.machine import git_revision

DIGITS = 5  # that count of a figure
PAIRS = "pairs.jsonl"


@dataclass(frozen=True)
class Kept:
    """One gate, as it was run."""

    exit_code: int
    called: tuple[str, ...]  # metrics that were called a regression
    wall_s: float
    blocks: tuple[Block, ...]


def keep(folder: Path, case: str, env: Sequence[str], result: GateResult) -> None:
    """Adds a gate to those of its case. env: what slowed B down."""
    names = list(result.blocks[0][ARMS[0]])
    line = {
        "git": git_revision(Path(__file__).parent), "env": list(env), "seed": result.seed, "exit_code": result.decision.exit_code,
        "called": [f.metric.name for f in result.decision.findings if f.change == Change.REGRESSION], "wall_s": round(result.wall_s, 1), "budget_s": result.budget_s, "window_s": result.window_s,
        "figures": {name: [[_short(block[arm].get(name)) for arm in ARMS] for block in result.blocks] for name in names},
    }  # fmt: skip
    _add_line(_path(folder, case), line)


def kept(folder: Path, case: str) -> list[Kept]:
    """The gates of a case that were kept, oldest first."""
    return [_gate(line) for line in _lines(_path(folder, case))]


@dataclass(frozen=True)
class Told:
    """One gate of a fixed app against its buggy one."""

    exit_code: int
    measured_s: float  # from the servers' being ready to the end


def keep_told(folder: Path, pair: str, result: GateResult) -> None:
    """Adds a gate of a pair, with how long it took."""
    line = {
        "git": git_revision(Path(__file__).parent), "pair": pair, "exit_code": result.decision.exit_code,
        "measured_s": round(result.measured_s, 1), "blocks": len(result.blocks),
    }  # fmt: skip
    _add_line(folder / PAIRS, line)


def told_apart(folder: Path, pair: str) -> list[Told]:
    """The gates of a pair that were kept, oldest first."""
    return [Told(line["exit_code"], line["measured_s"]) for line in _lines(folder / PAIRS) if line["pair"] == pair]


def _add_line(path: Path, line: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, separators=(",", ":")) + "\n")


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def _gate(line: dict[str, Any]) -> Kept:
    figures: dict[str, list[list[float | None]]] = line["figures"]
    count = len(next(iter(figures.values())))
    blocks = tuple(
        {arm: {name: rows[n][i] for name, rows in figures.items()} for i, arm in enumerate(ARMS)} for n in range(count)
    )
    return Kept(line["exit_code"], tuple(line.get("called", [])), line["wall_s"], blocks)


def _path(folder: Path, case: str) -> Path:
    return folder / f"{case}.jsonl"


def _short(figure: float | None) -> float | None:
    return None if figure is None else float(f"{figure:.{DIGITS}g}")
