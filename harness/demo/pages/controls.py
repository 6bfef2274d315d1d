"""The part of a page with the knobs, the ceilings that move with them, the guesses, and Run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape

from nicegui import ui

from harness.demo.knobs import Knob, knobs_of, said
from harness.demo.pages.desk import SECONDS, Desk
from harness.demo.sandbox import EDITED
from harness.errors import UsageError
from harness.report import units


def show_knobs(desk: Desk) -> None:
    """The sliders, and what they let one expect."""
    ui.html("<h2>The knobs, and the ceiling they set</h2>", sanitize=False)
    with ui.element("div").classes("knobs"):
        sliders = ui.element("div").classes("sliders")
        ceilings = ui.html("", sanitize=False).classes("ceilings")

        def predict() -> None:
            ceilings.set_content(_predicted(desk))

        with sliders:
            for knob in knobs_of(desk.pair):
                _slider(desk, knob, predict)
    predict()


def _slider(desk: Desk, knob: Knob, changed: Callable[[], None]) -> None:
    def set_value(value: object) -> None:
        desk.values[knob.name] = value
        shown.set_text(_words(knob, value))
        changed()

    with ui.element("div").classes("slider"):
        with ui.element("div").classes("slider-head"):
            ui.label(knob.label)
            shown = ui.label(_words(knob, knob.value)).classes("slider-value")
        ui.slider(
            min=knob.low, max=knob.high, step=knob.step, value=knob.value, on_change=lambda e: set_value(e.value)
        ).props(f'aria-label="{knob.label}" data-knob={knob.name}')


def _words(knob: Knob, value: object) -> str:
    return said(knob, value) if isinstance(value, int | float) else units.NONE


def _predicted(desk: Desk) -> str:
    """The ceilings in words and bars."""
    try:
        ceilings = desk.ceilings()
    except UsageError as error:
        return f"<p class='bad'>{escape(str(error))}</p>"
    known = [value for value in ceilings.values() if value is not None]
    if not known:
        return "<p class='quiet'>No simple arithmetic limits this pair’s throughput: look at what happens inside.</p>"
    rows = []
    for variant, value in ceilings.items():
        if value is None:
            rows.append(f"<div class='ceiling v-{variant}'><b>{variant}</b><span class='quiet'>no formula</span></div>")
            continue
        formula = desk.pair.ceilings[variant]
        rows.append(
            f"<div class='ceiling v-{variant}'><b>{variant}</b><span>at most <strong>{units.rate(value)}</strong></span>"
            f"<div class='track'><div style='width:{100 * value / max(known):.1f}%'></div></div><code>{formula}</code></div>"
        )
    return "<p class='quiet'>What the mechanism allows, before anything is run:</p>" + "".join(rows)


def show_guesses(desk: Desk) -> None:
    """Predict first."""
    ui.html("<h2>Your guess</h2><p class='quiet'>Say it before you run it.</p>", sanitize=False)
    with ui.element("div").classes("guesses"):
        for variant in desk.pair.variants:
            with ui.element("div").classes(f"guess v-{variant}"):
                ui.html(f"<b>{variant}</b>", sanitize=False)
                for name, label in (("rate_rps", "right answers per second"), ("failed", "requests that fail")):
                    ui.number(label, min=0, on_change=partial(_guess, desk, variant, name)).props(
                        f"dense outlined data-guess={variant}-{name}"
                    )


def _guess(desk: Desk, variant: str, name: str, event: object) -> None:
    desk.guesses[variant][name] = getattr(event, "value", None)


def show_run(desk: Desk, press: Callable[[], None]) -> tuple[ui.button, ui.label]:
    """What is run, how, and the button; returns the button and the line that says how it stands."""
    with ui.element("div").classes("run-choices"):
        for variant in desk.variants:
            box = ui.checkbox(variant, value=True, on_change=partial(_choose, desk, variant)).props(
                f"dense data-run={variant}"
            )
            if variant == EDITED:
                box.bind_visibility_from(desk, "edited", backward=lambda source: source is not None)
        ui.toggle(
            {True: "together", False: "in turn"}, value=True, on_change=lambda e: setattr(desk, "together", e.value)
        ).props("dense no-caps")
        with ui.element("div").classes("seconds"):
            length = ui.label(f"{desk.seconds:g} s")

            def set_seconds(value: object) -> None:
                desk.seconds = value
                length.set_text(f"{value} s")

            ui.slider(min=SECONDS[0], max=SECONDS[1], step=1, value=8, on_change=lambda e: set_seconds(e.value)).props(
                'aria-label="length of the run in seconds"'
            )
    with ui.element("div").classes("row run-row"):
        button = ui.button("Run", icon="play_arrow", on_click=press).props("unelevated no-caps size=lg data-run-button")
        status = ui.label("").classes("status")
    return button, status


def _choose(desk: Desk, variant: str, event: object) -> None:
    desk.chosen[variant] = getattr(event, "value", None)
