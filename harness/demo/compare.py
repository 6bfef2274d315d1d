"""Two variants' sources -> HTML, side by side, what differs highlighted. Pure."""

from __future__ import annotations

import difflib
import re
from html import escape

from harness.catalog import BUG_MARK
from harness.record import Variant
from harness.report.diff import highlight

_MARK = re.compile(rf"[ ]*(# noqa:[^#\n]*)?{BUG_MARK}.*$", re.MULTILINE)


CONTEXT = 3  # lines around what differs
FEWEST_FOLDED = 4


def side_by_side(left: Variant, right: Variant) -> str:
    """Both sources whole, in line with each other."""
    old, new = unmarked(left.source), unmarked(right.source)
    before, after = old.splitlines(), new.splitlines()
    shown_before, shown_after = highlight(old), highlight(new)
    columns: tuple[list[str], list[str]] = ([], [])
    opcodes = difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes()
    for tag, a, b, c, d in opcodes:
        height = max(b - a, d - c)
        far = _far(height, first=a == 0, last=b == len(before)) if tag == "equal" else range(0)
        for n in range(height):
            i, j = a + n, c + n
            if far and n == far.start:
                for column in columns:
                    column.append(f"<pre class='fold'><i></i>⋯ {len(far)} lines alike</pre>")
            kinds = ("far", "far") if n in far else ("", "") if tag == "equal" else ("gone", "new")
            columns[0].append(_line(i + 1, shown_before[i], kinds[0]) if i < b else _gap())
            columns[1].append(_line(j + 1, shown_after[j], kinds[1]) if j < d else _gap())
    halves = (_half(v, lines) for v, lines in zip((left, right), columns, strict=True))
    return f'<div class="sources">{"".join(halves)}</div>'


def _far(height: int, *, first: bool, last: bool) -> range:
    """Which of so many lines that are alike stand so far from what differs that they can be folded away."""
    start, stop = 0 if first else CONTEXT, height if last else height - CONTEXT
    return range(start, stop) if stop - start >= FEWEST_FOLDED else range(0)


def unmarked(source: str) -> str:
    """The source without the mark on the bug's line, and without what a linter is told there: they would give it away."""
    return _MARK.sub("", source)


def _half(variant: Variant, lines: list[str]) -> str:
    head = f'<figcaption class="v-{variant.name}"><b>{variant.name}</b> {ticks(variant.summary)}</figcaption>'
    return f'<figure>{head}<div class="source" tabindex="0"><div>{"".join(lines)}</div></div></figure>'


def _line(number: int, code: str, kind: str) -> str:
    return f'<pre class="{kind}"><i>{number}</i>{code or " "}</pre>'


def _gap() -> str:
    return '<pre class="gap"><i></i> </pre>'


def ticks(text: str) -> str:
    """Text with `code` in it, as HTML."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
