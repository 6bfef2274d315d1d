"""What all pages have in common: the style sheet, and the bar at the top."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

from nicegui import ui

STYLE = resources.files("harness.demo").joinpath("static/demo.css")


@contextmanager
def frame(title: str, *, home: bool = True) -> Iterator[None]:
    """A page's body, below the bar."""
    ui.page_title(f"{title} – teaching demo")
    ui.add_css(STYLE.read_text(encoding="utf-8"))
    dark = ui.dark_mode(None)
    with ui.element("header").classes("bar"):
        if home:
            ui.link("← All pairs", "/").classes("home")
        ui.label(title).classes("bar-title")
        ui.space()
        shown = {"auto": None, "light": False, "dark": True}
        ui.toggle(list(shown), value="auto", on_change=lambda e: dark.set_value(shown.get(e.value))).props(
            "dense flat no-caps size=sm aria-label='colours'"
        ).classes("colours")
    with ui.element("main").classes("page"):
        yield
