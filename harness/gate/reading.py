"""From the turns of one block to its readings, by arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import pyarrow as pa
import pyarrow.compute as pc

from harness.figures import measure
from harness.gate.arms import Turn
from harness.gate.findings import Block, Reading
from harness.gate.metrics import LEAST_REQUESTS, METRIC_NAMES
from harness.record import Outcome
from harness.window import Window

COUNTED = {  # metric -> what the probe counted on a request
    "queries_per_request": "queries",
    "checkouts_per_request": "checkouts",
    "connects_per_request": "connects",
    "tokens_per_request": "tokens",
}


def read_block(turns: Mapping[str, Sequence[Turn]]) -> Block:
    """The readings of the turns of each arm, pooled by their rows.

    Counts are compared on one mix of requests: the mean of each request's name, weighed by how often the name came up
    in the whole block, so that an arm that happened to get more of the dear ones counts the same.
    """
    right = {arm: pa.concat_tables([_right(turn.window) for turn in taken]) for arm, taken in turns.items()}
    mix: Counter[str] = sum((Counter(t["name"].to_pylist()) for t in right.values()), Counter())
    shared = {
        name: n for name, n in mix.items() if all(pc.any(pc.equal(t["name"], name)).as_py() for t in right.values())
    }
    return {arm: _reading(taken, _counts(right[arm], shared)) for arm, taken in turns.items()}


def _reading(turns: Sequence[Turn], counts: dict[str, float | None]) -> Reading:
    figures = _figures(turns) | counts
    rows = pa.concat_tables([turn.window.requests for turn in turns])
    asked = Counter(rows.filter(pc.equal(rows["phase"], "window"))["kind"].to_pylist())
    for name, least in LEAST_REQUESTS.items():
        if asked["canary" if name.startswith("canary") else "load"] < least:
            figures[name] = None
    return figures


def _figures(turns: Sequence[Turn]) -> dict[str, float | None]:
    figures, _ = measure([turn.window for turn in turns])
    found = {name: value for name, value in asdict(figures).items() if name in METRIC_NAMES}
    length_s = sum(turn.window.length_s for turn in turns)
    right = (figures.goodput_rps or 0.0) * length_s
    answered = sum(turn.answered for turn in turns)
    return found | {
        "goodput_rps": (right + 0.5) / length_s,  # a half: a block without an answer has a logarithm too
        "cpu_s_per_request": sum(turn.cpu_s for turn in turns) / answered if answered else None,
    }


def _counts(right: pa.Table, mix: Mapping[str, int]) -> dict[str, float | None]:
    if not mix:
        return dict.fromkeys(COUNTED, None)
    means: dict[str, float | None] = {}
    for metric, column in COUNTED.items():
        by_name = {name: pc.mean(right.filter(pc.equal(right["name"], name))[column]).as_py() for name in mix}
        known = {name: mean for name, mean in by_name.items() if mean is not None}
        total = sum(mix[name] for name in known)
        means[metric] = sum(mix[name] * mean for name, mean in known.items()) / total if total else None
    return means


def _right(window: Window) -> pa.Table:
    """Right answers to requests that were meant to start in the window, as far as the probe saw them."""
    table = window.requests
    kept = pc.and_(pc.equal(table["kind"], "load"), pc.equal(table["phase"], "window"))
    kept = pc.and_(kept, pc.equal(table["outcome"], Outcome.OK.value))
    return table.filter(pc.and_(kept, pc.is_valid(table["start_s"])))
