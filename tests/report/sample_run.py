"""A made-up run that looks like a real one: a blocked loop, a leaking pool, and a control without a difference.

The rows come from small queue simulations, the figures from the rows. Everything is fixed by the arguments.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.inside import CheckoutSite, Frame, LoopHold
from harness.judgement import Diagnosis, DiagnosisResult, ExpectationResult, PairVerdict, RunVerdict
from harness.measured import Figures
from harness.record import (
    PROFILES,
    Cause,
    Expectation,
    InvariantResult,
    Machine,
    Pair,
    Run,
    SequentialAnswer,
    Trial,
    Variant,
    VariantResult,
    Workload,
)
from harness.split import latency_split
from harness.store import POSTGRES, REQUESTS, SAMPLES, RunData
from harness.window import Window

HOSTILE = "<script>alert('x')</script>"
_WARMUP, _WINDOW, _DRAIN = 0.5, 2.5, 0.5
_START = 0.8  # of the warm-up, since the trial's start
_WINDOW_START = _START + _WARMUP
_END = _WINDOW_START + _WINDOW + _DRAIN

_HEAD = '''"""Orders, with their price in another currency."""

from contextlib import asynccontextmanager

import httpx
import requests
from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from target_apps.common.settings import settings
from target_apps.common.tables import Product

engine = create_engine(settings.sync_url, pool_timeout=1.0)
SessionLocal = sessionmaker(engine)
app = FastAPI(title="Shop")


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


'''
_CALLS = {
    "buggy": """@app.get("/quote/{order_id}")
async def quote(order_id: int) -> dict[str, float]:
    answer = requests.get(f"{settings.upstream}/rate", timeout=5)  # BUG
    return {"rate": answer.json()["rate"]}
""",
    "partial": """@app.get("/quote/{order_id}")
async def quote(order_id: int) -> dict[str, float]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{settings.upstream}/rate", timeout=5)
    return {"rate": answer.json()["rate"]}
""",
    "fixed": """@app.get("/quote/{order_id}")
async def quote(order_id: int) -> dict[str, float]:
    answer = await app.state.client.get("/rate")
    return {"rate": answer.json()["rate"]}
""",
}
_LEAKS = {
    "buggy": """def get_db() -> Session:
    return SessionLocal()  # BUG
""",
    "fixed": """def get_db() -> Iterator[Session]:
    session = SessionLocal()
    try:
        yield session
    finally:
        session.close()
""",
}
_TAIL = """

@app.get("/products/{product_id}")
def read_product(product_id: int, session: Session = Depends(get_db)) -> dict[str, object]:
    product = session.get(Product, product_id)
    if product is None:
        raise HTTPException(404, "no such product")
    return {"id": product.id, "name": product.name}
"""


@dataclass
class Rows:
    """Requests and samples of one trial, as columns of plain values."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Server:
    """How the made-up target serves: so many at once, so long each, and what it waits for."""

    at_once: int
    hold_s: float
    waits_for: str = "queue"  # queue: not yet in the app; connection: at the pool; nothing: fails after the time limit
    sql_s: float = 0.0
    leaks_after: int | None = None  # connections given out and not given back
    timeout_s: float = 1.0


def trial_rows(server: Server, users: int, canary: bool, rng: np.random.Generator) -> Rows:
    """A closed load of so many users against such a server."""
    rows = Rows()
    free = [0.0] * server.at_once
    asking = [(_START + 0.3 * i / users, i) for i in range(users)]
    heapq.heapify(asking)
    leaked = 0
    while asking:
        sent, user = heapq.heappop(asking)
        if sent >= _WINDOW_START + _WINDOW:
            continue
        hold = server.hold_s * float(rng.uniform(0.95, 1.1))
        if server.leaks_after is not None:
            leaked = leaked - 1 if rng.random() < 0.03 and leaked else leaked
            stuck = leaked >= server.leaks_after
            leaked += 0 if stuck else 1
            ready = sent + (server.timeout_s if stuck else 0.0)
        else:
            stuck = False
            ready = max(sent, heapq.heappop(free))
            heapq.heappush(free, ready + hold)
        done = ready + (0.002 if stuck else hold)
        rows.requests.append(_request(len(rows.requests), sent, ready, done, stuck, server))
        heapq.heappush(asking, (done + 0.0005, user))
    if canary:
        _canary(rows, server, users)
    _sample(rows, server)
    return rows


