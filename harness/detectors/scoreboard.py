"""What ``harness detectors`` does: brings the looks up to date, scores them, and writes the document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version

from harness.catalog import load_pairs
from harness.detectors.document import render_document
from harness.detectors.live import look_live
from harness.detectors.record import FROM_RUN, LIVE, STATIC, Detector, Evidence, Look, load_evidence, save_evidence
from harness.detectors.scoring import Score, score
from harness.detectors.static import look_statically
from harness.detectors.stored import looks_of, origin_of
from harness.record import Pair
from harness.store import disk_errors, load_run, write_atomically
from harness.verdict import judge

LOGS = Path("reports") / "detectors"
PACKAGES = ("ruff", "mypy", "blockbuster", "uvicorn", "fastapi", "sqlalchemy", "asyncpg", "psycopg")


@dataclass(frozen=True, kw_only=True)
class Scoreboard:
    """Every detector's score on every pair."""

    pairs: tuple[Pair, ...]
    scores: tuple[Score, ...]
    evidence: Evidence


def keep_score(
    root: Path,
    *,
    run: Path | None,
    refresh: bool,
    names: Sequence[str] = (),
    document: Path | None = None,
    postgres: str = "embedded",
    tell: Callable[[str], None] = lambda _: None,
) -> Scoreboard:
    """Scores every detector on every pair of a catalogue.

    ``run`` is a run folder that takes the place of the stored run's looks; with ``refresh`` the other detectors look again, at the
    pairs of those ``names`` or at all, and leave their logs in reports/detectors. What is new is stored when they looked, or when a ``document`` is written. Raises
    UsageError for an unknown pair or a damaged file, SetupError when a detector is not installed.
    """
    pairs = load_pairs(root)
    evidence = load_evidence(root)
    if run is not None:
        stored = load_run(run)
        kept = [look for look in evidence.looks if look.detector not in FROM_RUN]
        evidence = replace(evidence, looks=(*kept, *looks_of(stored, judge(stored))), run=origin_of(stored))
    if refresh:
        evidence = _looked(root, load_pairs(root, list(names) or None), evidence, postgres, tell)
    evidence = replace(evidence, looks=_in_order(evidence.looks, pairs))
    board = Scoreboard(pairs=tuple(pairs), scores=tuple(_scores(pairs, evidence)), evidence=evidence)
    if document is not None:
        with disk_errors(document.parent):
            write_atomically(document, render_document(board.pairs, board.scores, evidence).encode())
    if document is not None or refresh:
        save_evidence(root, evidence)
    return board


def _looked(
    root: Path, pairs: Sequence[Pair], evidence: Evidence, postgres: str, tell: Callable[[str], None]
) -> Evidence:
    new: list[Look] = []
    for detector in STATIC:
        tell(f"{detector}: {len(pairs)} pairs")
        new += look_statically(root, pairs, detector)
    new += look_live(root, pairs, LIVE, postgres=postgres, logs=root / LOGS, tell=tell)
    again = {pair.name for pair in pairs}
    kept = [look for look in evidence.looks if look.detector in FROM_RUN or look.pair not in again]
    return replace(evidence, looks=(*kept, *new), measured=f"{datetime.now(UTC):%Y-%m-%d}", versions=_versions())


def _in_order(looks: Iterable[Look], pairs: Sequence[Pair]) -> tuple[Look, ...]:
    """By detector, pair and variant; looks at pairs that are no more are left out."""
    order = list(Detector)
    known = {pair.name for pair in pairs}
    return tuple(
        sorted((k for k in looks if k.pair in known), key=lambda k: (order.index(k.detector), k.pair, k.variant))
    )


def _scores(pairs: Sequence[Pair], evidence: Evidence) -> Iterable[Score]:
    looks = {(k.detector, k.pair, k.variant): k for k in evidence.looks}
    for pair in pairs:
        for detector in Detector:
            yield score(pair, detector, looks)


def _versions() -> dict[str, str]:
    found = {"Python": python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
