"""The first screen of the page: what was run, on what, and a line for each pair. Words and numbers already made. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.judgement import PairVerdict
from harness.record import Pair, Run
from harness.report import states, summary, units
from harness.report.states import State
from harness.report.words import THEMES


@dataclass(frozen=True, kw_only=True)
class Line:
    """A pair on the first screen."""

    pair: str
    title: str
    theme: str
    effect: str
    ratio: str  # "10.1×", or empty where there is no effect to speak of
    bar: float  # its share of the largest effect, on a log scale
    state: State


def facts(run: Run) -> tuple[tuple[str, str], ...]:
    """What was run, and on what: a name and its words each."""
    m, p = run.machine, run.profile
    blocks = units.plural(p.blocks, "block")
    own = summary.all_own(run)
    profile = (
        f"{blocks} of {units.seconds(p.window_s)}" if own else f"{p.name}: {blocks} of {units.seconds(p.window_s)}"
    )
    profile += "" if own else " for each variant, interleaved"
    profile += f", {'each ' if own else ''}after {units.seconds(p.warmup_s)} of warm-up"
    fastapi = m.packages.get("fastapi")
    software = [f"Python {m.python}"]
    software += [f"Postgres {m.postgres}"] if m.postgres else []
    software += [f"FastAPI {fastapi}"] if fastapi else []
    return (
        ("Command", run.command),
        ("Windows" if own else "Profile", profile),
        ("Started", f"{summary.started(run):%Y-%m-%d %H:%M} UTC, took {units.seconds(round(run.wall_s))}"),
        ("Git", m.git or "not a git checkout"),
        ("Machine", f"{units.plural(m.cores, 'core')}, {units.size(m.memory_bytes)}, {m.cpu}, {m.system}"),
        ("Placement", f"processors: {m.placement}" if m.placement else "all processes on any core"),
        ("Software", ", ".join(software)),
        ("Seed", str(run.seed)),
    )


def effect_lines(ordered: Sequence[PairVerdict], pairs: Mapping[str, Pair], run: Run) -> tuple[Line, ...]:
    """A line for each pair, in the order given."""
    largest = max((s for v in ordered if math.isfinite(s := summary.effect_size(v.effect_ratio))), default=0.0)
    return tuple(_line(v, pairs[v.pair], run, largest) for v in ordered)


def _line(v: PairVerdict, pair: Pair, run: Run, largest: float) -> Line:
    return Line(
        pair=v.pair,
        title=pair.title,
        theme=THEMES.get(pair.theme, pair.theme),
        effect=summary.effect(v, run),
        ratio=_ratio(v.effect_ratio),
        bar=min(1.0, max(0.0, summary.effect_size(v.effect_ratio)) / max(largest, 1.0)),
        state=states.state(v, run),
    )


def _ratio(value: float | None) -> str:
    """The ratio as it is shown in the list; what lies within the noise is not spelled out."""
    if value is None:
        return ""
    if math.isinf(value):
        return "all"
    return "≈ 1×" if 0.95 <= value <= 1.05 else units.ratio(value)
