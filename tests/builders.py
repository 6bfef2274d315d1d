"""Hand-made rows, windows and runs. What a test does not name is unremarkable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from harness.inside import Frame
from harness.measured import Figures
from harness.record import (
    PROFILES,
    Cause,
    Expectation,
    Machine,
    Pair,
    Run,
    SequentialAnswer,
    Trial,
    Variant,
    VariantResult,
    Workload,
)
from harness.store import POSTGRES, REQUESTS, SAMPLES
from harness.window import Checkout, Hold, Seen, Window

START_S, END_S = 10.0, 20.0  # of every window that is not told otherwise
UNSEEN = dict.fromkeys(REQUESTS.names[REQUESTS.names.index("route") :])

BUGGY = '''"""An app."""

SessionLocal = make()


def get_db():
    session = SessionLocal()  # BUG
    return session
'''
FIXED = BUGGY.replace("  # BUG", "")


def request(intended_s: float, took_s: float | None = 0.1, outcome: str = "ok", **known: Any) -> dict[str, Any]:
    """One row of the requests table, seen by the probe; ``took_s`` None: it never ended."""
    done_s = None if took_s is None else intended_s + took_s
    plain = {"phase": "window", "kind": "load", "seq": 1, "name": "GET /", "status": 200, "bytes": 2, "error": None}
    client = {"intended_s": intended_s, "sent_s": intended_s, "done_s": done_s, "outcome": outcome}
    if done_s is None:
        return plain | client | UNSEEN | known
    inside = {"route": "/", "start_s": intended_s, "first_byte_s": done_s, "last_byte_s": done_s, "end_s": done_s}
    counts: dict[str, Any] = dict.fromkeys(
        ("tokens", "checkouts", "queries", "connects", "pool_timeouts", "outlived"), 0
    )
    counts |= dict.fromkeys(("token_wait_s", "checkout_wait_s", "sql_s"), 0.0)
    counts |= dict.fromkeys(
        (f"answer_{part}_s" for part in ("token", "checkout", "sql", "upstream", "loop", "own")), 0.0
    )
    return plain | client | inside | counts | known


def unfinished(intended_s: float, **known: Any) -> dict[str, Any]:
    """A request that was still waiting when its trial ended."""
    return request(intended_s, None, "unfinished", status=None, **known)


def table(schema: pa.Schema, rows: Iterable[dict[str, Any]], trial: int = 1) -> pa.Table:
    """Rows as a table of that schema; columns that a row does not name are null."""
    return pa.Table.from_pylist([{"trial": trial} | row for row in rows], schema=schema)


def window(
    requests: Iterable[dict[str, Any]] = (),
    *,
    trial: int = 1,
    samples: Iterable[dict[str, Any]] = (),
    postgres: Iterable[dict[str, Any]] = (),
    start_s: float = START_S,
    end_s: float = END_S,
    holds: Sequence[Hold] = (),
    checkouts: Sequence[Checkout] = (),
    seen: Sequence[Seen] = (),
    generator_cpu_s: float | None = None,
    has_probe: bool = True,
) -> Window:
    return Window(
        start_s=start_s,
        end_s=end_s,
        requests=table(REQUESTS, requests, trial),
        samples=table(SAMPLES, [{"process": 0} | sample for sample in samples], trial),
        postgres=table(POSTGRES, postgres, trial),
        holds=holds,
        checkouts=checkouts,
        seen=seen,
        generator_cpu_s=generator_cpu_s,
        has_probe=has_probe,
    )


def frame(line: int = 7, function: str = "get_db", file: str = "target_apps/shop/buggy.py") -> Frame:
    return Frame(file=file, line=line, function=function)


def hold(t_s: float, held_s: float, *, first: bool = True, line: int = 7, route: str | None = "GET /") -> Hold:
    offender = Frame(file="urllib3.connection", line=203, function="connect")
    return Hold(t_s=t_s, held_s=held_s, first=first, user=frame(line), offender=offender, route=route)


def checkout(asked_s: float, got_s: float | None, returned_s: float | None, **known: Any) -> Checkout:
    plain: dict[str, Any] = {
        "taken": frame(20, "read"),
        "session": frame(),
        "engine": frame(3, "<module>"),
        "route": "/",
        "opened": False,
        "not_reused": False,
        "nested": False,
        "outlived": False,
        "sql_s": 0.0,
    }
    return Checkout(asked_s=asked_s, got_s=got_s, returned_s=returned_s, **(plain | known))


def variant(name: str = "buggy", cause: Cause = Cause.CONNECTION_LEAKED, source: str | None = None) -> Variant:
    """A variant whose bug line is where its source carries the mark."""
    text = source if source is not None else (BUGGY if cause is not Cause.NONE else FIXED)
    marked = [n for n, line in enumerate(text.splitlines(), 1) if "# BUG" in line]
    return Variant(
        name=name,
        summary="as it is",
        cause=cause,
        source=text,
        file=f"target_apps/shop/{name}.py",
        bug_line=marked[0] if marked else None,
    )


def pair(*expectations: Expectation, variants: Iterable[Variant] | None = None) -> Pair:
    known = variants if variants is not None else (variant(), variant("fixed", Cause.NONE))
    return Pair(
        name="shop",
        title="A shop",
        question="Does it leak?",
        theme="pool",
        lesson="Close what you open.",
        look_for="The line that climbs.",
        sources=("S0",),
        claims=("c1",),
        variants={v.name: v for v in known},
        settings={"hold_s": 0.05},
        workload=Workload(canary="/health"),
        scenario="scenarios/shop.py",
        ceilings={"buggy": "1 / hold_s"},
        expectations=expectations,
    )


def result(name: str = "buggy", **figures: Any) -> VariantResult:
    return VariantResult(pair="shop", variant=name, figures=Figures(**({"window_s": 10.0} | figures)), trials=(1,))


ANSWER = SequentialAnswer(name="GET /", status=200, body_digest="9f2c")


def trial(
    number: int = 1,
    name: str = "buggy",
    block: int = 1,
    *,
    sequential: tuple[SequentialAnswer, ...] = (ANSWER, ANSWER),
    invalid: tuple[str, ...] = (),
    repeats: int | None = None,
    **figures: Any,
) -> Trial:
    return Trial(
        id=number,
        pair="shop",
        variant=name,
        block=block,
        seed=1,
        started_s=1.0,
        workload=Workload(),
        warmup_s=0.5,
        window_s=10.0,
        window_start_s=10.0,
        figures=Figures(**({"window_s": 10.0, "goodput_rps": 22.5} | figures)),
        sequential=sequential,
        invalid=invalid,
        repeats=repeats,
    )


def run(of: Pair, results: Iterable[VariantResult] = (), trials: Iterable[Trial] | None = None) -> Run:
    found = tuple(results)
    made = [trial(n, r.variant) for n, r in enumerate(found, 1)] if trials is None else trials
    return Run(
        id="20261120T212500Z-0123abc",
        started_utc="2026-11-20T21:25:00+00:00",
        wall_s=12.0,
        status="complete",
        command="harness bench shop",
        seed=1,
        profile=PROFILES["quick"],
        machine=Machine(
            cores=2, memory_bytes=2**33, cpu="x", system="Linux", python="3.11", packages={}, postgres="18", git=None
        ),
        pairs=(of,),
        trials=tuple(made),
        results=found,
    )
