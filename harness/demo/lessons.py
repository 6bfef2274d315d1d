"""The way through the pairs that is suggested for a class, and the order of the list."""

from __future__ import annotations

from collections.abc import Sequence

from harness.record import Pair
from harness.report.words import THEMES

# Each needs what the one before has shown. docs/teaching.md says what to ask, and what to expect.
PATH = (
    "blocking_sleep",
    "blocking_db",
    "threadpool_starvation",
    "pool_undersized",
    "return_session",
    "connection_held_across_call",
    "session_dependency_convoy",
    "lost_update",
)


def path_of(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs of the path, in its order; one that the catalogue does not have is passed over."""
    by_name = {pair.name: pair for pair in pairs}
    return [by_name[name] for name in PATH if name in by_name]


def by_theme(pairs: Sequence[Pair]) -> list[tuple[str, list[Pair]]]:
    """The pairs under the words for their themes."""
    grouped = [(words, [pair for pair in pairs if pair.theme == t]) for t, words in THEMES.items()]
    return [(words, mine) for words, mine in grouped if mine]


def question_of(pair: Pair) -> str:
    """What to ask; the title where the pair asks nothing."""
    return pair.question or pair.title
