"""The one visual language: roles, their colours on light and dark paper, and their hatches.

Charts are drawn in the light colours; :mod:`harness.report.charts.svg` turns each colour into a CSS class named after its role,
so that one drawing reads well on both papers. Colours come from Okabe and Ito, darkened or lightened to keep a contrast of 3:1;
hatches, labels and line styles carry the same meaning without any colour.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """One meaning. ``hatch`` is an SVG path in a 6 x 6 tile, drawn in the paper's colour; None: filled."""

    light: str
    dark: str
    hatch: str | None = None


_RISING = "M-1 7L7-1M-1 1L1-1M5 7L7 5"
_FALLING = "M-1-1L7 7M-1 5L1 7M5-1L7 1"
_CROSSED = "M0 3H6M3 0V6"
_LEVEL = "M0 1.5H6M0 4.5H6"
_UPRIGHT = "M1.5 0V6M4.5 0V6"
_ZIGZAG = "M0 4L3 1L6 4"
_LATTICE = "M0 0L6 6M6 0L0 6"
_DOTS = "M1 1.5h1M4 4.5h1"

ROLES: dict[str, Role] = {
    "ink": Role("#1c2129", "#e5e8ec"),
    "muted": Role("#58626f", "#9da7b3"),
    "grid": Role("#dde1e6", "#313842"),
    "shade": Role("#f1f3f5", "#1f252c"),
    "paper": Role("#ffffff", "#15191e"),
    # variants
    "buggy": Role("#bd4a00", "#f58a4a"),
    "partial": Role("#8f6200", "#e8b23e"),
    "fixed": Role("#0069a8", "#5ab4ec"),
    "other": Role("#7a5195", "#c49ae0"),
    # the same, for the part of a bar that went wrong
    "buggy-failed": Role("#bd4a01", "#f58a4a", _RISING),
    "partial-failed": Role("#8f6201", "#e8b23e", _RISING),
    "fixed-failed": Role("#0069a9", "#5ab4ec", _RISING),
    "other-failed": Role("#7a5196", "#c49ae0", _RISING),
    # where a request spends its time
    "queue": Role("#c84e02", "#f58a4b", _RISING),
    "token": Role("#b98100", "#ecbd52", _UPRIGHT),
    "connection": Role("#a9457f", "#e48fc0", _FALLING),
    "sql": Role("#0068a7", "#5ab4ed"),
    "unsent": Role("#57636f", "#a3adb9", _LEVEL),
    "upstream": Role("#7a5197", "#c49ae2", _CROSSED),
    "own": Role("#00795b", "#3fc39c", _ZIGZAG),
    "rest": Role("#4a5560", "#aeb8c3", _LATTICE),
    "untimed": Role("#6b7783", "#8d97a4", _UPRIGHT),
    "unfinished": Role("#5f6874", "#98a2ae", _DOTS),
    # how a request ended
    "ok": Role("#00795a", "#3fc39b"),
    "wrong_body": Role("#a9457e", "#e48fc1", _CROSSED),
    "http_error": Role("#8a5a00", "#d9a441", _LEVEL),
    "pool_timeout": Role("#c94e03", "#f58a4c", _RISING),
    "client_timeout": Role("#7a5194", "#c49ae1", _FALLING),
    "connect_error": Role("#3d4650", "#c3cad2", _UPRIGHT),
    "skipped": Role("#9aa4b0", "#5f6a76", _LEVEL),
    # where a bar would stand, had the variant a valid trial
    "invalid": Role("#b4bcc5", "#4a5460", _FALLING),
}

LIGHT = {name: role.light for name, role in ROLES.items()}
ROLE_OF = {role.light: name for name, role in ROLES.items()}

VARIANT_DASHES: dict[str, tuple[float, ...]] = {"buggy": (), "partial": (5.0, 2.0), "fixed": (), "other": (1.5, 1.5)}
VARIANT_MARKERS: dict[str, str] = {"buggy": "s", "partial": "^", "fixed": "o", "other": "D"}


def variant_role(name: str) -> str:
    """The role that stands for a variant."""
    return name if name in ("buggy", "partial", "fixed") else "other"


def chart_css(names: Collection[str] = frozenset(ROLES)) -> str:
    """The style rules that charts need for these roles: colours of both papers, fills, strokes and hatches."""
    roles = {name: role for name, role in ROLES.items() if name in names}
    light = ";".join(f"--{name}:{role.light}" for name, role in roles.items())
    dark = ";".join(f"--{name}:{role.dark}" for name, role in roles.items())
    rules = [
        f":root{{{light}}}",
        f"@media (prefers-color-scheme:dark){{:root{{{dark}}}}}",
        f"@media print{{:root{{{light}}}}}",
        ".chart{font:11px system-ui,-apple-system,'Segoe UI',Roboto,'Liberation Sans',sans-serif;stroke-linejoin:round}",
        ".chart text{fill:var(--ink);paint-order:stroke;stroke:var(--paper);stroke-width:3px}.hatch path{fill:none;stroke:var(--paper);stroke-width:1.2;stroke-opacity:.75}",
    ]
    for name, role in roles.items():
        fill = f"url(#hatch-{name})" if role.hatch else f"var(--{name})"
        rules.append(f".chart .f-{name}{{fill:{fill}}}.chart .s-{name}{{stroke:var(--{name})}}")
    return "\n".join(rules)


def hatch_defs(names: Collection[str] = frozenset(ROLES)) -> str:
    """The ``<defs>`` that the fills by hatch of these roles refer to, once per document."""
    tiles = "".join(
        f'<pattern id="hatch-{name}" class="hatch" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect width="6" height="6" style="fill:var(--{name})"/><path d="{role.hatch}"/></pattern>'
        for name, role in ROLES.items()
        if role.hatch and name in names
    )
    return f"<defs>{tiles}</defs>"
