"""What an app leaves to its libraries: shown where it leaves something, usual unless turned, and then turned for real."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import replace

import anyio
import anyio.to_thread
import pytest
from sqlalchemy.pool import QueuePool

from harness.catalog import catalogue_root, load_pair, load_pairs
from harness.demo.knobs import turned
from harness.hearing import Heard
from harness.inside import Sight
from harness.record import Pair, Profile, Variant, Workload
from harness.staging import Rig, Subject, TrialPlan, set_stage
from harness.target.library import DEFAULTS, asked
from harness.trial import TrialData, run_trial

ROOT = catalogue_root()
PAIRS = load_pairs(ROOT)
ABOUT_POOLS_OR_THREADS = [pair for pair in PAIRS if pair.theme in ("pool", "threads")]
BRIEF = Profile(name="brief", warmup_s=0.1, window_s=1.0, blocks=1, drain_s=0.5, sequential_tasks=0)


def test_the_usual_is_what_the_libraries_do() -> None:
    async def tokens() -> float:
        return anyio.to_thread.current_default_thread_limiter().total_tokens

    pool = inspect.signature(QueuePool).parameters
    assert {
        "thread_tokens": anyio.run(tokens),
        "default_pool_size": pool["pool_size"].default,
        "default_max_overflow": pool["max_overflow"].default,
    } == DEFAULTS


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_nothing_is_asked_of_the_libraries_in_a_bench(pair: Pair) -> None:
    assert asked(pair.settings) == {}


def test_what_is_turned_is_asked_for_and_the_rest_is_not() -> None:
    pair = load_pair(ROOT, "no_finally")
    whole = turned(pair, {"thread_tokens": 7, "default_pool_size": 5, "default_max_overflow": 0})
    assert asked(whole.settings) == {"thread_tokens": 7, "default_max_overflow": 0}


@pytest.mark.parametrize("pair", ABOUT_POOLS_OR_THREADS, ids=lambda pair: pair.name)
def test_a_knob_is_there_where_an_app_leaves_something_to_a_library(pair: Pair) -> None:
    variants = pair.variants.values()
    assert ("default_pool_size" in pair.settings) == any(leaves_the_pool_open(v) for v in variants)
    assert ("default_max_overflow" in pair.settings) == any(leaves_the_pool_open(v) for v in variants)
    assert ("thread_tokens" in pair.settings) == any(goes_through_threads(v) for v in variants)


def leaves_the_pool_open(variant: Variant) -> bool:
    calls = [node for node in ast.walk(ast.parse(variant.source)) if isinstance(node, ast.Call)]
    engines = [call for call in calls if ast.unparse(call.func) in ("create_engine", "create_async_engine")]
    return any(not {k.arg for k in call.keywords} & {"pool_size", "max_overflow", "poolclass"} for call in engines)


def goes_through_threads(variant: Variant) -> bool:
    """Whether it has a route or a dependency that is a plain function, or sends one to a thread."""
    plain = [node for node in ast.walk(ast.parse(variant.source)) if isinstance(node, ast.FunctionDef)]
    routes = any(ast.unparse(d).startswith("app.") for function in plain for d in function.decorator_list)
    depended_on = set(re.findall(r"Depends\((\w+)", variant.source))
    return routes or "run_in_threadpool(" in variant.source or any(f.name in depended_on for f in plain)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_a_share_is_the_one_that_the_scenario_has_by_itself(pair: Pair) -> None:
    text = (ROOT / pair.scenario).read_text()
    for name in re.findall(r"^from shoppers\.(\w+)", text, re.MULTILINE):
        text += (ROOT / f"scenarios/shoppers/{name}.py").read_text()
    read = re.findall(r'os\.environ\.get\("(\w+_SHARE)", (\d+) / (\d+)\)', text)
    own = {name.lower(): int(part) / int(whole) for name, part, whole in read}
    assert {n: v for n, v in pair.settings.items() if n.endswith("_share")} == pytest.approx(own, abs=1e-6)


def briefly(rig: Rig, pair: Pair, variant: str) -> tuple[TrialData, Heard]:
    app = f"target_apps.{pair.name}.{variant}:app"
    subject = Subject(target=app, app_dir=ROOT, locustfile=ROOT / pair.scenario)
    plan = TrialPlan(id=1, pair=pair, variant=variant, subject=subject, block=1, seed=1, profile=BRIEF)
    stage = set_stage(rig, plan)
    return run_trial(rig, plan, stage=stage), stage.heard


@pytest.mark.parametrize(
    ("name", "variant", "knobs"),
    [
        pytest.param("session_dependency_convoy", "fixed", {"default_pool_size": 2, "default_max_overflow": 1}, id="sync"),
        pytest.param("pool_undersized", "buggy", {"default_pool_size": 1, "default_max_overflow": 2}, id="async"),
    ],
)  # fmt: skip
def test_a_pool_that_names_no_size_gets_what_is_turned(
    catalogue_rig: Rig, name: str, variant: str, knobs: dict[str, int]
) -> None:
    data, _ = briefly(catalogue_rig, turned(load_pair(ROOT, name), {**knobs, "users": 12}), variant)
    assert {seen.what for seen in data.window.seen if seen.kind == Sight.POOL} == {"3"}
    assert data.trial.figures.connections_out_max == 3


def test_a_pool_that_names_its_size_keeps_it(catalogue_rig: Rig) -> None:
    pair = turned(load_pair(ROOT, "pool_undersized"), {"default_pool_size": 2, "default_max_overflow": 0, "users": 12})
    data, _ = briefly(catalogue_rig, pair, "fixed")
    assert {seen.what for seen in data.window.seen if seen.kind == Sight.POOL} == {"88"}


def test_threads_are_as_many_as_is_turned(catalogue_rig: Rig) -> None:
    pair = load_pair(ROOT, "threadpool_starvation")
    short = replace(pair, settings=pair.settings | {"upstream_delay_s": 0.1}, workload=Workload(users=12))
    assert briefly(catalogue_rig, turned(short, {"thread_tokens": 5}), "buggy")[0].trial.figures.tokens_in_use_max == 5
    usual = briefly(catalogue_rig, short, "buggy")[0].trial.figures.tokens_in_use_max
    assert usual is not None and usual > 5


@pytest.mark.parametrize(("share", "statuses"), [(0.0, {200}), (1.0, {404})])
def test_the_load_asks_for_what_is_not_there_as_often_as_is_turned(
    catalogue_rig: Rig, share: float, statuses: set[int]
) -> None:
    pair = turned(load_pair(ROOT, "no_finally"), {"failing_share": share, "users": 3})
    data, heard = briefly(catalogue_rig, pair, "fixed")
    assert {row[7] for row in heard.client if row[1] == "load" and row[7] is not None} == statuses, data.trial.invalid
