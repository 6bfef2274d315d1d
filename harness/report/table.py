"""The figures of a pair, by variant and in groups, with the warnings that limit some of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.record import VariantResult
from harness.report import units, words


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One figure in a table."""

    text: str
    notes: tuple[str, ...] = ()  # letters of the warnings that limit it


@dataclass(frozen=True, kw_only=True)
class FigureRow:
    """One figure by variant."""

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class FigureGroup:
    """Figures that belong together."""

    name: str
    rows: tuple[FigureRow, ...]


@dataclass(frozen=True, kw_only=True)
class FigureTable:
    """The figures of a pair in groups, with the warnings that limit some of them."""

    variants: tuple[str, ...]
    halves: tuple[tuple[FigureGroup, ...], ...]  # about equally long, for two columns
    warnings: tuple[tuple[str, str], ...]  # letter, words


def figure_table(results: list[VariantResult]) -> FigureTable:
    """The figures that at least one variant has."""
    letters: dict[str, str] = {}
    for r in results:
        for warning in r.warnings.values():
            letters.setdefault(warning, chr(ord("a") + len(letters)) if len(letters) < 26 else str(len(letters)))
    groups: dict[str, list[FigureRow]] = {}
    for f in words.FIGURES:
        values = [getattr(r.figures, f.name) for r in results]
        if any(v is not None for v in values):
            cells = tuple(_cell(r, f.name, letters) for r in results)
            groups.setdefault(f.group, []).append(FigureRow(label=f.label, cells=cells))
    if promises := _promises(results):
        groups["Promises, asked of the database"] = promises
    return FigureTable(
        variants=tuple(r.variant for r in results),
        halves=_halves([FigureGroup(name=name, rows=tuple(rows)) for name, rows in groups.items()]),
        warnings=tuple((letter, warning) for warning, letter in letters.items()),
    )


def _halves(groups: list[FigureGroup]) -> tuple[tuple[FigureGroup, ...], ...]:
    """The groups in two parts, cut where their lengths differ least."""
    lengths = [len(g.rows) + 1.5 for g in groups]
    cut = min(range(1, len(groups) + 1), key=lambda i: abs(sum(lengths[:i]) - sum(lengths[i:])), default=0)
    return tuple(tuple(half) for half in (groups[:cut], groups[cut:]) if half)


def _promises(results: list[VariantResult]) -> list[FigureRow]:
    """What the answers promised and the database must hold, by variant."""
    names = dict.fromkeys(i.name for r in results for i in r.invariants)
    return [FigureRow(label=name, cells=tuple(Cell(text=_kept(r, name)) for r in results)) for name in names]


def _kept(r: VariantResult, name: str) -> str:
    found = next((i for i in r.invariants if i.name == name), None)
    if found is None:
        return units.NONE
    if found.zero:
        return units.count(found.lost) if found.lost else "none"
    if found.lost:
        return f"{units.count(found.lost)} of {units.count(found.promised)} lost"
    return f"all {units.count(found.promised)} kept"


def _cell(r: VariantResult, name: str, letters: Mapping[str, str]) -> Cell:
    notes = (letters[r.warnings[name]],) if name in r.warnings else ()
    return Cell(text=units.figure(name, getattr(r.figures, name)), notes=notes)
