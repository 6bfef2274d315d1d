"""Where the response time went, around the median and around the 99th percentile: stacked bars by variant."""

from __future__ import annotations

from matplotlib.axes import Axes

from harness.measured import LatencySplit
from harness.report import units
from harness.report.charts import scales
from harness.report.charts.canvas import RIGHT, WIDTH, Canvas, box, invalid_row, ticks
from harness.report.charts.model import Chart, PairRows, Panel
from harness.report.charts.palette import variant_role

# Role of the palette, field of LatencySplit, and its words; in the order in which a request usually comes to them.
PARTS: tuple[tuple[str, str, str], ...] = (
    ("unsent", "unsent_s", "not yet sent"),
    ("queue", "loop_s", "waiting for the loop"),
    ("token", "token_s", "waiting for a thread"),
    ("connection", "checkout_s", "waiting for a connection"),
    ("sql", "sql_s", "in SQL"),
    ("upstream", "upstream_s", "upstream, over HTTP"),
    ("own", "own_s", "running own code"),
    ("rest", "other_s", "other: asleep, at a lock"),
)
SHOWN_SHARE = 0.005  # a part below this of every bar is left out of the legend
_NAMED_SHARE = 0.15
_HEAD, _BAR_ROW, _BAR, _FOOT = 20.0, 38.0, 16.0, 8.0
_TOP, _BOTTOM, _SIDE = 2.0, 40.0, 10.0
_UNSPLIT = "too few answers to tell"  # fewer than harness.split asks for
_HOW = (
    "Shorter is better. The upper bar is the mean of the requests around the median, the lower one of those around the 99th percentile; "
    "the parts add up to the response time. The axis begins at zero and is the same for all."
)


def draw(pair: PairRows) -> Chart | None:
    """Two bars a variant; None when no variant has a split."""
    rows = [(v.name, v.result.split) for v in pair.variants if v.result.split]
    if not rows:
        return None
    unsplit = [v.name for v in pair.variants if not v.result.split]
    seen = [part for part in PARTS if any(share(s, part[1]) >= SHOWN_SHARE for _, splits in rows for s in splits)]
    return Chart(
        name="latency",
        title="Where the time of an answer goes",
        reading=" ".join([reading(rows), *(f"{name}: {_UNSPLIT}." for name in unsplit)]),
        how=_HOW,
        legend=tuple((role, words) for role, _, words in seen),
        panels=(Panel(svg=_picture(pair, rows)),),
    )


def share(split: LatencySplit, name: str) -> float:
    """A part of the response time, between 0 and 1."""
    return float(getattr(split, name)) / split.response_s if split.response_s else 0.0


def main_parts(split: LatencySplit) -> str:
    """The one or two parts that take most: "82 % waiting for a connection"."""
    ordered = sorted(PARTS, key=lambda p: -share(split, p[1]))
    told = [p for i, p in enumerate(ordered[:2]) if not i or share(split, p[1]) >= _NAMED_SHARE]
    return ", ".join(f"{units.share(share(split, name))} {words}" for _, name, words in told)


def reading(rows: list[tuple[str, tuple[LatencySplit, ...]]]) -> str:
    """Where an ordinary request of each variant spends its time."""
    return " ".join(f"{variant}: {main_parts(splits[0])}." for variant, splits in rows)


def _picture(pair: PairRows, rows: list[tuple[str, tuple[LatencySplit, ...]]]) -> str:
    heights = [_HEAD + _BAR_ROW * len(splits) + _FOOT for _, splits in rows] + [_HEAD + _BAR_ROW] * len(pair.invalid)
    height = sum(heights)
    canvas = Canvas(_TOP + _BOTTOM + height, f"{pair.pair.name}-latency")
    axes = canvas.axes(bottom=_BOTTOM, height=height, left=_SIDE, right=_SIDE)
    longest = max(s.response_s for _, splits in rows for s in splits) * 1.02 or 1.0
    axes.set_xlim(0, longest)
    axes.set_ylim(0, height)
    ticks(axes, x=scales.labelled(scales.nice_ticks(longest), units.seconds))
    canvas.text(WIDTH - RIGHT, 4, "mean response time", role="muted", align="right")
    y = height
    for (variant, splits), room in zip(rows, heights, strict=False):
        canvas.text(_SIDE, _BOTTOM + y - 14, variant, bold=True, role=variant_role(variant))
        for i, split in enumerate(splits):
            _bar(canvas, axes, split, y - _HEAD - _BAR_ROW * (i + 1))
        y -= room
    for variant in pair.invalid:
        invalid_row(canvas, axes, variant, y - _HEAD - _BAR, _BAR, _BOTTOM + y - 14)
        y -= _HEAD + _BAR_ROW
    axes.grid(visible=False, axis="y")
    return canvas.svg(f"Where the time of an answer goes. {reading(rows)}")


def _bar(canvas: Canvas, axes: Axes, split: LatencySplit, bottom: float) -> None:
    """One stacked bar, with its time and its largest part above it."""
    y = _BOTTOM + bottom + _BAR + 6
    canvas.text(
        _SIDE, y, f"{split.around}: {units.seconds(split.response_s)} ({units.plural(split.requests, 'request')})"
    )
    largest = max(PARTS, key=lambda p: share(split, p[1]))
    words = f"{units.share(share(split, largest[1]))} {largest[2]}"
    canvas.text(WIDTH - _SIDE, y, words, align="right", role="muted")
    left = 0.0
    for role, name, _ in PARTS:
        right = left + float(getattr(split, name))
        box(axes, role, left, right, bottom, bottom + _BAR)
        left = right
