"""Two variants' sources -> the rows of a unified diff: numbered, highlighted, with marks and notes. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape
from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Token, _TokenType

from harness.record import Variant

_CONTEXT = 3
_NOTHING = Markup("")
_CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "c"),
    (String, "s"),
    (Number, "n"),
    (Keyword, "k"),
    (Operator.Word, "k"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Decorator, "d"),
)


@dataclass(frozen=True, kw_only=True)
class Note:
    """Words that belong to a line: who says so, what, and on what evidence."""

    head: str
    text: str
    evidence: str = ""


@dataclass(frozen=True, kw_only=True)
class DiffRow:
    """A line of a diff, or a gap of unchanged lines that are left out."""

    kind: str  # "same", "gone", "new", "gap"
    old: int | None = None  # 1-based line numbers
    new: int | None = None
    code: Markup = _NOTHING
    skipped: int = 0  # lines of a gap
    guilty: bool = False
    notes: tuple[Note, ...] = ()


def unified(old: Variant, new: Variant, notes: Mapping[int, tuple[Note, ...]]) -> tuple[DiffRow, ...]:
    """The diff from one variant's source to another's.

    In: notes by line of the old source; lines with a note, and the old variant's marked line, are always shown.
    """
    rows = list(_all_rows(old, new, notes))
    wanted = {i for i, row in enumerate(rows) if row.kind != "same" or row.guilty or row.notes}
    return tuple(_folded(rows, {j for i in wanted for j in range(i - _CONTEXT, i + _CONTEXT + 1)}))


def highlight(source: str) -> list[Markup]:
    """The lines of Python source as HTML: escaped, with one class a kind of token."""
    lines = [""]
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        css = next((css for token, css in _CLASSES if kind in token), None)
        for i, part in enumerate(text.split("\n")):
            if i:
                lines.append("")
            if part:
                lines[-1] += (
                    f'<span class="{css}">{escape(part)}</span>'
                    if css and kind is not Token.Text
                    else str(escape(part))
                )
    return [Markup(line) for line in lines]


def _all_rows(old: Variant, new: Variant, notes: Mapping[int, tuple[Note, ...]]) -> list[DiffRow]:
    before, after = old.source.splitlines(), new.source.splitlines()
    shown_before, shown_after = highlight(old.source), highlight(new.source)
    rows: list[DiffRow] = []

    def gone(i: int) -> DiffRow:
        guilty = i + 1 == old.bug_line
        return DiffRow(kind="gone", old=i + 1, code=shown_before[i], guilty=guilty, notes=notes.get(i + 1, ()))

    for tag, a, b, c, d in difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        if tag == "equal":
            for i, j in zip(range(a, b), range(c, d), strict=True):
                guilty = i + 1 == old.bug_line
                noted = notes.get(i + 1, ())
                rows.append(
                    DiffRow(kind="same", old=i + 1, new=j + 1, code=shown_before[i], guilty=guilty, notes=noted)
                )
        else:
            rows += [gone(i) for i in range(a, b)]
            rows += [DiffRow(kind="new", new=j + 1, code=shown_after[j]) for j in range(c, d)]
    return rows


def _folded(rows: list[DiffRow], shown: Collection[int]) -> list[DiffRow]:
    out: list[DiffRow] = []
    skipped = 0
    for i, row in enumerate(rows):
        if i not in shown:
            skipped += 1
            continue
        if skipped:
            out.append(DiffRow(kind="gap", skipped=skipped))
            skipped = 0
        out.append(row)
    if skipped:
        out.append(DiffRow(kind="gap", skipped=skipped))
    return out
