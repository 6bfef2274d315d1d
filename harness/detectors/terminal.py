"""A scoreboard -> a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from harness.detectors.document import counts
from harness.detectors.record import Detector
from harness.detectors.scoreboard import Scoreboard
from harness.detectors.scoring import Mark, has_bug


def print_scoreboard(out: Console, board: Scoreboard) -> None:
    """One row for each detector: how many bugs it found, on the right line, and where it said something of a fixed variant."""
    bugs = [p for p in board.pairs if has_bug(p)]
    names = {p.name for p in bugs}
    table = Table("detector", "found", "line right", "false alarms", "broke", "not looked at", box=None, pad_edge=False)
    for detector in Detector:
        of = counts(detector, bugs, board.scores)
        alarms = sum(bool(s.false_alarms) for s in board.scores if s.detector is detector and s.pair in names)
        found = of[Mark.LINE] + of[Mark.FOUND]
        table.add_row(detector, *(str(n) for n in (found, of[Mark.LINE], alarms, of[Mark.BROKE], of[Mark.UNSEEN])))
    out.print(table)
    out.print(f"{len(bugs)} pairs with a bug to find, of {len(board.pairs)}.", highlight=False)
