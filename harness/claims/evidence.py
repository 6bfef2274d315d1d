"""What claims are ruled on from: facts of checks and figures of one run, kept in ``claims/evidence.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.claims.facts import NotMeasured
from harness.claims.ledger import FOLDER, LOST, RUN, Ledger, point
from harness.errors import UsageError
from harness.judgement import RunVerdict
from harness.measured import FIGURE_NAMES
from harness.record import Outcome, Run, VariantResult
from harness.store import disk_errors, write_atomically

RUN_PACKAGES = ("fastapi", "starlette", "sqlalchemy", "psycopg", "asyncpg", "httpx", "uvicorn")

Facts = dict[str, Any]  # JSON: nested objects, numbers, strings, booleans and lists


@dataclass(frozen=True, kw_only=True)
class CheckEvidence:
    """What a check's program printed, and on what."""

    facts: Facts
    measured: str  # the day, UTC
    python: str
    packages: dict[str, str]  # name -> version, or -> "0.105.0, 0.118.0" over several environments


@dataclass(frozen=True, kw_only=True)
class RunEvidence:
    """The figures of a run that some claim names."""

    id: str
    measured: str
    profile: str
    cores: int
    python: str
    postgres: str | None
    packages: dict[str, str]
    facts: Facts  # pair -> variant -> figure; of a sweep pair -> variant -> at_<users> -> figure
    summary: Facts  # of the sequential check over all pairs
    warnings: dict[str, str] = field(default_factory=dict)  # path -> when not to trust it


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known. Facts are reached by their path."""

    checks: dict[str, CheckEvidence] = field(default_factory=dict)
    run: RunEvidence | None = None

    def value(self, path: str, ledger: Ledger) -> Any:
        """The fact at a path. Raises NotMeasured, with a clause that says what is missing."""
        first, *rest = path.split(".")
        if first in ledger.check:
            if first not in self.checks:
                raise NotMeasured(f"the check `{first}` has given no facts yet; `harness claims --refresh` runs it")
            return _descend(self.checks[first].facts, rest, f"the check `{first}` gave no fact `{path}`")
        if self.run is None:
            raise NotMeasured("there is no run" if first == RUN else f"there is no run that measured `{first}`")
        if first == RUN:
            return _descend(self.run.summary, rest, f"the run has no `{path}`")
        variants = _descend(self.run.facts, [first], f"the run has no pair `{first}`")
        figures = _descend(variants, rest[:1], f"the run has no variant `{rest[0]}` of `{first}`")
        return _descend(figures, rest[1:], f"the run did not measure `{path}`")


_EVIDENCE = TypeAdapter(Evidence)


def evidence_file(root: Path) -> Path:
    """Where the evidence is kept."""
    return root / FOLDER / "evidence.json"


def load_evidence(root: Path) -> Evidence:
    """The stored evidence; empty when there is none. Raises UsageError when the file is damaged."""
    path = evidence_file(root)
    if not path.is_file():
        return Evidence()
    try:
        return _EVIDENCE.validate_json(path.read_bytes())
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise UsageError(
            f"{path} is damaged: {where}: {error.errors()[0]['msg']}; remove it and run `harness claims --refresh`"
        ) from error


def save_evidence(root: Path, evidence: Evidence) -> None:
    """Stores the evidence. Raises SetupError when the disk does not take it."""
    with disk_errors(root / FOLDER):
        write_atomically(evidence_file(root), _EVIDENCE.dump_json(evidence, indent=1) + b"\n")


def of_run(run: Run, verdict: RunVerdict, ledger: Ledger) -> RunEvidence:
    """The figures of a run that the ledger names; one that was not measured is left out."""
    machine = run.machine
    wanted = [path.split(".") for claim in ledger.claim.values() for path in claim.paths]
    facts: Facts = {}
    warnings: dict[str, str] = {}
    for result in run.results:
        names = {path[2] for path in wanted if path[:2] == [result.pair, result.variant] and len(path) == 3}
        measured = {name: value for name in sorted(names) if (value := _figure(result, name)) is not None}
        facts.setdefault(result.pair, {})[result.variant] = measured
        warnings |= {f"{result.pair}.{result.variant}.{n}": result.warnings[n] for n in names & set(result.warnings)}
    for sweep in run.sweeps:
        for trial in sweep.points:
            where = [sweep.pair, sweep.variant, point(trial.workload.users)]
            names = {path[3] for path in wanted if path[:3] == where and len(path) == 4}
            if not names:
                continue
            figures = {n: f for n in sorted(names) if (f := getattr(trial.figures, n)) is not None}
            facts.setdefault(sweep.pair, {}).setdefault(sweep.variant, {})[where[2]] = figures
            warnings |= {".".join([*where, n]): trial.warnings[n] for n in names & set(trial.warnings)}
    return RunEvidence(
        id=run.id,
        measured=run.started_utc[:10],
        profile=run.profile.name,
        cores=machine.cores,
        python=machine.python,
        postgres=machine.postgres,
        packages={name: machine.packages[name] for name in RUN_PACKAGES if name in machine.packages},
        facts=facts,
        summary=_sequential(run, verdict),
        warnings=warnings,
    )


def _sequential(run: Run, verdict: RunVerdict) -> Facts:
    """Of how many pairs one user alone got the same right answers from every variant, how many show with a single request,
    as they say of themselves, and over how many answers."""
    compared = [p for p in verdict.pairs if len({t.variant for t in run.trials if t.pair == p.pair}) > 1]
    names = {p.pair for p in compared}
    answers = sum(len(t.sequential) for t in run.trials if t.pair in names)
    return {
        "pairs": len(compared),
        "pairs_alike": sum(p.sequential_alike is True for p in compared),
        "pairs_alone": sum(p.shows_alone is True for p in compared),
        "answers": answers,
    }


def _figure(result: VariantResult, name: str) -> float | None:
    if not result.trials:  # no valid window
        return None
    if name == LOST:
        return sum(i.lost for i in result.invariants) if result.invariants else None
    if name in FIGURE_NAMES:
        figure: float | None = getattr(result.figures, name)
        return figure
    return result.outcomes.get(Outcome(name), 0)


def _descend(facts: Mapping[str, Any], keys: Iterable[str], otherwise: str) -> Any:
    """What nested mappings hold below some keys. Raises NotMeasured when one of them is missing, or the end is null."""
    value: Any = facts
    for key in keys:
        if not isinstance(value, Mapping) or key not in value:
            raise NotMeasured(otherwise)
        value = value[key]
    if value is None:  # what was not measured is null, never zero
        raise NotMeasured(otherwise)
    return value