def _request(seq: int, sent: float, ready: float, done: float, failed: bool, server: Server) -> dict[str, Any]:
    unfinished = done > _END
    at_pool = server.waits_for == "connection"
    return {
        "phase": "warmup" if sent < _WINDOW_START else "window",
        "kind": "load",
        "seq": seq,
        "name": "GET /product",
        "intended_s": sent,
        "sent_s": sent + 0.0002,
        "done_s": None if unfinished else done,
        "status": None if unfinished else 500 if failed else 200,
        "outcome": "unfinished" if unfinished else "pool_timeout" if failed else "ok",
        "bytes": None if unfinished else 120,
        "error": "QueuePool limit of size 5 overflow 10 reached" if failed else None,
        "route": "/products/{product_id}",
        "start_s": sent + 0.0008 if at_pool else ready,
        "last_byte_s": None if unfinished else done,
        "end_s": None if unfinished else done,
        "token_wait_s": 0.0,
        "tokens": 1 if at_pool else 0,
        "checkout_wait_s": max(0.0, ready - sent - 0.001) if at_pool else 0.0,
        "sql_s": None if failed else server.sql_s,
        "queries": 0 if failed else 1,
    } | ({} if unfinished or seq % 4 == 3 else _steps(sent, ready, done, at_pool, server))


def _steps(sent: float, ready: float, done: float, at_pool: bool, server: Server) -> dict[str, float]:
    """Where the answer's time went, as the probe books it: of three requests out of four."""
    return {
        "answer_token_s": 0.0,
        "answer_checkout_s": max(0.0, ready - sent - 0.001) if at_pool else 0.0,
        "answer_sql_s": min(server.sql_s, done - ready),
        "answer_upstream_s": 0.0,
        "answer_loop_s": 0.0,
        "answer_own_s": max(0.0, done - ready - server.sql_s) / 2,
    }


def _canary(rows: Rows, server: Server, users: int) -> None:
    """A light route at 20/s: on a blocked loop it waits until the running request ends."""
    for i in range(int((_WINDOW_START + _WINDOW - _START) * 20)):
        sent = _START + i / 20
        wait = server.hold_s * (0.3 + 0.6 * (i % 7) / 7) if server.at_once == 1 else 0.001 + 0.0003 * (i % 5)
        row = _request(10_000 + i, sent, sent + wait, sent + wait + 0.001, False, replace(server, waits_for="queue"))
        rows.requests.append(row | {"kind": "canary", "name": "GET /health", "route": "/health"})


def _sample(rows: Rows, server: Server) -> None:
    load = [r for r in rows.requests if r["kind"] == "load"]
    sent = np.array([r["intended_s"] for r in load])
    ready = sent + np.array([r["checkout_wait_s"] for r in load])
    done = np.array([np.inf if r["done_s"] is None else r["done_s"] for r in load])
    taken = np.array([r["outcome"] == "ok" for r in load])
    pool = server.waits_for == "connection"
    for k, t in enumerate(np.arange(0.05, _END, 0.02)):
        out = int(((ready <= t) & taken & ((done > t) | (server.leaks_after is not None))).sum())
        busy = int(((sent <= t) & (t < done)).sum())
        lag = server.hold_s * (1 + 1.5 * (k % 5) / 5) if server.at_once == 1 and busy else 0.0004 + 0.0002 * (k % 3)
        rows.samples.append(
            {
                "t_s": float(t),
                "loop_lag_s": lag,
                "in_flight": busy,
                "tokens_in_use": min(40, busy) if pool else 0,
                "tokens_waiting": max(0, busy - 40) if pool else 0,
                "connections_out": min(out, server.leaks_after or server.at_once) if pool else 0,
                "checkout_waiting": int(((sent <= t) & (t < ready)).sum()) if pool else 0,
                "cpu_s": 0.3 * float(t),
                "rss_bytes": 96 * 2**20,
            }
        )


