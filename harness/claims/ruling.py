"""A claim and the evidence -> a ruling. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.claims.evidence import Evidence
from harness.claims.facts import NotMeasured, evaluate, filled
from harness.claims.ledger import RULES, Claim, Ledger, Standing
from harness.errors import UsageError

AT_LEAST = "at least"  # how harness.figures begins the warning of a quantile among unfinished requests


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What is said of one claim, and the figures that it is said from."""

    id: str
    claim: Claim
    standing: Standing
    sentence: str  # to be quoted; of an open claim: what is missing
    figures: dict[str, Any]  # path -> value
    warnings: dict[str, str]  # path -> when not to trust the figure


def rule_on_all(ledger: Ledger, evidence: Evidence) -> tuple[Ruling, ...]:
    """A ruling on every claim, c1 first. Raises UsageError when a rule cannot be applied to the facts it names."""
    numbers = sorted(ledger.claim, key=lambda number: int(number[1:]))
    return tuple(rule_on(number, ledger, evidence) for number in numbers)


def rule_on(number: str, ledger: Ledger, evidence: Evidence) -> Ruling:
    """The ruling on one claim: the first rule that its facts meet, else false; open when a fact is missing."""
    claim = ledger.claim[number]
    try:
        figures = {path: evidence.value(path, ledger) for path in claim.paths}
        nested = _nested(figures)
        facts = {name: evaluate(formula, nested) for name, formula in claim.facts.items()}
        kind = next((kind for kind in RULES if kind in claim.rule and evaluate(claim.rule[kind], facts)), "false")
        bounded = {name for name, formula in claim.facts.items() if _is_lower_bound(formula, evidence)}
        sentence = filled(claim.sentence[kind], facts, bounded)
    except NotMeasured as missing:
        return Ruling(
            id=number,
            claim=claim,
            standing=Standing.OPEN,
            sentence=f"Not ruled on: {missing}.",
            figures={},
            warnings={},
        )
    except ValueError as error:
        raise UsageError(f"claims/claims.toml: claim.{number}: {error}") from error
    warnings = evidence.run.warnings if evidence.run else {}
    return Ruling(
        id=number,
        claim=claim,
        standing=RULES.get(kind, Standing.FALSE),
        sentence=sentence,
        figures=figures,
        warnings={path: warnings[path] for path in figures if path in warnings},
    )


def _is_lower_bound(formula: str, evidence: Evidence) -> bool:
    """Whether a fact is a figure whose warning says that it is at least so much."""
    return evidence.run is not None and evidence.run.warnings.get(formula, "").startswith(AT_LEAST)


def _nested(figures: dict[str, Any]) -> dict[str, Any]:
    """Paths with their values as mappings within mappings, which is how formulas reach them."""
    tree: dict[str, Any] = {}
    for path, value in figures.items():
        *parents, last = path.split(".")
        branch = tree
        for key in parents:
            branch = branch.setdefault(key, {})
        branch[last] = value
    return tree
