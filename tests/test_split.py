"""The latency split: parts that add up to the response time, whatever was booked."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.split import COLUMNS, MEASURED, latency_split, request_parts
from tests.builders import request, window

seconds = st.floats(0.0, 10.0)
rows = st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, seconds)), min_size=1, max_size=20)


def columns(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: np.array([row[name] for row in found], dtype=np.float64) for name in COLUMNS}


@given(rows)
def test_the_parts_are_never_negative_and_add_up_whatever_was_booked(found: list[dict[str, float]]) -> None:
    for row in found:
        row["intended_s"], row["done_s"] = sorted((row["intended_s"], row["done_s"]))
    given_rows = columns(found)
    parts = request_parts(given_rows)
    assert all((part >= 0).all() for part in parts.values())
    np.testing.assert_allclose(sum(parts.values()), given_rows["done_s"] - given_rows["intended_s"], atol=1e-9)


@given(st.lists(st.tuples(seconds, seconds), min_size=20, max_size=200))
def test_the_parts_of_a_band_add_up_to_its_mean_response_time(times: list[tuple[float, float]]) -> None:
    of = window([request(11.0, took, answer_sql_s=sql, start_s=11.0) for took, sql in times])
    for split in latency_split([of]):
        found = asdict(split)
        parts = [found[name] for name in found if name.endswith("_s") and name != "response_s"]
        assert len(parts) == 8
        assert sum(parts) == pytest.approx(split.response_s, rel=1e-9, abs=1e-9)
        assert split.requests >= 5


def test_each_part_is_what_was_measured() -> None:
    known: dict[str, Any] = {f"answer_{part}_s": 0.1 * n for n, part in enumerate(MEASURED, 1)}
    of = window([request(11.0, 3.0, sent_s=11.2, start_s=11.5, last_byte_s=13.9, **known)] * 20)
    median, tail = latency_split([of])
    assert (median.around, tail.around) == ("p50", "p99")
    assert median.unsent_s == pytest.approx(0.2)
    assert median.loop_s == pytest.approx(0.3 + 0.1 + 0.5), "before the app, after it, and ready inside it"
    assert [median.token_s, median.checkout_s, median.sql_s, median.upstream_s, median.own_s] == pytest.approx(
        [0.1, 0.2, 0.3, 0.4, 0.6]
    )
    assert median.other_s == pytest.approx(2.4 - 2.1)


def test_what_a_request_does_at_once_is_shortened_to_the_time_it_had() -> None:
    both = request(11.0, 1.0, start_s=11.0, last_byte_s=12.0, answer_sql_s=0.9, answer_upstream_s=0.6)
    (median, _) = latency_split([window([both] * 20)])
    assert [median.sql_s, median.upstream_s, median.other_s] == pytest.approx([0.6, 0.4, 0.0])


def test_the_bands_hold_the_requests_that_they_name() -> None:
    of = window([request(11.0, 0.001 * n, start_s=11.0) for n in range(1, 1001)])
    median, tail = latency_split([of])
    assert (median.from_quantile, median.to_quantile, median.requests) == (0.4, 0.6, 200)
    assert median.response_s == pytest.approx(0.5005)
    assert (tail.from_quantile, tail.to_quantile, tail.requests) == (0.985, 1.0, 15)
    assert tail.response_s == pytest.approx(0.993)


def test_nothing_is_split_where_too_little_was_seen() -> None:
    assert latency_split([window([request(11.0)] * 9)]) == ()
    assert latency_split([window([request(11.0)] * 30, has_probe=False)]) == ()
    unanswered = request(11.0, answer_own_s=None)
    assert latency_split([window([unanswered] * 30)]) == ()
