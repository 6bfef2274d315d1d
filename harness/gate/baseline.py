"""What pairs showed when the baseline was made: counts, causes and ratios within one run. Pure, but for reading the
file.

Nothing in it is a time: what one machine did yesterday says nothing of what another does today.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from harness.errors import UsageError
from harness.gate.metrics import METRICS
from harness.judgement import RunVerdict
from harness.record import SCHEMA_VERSION, Run

BASELINE_SCHEMA = 1
COUNTS = {m.name: m.margin for m in METRICS if m.count and m.name not in ("checkouts_per_request", "failed_share")}
COUNTS["connects_per_request"] = 0.5  # how many a pool opens while it fills depends on how long one looks
COUNTS["tokens_per_request"] = 0.2  # of an app that times out it depends on how many got that far
LEAKING = 0.05  # what outlives a request of an app that leaks: how many requests come before the pool is dry depends on the machine
RATIO_FACTOR, MOST_RATIO = 2.0, 10.0  # how many times less a ratio may be than it was; what lies beyond is all the same
UPDATE = "make it anew with `harness gate --baseline FILE --update` and review the diff"


@dataclass(frozen=True, kw_only=True)
class VariantFacts:
    counts: Mapping[str, float]  # per request
    causes: tuple[str, ...]  # that were found
    lost: tuple[str, ...] = ()  # invariants that were broken


@dataclass(frozen=True, kw_only=True)
class PairFacts:
    goodput_ratio: float | None  # fixed over buggy
    met: tuple[str, ...]  # expectations, as the pair words them
    variants: Mapping[str, VariantFacts]


@dataclass(frozen=True, kw_only=True)
class Baseline:
    schema: int = BASELINE_SCHEMA
    run_schema: int = SCHEMA_VERSION
    system: str  # "Linux x86_64"
    cores: int
    pairs: Mapping[str, PairFacts] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Broken:
    """Something that no longer is as it was."""

    pair: str
    variant: str
    what: str


@dataclass(frozen=True)
class _Schema:
    """What is read first: whether the rest can be."""

    schema: int
    run_schema: int


_SCHEMA = TypeAdapter(_Schema)
_BASELINE = TypeAdapter(Baseline)


def facts_of(run: Run, verdict: RunVerdict) -> Baseline:
    """What a run of pairs showed."""
    pairs = {}
    for judged in verdict.pairs:
        causes = {d.variant: tuple(sorted(x.cause.value for x in d.found)) for d in judged.diagnoses}
        variants = {
            r.variant: VariantFacts(
                counts={n: round(v, 2) for n in COUNTS if (v := getattr(r.figures, n)) is not None},
                causes=causes.get(r.variant, ()),
                lost=tuple(i.name for i in r.invariants if i.lost),
            )
            for r in run.results
            if r.pair == judged.pair
        }
        goodput = {r.variant: r.figures.goodput_rps for r in run.results if r.pair == judged.pair}
        fixed, buggy = goodput.get("fixed"), goodput.get("buggy")
        pairs[judged.pair] = PairFacts(
            goodput_ratio=round(fixed / buggy, 2) if fixed is not None and buggy else None,
            # That two variants are alike a few short blocks can not always tell.
            met=tuple(e.expectation.that for e in judged.expectations if e.met and e.equivalence is None),
            variants=variants,
        )
    return Baseline(system=run.machine.system, cores=run.machine.cores, pairs=pairs)


def compare(before: Baseline, now: Baseline, *, ratios: bool) -> list[Broken]:
    """What of the pairs measured now is not as it was. ratios: whether they are compared too, as on a machine of the same kind."""
    broken: list[Broken] = []
    for pair, facts in now.pairs.items():
        was = before.pairs[pair]
        for variant, then in was.variants.items():
            found = facts.variants.get(variant)
            broken += [Broken(pair=pair, variant=variant, what=what) for what in _changes(then, found)]
        broken += [
            Broken(pair=pair, variant="", what=f"no longer holds: {that}") for that in was.met if that not in facts.met
        ]
        if ratios and was.goodput_ratio is not None:
            least = min(was.goodput_ratio, MOST_RATIO) / RATIO_FACTOR
            if facts.goodput_ratio is None or (was.goodput_ratio > RATIO_FACTOR and facts.goodput_ratio < least):
                what = f"goodput of fixed over buggy was {was.goodput_ratio:g} and is {facts.goodput_ratio}, under {least:g}"
                broken.append(Broken(pair=pair, variant="fixed", what=what))
    return broken


def _changes(then: VariantFacts, now: VariantFacts | None) -> list[str]:
    if now is None:
        return ["was not measured"]
    found = []
    if gone := sorted(set(then.causes) - set(now.causes)):
        found.append(f"no longer shows its bug: {', '.join(gone)} was found, and is not")
    if new := sorted(set(now.causes) - set(then.causes)):
        found.append(f"has a bug that it had not: {', '.join(new)}")
    if then.lost != now.lost:
        found.append(f"lost {', '.join(then.lost) or 'nothing'}, and now loses {', '.join(now.lost) or 'nothing'}")
    for name, was in then.counts.items():
        is_now, margin = now.counts.get(name), _tolerated(name, was)
        if is_now is None or abs(is_now - was) > margin:
            found.append(
                f"{name} was {was:g} and is {'not measured' if is_now is None else f'{is_now:g}'} (±{margin:.2g} is tolerated)"
            )
    return found


def _tolerated(name: str, was: float) -> float:
    if name == "outlived_per_request" and was > 0:
        return LEAKING
    return COUNTS.get(name, 0.05) * max(1.0, was)


def load_baseline(path: Path) -> Baseline:
    """Raises UsageError when there is none, it is damaged, or it is of another schema."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(f"--baseline {path} cannot be read: {error.strerror}; make it with --update") from error
    try:
        schema = _SCHEMA.validate_json(text)
        if (schema.schema, schema.run_schema) != (BASELINE_SCHEMA, SCHEMA_VERSION):
            raise UsageError(
                f"{path} is of schema {schema.schema} for runs of schema {schema.run_schema}, not {BASELINE_SCHEMA} and {SCHEMA_VERSION}; "
                f"{UPDATE}"
            )
        return _BASELINE.validate_json(text)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "top level"
        raise UsageError(f"{path} is no baseline: {where}: {error.errors()[0]['msg']}; {UPDATE}") from error


def refuse_other_machine(path: Path, baseline: Baseline, system: str, cores: int) -> None:
    """Raises UsageError when the baseline was made on another kind of machine."""
    if (baseline.system, baseline.cores) != (system, cores):
        raise UsageError(
            f"{path} was made on {baseline.system} with {baseline.cores} cores, this is {system} with {cores}: "
            "give --other-machine to compare only counts and causes, or make it anew here with --update"
        )


def save_baseline(path: Path, baseline: Baseline) -> None:
    """Writes it, a line per fact, so that its diff can be read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_BASELINE.dump_json(baseline, indent=1) + b"\n")
