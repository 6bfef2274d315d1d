"""Two runs side by side: as a table on a terminal, and as Markdown."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.compare import Change, Compared, Row
from harness.report import units
from harness.report.agreement import Agreement, sentences
from harness.report.markdown import plain
from harness.report.words import figure_label

_HEADS = {
    "goodput_rps": "goodput",
    "response_p99_s": "p99",
    "failed_share": "failed",
    "cpu_s_per_request": "CPU a request",
}
_NOISE = "Between two runs there is noise that neither measured: a ratio near 1 tells nothing of the code."


def print_compared(console: Console, found: Compared, agreed: Agreement) -> None:
    """Which verdicts agree, the table, what is on one side alone, and when not to trust it."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("pair", no_wrap=True)
    for head in _HEADS.values():
        table.add_column(head, justify="right")
    pair = ""
    for row in found.rows:
        if row.pair != pair:
            pair = row.pair
            table.add_row(Text(pair, style="bold"))
        table.add_row(Text(f"  {row.variant}"), *(Text(_cell(row, change, "\n")) for change in row.changes))
    console.print(Text(_runs(found)))
    console.print()
    for text in sentences(agreed):
        console.print(Text(text), soft_wrap=True)
    console.print()
    console.print(table)
    console.print()
    for text in _notes(found):
        console.print(Text(text), soft_wrap=True)


def render_compared(found: Compared, agreed: Agreement) -> str:
    """The same as Markdown."""
    rows = [f"| pair | variant | {' | '.join(_HEADS.values())} |", f"|---|---|{'---|' * len(_HEADS)}"]
    for row in found.rows:
        cells = " | ".join(plain(_cell(row, change)) for change in row.changes)
        rows.append(f"| `{row.pair}` | {plain(row.variant)} | {cells} |")
    notes = "\n".join(f"- {plain(text)}" for text in _notes(found))
    verdicts = "\n".join(f"- {plain(text)}" for text in sentences(agreed))
    return f"## {plain(_runs(found))}\n\n{verdicts}\n\n" + "\n".join(rows) + f"\n\n{notes}\n"


def _runs(found: Compared) -> str:
    return f"{found.first.id} → {found.second.id}"


def _cell(row: Row, change: Change, gap: str = " ") -> str:
    """ "22.4/s → 223/s (9.96×)"; a mark where a warning limits one of the two."""
    old, new = (
        "invalid" if side in row.lacking else units.figure(change.metric, value)
        for side, value in (("first", change.first), ("second", change.second))
    )
    mark = " !" if change.warnings else ""
    if change.first is None and change.second is None and old == new:
        return old
    ratio = f"{gap}({units.ratio(change.ratio)})" if change.ratio is not None else ""
    return f"{old} → {new}{ratio}{mark}"


def _notes(found: Compared) -> list[str]:
    notes = [f"Unlike, compared anyway: {reason}." for reason in found.unlike]
    for names, run in ((found.only_first, found.first), (found.only_second, found.second)):
        if names:
            notes.append(f"Only in {run.id}: {', '.join(names)}.")
    for row in found.rows:
        for change in row.changes:
            notes += [f"! {row.pair}/{row.variant}, {figure_label(change.metric)}: {w}" for w in change.warnings]
    return [*notes, _NOISE]
