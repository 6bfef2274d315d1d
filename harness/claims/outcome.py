"""What ``harness claims`` does: brings the evidence up to date, rules, and writes the document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from harness.claims.checks import refresh
from harness.claims.document import render_document
from harness.claims.evidence import Evidence, load_evidence, of_run, save_evidence
from harness.claims.ledger import Ledger, Standing, load_ledger
from harness.claims.ruling import Ruling, rule_on_all
from harness.errors import UsageError
from harness.store import disk_errors, load_run, write_atomically
from harness.verdict import judge


@dataclass(frozen=True, kw_only=True)
class Outcome:
    rulings: tuple[Ruling, ...]
    failed: tuple[str, ...]  # a sentence on each check that gave no facts

    @property
    def exit_code(self) -> int:
        """0 every claim is ruled on, 3 something is missing."""
        return 3 if self.failed or any(r.standing is Standing.OPEN for r in self.rulings) else 0


def rule(
    root: Path, *, run: Path | None, checks: list[str] | None, document: Path | None, tell: Callable[[str], None]
) -> Outcome:
    """Rules on every claim of a catalogue.

    ``run`` is a run folder whose figures take the place of the stored run's. ``checks`` are run again (None: none, []: all);
    one that fails keeps what it gave before. What is new is stored when checks were run or a ``document`` is written.
    Raises UsageError for an unknown check, a damaged file or a rule that cannot be applied.
    """
    ledger = load_ledger(root)
    evidence = load_evidence(root)
    if run is not None:
        stored = load_run(run)
        evidence = replace(evidence, run=of_run(stored, judge(stored), ledger))
    failed: dict[str, str] = {}
    if checks is not None:
        evidence, failed = _checked(root, ledger, evidence, checks, tell)
    rulings = rule_on_all(ledger, evidence)
    if document is not None:
        with disk_errors(document.parent):
            write_atomically(document, render_document(ledger, evidence, rulings).encode())
    if document is not None or checks is not None:
        save_evidence(root, evidence)
    return Outcome(rulings=rulings, failed=tuple(failed.values()))


def _checked(
    root: Path, ledger: Ledger, evidence: Evidence, names: list[str], tell: Callable[[str], None]
) -> tuple[Evidence, dict[str, str]]:
    if unknown := [name for name in names if name not in ledger.check]:
        raise UsageError(f"--check {unknown[0]!r} does not exist; choose among {', '.join(ledger.check)}")
    refreshed = refresh(root, ledger, names or list(ledger.check), tell)
    return replace(evidence, checks=evidence.checks | refreshed.evidence), refreshed.failed
