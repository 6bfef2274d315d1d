"""Presenter mode: large type, one part of the page at a time, and the keyboard (or a clicker) to go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nicegui import ui
from nicegui.events import KeyEventArguments

_ON = {"ArrowRight", "PageDown"}
_BACK = {"ArrowLeft", "PageUp"}


class Presenter:
    """parts: the parts of the page, in their order."""

    def __init__(self, parts: Sequence[ui.element], run: Callable[[], None]) -> None:
        self._parts = parts
        self._run = run
        self._body = ui.query("body")
        self._at: int | None = None
        ui.keyboard(self._key, repeating=False)
        with ui.element("nav").classes("presenter-bar"):
            ui.button(icon="chevron_left", on_click=lambda: self._go(-1)).props("flat round aria-label=Back")
            self._where = ui.label("")
            ui.button(icon="chevron_right", on_click=lambda: self._go(1)).props("flat round aria-label=On")
            ui.button("Leave", on_click=self.toggle).props("flat no-caps")

    def toggle(self) -> None:
        """Enters the mode at the first part, or leaves it."""
        if self._at is None:
            self._at = 0
            self._body.classes(add="presenting")
        else:
            self._at = None
            self._body.classes(remove="presenting")
        self._show()

    def _go(self, by: int) -> None:
        if self._at is not None:
            self._at = max(0, min(len(self._parts) - 1, self._at + by))
            self._show()

    def _show(self) -> None:
        for number, part in enumerate(self._parts):
            if number == self._at:
                part.classes(add="shown")
            else:
                part.classes(remove="shown")
        if self._at is not None:
            self._where.set_text(f"{self._at + 1} / {len(self._parts)} · ← → · R runs · Esc leaves")

    def _key(self, event: KeyEventArguments) -> None:
        name = event.key.name
        if not event.action.keydown or event.modifiers.ctrl or event.modifiers.meta or event.modifiers.alt:
            return
        if name in ("p", "P") or (name == "Escape" and self._at is not None):
            self.toggle()
        elif name in ("r", "R"):
            self._run()
        elif name in _ON:
            self._go(1)
        elif name in _BACK:
            self._go(-1)
