"""The stage: one lane for each variant, and the charts of all. Redrawn from looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from harness.demo import drawing
from harness.demo.live import Lane
from harness.demo.look import Look

COLOURS = {"buggy": "#cf5a0c", "partial": "#b07d00", "fixed": "#1f7fc1", "edited": "#8a5fb0"}
OTHER = "#00795a"


class Stage:
    """Built once for a page, emptied for each run."""

    def __init__(self) -> None:
        self._most_rps = 0.0
        self._lanes: dict[str, dict[str, ui.html]] = {}
        self._grid = ui.element("div").classes("lanes")
        with ui.element("div").classes("charts"):
            self._rate = _chart("right answers per second", "/s")
            self._response = _chart("half of them within, seconds", "s")

    def set_up(self, variants: Sequence[str], ceilings: Mapping[str, float | None], seconds: float) -> None:
        """Empty lanes for a run that is about to begin."""
        self._lanes.clear()
        self._grid.clear()
        with self._grid:
            for variant in variants:
                with ui.element("section").classes(f"lane v-{variant}"):
                    parts = {"head": ui.html(f"<h3>{variant}</h3>", sanitize=False)}
                    for name in ("numbers", "loop", "pool", "tokens", "waterfall", "pulse"):
                        parts[name] = ui.html("", sanitize=False).classes(name)
                    parts["error"] = ui.html("", sanitize=False).classes("lane-error")
                    self._lanes[variant] = parts
                self._draw(variant, "waits", Look(), ceilings.get(variant))
        for chart in (self._rate, self._response):
            chart.options["xAxis"]["max"] = seconds + 1
            chart.options["series"] = [_series(variant) for variant in variants]
        for series in self._rate.options["series"]:
            ceiling = ceilings.get(series["name"])
            if ceiling is not None:
                series["markLine"] = _ceiling(series["name"], ceiling)
        self._most_rps = max((value for value in ceilings.values() if value is not None), default=0.0)
        self._rate.options["yAxis"]["max"] = self._top([])
        self._rate.update()
        self._response.update()

    def show(self, lanes: Sequence[Lane], ceilings: Mapping[str, float | None], *, charts: bool) -> None:
        """Draws what is to be seen now. charts: whether these are drawn as well."""
        for number, lane in enumerate(lanes):
            look = lane.look()
            self._draw(lane.variant, lane.step if lane.error is None else "failed", look, ceilings.get(lane.variant))
            if charts:
                points = look.points
                self._rate.options["series"][number]["data"] = [[p.t_s, round(p.rate_rps, 2)] for p in points]
                self._response.options["series"][number]["data"] = [[p.t_s, p.response_s] for p in points]
        if charts:
            self._rate.options["yAxis"]["max"] = self._top(lanes)
            self._rate.update()
            self._response.update()

    def _top(self, lanes: Sequence[Lane]) -> float | None:
        """Where the axis of rates ends: above all ceilings, which the chart's own choice would leave out."""
        seen = max((point.rate_rps for lane in lanes for point in lane.look().points), default=0.0)
        top = 1.15 * max(self._most_rps, seen)
        return float(f"{top:.2g}") if top else None

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """What went wrong, in its lane."""
        for variant, html in errors.items():
            self._lanes[variant]["error"].set_content(html)

    def _draw(self, variant: str, step: str, look: Look, ceiling_rps: float | None) -> None:
        parts = self._lanes[variant]
        words = {"window": "under load", "warm-up": "under load", "load": "starts", "stop": "stops"}.get(step, step)
        parts["head"].set_content(f"<h3>{variant}</h3><span class='step'>{words}</span>")
        parts["numbers"].set_content(drawing.numbers(look, ceiling_rps))
        parts["loop"].set_content(drawing.lamp(look))
        parts["pool"].set_content(drawing.pool(look))
        parts["tokens"].set_content(drawing.tokens(look))
        parts["waterfall"].set_content(drawing.waterfall(look))
        parts["pulse"].set_content(drawing.pulse(look))


def _chart(title: str, unit: str) -> ui.echart:
    grey = {"color": "#7a8591"}
    axis = {"axisLabel": grey, "nameTextStyle": grey, "splitLine": {"lineStyle": {"color": "#8885", "width": 0.5}}}
    options = {
        "animation": False,
        "title": {"text": title, "textStyle": {**grey, "fontSize": 13, "fontWeight": "normal"}, "left": 4},
        "legend": {"right": 4, "top": 0, "textStyle": grey},
        "grid": {"left": 48, "right": 18, "top": 40, "bottom": 26},
        "xAxis": {"type": "value", "min": 0, "axisLabel": {**grey, "formatter": "{value} s", "showMaxLabel": False}, "splitLine": {"show": False}},
        "yAxis": {"type": "value", "min": 0, **axis},
        "series": [],
    }  # fmt: skip
    chart = ui.echart(options).classes("chart")
    chart.props(f'role=img aria-label="{title}"')
    return chart


def _series(variant: str) -> dict[str, Any]:
    colour = COLOURS.get(variant, OTHER)
    return {
        "name": variant, "type": "line", "showSymbol": False, "data": [], "connectNulls": False,
        "lineStyle": {"width": 3, "color": colour}, "itemStyle": {"color": colour},
    }  # fmt: skip


def _ceiling(variant: str, ceiling_rps: float) -> dict[str, Any]:
    colour = COLOURS.get(variant, OTHER)
    return {
        "symbol": "none", "silent": True, "animation": False,
        "lineStyle": {"type": "dashed", "width": 1.5, "color": colour},
        "label": {"formatter": f"{variant} ≤ {ceiling_rps:g}/s", "position": "insideStartTop", "color": colour},
        "data": [{"yAxis": ceiling_rps}],
    }  # fmt: skip
