"""What a benchmark prints: what is wanted, what was measured, and whether that is enough."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import NoReturn

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Line:
    """``met`` is None for what is shown beside and must not be anything."""

    what: str
    found: str
    wanted: str = ""
    met: bool | None = None


def show_and_exit(lines: list[Line]) -> NoReturn:
    """Prints the lines as a table. The exit code is 0 when every line is met."""
    table = Table("what", "found", "wanted", "met", box=None)
    for line in lines:
        table.add_row(line.what, line.found, line.wanted, {None: "", True: "yes", False: "NO"}[line.met])
    Console().print(table)
    sys.exit(0 if all(line.met is not False for line in lines) else 1)
