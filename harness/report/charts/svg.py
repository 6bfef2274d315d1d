"""Matplotlib's SVG -> a small SVG: classes for colours, short numbers, no ids that nobody refers to. Pure.

What comes out has no size of its own (only a ``viewBox``), no font and no colour: the page, or :func:`standalone`, gives them.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from html import escape

from harness.report.charts.palette import ROLE_OF, chart_css, hatch_defs

_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}"
_NUMBER = re.compile(r"-?\d+\.\d+")
_SPACE = re.compile(r"\s+")
_STRAIGHT = re.compile(r"(?:[ML] -?[\d.]+ -?[\d.]+ ?|z ?)+")
_STEP = re.compile(r"([MLz])(?: (-?[\d.]+) (-?[\d.]+))?")
_ROLE = re.compile(r'[" ][fs]-([a-z_-]+)(?=[" ])')
_URL = re.compile(r"url\(#([^)]+)\)")
_DROPPED_TAGS = {"metadata", "style", "title"}
_DEFAULTS = {
    "stroke-linecap": "butt",
    "stroke-linejoin": "round",
    "stroke-width": "1",
    "text-anchor": "start",
    "opacity": "1",
}
_TITLE_SIZE = 14
_TITLE_SPACE = 30
_LEGEND_ROW = 16
_LEGEND_GAP = 8


def compact(raw: str, *, label: str) -> str:
    """One ``<svg>`` element, for use inside a page.

    In: what matplotlib wrote, and the words that stand for the picture. Out: the element, on one line.
    """
    root = ET.fromstring(raw)
    used = set(_URL.findall(raw)) | {ref.lstrip("#") for e in root.iter() if (ref := e.get(f"{_XLINK}href"))}
    body = "".join(_element(child, used) for child in root)
    return f'<svg class="chart" viewBox="{root.get("viewBox")}" role="img" aria-label="{escape(label)}">{body}</svg>'


def standalone(svg: str, *, title: str, legend: Sequence[tuple[str, str]] = ()) -> str:
    """A compact SVG as a file of its own: with its title above, its legend below, its styles, and a size.

    In: the legend as pairs of a role and what it stands for.
    """
    match = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if match is None:
        raise ValueError("not a chart of this package: it has no viewBox")
    width, height = float(match[1]), float(match[2])
    whole = height + _TITLE_SPACE + _LEGEND_ROW * len(legend) + (_LEGEND_GAP if legend else 0)
    roles = {"ink", "paper", *_ROLE.findall(svg), *(role for role, _ in legend)}
    head = (
        f"<style>{chart_css(roles)}svg{{background:var(--paper)}}</style>{hatch_defs(roles)}"
        f'<text x="8" y="-12" font-size="{_TITLE_SIZE}" font-weight="600">{escape(title)}</text>'
    )
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * width:g}" height="{2 * whole:g}"'
    start = svg.index(">") + 1
    tag = svg[:start].replace("<svg", opening, 1)
    tag = tag.replace(match[0], f'viewBox="0 {-_TITLE_SPACE} {width:g} {whole:g}"')
    body = svg[start:].removesuffix("</svg>")
    return f"{tag}{head}{body}{_legend(legend, height + _LEGEND_GAP)}</svg>\n"


def _legend(entries: Sequence[tuple[str, str]], top: float) -> str:
    """A box and words for each entry, one below the other."""
    return "".join(
        f'<rect class="f-{role}" x="10" y="{top + i * _LEGEND_ROW:g}" width="10" height="10"/>'
        f'<text x="26" y="{top + i * _LEGEND_ROW + 9:g}">{escape(words, quote=False)}</text>'
        for i, (role, words) in enumerate(entries)
    )


def _element(e: ET.Element, used: set[str]) -> str:
    tag = e.tag.removeprefix(_SVG)
    if tag in _DROPPED_TAGS:
        return ""
    attributes = _attributes(e, used)
    inner = escape(e.text, quote=False) if tag in ("text", "tspan") and e.text else ""
    inner += "".join(_element(child, used) for child in e)
    if tag in ("g", "defs") and (not inner or not attributes):
        return inner if tag == "g" or not inner else f"<defs>{inner}</defs>"
    if tag == "path" and "class" not in attributes and e.get("id") not in used:
        return ""  # nothing to see: matplotlib's empty backgrounds
    shown = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{tag}{shown}>{inner}</{tag}>" if inner else f"<{tag}{shown}/>"


def _attributes(e: ET.Element, used: set[str]) -> dict[str, str]:
    out: dict[str, str] = {}
    for key, value in e.attrib.items():
        if key == "id":
            if value in used:
                out["id"] = value
        elif key == f"{_XLINK}href":
            out["href"] = value
        elif key == "d":
            out["d"] = short_path(value)
        elif key == "style":
            out |= _style(value)
        elif key == "transform" and value.startswith("rotate(-0 "):
            continue
        else:
            out[key] = _round(value)
    return out


def _style(style: str) -> dict[str, str]:
    """Presentation attributes of an inline style; colours become classes."""
    out: dict[str, str] = {}
    classes = []
    for part in style.split(";"):
        name, _, value = (p.strip() for p in part.partition(":"))
        if name in ("fill", "stroke"):
            role = ROLE_OF.get(value.lower())
            if role:
                classes.append(f"{name[0]}-{role}")
            elif value != "none":
                raise ValueError(f"{value} is not a colour of the palette")
            elif name == "fill":
                out[name] = "none"
        elif name in ("font", "font-size"):
            out |= _font(value)
        elif name and name != "font-family" and _DEFAULTS.get(name) != value:
            out[name] = _round(value)
    if classes:
        out["class"] = " ".join(classes)
    return out


def _font(shorthand: str) -> dict[str, str]:
    size = re.search(r"([\d.]+)px", shorthand)
    out = {"font-size": size[1]} if size and size[1] != "11" else {}
    if re.search(r"\b(600|700|bold)\b", shorthand):
        out["font-weight"] = "600"
    return out


def short_path(d: str) -> str:
    """A path's data in fewer bytes: tenths of a unit, relative, level and upright lines by one number.

    Rounding does not add up: each step leads to the rounded place. Paths with curves are only rounded.
    """
    flat = _SPACE.sub(" ", d).strip()
    if not _STRAIGHT.fullmatch(flat):
        return _round(flat)
    out: list[str] = []
    at = start = (0, 0)
    for command, x, y in _STEP.findall(flat):
        if command == "z":
            out.append("z")
            at = start
            continue
        to = (round(float(x) * 10), round(float(y) * 10))
        if command == "M":
            out.append(f"M{_tenths(to[0])} {_tenths(to[1])}")
            start = to
        else:
            out.append(_line(to[0] - at[0], to[1] - at[1]))
        at = to
    return "".join(out)


def _line(dx: int, dy: int) -> str:
    if dx and dy:
        return f"l{_tenths(dx)} {_tenths(dy)}"
    return f"h{_tenths(dx)}" if dx else f"v{_tenths(dy)}" if dy else ""


def _tenths(n: int) -> str:
    whole, rest = divmod(abs(n), 10)
    sign = "-" if n < 0 else ""
    return f"{sign}{whole}" if not rest else f"{sign}{whole or ''}.{rest}"


def _round(text: str) -> str:
    return _NUMBER.sub(_tenth, text)


def _tenth(match: re.Match[str]) -> str:
    short = f"{float(match[0]):.1f}".removesuffix(".0")
    return "0" if short == "-0" else short
