"""Whether two versions can be compared at all, from what one user was answered by each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import UsageError

ABSENT = (404, 405)


@dataclass(frozen=True)
class Answer:
    """What one user got for one request."""

    name: str
    status: int
    failed: str | None  # why the scenario does not take it; None: it does


def refuse_unlike(a: tuple[str, Sequence[Answer]], b: tuple[str, Sequence[Answer]]) -> None:
    """Raises UsageError where one version lacks a route of the other, or the scenario fails or asks nothing.

    a, b: a version's label, and its answers.
    """
    for (label, answers), (other_label, others) in ((a, b), (b, a)):
        absent = _absent(answers) - _absent(others)
        if absent:
            raise UsageError(
                f"{label} has not the routes of {other_label}: {min(absent)} is not there; gate with a scenario whose routes both serve"
            )
    for (label, answers), (_, others) in ((a, b), (b, a)):
        failed = next((x for x in answers if x.failed is not None), None)
        if failed is not None:
            both = any(x.failed is not None for x in others)
            where = "with both versions" if both else f"with {label} alone"
            raise UsageError(
                f"the scenario fails {where}, already for one user: {failed.name} ({failed.failed}); mend that first"
            )
    if not a[1] or not b[1]:
        raise UsageError("the scenario sends no request: one user alone made none")


def _absent(answers: Sequence[Answer]) -> set[str]:
    return {x.name for x in answers if x.status in ABSENT and x.failed is not None}
