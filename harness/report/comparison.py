"""The variants of a pair side by side: their diffs, with what was seen at the lines. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from harness.judgement import Diagnosis, PairVerdict
from harness.record import Pair, Variant
from harness.report import words
from harness.report.diff import DiffRow, Note, unified


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The diff from one variant to another."""

    old: Variant
    new: Variant
    rows: tuple[DiffRow, ...]
    elsewhere: tuple[Note, ...] = ()  # what was seen in files that the diff does not show


def comparisons(pair: Pair, verdict: PairVerdict) -> tuple[Comparison, ...]:
    """From the first variant to the last, then to each one between."""
    names = list(pair.variants)
    if len(names) < 2:
        return ()
    old = pair.variants[names[0]]
    found = next((d.found for d in verdict.diagnoses if d.variant == old.name), ())
    here, elsewhere = place_notes(old, found)
    others = [names[-1], *names[1:-1]]
    return tuple(
        Comparison(
            old=old,
            new=pair.variants[other],
            rows=unified(old, pair.variants[other], here if i == 0 else {}),
            elsewhere=elsewhere if i == 0 else (),
        )
        for i, other in enumerate(others)
    )


def place_notes(variant: Variant, found: tuple[Diagnosis, ...]) -> tuple[dict[int, tuple[Note, ...]], tuple[Note, ...]]:
    """What was seen in a variant's own file, by line, and what was seen elsewhere."""
    here: dict[int, tuple[Note, ...]] = {}
    elsewhere: list[Note] = []
    lines = len(variant.source.splitlines())
    for d in found:
        mine = d.frame is not None and _same_file(d.frame.file, variant.file) and 1 <= d.frame.line <= lines
        head = f"What the harness saw {'here' if mine else 'elsewhere'}: {words.CAUSES[d.cause]}"
        head += f" ({d.frame})" if d.frame and not mine else ""
        note = Note(head=head, text=d.message, evidence=d.evidence)
        if mine and d.frame is not None:
            here[d.frame.line] = (*here.get(d.frame.line, ()), note)
        else:
            elsewhere.append(note)
    return here, tuple(elsewhere)


def _same_file(seen: str, known: str) -> bool:
    return known == seen or known.endswith(f"/{seen}") or seen.endswith(f"/{known}")