def figures_of(rows: Rows, ceiling: float | None, server: Server) -> Figures:
    """What one such window measured."""
    load = [r for r in rows.requests if r["kind"] == "load" and r["done_s"] is not None]
    inside = [r for r in load if _WINDOW_START <= r["done_s"] < _WINDOW_START + _WINDOW]
    times = np.array([r["done_s"] - r["intended_s"] for r in inside]) if inside else np.array([np.nan])
    good = sum(r["outcome"] == "ok" for r in inside)
    beside = np.array([r["done_s"] - r["intended_s"] for r in rows.requests if r["kind"] == "canary"])
    p = {q: float(np.quantile(times, q / 100)) for q in (50, 90, 95, 99)}
    out = [s["connections_out"] for s in rows.samples]
    return Figures(
        window_s=_WINDOW,
        requests=len(inside),
        throughput_rps=len(inside) / _WINDOW,
        goodput_rps=good / _WINDOW,
        ceiling_rps=ceiling,
        ceiling_share=good / _WINDOW / ceiling if ceiling else None,
        failed_share=1 - good / len(inside) if inside else None,
        pool_timeout_share=1 - good / len(inside) if inside else None,
        unfinished=sum(r["done_s"] is None for r in rows.requests),
        response_p50_s=p[50],
        response_p90_s=p[90],
        response_p95_s=p[95],
        response_p99_s=p[99],
        response_max_s=float(times.max()),
        canary_p50_s=float(np.quantile(beside, 0.5)) if len(beside) else None,
        canary_p99_s=float(np.quantile(beside, 0.99)) if len(beside) else None,
        loop_lag_p99_s=float(np.quantile([s["loop_lag_s"] for s in rows.samples], 0.99)),
        loop_lag_max_s=max(s["loop_lag_s"] for s in rows.samples),
        loop_held_share=0.98 if server.at_once == 1 else 0.04,
        connections_out_max=max(out) if max(out) else None,
        checkout_waiting_max=max(s["checkout_waiting"] for s in rows.samples) if max(out) else None,
        queries_per_request=1.0 if server.sql_s else 0.0,
        cpu_s_per_request=0.0011,
        cpu_share=0.31,
        generator_cpu_share=0.22,
        rss_max_bytes=96 * 2**20,
    )


def _variant(pair: str, name: str, summary: str, cause: Cause, body: str) -> Variant:
    source = _HEAD + body + _TAIL
    marked = [n for n, line in enumerate(source.splitlines(), 1) if "# BUG" in line]
    file = f"target_apps/{pair}/{name}.py"
    bug_line = marked[0] if marked else None
    return Variant(name=name, summary=summary, cause=cause, source=source, file=file, bug_line=bug_line)


