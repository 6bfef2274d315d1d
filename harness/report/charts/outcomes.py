"""How requests ended, by variant: stacked bars of shares."""

from __future__ import annotations

from dataclasses import dataclass

from harness.record import Outcome, VariantResult
from harness.report import units
from harness.report.charts.canvas import WIDTH, Canvas, box, invalid_row, ticks
from harness.report.charts.model import Chart, PairRows, Panel
from harness.report.charts.palette import variant_role
from harness.report.words import OUTCOMES

_ROW, _TOP, _BOTTOM, _SIDE = 50.0, 4.0, 26.0, 10.0
_BAR = 20.0
_HOW = "The requests that were meant to start in the measured window, whenever they ended; answers to earlier ones are not among them."
_HOW_WAITING = " Still waiting: no answer had come when the trial ended, so it counts as neither right nor wrong."
_ORDER = tuple(str(o) for o in Outcome)


@dataclass(frozen=True)
class Ends:
    """How a variant's requests ended: shares by outcome, in the order of the record, and their number."""

    variant: str
    shares: tuple[tuple[str, float], ...]
    requests: int


def ends(results: list[VariantResult]) -> list[Ends]:
    """Shares of the outcomes of each variant that had any."""
    out = []
    for r in results:
        total = sum(r.outcomes.values())
        if total:
            known = sorted(r.outcomes, key=lambda o: _ORDER.index(o) if o in _ORDER else len(_ORDER))
            shares = tuple((o, r.outcomes[o] / total) for o in known if r.outcomes[o])
            out.append(Ends(r.variant, shares, total))
    return out


def reading(rows: list[Ends]) -> str:
    """Each variant's outcomes in words."""
    return " ".join(f"{row.variant}: {summary(row)}." for row in rows)


def summary(row: Ends) -> str:
    """One variant's outcomes, the most frequent first."""
    ordered = sorted(row.shares, key=lambda s: -s[1])
    return ", ".join(f"{units.share(share)} {OUTCOMES.get(name, name)}" for name, share in ordered)


def draw(pair: PairRows) -> Chart | None:
    """One stacked bar a variant; None when nothing was sent, or all of it was answered right."""
    rows = ends([v.result for v in pair.variants])
    if all(name == Outcome.OK for row in rows for name, _ in row.shares):
        return None
    seen = [name for name in _ORDER if any(name == n for row in rows for n, _ in row.shares)]
    return Chart(
        name="outcomes",
        title="How requests ended",
        reading=reading(rows),
        how=_HOW + (_HOW_WAITING if Outcome.UNFINISHED in seen else ""),
        legend=tuple((name, OUTCOMES[name]) for name in seen),
        panels=(Panel(svg=_picture(pair.pair.name, rows, pair.invalid)),),
    )


def _picture(pair: str, rows: list[Ends], invalid: tuple[str, ...]) -> str:
    height = _ROW * (len(rows) + len(invalid))
    canvas = Canvas(_TOP + _BOTTOM + height, f"{pair}-outcomes")
    axes = canvas.axes(bottom=_BOTTOM, height=height, left=_SIDE, right=_SIDE)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, height)
    ticks(axes)
    for i, row in enumerate(rows):
        bottom = height - _ROW * (i + 1) + 6
        left = 0.0
        for name, share in row.shares:
            box(axes, name, left, left + share, bottom, bottom + _BAR)
            left += share
        y = _BOTTOM + bottom + _BAR + 6
        canvas.text(_SIDE, y, row.variant, bold=True, role=variant_role(row.variant))
        canvas.text(WIDTH - _SIDE, y, headline(row), align="right")
    for i, variant in enumerate(invalid, len(rows)):
        bottom = height - _ROW * (i + 1) + 6
        invalid_row(canvas, axes, variant, bottom, _BAR, _BOTTOM + bottom + _BAR + 6)
    canvas.text(WIDTH - _SIDE, 8, "share of the window's requests", role="muted", align="right")
    return canvas.svg(f"How requests ended. {reading(rows)}")


def headline(row: Ends) -> str:
    """What fits beside a variant's name: its most frequent outcome that is not a correct answer, or none."""
    wrong = sorted((s for s in row.shares if s[0] != Outcome.OK), key=lambda s: -s[1])
    if not wrong:
        return f"all {units.count(row.requests)} correct"
    name, share = wrong[0]
    more = ", and more" if len(wrong) > 1 else ""
    return f"{units.share(share)} {OUTCOMES.get(name, name)}{more}"
