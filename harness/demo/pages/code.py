"""The part of a page with the code: the variants side by side, and the student's own copy to break and mend."""

from __future__ import annotations

from html import escape

from nicegui import ui

from harness.demo.compare import side_by_side
from harness.demo.pages.desk import Desk
from harness.demo.sandbox import EDITED, check
from harness.errors import UsageError


class CodePart:
    """Shows what differs; the editor is brought out on demand."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._editor: ui.codemirror | None = None
        self._against = [name for name in desk.pair.variants if name != "buggy"]
        ui.html("<h2>The code</h2>", sanitize=False)
        with ui.element("div").classes("row"):
            if len(self._against) > 1:
                ui.toggle(self._against, value=self._against[-1], on_change=lambda e: self._compare(e.value)).props(
                    "no-caps dense"
                )
            whole = ui.switch("whole files").props("dense size=sm")
        self._sources = ui.html("", sanitize=False)
        whole.on_value_change(self._fold)
        self._compare(self._against[-1] if self._against else "buggy")
        if "fixed" in desk.pair.variants:
            with ui.element("div").classes("row"):
                self._open = ui.button("Break it, mend it", on_click=self._bring_out).props("outline no-caps")
                ui.label("Edit a copy of the fixed app, and run it beside the others.").classes("quiet")
            self._workshop = ui.element("div").classes("workshop")

    def show_error(self, html: str) -> None:
        """What is wrong with the edited copy, beside it; nothing when it is well."""
        if self._editor is not None:
            self._error.set_content(html)
            self._error.set_visibility(bool(html))

    def _compare(self, variant: object) -> None:
        pair = self._desk.pair
        if variant in pair.variants:
            self._sources.set_content(side_by_side(pair.variants["buggy"], pair.variants[str(variant)]))

    def _fold(self) -> None:
        self._sources.classes(toggle="whole")

    async def _bring_out(self) -> None:
        dark = await ui.run_javascript("document.body.classList.contains('body--dark')")
        desk = self._desk
        self._open.set_visibility(False)
        desk.edited = desk.pair.variants["fixed"].source
        desk.chosen[EDITED] = True
        with self._workshop:
            ui.html(f"<h3>Your copy runs as “{EDITED}”</h3>", sanitize=False)
            with ui.element("div").classes("row"):
                for name in desk.pair.variants:
                    ui.button(f"Start from {name}", on_click=lambda _, name=name: self._start_from(name)).props(
                        "flat dense no-caps"
                    )
            self._editor = ui.codemirror(
                desk.edited,
                language="Python",
                theme="basicDark" if dark else "basicLight",
                on_change=lambda e: self._edit(e.value),
            ).classes("editor")
            self._error = ui.html("", sanitize=False).classes("code-error")
            self._error.set_visibility(False)

    def _start_from(self, variant: str) -> None:
        assert self._editor is not None
        self._editor.value = self._desk.pair.variants[variant].source

    def _edit(self, source: object) -> None:
        self._desk.edited = source if isinstance(source, str) else ""
        try:
            check(self._desk.edited)
        except UsageError as error:
            self.show_error(f"<b>It cannot run yet:</b> {escape(str(error))}")
        else:
            self.show_error("")