def pairs() -> dict[str, Pair]:
    """Three lessons: two with an effect, one control."""
    blocked = Pair(
        name="blocking_http",
        title="A blocking HTTP call inside async def",
        question="What does one requests.get do to everybody else?",
        theme="loop",
        lesson="An async route runs on the event loop, and the loop is one thread. While requests.get waits for the other "
        "service, no other request of this worker moves, not even one that needs nothing. An asynchronous client, opened "
        "once, lets the loop go on while the answer is on its way.",
        look_for="The stairs in the waterfall.",
        sources=("S0", "S1", "S2"),
        claims=("c1", "c27"),
        variants={
            "buggy": _variant(
                "blocking_http", "buggy", "requests.get in async def", Cause.LOOP_BLOCKED, _CALLS["buggy"]
            ),
            "partial": _variant("blocking_http", "partial", "a client per request", Cause.NONE, _CALLS["partial"]),
            "fixed": _variant("blocking_http", "fixed", "one client for the app's life", Cause.NONE, _CALLS["fixed"]),
        },
        settings={"hold_s": 0.05},
        workload=Workload(users=20, think_s=0, canary="/health"),
        scenario="scenarios/blocking_http.py",
        ceilings={"buggy": "1 / hold_s"},
        expectations=(
            Expectation(that="the fix is worth it", metric="goodput_rps", variant="fixed", over="buggy", at_least=5),
            Expectation(
                that="one request at a time", metric="ceiling_share", variant="buggy", at_least=0.85, at_most=1.15
            ),
            Expectation(
                that="the half fix is slower", metric="goodput_rps", variant="partial", over="fixed", at_most=0.5
            ),
        ),
        upstream=True,
    )
    leak = Pair(
        name="return_session",
        title="A session that nobody closes",
        question="What if get_db returns the session instead of yielding it?",
        theme="pool",
        lesson="A dependency that returns has no moment at which it could clean up. Each request leaves its connection with "
        "a session that waits for the garbage collector, and the pool runs dry. Yield the session, and close it in finally.",
        look_for="Connections out climb to fifteen and stay.",
        sources=("S0", "S3"),
        claims=("c7", "c8"),
        variants={
            "buggy": _variant("return_session", "buggy", "return", Cause.CONNECTION_LEAKED, _LEAKS["buggy"]),
            "fixed": _variant("return_session", "fixed", "yield, finally close", Cause.NONE, _LEAKS["fixed"]),
        },
        settings={"pool_size": 5, "max_overflow": 10},
        workload=Workload(users=40, think_s=0),
        scenario="scenarios/return_session.py",
        expectations=(
            Expectation(that="the pool runs dry", metric="pool_timeout_share", variant="buggy", at_least=0.5),
            Expectation(that="no request fails", metric="failed_share", variant="fixed", at_most=0.0),
        ),
    )
    control = Pair(
        name="mutable_default",
        title=f"A mutable default argument {HOSTILE}",
        question="Do requests share filters: list = []?",
        theme="beliefs",
        lesson="FastAPI copies the default for each request. There is nothing to measure, and the harness must be able to "
        "say so. In a plain helper function the same default is shared.",
        look_for="Nothing.",
        sources=("S1", "S2"),
        claims=("c14",),
        variants={
            "buggy": _variant(
                "mutable_default", "buggy", "filters: list = []", Cause.NONE, _LEAKS["fixed"] + "\nDEFAULT = []\n"
            ),
            "fixed": _variant("mutable_default", "fixed", "None", Cause.NONE, _LEAKS["fixed"] + "\nDEFAULT = None\n"),
        },
        settings={},
        workload=Workload(model="open", users=100, rate_rps=80, arrivals="poisson"),
        scenario="scenarios/mutable_default.py",
        expectations=(
            Expectation(
                that="no difference", metric="goodput_rps", variant="fixed", over="buggy", at_least=0.9, at_most=1.05
            ),
        ),
    )
    return {p.name: p for p in (control, leak, blocked)}


SERVERS: dict[tuple[str, str], Server] = {
    ("blocking_http", "buggy"): Server(1, 0.05),
    ("blocking_http", "partial"): Server(2, 0.03),
    ("blocking_http", "fixed"): Server(100, 0.052),
    ("return_session", "buggy"): Server(15, 0.01, "connection", 0.006, leaks_after=15),
    ("return_session", "fixed"): Server(15, 0.03, "connection", 0.006),
    ("mutable_default", "buggy"): Server(15, 0.05, "connection", 0.004),
    ("mutable_default", "fixed"): Server(15, 0.05, "connection", 0.004),
}

MACHINE = Machine(
    cores=2,
    memory_bytes=8 * 2**30,
    cpu="An ordinary processor",
    system="Linux 6.1",
    python="3.11.7",
    packages={"fastapi": "0.165.0", "sqlalchemy": "2.1.9", "uvicorn": "0.54.0"},
    postgres="18.4",
    git="0123abc",
)


def without_valid(sample: tuple[Run, RunVerdict, RunData], pair: str, variant: str) -> Run:
    """The run in which no trial of that variant is valid, as bench writes it: without a result of it."""
    run = sample[0]
    trials = tuple(
        replace(t, invalid=("other processes used 0.8 of the 2 cores while none was idle",))
        if (t.pair, t.variant) == (pair, variant)
        else t
        for t in run.trials
    )
    return replace(run, trials=trials, results=tuple(r for r in run.results if (r.pair, r.variant) != (pair, variant)))


