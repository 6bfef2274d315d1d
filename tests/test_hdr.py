"""The .hgrm text: read back as a plotter would, and held against the exact quantiles of the same rows."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.hdr import hgrm
from harness.stats import Floats, quantiles

NONE = np.array([], dtype=np.float64)
FOOTER = re.compile(
    r"#\[Mean    = +(?P<mean>[\d.]+), StdDeviation   = +(?P<deviation>[\d.]+)\]\n"
    r"#\[Max     = +(?P<max>[\d.]+), Total count    = +(?P<count>\d+)\]\n"
    r"#\[Buckets = +(?P<buckets>\d+), SubBuckets     = +(?P<sub_buckets>\d+)\]\n"
    r"# milliseconds; (?P<unfinished>\d+) of \d+ requests had not ended.*\n$"
)
micros = st.lists(st.integers(0, 10_000_000), min_size=1, max_size=300)


@dataclass
class Step:
    value_ms: float
    percentile: float
    count: int


def steps(text: str) -> list[Step]:
    head, blank, *lines = text.splitlines()
    assert head == "       Value     Percentile TotalCount 1/(1-Percentile)"
    assert blank == ""
    found = []
    for line in lines:
        if line.startswith("#"):
            continue
        value, percentile, count, *inverse = line.split()
        found.append(Step(float(value), float(percentile), int(count)))
        if inverse:
            assert float(inverse[0]) == pytest.approx(1 / (1 - float(percentile)), abs=0.006, rel=1e-4)
    return found


def footer(text: str) -> dict[str, float]:
    match = FOOTER.search(text)
    assert match is not None, text[-400:]
    return {name: float(value) for name, value in match.groupdict().items()}


def seconds(values: list[int]) -> Floats:
    return np.array(values, dtype=np.float64) / 1e6


def test_the_known_steps_of_a_known_distribution() -> None:
    found = steps(hgrm(seconds([1000 * n for n in range(1, 101)]), NONE))
    assert [(s.value_ms, s.percentile, s.count) for s in found[:8]] == [
        (1.0, 0.0, 1), (10.0, 0.1, 10), (20.0, 0.2, 20), (30.0, 0.3, 30), (40.0, 0.4, 40),
        (50.0, 0.5, 50), (55.0, 0.55, 55), (60.0, 0.6, 60),
    ]  # fmt: skip
    assert (found[-1].value_ms, found[-1].percentile, found[-1].count) == (100.0, 1.0, 100)


@given(values=micros)
def test_every_step_is_an_exact_quantile_of_the_rows(values: list[int]) -> None:
    text = hgrm(seconds(values), NONE)
    found = steps(text)
    ordered = sorted(values)
    assert [s.percentile for s in found] == sorted(s.percentile for s in found)
    for step in found:
        assert round(step.value_ms * 1e3) in values
        assert step.count == sum(v <= round(step.value_ms * 1e3) for v in values)
        assert step.count / len(values) >= step.percentile - 1e-9
        below = sum(v < round(step.value_ms * 1e3) for v in values)
        assert below / len(values) <= step.percentile, "no smaller value would do"
    assert (found[-1].count, found[-1].percentile) == (len(values), 1.0)
    assert found[-2].percentile <= 1 - 1 / len(values), "no percentile that so few rows cannot tell"
    assert round(found[-1].value_ms * 1e3) == ordered[-1]


@given(values=micros)
def test_the_footer_is_that_of_the_rows(values: list[int]) -> None:
    said = footer(hgrm(seconds(values), NONE))
    assert said["mean"] == pytest.approx(np.mean(values) / 1e3, abs=1e-3)
    assert said["deviation"] == pytest.approx(np.std(values) / 1e3, abs=1e-3)
    assert said["max"] == pytest.approx(max(values) / 1e3)
    assert said["count"] == len(values)
    assert said["buckets"] == 1
    assert said["sub_buckets"] > max(values), "one sub-bucket a microsecond"


def test_the_median_is_the_one_that_is_reported() -> None:
    values = seconds([3, 1, 2, 40, 7])
    (median,) = quantiles(values, NONE, [0.5])
    assert median is not None
    assert next(s for s in steps(hgrm(values, NONE)) if s.percentile == 0.5).value_ms == median.value * 1e3


def test_what_had_not_ended_is_in_as_a_lower_bound_and_said_to_be() -> None:
    text = hgrm(seconds([1000, 2000]), seconds([9000]))
    assert steps(text)[-1].value_ms == 9.0
    assert footer(text)["unfinished"] == 1
    assert "1 of 3 requests had not ended" in text


def test_no_requests() -> None:
    text = hgrm(NONE, NONE)
    assert steps(text) == []
    assert footer(text)["count"] == 0
