"""The line that says what a fix changes, by what the bug is about."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isnan
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.catalog import load_pairs
from harness.effect import effect
from harness.measured import Figures
from harness.record import Cause, Expectation, InvariantResult, VariantResult

PAIRS = {pair.name: pair for pair in load_pairs(Path(__file__).resolve().parent.parent)}


def _result(
    variant: str, promised: int = 0, kept: int = 0, outcomes: dict[str, int] | None = None, **figures: float
) -> VariantResult:
    return VariantResult(
        pair="p",
        variant=variant,
        figures=Figures(**figures),  # type: ignore[arg-type]
        outcomes=outcomes or {},
        invariants=(InvariantResult(name="kept", promised=promised, kept=kept),) if promised else (),
    )


def _told(pair: str, buggy: VariantResult, fixed: VariantResult) -> tuple[str, float | None]:
    text, ratio = effect(PAIRS[pair], {"buggy": buggy, "fixed": fixed})
    return text.replace("\N{NO-BREAK SPACE}", " "), ratio and round(ratio, 3)


def test_more_answers_are_told_as_rates() -> None:
    told = _told("blocking_db", _result("buggy", goodput_rps=5.0), _result("fixed", goodput_rps=200.0))
    assert told == ("5.0 → 200 requests/s", 40.0)


def test_lost_writes_are_counted_in_rows() -> None:
    assert _told("missing_commit", _result("buggy", 441, 0), _result("fixed", 441, 441)) == (
        "441 of 441 promised rows lost → none",
        inf,
    )
    assert _told("lost_update", _result("buggy", 1000, 500), _result("fixed", 10, 9)) == (
        "500 of 1,000 promised rows lost → 1 of 10",
        1.8,
    )


def test_lost_writes_without_a_lost_row_are_told_as_failures() -> None:
    told = _told("commit_in_teardown", _result("buggy", 9, 9, failed_share=0.2), _result("fixed", 9, 9, failed_share=0))
    assert told == ("20 % failed → none", 1.25)


def test_queries_are_counted_per_request() -> None:
    before = _result("buggy", queries_per_request=99.0, goodput_rps=23.0)
    after = _result("fixed", queries_per_request=3.0, goodput_rps=140.0)
    assert _told("n_plus_one", before, after) == ("99 → 3 queries per request, 23 → 140 requests/s", 33.0)


def test_neighbours_are_told_of_where_the_loop_was_held_and_no_more_is_answered() -> None:
    before, after = _result("buggy", canary_p99_s=2.1), _result("fixed", canary_p99_s=0.004)
    assert _told("blocking_hash", before, after) == ("p99 of the canary 2.1 s → 4 ms", 525.0)


def test_masked_errors_are_wrong_answers_behind_a_good_status() -> None:
    before = _result("buggy", outcomes={"ok": 60, "wrong_body": 40}, failed_share=0.4)
    after = _result("fixed", outcomes={"ok": 65, "http_error": 35}, failed_share=0.35)
    assert _told("swallowing_middleware", before, after) == (
        "40 % wrong behind a good status → none, 35 % fail openly",
        1.667,
    )


def test_a_pair_without_a_cause_is_told_by_the_harm_that_it_expects() -> None:
    before, after = _result("buggy", tokens_per_request=8.0), _result("fixed", tokens_per_request=4.0)
    assert _told("blanket_threadpool", before, after) == ("8 → 4 thread hops per request", 2.0)


def test_what_was_not_measured_falls_back_to_rates() -> None:
    told = _told("n_plus_one", _result("buggy", goodput_rps=10.0), _result("fixed", goodput_rps=20.0))
    assert told == ("10 → 20 requests/s", 2.0)


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_every_pair_has_an_effect_in_one_line(name: str) -> None:
    known = dict.fromkeys(Figures.__dataclass_fields__, 0.5)
    text, ratio = effect(
        PAIRS[name], {v: _result(v, 10, 5, {"ok": 5, "wrong_body": 5}, **known) for v in ("buggy", "fixed")}
    )
    assert " → " in text
    assert "None" not in text
    assert len(text) < 80
    assert ratio == pytest.approx(1.0)


_SHARES = st.one_of(st.none(), st.floats(0, 1))


@given(before=_SHARES, after=_SHARES, goodput=st.one_of(st.none(), st.floats(0, 1e6)), cause=st.sampled_from(Cause))
def test_the_ratio_is_never_negative_nor_not_a_number(
    before: float | None, after: float | None, goodput: float | None, cause: Cause
) -> None:
    pair = PAIRS["inline_session"]
    expected = (Expectation(that="t", metric="failed_share", variant="buggy", at_least=0.1),)
    variants = pair.variants | {"buggy": replace(pair.variants["buggy"], cause=cause)}
    figures = [Figures(failed_share=share, canary_p99_s=share, goodput_rps=goodput) for share in (before, after)]
    results = {
        name: VariantResult(pair="p", variant=name, figures=f)
        for name, f in zip(("buggy", "fixed"), figures, strict=True)
    }
    text, ratio = effect(replace(pair, variants=variants, expectations=expected), results)
    assert text
    assert ratio is None or (ratio >= 0 and not isnan(ratio))