def stretched(times: int) -> tuple[Run, RunVerdict, RunData]:
    """The made-up run with each of its pairs so many times over, under names of their own."""
    run, verdict, data = sample_run()
    names = [(p.name, f"{p.name}_{i}") for i in range(times) for p in run.pairs]
    step = len(run.trials)
    copies = [replace(p, name=f"{p.name}_{i}") for i in range(times) for p in run.pairs]
    trials = [
        replace(t, id=t.id + i * step, pair=f"{t.pair}_{i}", repeats=None) for i in range(times) for t in run.trials
    ]
    results = [replace(r, pair=f"{r.pair}_{i}") for i in range(times) for r in run.results]
    judged = {p.pair: p for p in verdict.pairs}
    pairs_judged = tuple(replace(judged[old], pair=new) for old, new in names if old in judged)
    run = replace(run, pairs=tuple(copies), trials=tuple(trials), results=tuple(results))
    tables = {
        name: pa.concat_tables(
            [
                table.set_column(0, "trial", pc.add(table["trial"], pa.scalar(i * step, pa.int32())))
                for i in range(times)
            ]
        )
        for name, table in (("requests", data.requests), ("samples", data.samples))
    }
    return run, RunVerdict(pairs=pairs_judged), RunData(postgres=data.postgres, **tables)


@cache
def sample_run(*, partial: bool = False, invalid: bool = True) -> tuple[Run, RunVerdict, RunData]:
    """In: whether the run was interrupted (the last variants are missing), and whether one trial is invalid."""
    known = pairs()
    keys = list(SERVERS)[:-2] if partial else list(SERVERS)
    trials: list[Trial] = []
    tables, samples = [], []
    for block in (1, 2):
        for pair, variant in keys if block == 1 else reversed(keys):
            bad = invalid and block == 2 and (pair, variant) == ("return_session", "fixed")
            trial, rows = _trial(len(trials), known[pair], variant, block, bad)
            trials.append(trial)
            tables.append(_table(rows.requests, trial.id, REQUESTS))
            samples.append(_table(rows.samples, trial.id, SAMPLES))
    results = tuple(_result(pair, variant, trials, tables) for pair, variant in keys)
    run = Run(
        id="20261120T212500Z-0123abc",
        started_utc="2026-11-20T21:25:00+00:00",
        wall_s=74.2,
        status="partial" if partial else "complete",
        command="harness bench --profile quick",
        seed=7,
        profile=PROFILES["quick"],
        machine=MACHINE,
        pairs=tuple(known.values()),
        trials=tuple(trials),
        results=results,
        warnings=("The machine was not idle when the run began: load average 1.4 on 2 cores.",),
    )
    data = RunData(
        requests=pa.concat_tables(tables), samples=pa.concat_tables(samples), postgres=POSTGRES.empty_table()
    )
    return run, _verdict(run), data


