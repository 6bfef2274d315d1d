"""Numbers -> words."""

from __future__ import annotations

import math

import pytest

from harness.measured import FIGURE_NAMES
from harness.report import units, words


def _spaced(text: str) -> str:
    """No-break spaces written as plain ones, to keep the tables readable."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (0, "0 s"),
        (0.00000085, "0.85 µs"),
        (0.00085, "850 µs"),
        (0.0009996, "1 ms"),
        (0.0123, "12.3 ms"),
        (0.9996, "1 s"),
        (1.234, "1.23 s"),
        (74.2, "74.2 s"),
        (119.9, "2 min"),
        (200, "3 min 20 s"),
        (-0.05, "-50 ms"),
        (math.inf, "∞"),
    ],
)
def test_seconds(value: float | None, text: str) -> None:
    assert _spaced(units.seconds(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "—"), (0, "0/s"), (0.4, "0.4/s"), (22.43, "22.4/s"), (223.4, "223/s"), (1520, "1,520/s")],
)
def test_rate(value: float | None, text: str) -> None:
    assert units.rate(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (0.0, "0 %"),
        (0.0002, "< 0.1 %"),
        (0.004, "0.4 %"),
        (0.05, "5 %"),
        (0.86, "86 %"),
        (0.994, "99.4 %"),
        (0.9999, "> 99.9 %"),
        (1.0, "100 %"),
        (1.13, "113 %"),
    ],
)
def test_share(value: float | None, text: str) -> None:
    assert _spaced(units.share(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "—"), (0, "0 B"), (512, "512 B"), (1536, "1.5 KiB"), (96 * 2**20, "96 MiB"), (2**50, "1,024 TiB")],
)
def test_size(value: float | None, text: str) -> None:
    assert _spaced(units.size(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "—"), (0.0123, "0.0123"), (1.0, "1"), (10.06, "10.1"), (1217.3, "1,217")]
)
def test_number(value: float | None, text: str) -> None:
    assert units.number(value) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("goodput_rps", 22.4, "22.4/s"),
        ("failed_share", 0.5, "50 %"),
        ("rss_max_bytes", 2**20, "1 MiB"),
        ("bytes_per_response", 351.0, "351 B"),
        ("response_p99_s", 0.5, "500 ms"),
        ("cpu_s_per_request", 0.0011, "1.1 ms"),
        ("queries_per_request", 1.5, "1.5"),
        ("cpu_over_generator_cpu", 1.24, "1.24×"),
        ("connections_out_max", 15, "15"),
        ("goodput_rps", None, "—"),
    ],
)
def test_a_figure_is_scaled_by_the_ending_of_its_name(name: str, value: float | None, text: str) -> None:
    assert _spaced(units.figure(name, value)) == text


def test_every_figure_of_the_record_has_a_place_in_the_table() -> None:
    assert sorted(f.name for f in words.FIGURES) == sorted(FIGURE_NAMES)
