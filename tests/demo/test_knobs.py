"""Knobs: what can be turned, and what a browser may not turn."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.catalog import catalogue_root, ceiling_of, load_pair, load_pairs
from harness.demo.knobs import knobs_of, turned
from harness.demo.lessons import PATH, by_theme, path_of
from harness.errors import UsageError

ROOT = catalogue_root()
PAIR = load_pair(ROOT, "blocking_db")


def test_a_pair_has_the_knobs_that_its_apps_and_its_load_read() -> None:
    assert [knob.name for knob in knobs_of(PAIR)] == ["users", "query_s", "pool_size"]
    opened = load_pair(ROOT, "background_pins_session")
    assert [knob.name for knob in knobs_of(opened)] == ["rate_rps", "upstream_delay_s", "pool_timeout_s"]


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
