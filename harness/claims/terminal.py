"""Rulings -> a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from harness.claims.document import tally
from harness.claims.ledger import Standing
from harness.claims.outcome import Outcome

STYLES = {Standing.HOLDS: "green", Standing.FALSE: "red", Standing.OPEN: "dim"}


def print_rulings(out: Console, err: Console, outcome: Outcome) -> None:
    """One row for each claim, then how many there are of each kind; what failed goes to ``err``."""
    table = Table(Column("", no_wrap=True), Column("ruling", no_wrap=True), "claim, and what was measured", box=None)
    for ruling in outcome.rulings:
        told = Text.assemble((ruling.claim.says, "italic"), "\n", ruling.sentence)
        table.add_row(ruling.id, Text(ruling.standing.value, STYLES.get(ruling.standing, "yellow")), told)
    out.print(table)
    out.print(f"{len(outcome.rulings)} claims: {tally(outcome.rulings)}.", highlight=False)
    for sentence in outcome.failed:
        err.print(f"harness: {sentence}", style="red", markup=False, highlight=False, soft_wrap=True)
