"""What a benchmark prints: what is wanted, what was measured, and whether that is enough."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.special import stdtrit


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


def geometric_mean(ratios: Sequence[float]) -> float:
    """The geometric mean: as far above 1 as below it is no difference."""
    return float(np.exp(np.mean(np.log(ratios))))


def shown(ratios: Sequence[float]) -> str:
    """The geometric mean and the 95 % interval of Student's t, of the logarithms."""
    logs = np.log(ratios)
    reach = stdtrit(len(logs) - 1, 0.975) * logs.std(ddof=1) / len(logs) ** 0.5 if len(logs) > 1 else np.inf
    low, high = np.exp(logs.mean() - reach), np.exp(logs.mean() + reach)
    return f"{geometric_mean(ratios):.3f}  [{low:.3f}, {high:.3f}]"
