"""A pair's page: question, code, knobs, guess, run, what came of it, and the lesson when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

from nicegui import ui

from harness.demo.compare import ticks
from harness.demo.export import render_report
from harness.demo.lessons import question_of
from harness.demo.live import Lane
from harness.demo.pages.code import CodePart
from harness.demo.pages.controls import show_guesses, show_knobs, show_run
from harness.demo.pages.desk import Desk
from harness.demo.pages.presenter import Presenter
from harness.demo.pages.shell import frame
from harness.demo.pages.stage import Stage
from harness.demo.results import table
from harness.demo.sandbox import EDITED
from harness.demo.studio import Studio
from harness.errors import HarnessError
from harness.record import Pair

FRAME_S = 0.25  # between two pictures
CHART_EVERY = 2  # pictures


class PairPage:
    """One open page. Its run ends with it."""

    def __init__(self, studio: Studio, pair: Pair) -> None:
        self._desk = Desk(studio, pair)
        self._parts: list[ui.element] = []
        self._frames = 0
        with frame(pair.title):
            self._build()
        self._timer = ui.timer(FRAME_S, self._tick, active=False)
        ui.context.client.on_delete(self._leave)

    def _build(self) -> None:
        desk = self._desk
        with self._part("question"):
            ui.html(f"<h1>{ticks(question_of(desk.pair))}</h1>", sanitize=False)
            ui.button("Present", icon="slideshow", on_click=self._present).props("flat dense no-caps")
        with self._part("code"):
            self._code = CodePart(desk)
        with self._part("knobs"):
            show_knobs(desk)
        with self._part("guess"):
            show_guesses(desk)
        with self._part("run"):
            ui.html("<h2>Run</h2>", sanitize=False)
            self._button, self._status = show_run(desk, self._press)
            self._stage = Stage()
        with self._part("result"):
            ui.html("<h2>Guess, theory, measurement</h2>", sanitize=False)
            self._results = ui.html("<p class='quiet'>Nothing was run so far.</p>", sanitize=False)
            self._export = ui.button("Export what was seen", icon="download", on_click=self._download).props(
                "outline no-caps data-export"
            )
            self._export.set_enabled(False)
        with self._part("lesson"):
            ui.html("<h2>The lesson</h2>", sanitize=False)
            self._reveal = ui.button("Show the lesson", on_click=self._show_lesson).props("outline no-caps data-lesson")
            self._lesson = ui.element("div").classes("lesson")
        self._presenter = Presenter(self._parts, self._press)

    @contextmanager
    def _part(self, name: str) -> Iterator[None]:
        part = ui.element("section").classes(f"part part-{name}")
        self._parts.append(part)
        with part:
            yield

    def _press(self) -> None:
        """Run, or Stop."""
        desk = self._desk
        if desk.running:
            assert desk.ticket is not None
            desk.ticket.cancel()
            self._status.set_text("stopping …")
            return
        try:
            order = desk.order()
        except HarnessError as error:
            self._status.set_text(f"It cannot run: {error}")
            return
        self._ceilings = {**dict.fromkeys(order.subjects), **desk.ceilings()}
        self._stage.set_up(list(order.subjects), self._ceilings, order.seconds)
        self._code.show_error("")
        desk.ticket = desk.studio.play(order)
        self._button.set_text("Stop")
        self._button.props("icon=stop color=negative")
        self._frames = 0
        self._timer.active = True
        self._tick()

    def _tick(self) -> None:
        """Draws one picture; after the end the last one, and what came of it."""
        desk, ticket = self._desk, self._desk.ticket
        if ticket is None:
            return
        lanes = ticket.performance.lanes
        if ticket.began:
            self._stage.show(lanes, self._ceilings, charts=ticket.ended or self._frames % CHART_EVERY == 0)
            self._frames += 1
        self._status.set_text(_standing(desk))
        if ticket.ended:
            self._timer.active = False
            self._end(lanes, ticket.error)

    def _end(self, lanes: list[Lane], error: str | None) -> None:
        self._button.set_text("Run")
        self._button.props("icon=play_arrow color=primary")
        seen = self._desk.keep()
        self._status.set_text(f"It could not run: {error}" if error else "")
        if seen is None:
            self._status.set_text("given up before it began")
            return
        guesses = {variant: (g.rate_rps, g.failed) for variant, g in seen.guesses.items()}
        self._results.set_content(table(seen.order, seen.lanes, guesses))
        self._export.set_enabled(True)
        errors = {lane.variant: _error(lane) for lane in lanes if lane.error or _died(lane)}
        self._stage.show_errors(errors)
        if EDITED in errors:
            self._code.show_error(errors[EDITED])

    def _present(self) -> None:
        self._presenter.toggle()

    def _show_lesson(self) -> None:
        self._desk.lesson_shown = True
        self._reveal.set_visibility(False)
        pair = self._desk.pair
        with self._lesson:
            ui.html(
                f"<p>{ticks(pair.lesson)}</p><h3>Look for</h3><p>{ticks(pair.look_for)}</p>", sanitize=False
            )  # fmt: skip

    def _download(self) -> None:
        desk = self._desk
        runs = [(s.order, s.lanes, {v: (g.rate_rps, g.failed) for v, g in s.guesses.items()}) for s in desk.seen]
        report = render_report(desk.pair, runs, with_lesson=desk.lesson_shown)
        ui.download.content(report, f"{desk.pair.name}.html", "text/html")

    def _leave(self) -> None:
        if self._desk.ticket is not None:
            self._desk.ticket.cancel()


def _standing(desk: Desk) -> str:
    """How a run stands, in words."""
    ticket = desk.ticket
    if ticket is None:
        return ""
    if not ticket.began:
        ahead = desk.studio.ahead_of(ticket)
        if ahead:
            return f"Another page is running: two at once would disturb each other. Yours begins by itself; {ahead} before it."
        return "begins …"
    if ticket.cancelled:
        return "stopping …"
    if not desk.studio.ready:
        return "Postgres and the apps’ libraries are being loaded, once …"
    looks = [lane.look().t_s for lane in ticket.performance.lanes if not lane.ended]
    at_s = max(looks, default=0.0)
    return f"{at_s:.0f} of {ticket.performance.order.seconds:.0f} s" if at_s else "starting the apps …"


def _died(lane: Lane) -> bool:
    return lane.trial is not None and any("ended before the trial did" in reason for reason in lane.trial.invalid)


def _error(lane: Lane) -> str:
    """Why a lane has nothing to show, with the end of its log."""
    why = lane.error or "the app ended under load"
    log = f"<pre>{escape(lane.log_end)}</pre>" if lane.log_end else ""
    return f"<b>{escape(lane.outside or why.partition('; the end of its log')[0])}</b>{log}"
