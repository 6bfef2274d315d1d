"""What arithmetic says of a pair before it is run: formulas over its settings and its load. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

from simpleeval import InvalidExpression, simple_eval

from harness.errors import UsageError
from harness.record import Pair


def ceiling_of(pair: Pair, variant: str) -> float | None:
    """The most requests per second that a variant's mechanism allows under its workload; None where no formula says.

    Raises as :func:`ceiling_rps` does.
    """
    formula = pair.ceilings.get(variant)
    return None if formula is None else ceiling_rps(formula, _names(pair))


def failures_of(pair: Pair, variant: str) -> float | None:
    """How many requests per second find no connection in time, at least, once the load stands; None where no formula says.

    By Little's law: w who wait, each for no more than t, go at a rate of w/t or more; who is not served among them has failed. Raises as :func:`failures_rps` does.
    """
    formula = pair.failures.get(variant)
    return None if formula is None else failures_rps(formula, _names(pair))


def ceiling_rps(formula: str, names: Mapping[str, float]) -> float:
    """The value of a ceiling's formula, in requests per second.

    Raises UsageError for a name that is neither a setting nor `users`, or for anything that is not arithmetic.
    """
    value = _value(f"ceiling {formula!r}", formula, names)
    if not 0 < value < math.inf:
        raise UsageError(f"ceiling {formula!r} gives {value}, which is not a rate")
    return value


def failures_rps(formula: str, names: Mapping[str, float]) -> float:
    """The value of a formula of failures, in requests per second; less than nothing is nothing.

    Raises as :func:`ceiling_rps` does.
    """
    value = _value(f"failures {formula!r}", formula, names)
    if not math.isfinite(value):
        raise UsageError(f"failures {formula!r} gives {value}, which is not a rate")
    return max(0.0, value)


def _names(pair: Pair) -> dict[str, float]:
    return {**pair.settings, "users": pair.workload.users}


def _value(what: str, formula: str, names: Mapping[str, float]) -> float:
    try:
        return float(simple_eval(formula, names=dict(names), functions={"min": min, "max": max}))
    except (InvalidExpression, SyntaxError, TypeError, ValueError, ArithmeticError) as error:
        raise UsageError(f"{what} cannot be evaluated: {error}") from error
