"""Numbers with their units -> words for people. Pure; every function takes base units and answers ``—`` for None.

A no-break space stands between a number and its unit, so that they never part at a line's end.
"""

from __future__ import annotations

import math
from collections.abc import Callable

NONE = "—"
_GAP = "\N{NO-BREAK SPACE}"
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")


def number(value: float | None, digits: int = 3) -> str:
    """A plain number with about three significant digits and thousands separated: 0.0123, 1.5, 22.4, 1,520."""
    if value is None or math.isnan(value):
        return NONE
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    places = max(0, digits - 1 - magnitude)
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(value: float | None) -> str:
    """A number of things: 1,520."""
    return NONE if value is None else f"{value:,.0f}" if float(value).is_integer() else number(value)


def seconds(value: float | None) -> str:
    """A time in seconds, scaled: 850 µs, 12.3 ms, 1.23 s, 3 min 20 s."""
    if value is None or not math.isfinite(value):
        return number(value)
    size = abs(value)
    if size == 0:
        return f"0{_GAP}s"
    if size < 0.9995e-3:
        return f"{number(value * 1e6)}{_GAP}µs"
    if size < 0.9995:
        return f"{number(value * 1e3)}{_GAP}ms"
    if size < 119.5:
        return f"{number(value)}{_GAP}s"
    whole = round(value)
    rest = f" {whole % 60}{_GAP}s" if whole % 60 else ""
    return f"{whole // 60}{_GAP}min{rest}"


def rate(value: float | None) -> str:
    """A rate per second: 22.4/s, 1,520/s."""
    return NONE if value is None else f"{number(value)}/s"


def share(value: float | None) -> str:
    """A share between 0 and 1 in percent. Never rounds something to nothing, nor nearly all to all."""
    if value is None or math.isnan(value):
        return NONE
    percent = value * 100
    if 0 < percent < 0.1:
        return f"<{_GAP}0.1{_GAP}%"
    if 99.9 < percent < 100:
        return f">{_GAP}99.9{_GAP}%"
    places = 1 if 0 < percent < 9.95 or 99 < percent < 100 else 0
    text = f"{percent:.{places}f}"
    return f"{text.removesuffix('.0')}{_GAP}%"


def size(value: float | None) -> str:
    """Bytes in binary multiples: 512 B, 1.5 MiB."""
    if value is None:
        return NONE
    scaled, unit = float(value), 0
    while abs(scaled) >= 1024 and unit < len(_SIZES) - 1:
        scaled, unit = scaled / 1024, unit + 1
    return f"{number(scaled)}{_GAP}{_SIZES[unit]}"


def ratio(value: float | None) -> str:
    """How many times: 10.1×."""
    return NONE if value is None else f"{number(value)}×"


def plural(n: int, one: str, many: str | None = None) -> str:
    """The count with its noun: 1 trial, 3 trials."""
    return f"{n:,}{_GAP}{one if n == 1 else many or one + 's'}"


_BY_SUFFIX: tuple[tuple[str, Callable[[float | None], str]], ...] = (
    ("bytes_per_response", size),
    ("_per_request", number),
    ("_over_generator_cpu", ratio),
    ("_rps", rate),
    ("_share", share),
    ("_bytes", size),
    ("_s", seconds),
)


def figure(name: str, value: float | None) -> str:
    """A figure of :class:`harness.measured.Figures` by its name, whose ending tells the unit."""
    if name.endswith("cpu_s_per_request"):
        return seconds(value)
    for suffix, scale in _BY_SUFFIX:
        if name.endswith(suffix):
            return scale(value)
    return count(value)
