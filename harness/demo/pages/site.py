"""Puts the pages into an app."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from nicegui import ui

from harness.demo.pages.index import show_index
from harness.demo.pages.pair import PairPage
from harness.demo.pages.shell import frame
from harness.demo.studio import Studio
from harness.record import Pair

ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>"
    "<circle cx='16' cy='16' r='13' fill='#1f7fc1'/><circle cx='16' cy='16' r='6' fill='#fff'/></svg>"
)


def add_pages(app: FastAPI, studio: Studio, pairs: Sequence[Pair]) -> None:
    """The list at /, and a page for each pair at /pair/NAME."""
    by_name = {pair.name: pair for pair in pairs}

    @ui.page("/")
    def index() -> None:
        show_index(pairs)

    @ui.page("/pair/{name}")
    def pair(name: str) -> None:
        found = by_name.get(name)
        if found is None:
            with frame("No such pair"):
                ui.label(f"The catalogue has no pair {name[:60]!r}.")
            return
        PairPage(studio, found)

    ui.run_with(
        app, title="Teaching demo", favicon=ICON, dark=None, tailwind=False, show_welcome_message=False, language="en-US"
    )  # fmt: skip