def _table(rows: list[dict[str, Any]], trial: int, schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([{"trial": trial} | r for r in rows], schema=schema)


def _trial(number: int, pair: Pair, variant: str, block: int, bad: bool) -> tuple[Trial, Rows]:
    server = SERVERS[pair.name, variant]
    rng = np.random.default_rng(100 + number)
    rows = trial_rows(server, min(pair.workload.users, 40), pair.workload.canary is not None, rng)
    ceiling = 1 / server.hold_s if server.at_once == 1 else None
    reasons = ("the load generator used 97 % of its core: its own slowness would be measured",) if bad else ()
    trial = Trial(
        id=number,
        pair=pair.name,
        variant=variant,
        block=block,
        seed=7,
        started_s=4.0 * number,
        workload=pair.workload,
        warmup_s=_WARMUP,
        window_s=_WINDOW,
        window_start_s=_WINDOW_START,
        figures=figures_of(rows, ceiling, server),
        outcomes=dict(Counter(str(r["outcome"]) for r in rows.requests)),
        planned=len(rows.requests),
        sequential=(SequentialAnswer(name="GET /product", status=200, body_digest="9f2c"),),
        invalid=reasons,
        log=f"logs/{number:03d}.log",
    )
    return trial, rows


def _result(pair: str, variant: str, trials: list[Trial], tables: list[pa.Table]) -> VariantResult:
    mine = [t for t in trials if (t.pair, t.variant) == (pair, variant) and not t.invalid]
    place = Frame(file="buggy.py", line=_bug_line(pair), function="quote")
    blocked = (pair, variant) == ("blocking_http", "buggy")
    leaks = (pair, variant) == ("return_session", "buggy")
    warnings = {"response_p99_s": "a lower bound: 24 requests had no answer when the trial ended"} if leaks else {}
    hold = LoopHold(user=place, offender=Frame(file="urllib3.connection", line=203, function="connect"),
                    route="/quote/{order_id}", held_s=4.9, times=98)  # fmt: skip
    site = CheckoutSite(taken=Frame(file="buggy.py", line=31, function="read_product"), session=place, engine=None,
                        route="/products/{product_id}", checkouts=60, timeouts=180, opened=15, outlived=15, wait_s=180.0,
                        hold_s=40.0, sql_s=0.3)  # fmt: skip
    return VariantResult(
        pair=pair,
        variant=variant,
        figures=mine[0].figures,
        warnings=warnings,
        outcomes=dict(sum((Counter(t.outcomes) for t in mine), Counter())),
        holds=(hold,) if blocked else (),
        checkouts=(site,) if leaks else (),
        split=latency_split([_window(tables[t.id]) for t in mine]),
        invariants=(InvariantResult(name="orders placed", promised=20, kept=18 if leaks else 20),)
        if not blocked
        else (),
        trials=tuple(t.id for t in mine),
    )


def _window(requests: pa.Table) -> Window:
    end = _WINDOW_START + _WINDOW
    empty = SAMPLES.empty_table(), POSTGRES.empty_table()
    return Window(start_s=_WINDOW_START, end_s=end, requests=requests, samples=empty[0], postgres=empty[1])


def _bug_line(pair: str) -> int:
    return pairs()[pair].variants["buggy"].bug_line or 1


def _verdict(run: Run) -> RunVerdict:
    return RunVerdict(
        pairs=tuple(_pair_verdict(run, p) for p in run.pairs if any(t.pair == p.name for t in run.trials))
    )


def _pair_verdict(run: Run, pair: Pair) -> PairVerdict:
    figures = {r.variant: r.figures for r in run.results if r.pair == pair.name}
    buggy, fixed = figures.get("buggy"), figures.get("fixed")
    good = [f.goodput_rps if f else None for f in (buggy, fixed)]
    ratio = good[1] / good[0] if good[0] and good[1] else None
    failed = f", {buggy.failed_share:.0%} failed → none" if buggy and buggy.failed_share else ""
    effect = f"{good[0]:.0f} → {good[1]:.0f} requests/s{failed}" if good[0] and good[1] else "not measured to the end"
    return PairVerdict(
        pair=pair.name,
        effect=effect,
        effect_ratio=ratio,
        sequential_alike=True,
        sequential_note="one user at a time, all variants answer alike: 12 of 12",
        expectations=tuple(_judged(e, figures) for e in pair.expectations),
        diagnoses=tuple(_diagnosis(pair, v) for v in pair.variants if v in figures),
        invalid=tuple(
            f"{t.variant}, block {t.block}: {r}" for t in run.trials if t.pair == pair.name for r in t.invalid
        ),
    )


def _judged(e: Expectation, figures: dict[str, Figures]) -> ExpectationResult:
    value = getattr(figures.get(e.variant), e.metric, None)
    if e.over is not None:
        base = getattr(figures.get(e.over), e.metric, None)
        value = value / base if value is not None and base else None
    low = e.at_least is None or (value is not None and value >= e.at_least)
    high = e.at_most is None or (value is not None and value <= e.at_most)
    return ExpectationResult(expectation=e, measured=value, met=value is not None and low and high)


def _diagnosis(pair: Pair, variant: str) -> DiagnosisResult:
    expected = pair.variants[variant].cause
    found: tuple[Diagnosis, ...] = ()
    if expected not in (None, Cause.NONE):
        message = {
            Cause.LOOP_BLOCKED: "requests.get ran on the event loop. Nothing else could run meanwhile.",
            Cause.CONNECTION_LEAKED: "The sessions made here never gave their connections back.",
        }[expected]
        evidence = {
            Cause.LOOP_BLOCKED: "98 holds of 50 ms each, 98 % of the window",
            Cause.CONNECTION_LEAKED: "15 of 15 connections outlived their request; 180 requests gave up waiting",
        }[expected]
        place = Frame(file=f"{variant}.py", line=pair.variants[variant].bug_line or 1, function="get_db")
        found = (Diagnosis(cause=expected, frame=place, message=message, evidence=evidence),)
    return DiagnosisResult(
        variant=variant,
        found=found,
        expected=expected,
        cause_right=True,
        place_right=True if expected is not Cause.NONE else None,
    )
