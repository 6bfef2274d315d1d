"""Knobs: what can be turned, and what a browser may not turn."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.catalog import catalogue_root, load_pair, load_pairs
from harness.demo.knobs import knobs_of, said, turned
from harness.demo.lessons import PATH, by_theme, path_of
from harness.errors import UsageError
from harness.formula import ceiling_of, failures_of

ROOT = catalogue_root()
PAIR = load_pair(ROOT, "blocking_db")


def test_a_pair_has_the_knobs_that_its_apps_and_its_load_read() -> None:
    assert [knob.name for knob in knobs_of(PAIR)] == ["users", "query_s", "pool_size", "thread_tokens"]
    opened = load_pair(ROOT, "background_pins_session")
    assert [knob.name for knob in knobs_of(opened)] == [
        "rate_rps", "upstream_delay_s", "pool_timeout_s", "default_pool_size", "default_max_overflow",
    ]  # fmt: skip


def test_every_pair_can_be_run_as_it_is_and_at_the_ends_of_its_knobs() -> None:
    for pair in load_pairs(ROOT):
        for end in ("low", "value", "high"):
            whole = turned(pair, {knob.name: getattr(knob, end) for knob in knobs_of(pair)})
            for variant in whole.variants:
                ceiling = ceiling_of(whole, variant)
                assert ceiling is None or ceiling > 0
        assert turned(pair, {}) == pair


def test_the_ceiling_moves_with_the_knobs() -> None:
    assert ceiling_of(turned(PAIR, {"query_s": 0.5}), "buggy") == pytest.approx(2)
    assert ceiling_of(turned(PAIR, {"users": 10}), "fixed") == pytest.approx(50)
    assert ceiling_of(turned(PAIR, {"pool_size": 20}), "fixed") == pytest.approx(100)
    assert ceiling_of(turned(PAIR, {"thread_tokens": 8}), "partial") == pytest.approx(40)
    pool = load_pair(ROOT, "pool_undersized")
    bigger = turned(pool, {"default_pool_size": 44, "default_max_overflow": 0})
    assert {v: ceiling_of(bigger, v) for v in ("buggy", "fixed")} == pytest.approx({"buggy": 110, "fixed": 220})


def test_the_failures_that_arithmetic_gives_move_with_the_knobs() -> None:
    pool = load_pair(ROOT, "pool_undersized")
    assert failures_of(pool, "buggy") == pytest.approx((110 - 15) / 1.0 - 15 / 0.4)
    assert failures_of(pool, "fixed") == 0, "nobody waits for as long as a second"
    assert failures_of(pool, "partial") is None
    assert failures_of(turned(pool, {"default_max_overflow": 39}), "buggy") == 0
    assert failures_of(turned(pool, {"users": 15}), "buggy") == 0


# What bench measures against. A knob that nobody turns changes nothing of it.
CEILINGS = {
    "background_blocking": {"buggy": 80.0},
    "blocking_db": {"buggy": 5.0, "partial": 200.0, "fixed": 250.0},
    "connection_held_across_call": {"buggy": 30.0, "fixed": 120.0},
    "def_endpoints": {"buggy": 5.0, "fixed": 200.0},
    "nested_checkout": {"fixed": 300.0},
    "pool_undersized": {"buggy": 37.5, "fixed": 220.0},
    "streaming_pins_session": {"buggy": 15 / 0.9},
    "threadpool_starvation": {"buggy": 80.0, "fixed": 80.0},
}


@pytest.mark.parametrize("name", CEILINGS)
def test_a_knob_that_nobody_turns_leaves_the_ceiling_alone(name: str) -> None:
    pair = load_pair(ROOT, name)
    assert {v: ceiling_of(pair, v) for v in pair.ceilings} == pytest.approx(CEILINGS[name])


@given(st.sampled_from(["users", "query_s", "pool_size"]), st.floats() | st.integers())
def test_what_is_taken_lies_within_the_bounds(name: str, value: float) -> None:
    knob = next(knob for knob in knobs_of(PAIR) if knob.name == name)
    try:
        pair = turned(PAIR, {name: value})
    except UsageError as error:
        assert name in str(error)
        assert not knob.low <= value <= knob.high or value != int(value)
    else:
        taken = pair.workload.users if name == "users" else pair.settings[name]
        assert knob.low <= taken == value <= knob.high


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("default_pool_size", 0), ("default_pool_size", 46), ("default_pool_size", 5.5), ("default_max_overflow", -1),
        ("default_max_overflow", 1e9), ("thread_tokens", 0), ("thread_tokens", 121), ("thread_tokens", "40"),
        ("failing_share", -0.01), ("failing_share", 1.01), ("failing_share", float("nan")), ("failing_share", True),
        ("leaving_share", 0.5), ("pool_size", 5),
    ],
)  # fmt: skip
def test_what_a_browser_makes_up_is_refused(name: str, value: object) -> None:
    with pytest.raises(UsageError) as error:
        turned(load_pair(ROOT, "no_finally"), {name: value})
    assert name in str(error.value)


def test_a_share_is_taken_and_said_in_percent() -> None:
    pair = load_pair(ROOT, "no_finally")
    knob = next(knob for knob in knobs_of(pair) if knob.name == "failing_share")
    assert turned(pair, {"failing_share": 0.5}).settings["failing_share"] == 0.5
    assert said(knob, 0.5) == "50\N{NO-BREAK SPACE}%"


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.text() | st.lists(st.integers()), min_size=1))
def test_what_is_no_number_or_no_knob_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        turned(PAIR, values)
    with pytest.raises(UsageError):
        turned(PAIR, {"users": next(iter(values.values()))})


def test_the_path_has_eight_pairs_and_the_list_has_all() -> None:
    pairs = load_pairs(ROOT)
    assert [pair.name for pair in path_of(pairs)] == list(PATH)
    assert len(PATH) == len(set(PATH)) == 8
    assert sorted(pair.name for _, mine in by_theme(pairs) for pair in mine) == sorted(pair.name for pair in pairs)


def test_the_plan_for_a_class_goes_the_same_way() -> None:
    plan = (Path(ROOT) / "docs" / "teaching.md").read_text(encoding="utf-8")
    at = [plan.index(f"`{name}`") for name in PATH]
    assert at == sorted(at)
