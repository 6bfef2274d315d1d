"""Two runs side by side: what may not be compared, and the figures of both. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from harness.errors import UsageError
from harness.measured import Figures
from harness.record import Machine, Pair, Profile, Run, VariantResult

COMPARED = ("goodput_rps", "response_p99_s", "failed_share", "cpu_s_per_request")
_MEMORY_SHARE = 0.1
_SHOWN = 4  # packages that differ, by name


@dataclass(frozen=True, kw_only=True)
class Change:
    """One figure of both runs. The ratio is second over first; None where one of them is not known, or the first is zero."""

    metric: str
    first: float | None
    second: float | None
    ratio: float | None
    warnings: tuple[str, ...]  # what limits either of them


@dataclass(frozen=True, kw_only=True)
class Row:
    """One variant of a pair that both runs have."""

    pair: str
    variant: str
    lacking: tuple[str, ...]  # "first", "second": has no valid trial of it
    changes: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Two runs side by side."""

    first: Run
    second: Run
    unlike: tuple[str, ...]  # why they should not be compared
    rows: tuple[Row, ...]
    only_first: tuple[str, ...]  # pairs that the other run does not have
    only_second: tuple[str, ...]


def compare(first: Run, second: Run, *, anyway: bool = False) -> Compared:
    """The figures of two runs. Raises UsageError when they share no pair, or are unlike in more than their code; ``anyway`` lifts the latter."""
    before, after = ({p.name: p for p in run.pairs} for run in (first, second))
    shared = [name for name in before if name in after]
    if not shared:
        raise UsageError(f"runs {first.id} and {second.id} have no pair in common: there is nothing to compare")
    reasons = tuple(unlike(first, second))
    if reasons and not anyway:
        raise UsageError(
            f"runs {first.id} and {second.id} are unlike: {'; '.join(reasons)}. Measure again alike, or give --anyway"
        )
    return Compared(
        first=first,
        second=second,
        unlike=reasons,
        rows=tuple(_row(name, v, first, second) for name in shared for v in before[name].variants),
        only_first=tuple(name for name in before if name not in after),
        only_second=tuple(name for name in after if name not in before),
    )


def unlike(first: Run, second: Run) -> Iterator[str]:
    """What else than the code differs between two runs, in words."""
    yield from _machines(first.machine, second.machine)
    yield from _packages(first.machine.packages, second.machine.packages)
    yield from _profiles(first.profile, second.profile)
    after = {p.name: p for p in second.pairs}
    for pair in first.pairs:
        if pair.name in after:
            yield from _workloads(pair, after[pair.name])


def _machines(a: Machine, b: Machine) -> Iterator[str]:
    for name in ("cores", "placement", "cpu", "system", "python", "postgres"):
        old, new = getattr(a, name), getattr(b, name)
        if old != new:
            yield f"{name} {old if old is not None else 'none'} and {new if new is not None else 'none'}"
    if abs(a.memory_bytes - b.memory_bytes) > _MEMORY_SHARE * max(a.memory_bytes, b.memory_bytes):
        yield f"memory {a.memory_bytes / 2**30:.1f} and {b.memory_bytes / 2**30:.1f} GiB"


def _packages(a: dict[str, str], b: dict[str, str]) -> Iterator[str]:
    differ = [name for name in sorted(a | b) if a.get(name) != b.get(name)]
    yield from (f"{name} {a.get(name, 'none')} and {b.get(name, 'none')}" for name in differ[:_SHOWN])
    if len(differ) > _SHOWN:
        yield f"{len(differ) - _SHOWN} other packages"


def _profiles(a: Profile, b: Profile) -> Iterator[str]:
    for f in fields(Profile):
        if f.name != "name" and getattr(a, f.name) != getattr(b, f.name):
            yield f"profile {a.name} with {f.name} {getattr(a, f.name):g} and {b.name} with {getattr(b, f.name):g}"


def _workloads(a: Pair, b: Pair) -> Iterator[str]:
    if a.workload != b.workload:
        yield f"the workloads of {a.name} differ"
    if a.settings != b.settings:
        yield f"the settings of {a.name} differ"


def _row(pair: str, variant: str, first: Run, second: Run) -> Row:
    results = [_result(run, pair, variant) for run in (first, second)]
    lacking = tuple(name for name, r in zip(("first", "second"), results, strict=True) if r is None)
    return Row(
        pair=pair, variant=variant, lacking=lacking, changes=tuple(_change(metric, *results) for metric in COMPARED)
    )


def _result(run: Run, pair: str, variant: str) -> VariantResult | None:
    return next((r for r in run.results if (r.pair, r.variant) == (pair, variant)), None)


def _change(metric: str, first: VariantResult | None, second: VariantResult | None) -> Change:
    old, new = (getattr(r.figures if r else Figures(), metric) for r in (first, second))
    warnings = [r.warnings[metric] for r in (first, second) if r and metric in r.warnings]
    return Change(
        metric=metric,
        first=old,
        second=new,
        ratio=new / old if old and new is not None else None,
        warnings=tuple(dict.fromkeys(warnings)),
    )
