"""A gate in the terminal: how it goes, and what it found."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from harness.gate import words
from harness.gate.findings import Change, Decision
from harness.gate.live import GateResult

PLAIN: dict[str, Any] = {"highlight": False, "markup": False, "soft_wrap": True}
WIDE = 160  # columns, where no terminal limits them
STYLES = {
    Change.REGRESSION: "bold red",
    Change.IMPROVEMENT: "green",
    Change.EQUIVALENT: "green",
    Change.INCONCLUSIVE: "yellow",
}


def print_look(err: Console, blocks: int, fraction: float, decision: Decision) -> None:
    """One line per look, in a terminal only."""
    if err.is_terminal:
        settled = sum(f.change is not Change.INCONCLUSIVE for f in decision.findings)
        err.print(
            f"{blocks} blocks, {fraction * 100:.0f} % of the budget: {settled} of {len(decision.findings)} metrics settled",
            highlight=False,
        )


def print_result(out: Console, result: GateResult) -> None:
    decision = result.decision
    headings = ("", "metric", "A", "B", "B/A, 90 %", "margin", "could have seen", "A/A, 90 %")
    table = Table(*(Column(h, no_wrap=True) for h in headings), box=None, pad_edge=False)
    for finding, control in zip(decision.findings, decision.control, strict=True):
        table.add_row(
            Text(f"{words.MARKS[finding.change]} {finding.change}", style=STYLES[finding.change]), finding.metric.label,
            words.value(finding, "a"), words.value(finding, "b"), Text(words.change(finding)), words.margin(finding),
            words.detectable(finding), Text(words.change(control)),
        )  # fmt: skip
    (out if out.is_terminal else Console(file=out.file, width=WIDE)).print(table)
    for promise in decision.promises:
        out.print(Text(f"{words.MARKS[promise.change]} {promise.change}  {promise.name}", style=STYLES[promise.change]))
    for name, why in decision.unmeasured.items():
        out.print(f"not judged: {name}: {why}", **PLAIN)
    for warning in result.warnings:
        out.print(f"beware: {warning}", style="yellow", **PLAIN)
    out.print(words.control(result), **PLAIN)
    out.print(words.effort(result), **PLAIN)
    out.print(Text(words.verdict(result), style=STYLES[decision.change]), soft_wrap=True)
