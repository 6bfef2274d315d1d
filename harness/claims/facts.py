"""Facts by path, arithmetic over them, and their templates. Pure.

A path is what stands between dots: ``blocking_http.buggy.goodput_rps`` or ``pool_defaults.sync.size``.
"""

from __future__ import annotations

import ast
import string
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from simpleeval import EvalWithCompoundTypes, InvalidExpression

from harness.report import units

FUNCTIONS = {"min": min, "max": max, "len": len, "abs": abs}
_WORDS = {"True", "False", "None", *FUNCTIONS}
_SCALES = {
    "count": units.count,
    "number": units.number,
    "rate": units.rate,
    "ratio": units.ratio,
    "seconds": units.seconds,
    "share": units.share,
    "size": units.size,
}


class NotMeasured(Exception):
    """A fact that the evidence does not hold; says which and where it is missing."""


def paths_in(formula: str) -> list[str]:
    """The dotted paths that a formula names, in order. Raises ValueError when it is not an expression."""
    found: list[str] = []

    def visit(node: ast.AST) -> None:
        path = _dotted(node)
        if path is not None:
            if path not in _WORDS:
                found.append(path)
            return
        for child in ast.iter_child_nodes(node):
            visit(child)

    try:
        visit(ast.parse(formula, mode="eval"))
    except SyntaxError as error:
        raise ValueError(f"{formula!r} is not an expression: {error.msg}") from error
    return found


def names_in(template: str) -> list[str]:
    """The facts that a template names. Raises ValueError when its braces do not match."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]


def evaluate(formula: str, names: Mapping[str, Any]) -> Any:
    """The value of a formula over names, whose values may be nested mappings.

    Raises NotMeasured when a division has nothing to divide by, ValueError for an unknown name or a formula that is wrong.
    """
    try:
        return EvalWithCompoundTypes(names=dict(names), functions=FUNCTIONS).eval(formula)
    except ZeroDivisionError:
        raise NotMeasured(f"{formula} cannot be computed: it divides by a figure that is zero") from None
    except (InvalidExpression, SyntaxError, TypeError, ValueError, KeyError) as error:
        raise ValueError(f"{formula!r} cannot be evaluated: {error}") from error


def filled(template: str, facts: Mapping[str, Any], lower_bounds: Collection[str] = ()) -> str:
    """The template with each ``{name:unit}`` replaced; unit is count, number, rate, ratio, seconds, share, size or none.

    Facts that are lower bounds get "≥".
    Raises ValueError for a name that is no fact and a unit that does not fit.
    """
    try:
        return _Formatter(lower_bounds).vformat(template.strip(), (), facts)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"{template!r} cannot be filled: {error}") from error


class _Formatter(string.Formatter):
    def __init__(self, lower_bounds: Collection[str]) -> None:
        self._lower_bounds = lower_bounds
        self._sign = ""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        self._sign = "≥ " if field_name in self._lower_bounds else ""
        return super().get_field(field_name, args, kwargs)

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec in _SCALES:
            return self._sign + _SCALES[format_spec](value)
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, list):
            return ", ".join(f"`{item}`" for item in value) or "nothing"
        return str(super().format_field(value, format_spec))


def _dotted(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return None if before is None else f"{before}.{node.attr}"
    return None
