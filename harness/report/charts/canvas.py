"""The drawing board: a figure of fixed width, axes without ornament, text in the palette's colours.

Everything is measured in SVG units, with the origin at the bottom left; at the width of a phone, and in three columns on a
wide screen, one unit is about one CSS pixel. This module, and those that draw on it, are all that loads matplotlib.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

from harness.report.charts.model import Floats, Panel
from harness.report.charts.palette import LIGHT, variant_role
from harness.report.charts.svg import compact

WIDTH = 360.0
LEFT, RIGHT = 50.0, 8.0
_UNITS_PER_INCH = 72.0
_END = 0.96  # share of an axis beyond which words would hang over its end
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "path.simplify": True,
    "path.simplify_threshold": 0.3,
    "font.family": ["DejaVu Sans"],  # matplotlib's own, for measuring: the same everywhere
    "font.size": 11,
    "text.parse_math": False,
    "axes.unicode_minus": True,
}


@contextmanager
def drawing_style() -> Iterator[None]:
    """Matplotlib's settings for all charts of a report. Entering it is slow; do it once."""
    with mpl.rc_context():
        mpl.rcParams.update(_STYLE)
        yield


class Canvas:
    """One picture on its way to SVG. To be used inside :func:`drawing_style`."""

    def __init__(self, height: float, key: str) -> None:
        """In: the height in units, and a key that no other picture of the page has."""
        self.height = height
        self.figure = Figure(figsize=(WIDTH / _UNITS_PER_INCH, height / _UNITS_PER_INCH))
        self.figure.patch.set_visible(False)
        self._svg = FigureCanvasSVG(self.figure)
        self._key = key

    def axes(self, *, bottom: float, height: float, left: float = LEFT, right: float = RIGHT) -> Axes:
        """Bare axes: no frame, no ticks, labels in a quiet colour."""
        box = (left / WIDTH, bottom / self.height, (WIDTH - left - right) / WIDTH, height / self.height)
        axes = self.figure.add_axes(box)
        axes.set_frame_on(False)
        axes.set_axisbelow(True)
        axes.tick_params(length=0, pad=5, labelsize=11, labelcolor=LIGHT["muted"])
        axes.grid(color=LIGHT["grid"], linewidth=1)
        return axes

    def text(
        self, x: float, y: float, words: str, *, role: str = "ink", align: str = "left", bold: bool = False
    ) -> None:
        """Words with their baseline's start, middle or end at a point of the canvas."""
        self.figure.text(
            x / WIDTH,
            y / self.height,
            words,
            color=LIGHT[role],
            ha=align,
            va="baseline",
            fontweight="bold" if bold else "normal",
        )

    def svg(self, label: str) -> str:
        """The finished picture; the label says in words what it shows."""
        out = io.StringIO()
        mpl.rcParams["svg.hashsalt"] = self._key
        print_svg: Any = self._svg.print_svg  # has no types
        print_svg(out, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        return compact(out.getvalue(), label=label)


def invalid_row(canvas: Canvas, axes: Axes, variant: str, bottom: float, height: float, title_y: float) -> None:
    """The hatched place of a variant's bar, across the whole axis: nothing that was measured of it may be shown."""
    box(axes, "invalid", *axes.get_xlim(), bottom, bottom + height)
    left = axes.get_position().x0 * WIDTH
    canvas.text(left, title_y, variant, bold=True, role=variant_role(variant))
    canvas.text(WIDTH - 10, title_y, "invalid: no figure", role="muted", align="right")


def invalid_panel(pair: str, variant: str, chart: str, height: float) -> Panel:
    """The hatched place of a variant's picture."""
    canvas = Canvas(height, f"{pair}-{chart}-{variant}-invalid")
    axes = canvas.axes(bottom=0, height=height, left=0, right=0)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    ticks(axes)
    box(axes, "invalid", 0, 1, 0, 1)
    canvas.text(WIDTH / 2, height / 2 - 4, "invalid", bold=True, align="center")
    return Panel(svg=canvas.svg(f"{variant}: invalid, nothing to show"), label=variant, note="No trial of it is valid.")


def ticks(axes: Axes, *, x: Sequence[tuple[float, str]] = (), y: Sequence[tuple[float, str]] = ()) -> None:
    """Sets the places and words of both axes' ticks. Words at the right end stand left of their tick: they must not leave the picture."""
    axes.set_xticks([at for at, _ in x], [words for _, words in x])
    low, high = axes.get_xlim()
    for (at, _), label in zip(x, axes.get_xticklabels(), strict=True):
        if at > low + _END * (high - low):
            label.set_horizontalalignment("right")
    axes.set_yticks([at for at, _ in y], [words for _, words in y])


def boxes(axes: Axes, role: str, left: Floats, right: Floats, bottom: Floats, top: Floats) -> None:
    """Many filled boxes as one path. Boxes without width are left out."""
    keep = right > left
    if not keep.any():
        return
    left, right, bottom, top = left[keep], right[keep], bottom[keep], top[keep]
    corners = np.stack([left, bottom, right, bottom, right, top, left, top, left, bottom], axis=1).reshape(-1, 2)
    codes = np.tile([Outline.MOVETO, Outline.LINETO, Outline.LINETO, Outline.LINETO, Outline.CLOSEPOLY], len(left))
    axes.add_artist(PathPatch(Outline(corners, codes), facecolor=LIGHT[role], linewidth=0))


def box(axes: Axes, role: str, left: float, right: float, bottom: float, top: float) -> None:
    """One filled box."""
    one = np.array([left]), np.array([right]), np.array([bottom]), np.array([top])
    boxes(axes, role, *one)
