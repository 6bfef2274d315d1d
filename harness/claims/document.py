"""Rulings and their evidence -> ``docs/claims.md``. Pure: the same evidence always gives the same text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from harness.claims.evidence import Evidence, RunEvidence
from harness.claims.ledger import FOLDER, RUN, Ledger, Standing
from harness.claims.ruling import Ruling
from harness.measured import FIGURE_NAMES
from harness.report import units

ORDER = (Standing.HOLDS, Standing.IN_PART, Standing.DEPENDS, Standing.FALSE, Standing.OPEN)
HEAD = """\
# What is said, and what was measured

Sentences from five texts about FastAPI (S0 … S4), in our words, each ruled on by a rule over measured facts. This page is generated, \
never typed: [claims.toml](../claims/claims.toml) holds claims, rules and sentences, [evidence.json](../claims/evidence.json) the facts. \
`harness claims RUN --write docs/claims.md` takes the figures of another run, `harness claims --refresh --write docs/claims.md` runs the \
checks again.
"""


def render_document(ledger: Ledger, evidence: Evidence, rulings: Sequence[Ruling]) -> str:
    """The whole page, as Markdown."""
    parts = [HEAD, _summary(rulings), _surprises(rulings)]
    parts += [_section(ruling, ledger) for ruling in rulings]
    parts.append(_provenance(ledger, evidence))
    return "\n".join(part for part in parts if part)


def tally(rulings: Sequence[Ruling]) -> str:
    """How many claims there are of each standing: "holds 4, false 10"."""
    counts = Counter(ruling.standing for ruling in rulings)
    return ", ".join(f"{standing.value} {counts[standing]}" for standing in ORDER if counts[standing])


def _summary(rulings: Sequence[Ruling]) -> str:
    rows = [
        f"| [{r.id}](#{r.id}) | {' '.join(r.claim.source)} | {_cell(r.claim.says)} | {_standing(r)} |" for r in rulings
    ]
    head = f"{len(rulings)} claims: {tally(rulings)}.\n"
    return "\n".join([head, "| id | source | the claim | ruling |", "|---|---|---|---|", *rows, ""])


def _surprises(rulings: Sequence[Ruling]) -> str:
    """The claims whose ruling is not what was expected before anything was measured."""
    other = [r for r in rulings if r.claim.expected not in (None, r.standing) and r.standing is not Standing.OPEN]
    if not other:
        return (
            "Every claim that was ruled on came out as expected before it was measured, where something was expected.\n"
        )
    listed = ", ".join(f"[{r.id}](#{r.id}) ({r.standing.value}; expected: {r.claim.expected})" for r in other)
    return f"Otherwise than expected before it was measured: {listed}.\n"


def _section(ruling: Ruling, ledger: Ledger) -> str:
    lines = [
        f'<a id="{ruling.id}"></a>\n### {ruling.id}: {ruling.standing.value}\n',
        f"> {ruling.claim.says} ({', '.join(ruling.claim.source)})\n",
        f"{ruling.sentence}\n",
    ]
    if ruling.figures:
        lines.append(
            "Measured: " + "; ".join(_source(name, ruling, ledger) for name in _sources(ruling.figures)) + ".\n"
        )
    if ruling.warnings:
        told = "; ".join(f"`{path}`: {text}" for path, text in ruling.warnings.items())
        lines.append(f"Mind: {told}.\n")
    return "\n".join(lines)


def _sources(figures: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(path.split(".")[0] for path in figures))


def _source(name: str, ruling: Ruling, ledger: Ledger) -> str:
    """One pair or check with the figures that this ruling took from it."""
    taken = {path.split(".", 1)[1]: value for path, value in ruling.figures.items() if path.split(".")[0] == name}
    shown = ", ".join(f"`{path}` = {_value(path, value)}" for path, value in taken.items())
    if name in ledger.check:
        return f"[checks/{name}.py](../{FOLDER}/checks/{name}.py): {shown}"
    return f"{'the sequential check of the run' if name == RUN else f'pair `{name}`'}: {shown}"


def _value(path: str, value: Any) -> str:
    name = path.split(".")[-1]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(f"`{item}`" for item in value) or "nothing"
    if not isinstance(value, int | float):
        return f"“{value}”"
    if name in FIGURE_NAMES or name.endswith(("_s", "_share", "_rps")):
        return units.figure(name, value)
    return units.number(value) if isinstance(value, float) else str(value)


def _provenance(ledger: Ledger, evidence: Evidence) -> str:
    rows = []
    for name, check in ledger.check.items():
        known = evidence.checks.get(name)
        on = f"{known.measured}, Python {known.python}, {_packages(known.packages)}" if known else "not run yet"
        rows.append(f"| [{name}](../{FOLDER}/checks/{name}.py) | {check.what} | {on} |")
    table = "\n".join(["| check | what it does | measured |", "|---|---|---|", *rows])
    return f"## Where the facts are from\n\n{_run(evidence.run)}\n\n{table}\n"


def _run(run: RunEvidence | None) -> str:
    if run is None:
        return "There is no run yet: the claims that pairs measure are open."
    return (
        f"The pairs' figures are those of run `{run.id}` ({run.measured}): profile {run.profile}, {run.cores} cores, Python {run.python},"
        f" Postgres {run.postgres}, {_packages(run.packages)}. [How a figure comes about](measuring.md)."
    )


def _packages(packages: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in packages.items())


def _standing(ruling: Ruling) -> str:
    return f"**{ruling.standing.value}**" if ruling.standing is not Standing.OPEN else ruling.standing.value


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
