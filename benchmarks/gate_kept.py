"""Live gates of the power benchmark that were kept, a line each, so that they can be run in portions and add up.

A line has, of each metric, a row per block with one figure per arm: small enough to be part of the repository.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
    folder.mkdir(parents=True, exist_ok=True)
    names = list(result.blocks[0][ARMS[0]])
    line = {
        "git": git_revision(Path(__file__).parent), "env": list(env), "seed": result.seed, "exit_code": result.decision.exit_code,
        "called": [f.metric.name for f in result.decision.findings if f.change == Change.REGRESSION], "wall_s": round(result.wall_s, 1), "budget_s": result.budget_s, "window_s": result.window_s,
        "figures": {name: [[_short(block[arm].get(name)) for arm in ARMS] for block in result.blocks] for name in names},
    }  # fmt: skip
    with _path(folder, case).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, separators=(",", ":")) + "\n")


def kept(folder: Path, case: str) -> list[Kept]:
    """The gates of a case that were kept, oldest first."""
    path = _path(folder, case)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [_gate(json.loads(line)) for line in lines]


@dataclass(frozen=True)
class Told:
    """One gate of a fixed app against its buggy one."""

    exit_code: int
    measured_s: float  # from the servers' being ready to the end


def keep_told(folder: Path, pair: str, result: GateResult) -> None:
    """Adds a gate of a pair, with how long it took."""
    folder.mkdir(parents=True, exist_ok=True)
    line = {
        "git": git_revision(Path(__file__).parent), "pair": pair, "exit_code": result.decision.exit_code,
        "measured_s": round(result.measured_s, 1), "blocks": len(result.blocks),
    }  # fmt: skip
    with (folder / PAIRS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, separators=(",", ":")) + "\n")


def told_apart(folder: Path, pair: str) -> list[Told]:
    """The gates of a pair that were kept, oldest first."""
    lines = [json.loads(line) for line in (folder / PAIRS).read_text(encoding="utf-8").splitlines()]
    return [Told(line["exit_code"], line["measured_s"]) for line in lines if line["pair"] == pair]


def _gate(line: dict[str, object]) -> Kept:
    figures: dict[str, list[list[float | None]]] = line["figures"]  # type: ignore[assignment]
    count = len(next(iter(figures.values())))
    blocks = tuple(
        {arm: {name: rows[n][i] for name, rows in figures.items()} for i, arm in enumerate(ARMS)} for n in range(count)
    )
    called: list[str] = line.get("called", [])  # type: ignore[assignment]
    return Kept(int(str(line["exit_code"])), tuple(called), float(str(line["wall_s"])), blocks)


def _path(folder: Path, case: str) -> Path:
    return folder / f"{case}.jsonl"


def _short(figure: float | None) -> float | None:
    return None if figure is None else float(f"{figure:.{DIGITS}g}")
