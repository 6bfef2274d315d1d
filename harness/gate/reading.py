"""From the turns of one block to its readings, by arm.

A stall of the machine lasts for some tens of milliseconds and hits one turn. So a block is robust against one in its turns before blocks
are put together: what was slow or fast for once is left out, at both ends alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.durations import durations
from harness.figures import measure
from harness.gate.arms import Turn
from harness.gate.findings import Block, Reading
from harness.gate.metrics import LEAST_REQUESTS, METRIC_NAMES
from harness.record import Outcome
from harness.stats import Floats, quantile
from harness.window import Window

COUNTED = {  # metric -> what the probe counted on a request
    "queries_per_request": "queries",
    "checkouts_per_request": "checkouts",
    "connects_per_request": "connects",
    "tokens_per_request": "tokens",
}
TAILS = {"response_p95_s": 0.95, "response_p99_s": 0.99}
AT_EITHER_END = 6  # of so many turns, one
HALF = 0.5  # an answer more: where there was none, that has a logarithm too


def read_block(turns: Mapping[str, Sequence[Turn]]) -> Block:
    """The readings of the turns of each arm, of which the first were side by side, and the second, and so on.

    Response times are pooled by their rows, those of the tail without the turns with the lowest and the highest p95.
    Counts are compared on one mix of requests: the mean of each request's name, weighed by how often the name came up
    in the whole block, so that an arm that happened to get more of the dear ones counts the same.
    """
    right = {arm: pa.concat_tables([_right(turn.window) for turn in taken]) for arm, taken in turns.items()}
    mix: Counter[str] = sum((Counter(t["name"].to_pylist()) for t in right.values()), Counter())
    shared = {
        name: n for name, n in mix.items() if all(pc.any(pc.equal(t["name"], name)).as_py() for t in right.values())
    }
    cpu_s = _cpu_s(turns)
    return {
        arm: _reading(taken, _counts(right[arm], shared) | {"cpu_s_per_request": cpu_s[arm]})
        for arm, taken in turns.items()
    }


def _cpu_s(turns: Mapping[str, Sequence[Turn]]) -> dict[str, float | None]:
    """What a request takes of the processor in each arm; None where there is no answer."""
    rounds = [r for r in zip(*turns.values(), strict=True) if all(t.answered and t.cpu_s > 0 for t in r)]
    if not rounds:
        return dict.fromkeys(turns, None)
    found = polished(np.log([[t.cpu_s / t.answered for t in r] for r in rounds]))
    return {arm: float(np.exp(value)) for arm, value in zip(turns, found, strict=True)}


def polished(logs: Floats) -> Floats:
    """What is typical of each column, where what happens to a whole row says nothing: each value is held against the median of its row.

    That is the first step of J. W. Tukey's median polish (Exploratory Data Analysis, 1977); of what is more or less, the mean is taken
    without the lowest and the highest. logs: a row for each time that all had their turn.
    """
    usual = np.median(logs, axis=1, keepdims=True)
    cut = len(logs) // AT_EITHER_END
    inner = np.sort(np.hstack([usual, logs - usual]), axis=0)[cut : len(logs) - cut].mean(axis=0)
    typical: Floats = inner[0] + inner[1:]
    return typical


def middle_turns(p95_s: Sequence[float]) -> list[int]:
    """Which of the turns of a block are neither at the one end nor at the other, by the p95 of each."""
    cut = len(p95_s) // AT_EITHER_END
    return sorted(range(len(p95_s)), key=p95_s.__getitem__)[cut : len(p95_s) - cut]


def read_round(turns: Mapping[str, Turn]) -> Block:
    """Of turns side by side, what shows a gross change: by arm its right answers a second, and its median response time."""
    return {
        arm: {
            "goodput_rps": (_right(turn.window).num_rows + HALF) / turn.window.length_s,
            "response_p50_s": quantile(_response_times(turn.window), 0.5),
        }
        for arm, turn in turns.items()
    }


def _reading(turns: Sequence[Turn], known: dict[str, float | None]) -> Reading:
    figures = _figures(turns) | known
    rows = pa.concat_tables([turn.window.requests for turn in turns])
    asked = Counter(rows.filter(pc.equal(rows["phase"], "window"))["kind"].to_pylist())
    for name, least in LEAST_REQUESTS.items():
        if asked["canary" if name.startswith("canary") else "load"] < least:
            figures[name] = None
    return figures


def _figures(turns: Sequence[Turn]) -> dict[str, float | None]:
    figures, _ = measure([turn.window for turn in turns])
    found = {name: value for name, value in asdict(figures).items() if name in METRIC_NAMES}
    times_s = [_response_times(turn.window) for turn in turns]
    middle_s = np.concatenate([times_s[n] for n in middle_turns([quantile(t, 0.95) or 0.0 for t in times_s])])
    found |= {name: quantile(middle_s, p) for name, p in TAILS.items()}
    length_s = sum(turn.window.length_s for turn in turns)
    right = (figures.goodput_rps or 0.0) * length_s
    return found | {"goodput_rps": (right + HALF) / length_s}


def _response_times(window: Window) -> Floats:
    """In seconds; of what was not answered, the time so far."""
    table = window.requests
    asked = table.filter(pc.and_(pc.equal(table["kind"], "load"), pc.equal(table["phase"], "window")))
    return np.concatenate(durations(asked, [window]))


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
