"""Blocks for gates to decide on without a server, made up request by request.

The made-up ones are what live A/A gates show: response times that are log-normal, windows that differ by how fast the
machine happens to be, and stalls of the machine, each of which holds all requests that come in it, and those behind them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.gate.findings import ARMS, Block, Reading

Floats = NDArray[np.float64]

CASES = {  # what is changed in B
    "aa": "nothing changed",
    "busy": "nothing changed, others use the machine",
    "cpu": "CPU +5 %",
    "query": "one query more",
    "hold": "a connection held for 50 % longer",
    "median": "median response +10 %",
    "tail": "p95 +20 %",
}
ALIKE = ("aa", "busy")  # of which no gate may say that B is worse
SIZES = {"aa": 0.0, "cpu": 0.05, "query": 1.0, "hold": 0.5, "median": 0.1, "tail": 0.2}  # by how much
RATE_RPS, CANARY_RPS = 200.0, 20.0
WINDOW_S, BLOCKS = 0.8, 29  # as many as fit into the default budget
P50_S, P80_S, P95_S, SPREAD = 2.4e-3, 3.5e-3, 5.0e-3, 0.45  # of response times, without a stall
HOLD_S, CANARY_S = 0.65e-3, 1.0e-3
WORK_S = 1.5e-3  # that each request takes of the server, when those that a stall held up are served
SPEED_NOISE, CPU_NOISE = (
    0.03,
    0.02,
)  # standard deviation of a window's logarithm: CPU and times alike, and of CPU beside
STALL_S = (0.005, 0.015)  # the least, and the mean of what exceeds it
COUNTS: dict[str, float | None] = {
    "queries_per_request": 1.0, "checkouts_per_request": 1.0, "connects_per_request": 0.0, "tokens_per_request": 0.0,
    "outlived_per_request": 0.0, "failed_share": 0.0,
}  # fmt: skip


def made_up(
    rng: np.random.Generator, case: str, size: float, *, stalls_per_s: float, tails: str, blocks: int = BLOCKS
) -> list[Block]:
    """Blocks in which B is worse by this share (0.1: 10 %) in what the case names; see ``SIZES``.

    stalls_per_s: how often the machine stalls; tails: of how the windows' speeds differ, "normal" or "heavy" (Student's t
    with 3 degrees of freedom).
    """
    found: list[Block] = []
    for _ in range(blocks):
        arrivals = np.sort(
            WINDOW_S * rng.random(rng.poisson(WINDOW_S * RATE_RPS))
        )  # the same for all arms, as a seed is
        found.append(
            {arm: _window(rng, arrivals, case if arm == "b" else "aa", size, stalls_per_s, tails) for arm in ARMS}
        )
    return found


def _window(
    rng: np.random.Generator, arrivals_s: Floats, case: str, size: float, stalls_per_s: float, tails: str
) -> Reading:
    speed, own = (math.exp(noise * _draw(rng, tails)) for noise in (SPEED_NOISE, CPU_NOISE))
    stalls = [
        (WINDOW_S * rng.random(), STALL_S[0] + rng.exponential(STALL_S[1]))
        for _ in range(rng.poisson(WINDOW_S * stalls_per_s))
    ]
    served_s = P50_S * np.exp(SPREAD * rng.standard_normal(len(arrivals_s)))
    if case == "median":
        served_s += size * P50_S
    if case == "tail":  # what is beyond the 80th percentile is stretched, so that the 95th moves by the size
        stretch = ((1 + size) * P95_S - P80_S) / (P95_S - P80_S)
        served_s = np.where(served_s > P80_S, P80_S + (served_s - P80_S) * stretch, served_s)
    canary_s = CANARY_S * np.exp(SPREAD * rng.standard_normal(round(WINDOW_S * CANARY_RPS)))
    held_s = HOLD_S * np.exp(0.3 * rng.standard_normal(len(arrivals_s))) * (1 + size * (case == "hold"))
    figures = COUNTS | {
        "cpu_s_per_request": 1.5e-3 * speed * own * (1 + size * (case == "cpu")),
        "goodput_rps": RATE_RPS * math.exp(0.002 * _draw(rng, tails)),
    }
    if case == "query":
        figures["queries_per_request"] = 2.0
    times = {
        "response": served_s * speed + _held_up(arrivals_s, stalls),
        "canary": canary_s * speed + _held_up(np.sort(WINDOW_S * rng.random(len(canary_s))), stalls),
        "hold": held_s * speed,
    }
    for of, percentiles in (("response", (50, 95, 99)), ("canary", (99,)), ("hold", (50,))):
        figures |= {f"{of}_p{p}_s": float(np.percentile(times[of], p)) for p in percentiles}
    return figures


def _held_up(arrivals_s: Floats, stalls: Sequence[tuple[float, float]]) -> Floats:
    """How much longer each request takes that comes in a stall: until it ends, and those before it are served."""
    longer = np.zeros(len(arrivals_s))
    for begin_s, length_s in stalls:
        caught = (arrivals_s >= begin_s) & (arrivals_s < begin_s + length_s)
        longer[caught] += begin_s + length_s - arrivals_s[caught] + WORK_S * np.arange(caught.sum())
    return longer


def _draw(rng: np.random.Generator, tails: str) -> float:
    return float(rng.standard_normal() if tails == "normal" else rng.standard_t(3) / math.sqrt(3))
