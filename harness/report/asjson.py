"""The verdict and the figures of a run as one JSON object, for other programs."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from harness.judgement import PairVerdict, RunVerdict
from harness.record import Run
from harness.report import states, summary


def render_json(run: Run, verdict: RunVerdict) -> str:
    """The document. Times in seconds, shares between 0 and 1, sizes in bytes; what was not measured, or is infinite, is null."""
    document = {
        "schema_version": run.schema_version,
        "run": {name: getattr(run, name) for name in ("id", "started_utc", "wall_s", "status", "command", "seed")},
        "machine": asdict(run.machine),
        "profile": asdict(run.profile),
        "headline": summary.headline(run, verdict),
        "exit_code": verdict.exit_code,
        "met": verdict.met,
        "valid": verdict.valid,
        "trust": summary.trust(run),
        "warnings": run.warnings,
        "pairs": [_pair(p, run) for p in summary.by_effect(summary.whole(run, verdict))],
    }
    return json.dumps(_finite(document), indent=1, ensure_ascii=False) + "\n"


def _pair(verdict: PairVerdict, run: Run) -> dict[str, Any]:
    pair = next(p for p in run.pairs if p.name == verdict.pair)
    results = {r.variant: r for r in run.results if r.pair == pair.name}
    return {
        "pair": pair.name,
        "title": pair.title,
        "theme": pair.theme,
        "state": str(states.state(verdict, run)),
        "effect": summary.effect(verdict, run),
        "effect_ratio": verdict.effect_ratio,
        "sequential_alike": verdict.sequential_alike,
        "sequential_note": verdict.sequential_note,
        "expectations": [asdict(e.expectation) | {"measured": e.measured, "met": e.met} for e in verdict.expectations],
        "diagnoses": [asdict(d) for d in verdict.diagnoses],
        "invalid": verdict.invalid,
        "variants": {
            name: {
                key: value
                for key, value in asdict(results[name]).items()
                if key in ("figures", "warnings", "outcomes", "split", "invariants", "trials")
            }
            if name in results
            else None
            for name in pair.variants
        },
    }


def _finite(value: Any) -> Any:
    """The value with null for numbers that JSON cannot hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
