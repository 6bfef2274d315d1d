"""Blocks for gates to decide on without a server, made up request by request.

The made-up ones are what live A/A gates show: response times that are log-normal, turns that differ by how fast the
machine happens to be, and stalls of the machine, each of which holds all requests that come in it, and those behind them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.gate.findings import ARMS, Block
from harness.gate.reading import middle_turns, polished

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
MEANT = {  # case -> what has to be seen
    "cpu": "cpu_s_per_request", "query": "queries_per_request", "hold": "hold_p50_s", "median": "response_p50_s", "tail": "response_p95_s",
}  # fmt: skip
TAIL_SHARE = 0.08  # of the requests, that are slower in "tail"
RATE_RPS, CANARY_RPS = 200.0, 20.0
TURN_S, TURNS, BLOCKS = 0.15, 6, 30  # of each arm in a block; and as many blocks as fit into the default budget
P50_S, P80_S, P95_S, SPREAD = 2.4e-3, 3.5e-3, 5.0e-3, 0.45  # of response times, without a stall
HOLD_S, CANARY_S = 0.65e-3, 1.0e-3
WORK_S = 1.5e-3  # that each request takes of the server, when those that a stall held up are served
# Standard deviation of a turn's logarithm: of all that are side by side, of one turn's CPU and times alike, and of its CPU beside.
MACHINE_NOISE, SPEED_NOISE, CPU_NOISE = 0.12, 0.08, 0.05
STALL_S = (0.005, 0.015)  # the least, and the mean of what exceeds it
COUNTS: dict[str, float | None] = {
    "queries_per_request": 1.0, "checkouts_per_request": 1.0, "connects_per_request": 0.0, "tokens_per_request": 0.0,
    "outlived_per_request": 0.0, "failed_share": 0.0,
}  # fmt: skip


@dataclass(frozen=True)
class _Turn:
    """What came of a made-up turn."""

    cpu_s: float  # of a request
    response_s: Floats
    canary_s: Floats
    hold_s: Floats


def made_up(
    rng: np.random.Generator, case: str, size: float, *, stalls_per_s: float, tails: str, blocks: int = BLOCKS
) -> list[Block]:
    """Blocks in which B is worse by this share (0.1: 10 %) in what the case names; see ``SIZES``.

    stalls_per_s: how often the machine stalls; tails: of how the turns' speeds differ, "normal" or "heavy" (Student's t
    with 3 degrees of freedom).
    """
    return [_block(rng, case, size, stalls_per_s, tails) for _ in range(blocks)]


def _block(rng: np.random.Generator, case: str, size: float, stalls_per_s: float, tails: str) -> Block:
    rounds: list[list[_Turn]] = []
    for _ in range(TURNS):
        arrivals_s = np.sort(TURN_S * rng.random(rng.poisson(TURN_S * RATE_RPS)))  # one seed for all arms
        machine = math.exp(MACHINE_NOISE * _draw(rng, tails))
        cases = (case if arm == "b" else "aa" for arm in ARMS)
        rounds.append([_turn(rng, arrivals_s, machine, each, size, stalls_per_s, tails) for each in cases])
    cpu_s = np.exp(polished(np.log([[turn.cpu_s for turn in turns] for turns in rounds])))
    return {
        arm: _reading(turns, float(cpu_s[place]))
        | {"goodput_rps": RATE_RPS * math.exp(0.002 * _draw(rng, tails))}
        | ({"queries_per_request": 2.0} if (arm, case) == ("b", "query") else {})
        for place, (arm, turns) in enumerate(zip(ARMS, zip(*rounds, strict=True), strict=True))
    }


def _turn(
    rng: np.random.Generator,
    arrivals_s: Floats,
    machine: float,
    case: str,
    size: float,
    stalls_per_s: float,
    tails: str,
) -> _Turn:
    speed, own = machine * math.exp(SPEED_NOISE * _draw(rng, tails)), math.exp(CPU_NOISE * _draw(rng, tails))
    stalls = [
        (TURN_S * rng.random(), STALL_S[0] + rng.exponential(STALL_S[1]))
        for _ in range(rng.poisson(TURN_S * stalls_per_s))
    ]
    served_s = P50_S * np.exp(SPREAD * rng.standard_normal(len(arrivals_s)))
    if case == "median":
        served_s += size * P50_S
    if case == "tail":  # what is beyond the 80th percentile is stretched, so that the 95th moves by the size
        stretch = ((1 + size) * P95_S - P80_S) / (P95_S - P80_S)
        served_s = np.where(served_s > P80_S, P80_S + (served_s - P80_S) * stretch, served_s)
    asked_s = np.sort(TURN_S * rng.random(round(TURN_S * CANARY_RPS)))
    canary_s = CANARY_S * np.exp(SPREAD * rng.standard_normal(len(asked_s)))
    held_s = HOLD_S * np.exp(0.3 * rng.standard_normal(len(arrivals_s))) * (1 + size * (case == "hold"))
    return _Turn(
        cpu_s=1.5e-3 * speed * own * (1 + size * (case == "cpu")),
        response_s=served_s * speed + _held_up(arrivals_s, stalls),
        canary_s=canary_s * speed + _held_up(asked_s, stalls),
        hold_s=held_s * speed,
    )


def _reading(turns: Sequence[_Turn], cpu_s: float) -> dict[str, float | None]:
    kept = middle_turns([float(np.percentile(turn.response_s, 95)) for turn in turns])
    tail_s = np.concatenate([turns[n].response_s for n in kept])
    all_s, canary_s, hold_s = (
        np.concatenate([getattr(turn, name) for turn in turns]) for name in ("response_s", "canary_s", "hold_s")
    )
    percentiles = {
        "response_p50_s": (all_s, 50), "response_p95_s": (tail_s, 95), "response_p99_s": (tail_s, 99),
        "canary_p99_s": (canary_s, 99), "hold_p50_s": (hold_s, 50),
    }  # fmt: skip
    found = {name: float(np.percentile(times_s, p)) for name, (times_s, p) in percentiles.items()}
    return COUNTS | {"cpu_s_per_request": cpu_s} | found


def _held_up(arrivals_s: Floats, stalls: Sequence[tuple[float, float]]) -> Floats:
    """How much longer each request takes that comes in a stall: until it ends, and those before it are served."""
    longer = np.zeros(len(arrivals_s))
    for begin_s, length_s in stalls:
        caught = (arrivals_s >= begin_s) & (arrivals_s < begin_s + length_s)
        longer[caught] += begin_s + length_s - arrivals_s[caught] + WORK_S * np.arange(caught.sum())
    return longer


def _draw(rng: np.random.Generator, tails: str) -> float:
    return float(rng.standard_normal() if tails == "normal" else rng.standard_t(3) / math.sqrt(3))
