"""Another clock, by round trips."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.offset import Offset, best_offset, disagreement

WAYS = st.lists(st.tuples(st.floats(1e-5, 0.1), st.floats(1e-5, 0.1)), min_size=1, max_size=20)


@given(ahead_s=st.floats(-1e6, 1e6), ways=WAYS)
def test_the_true_offset_lies_within_the_error(ahead_s: float, ways: list[tuple[float, float]]) -> None:
    trips, now_s = [], 100.0
    for there_s, back_s in ways:
        trips.append((now_s, now_s + there_s + ahead_s, now_s + there_s + back_s))
        now_s += 1.0
    found = best_offset(trips)
    assert abs(found.offset_s - ahead_s) <= found.error_s + 1e-8
    assert found.error_s == pytest.approx(min(there + back for there, back in ways) / 2, abs=1e-9)
    assert found.ours(found.theirs(5.0)) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (Offset(5000.0, 0.001), Offset(5000.004, 0.001), None),
        (Offset(0.0, 0.001), Offset(0.0, 0.006), "its clock is known only to within 6.0 ms, more than 5 ms"),
        (Offset(1.0, 0.001), Offset(1.0061, 0.001), "its clock moved by 6.1 ms against the master's during the trial"),
    ],
)
def test_clocks_that_disagree(first: Offset, last: Offset, said: str | None) -> None:
    found = disagreement(first, last)
    assert (found or "").startswith(said or "")
    assert (found is None) == (said is None)
