"""Diffs between variants."""

from __future__ import annotations

from harness.inside import Frame
from harness.judgement import Diagnosis
from harness.record import Cause, Variant
from harness.report.comparison import place_notes
from harness.report.diff import Note, highlight, unified


def _variant(source: str, bug_line: int | None = None, name: str = "buggy") -> Variant:
    return Variant(
        name=name, summary="", cause=Cause.NONE, source=source, file=f"target_apps/p/{name}.py", bug_line=bug_line
    )


LONG = "\n".join(f"x{i} = {i}" for i in range(1, 31))


def test_changed_lines_come_with_numbers_and_context() -> None:
    rows = unified(_variant(LONG), _variant(LONG.replace("x15 = 15", "x15 = 0\nmore = 1")), {})
    assert [(r.kind, r.old, r.new, r.skipped) for r in rows] == [
        ("gap", None, None, 11),
        ("same", 12, 12, 0),
        ("same", 13, 13, 0),
        ("same", 14, 14, 0),
        ("gone", 15, None, 0),
        ("new", None, 15, 0),
        ("new", None, 16, 0),
        ("same", 16, 17, 0),
        ("same", 17, 18, 0),
        ("same", 18, 19, 0),
        ("gap", None, None, 12),
    ]


def test_the_guilty_line_and_noted_lines_are_shown_even_where_nothing_differs() -> None:
    note = Note(head="seen", text="here")
    rows = unified(_variant(LONG, bug_line=3), _variant(LONG), {25: (note,)})
    assert [r.old for r in rows if r.guilty] == [3]
    assert [r.old for r in rows if r.notes] == [25]


def test_equal_sources_fold_to_nothing() -> None:
    assert [r.kind for r in unified(_variant(LONG), _variant(LONG), {})] == ["gap"]


def test_source_is_escaped_and_strings_over_lines_stay_whole() -> None:
    lines = highlight('"""<b>\ntwo & three"""\nx = 1')
    assert lines[0] == '<span class="s">&#34;&#34;&#34;&lt;b&gt;</span>'
    assert lines[1] == '<span class="s">two &amp; three&#34;&#34;&#34;</span>'
    assert len(lines) == 3


def test_notes_go_to_their_line_or_beside() -> None:
    def diagnosis(frame: Frame | None) -> Diagnosis:
        return Diagnosis(cause=Cause.LOOP_BLOCKED, frame=frame, message="m", evidence="e")

    found = tuple(
        diagnosis(Frame(file=file, line=line, function="f"))
        for file, line in (("buggy.py", 2), ("target_apps/p/buggy.py", 3), ("requests.api", 2), ("buggy.py", 99))
    )
    here, elsewhere = place_notes(_variant(LONG), (*found, diagnosis(None)))
    assert sorted(here) == [2, 3]
    assert len(elsewhere) == 3
