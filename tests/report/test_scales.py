"""Ticks, thinning, label placement; paths of SVG."""

from __future__ import annotations

import numpy as np
import pytest

from harness.report.charts import scales
from harness.report.charts.svg import short_path


@pytest.mark.parametrize(
    ("highest", "expected"),
    [
        (0.0, [0.0]),
        (2.5, [0.0, 1.0, 2.0]),
        (487.0, [0.0, 200.0, 400.0]),
        (0.04, [0.0, 0.01, 0.02, 0.03, 0.04]),
    ],
)
def test_nice_ticks_are_round_and_few(highest: float, expected: list[float]) -> None:
    assert scales.nice_ticks(highest) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        ([], []),
        ([5.0], [5.0]),
        ([0.0, 50.0], [0.0, 50.0]),
        ([50.0, 51.0], [50.0, 60.0]),
        ([99.0, 100.0], [90.0, 100.0]),
        ([100.0, 99.0], [100.0, 90.0]),
    ],
)
def test_spread_keeps_labels_apart_and_inside(positions: list[float], expected: list[float]) -> None:
    assert scales.spread(positions, 10, 0, 100) == expected


def test_thinning_keeps_the_peak() -> None:
    t = np.arange(1000.0)
    values = np.zeros(1000)
    values[517] = 9.0
    thin_t, (thin,) = scales.thin_peaks(t, [values], 100)
    assert len(thin_t) == len(thin) == 100
    assert thin.max() == 9.0
    assert abs(thin_t[int(thin.argmax())] - 517) <= 10


def test_thinning_does_not_make_zeros_of_what_is_missing() -> None:
    _, (thin,) = scales.thin_peaks(np.arange(10.0), [np.full(10, np.nan)], 5)
    assert np.isnan(thin).all()


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("M 0 240 \nL 400 240 \nL 400 0 \nz\n", "M0 240h400v-240z"),
        ("M 0.04 0.06 \nL 1.23 4.56 \n", "M0 .1l1.2 4.5"),
        ("M 10 10 L 10 10", "M10 10"),
        ("M 0 0 Q 1.25 2.31 3 4", "M 0 0 Q 1.2 2.3 3 4"),
    ],
)
def test_paths_get_short(long: str, short: str) -> None:
    assert short_path(long) == short


def test_rounding_a_path_does_not_add_up() -> None:
    steps = short_path("M 0 0 " + " ".join(f"L {i * 0.14:.2f} {i}" for i in range(1, 101)))
    total = sum(float(part.split(" ")[0]) for part in steps.replace("v", "l0 ").split("l")[1:])
    assert total == pytest.approx(14.0, abs=0.06)
