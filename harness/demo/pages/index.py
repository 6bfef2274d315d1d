"""The list of pairs, and the path through them."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from harness.demo.compare import ticks
from harness.demo.lessons import by_theme, path_of, question_of
from harness.demo.pages.shell import frame
from harness.record import Pair


def show_index(pairs: Sequence[Pair]) -> None:
    """Builds the page."""
    with frame("Concurrency, live", home=False):
        ui.html(
            "<h1>What stops when requests come together?</h1>"
            "<p class='lead'>Each pair is one service twice: with a mistake, and without. Guess, run both under the same load, "
            "and watch. Nothing here is simulated.</p>"
            "<h2>A class of 45 minutes</h2>",
            sanitize=False,
        )
        with ui.element("ol").classes("path"):
            for pair in path_of(pairs):
                _entry(pair)
        for words, mine in by_theme(pairs):
            ui.html(f"<h2>{words}</h2>", sanitize=False)
            with ui.element("ul").classes("pairs"):
                for pair in mine:
                    _entry(pair)


def _entry(pair: Pair) -> None:
    with ui.element("li"), ui.link(target=f"/pair/{pair.name}").classes("entry"):
        ui.html(ticks(question_of(pair)), sanitize=False).classes("question")
        ui.html(ticks(pair.title), sanitize=False).classes("title")
