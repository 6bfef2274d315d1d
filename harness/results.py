"""What was measured of a variant, in one or more trials -> its result. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.figures import measure, outcomes, promises_lost
from harness.formula import ceiling_of
from harness.places import checkout_sites, loop_holds
from harness.record import InvariantResult, Pair, Trial, VariantResult
from harness.routes import route_uses, sightings
from harness.split import latency_split
from harness.window import Window


def variant_result(pair: Pair, variant: str, trials: Iterable[Trial], windows: Sequence[Window]) -> VariantResult:
    """The windows pooled. trials: of the run, whatever they are of; windows: of this variant's valid trials."""
    valid = [t for t in trials if (t.pair, t.variant) == (pair.name, variant) and not t.invalid]
    figures, warnings = measure(windows, ceiling_of(pair, variant))
    invariants = _summed_invariants(valid)
    return VariantResult(
        pair=pair.name,
        variant=variant,
        figures=replace(figures, promises_lost=promises_lost(invariants)),
        warnings=warnings,
        outcomes=outcomes(windows),
        holds=loop_holds(windows),
        checkouts=checkout_sites(windows),
        sightings=sightings(windows),
        routes=route_uses(windows),
        split=latency_split(windows),
        invariants=invariants,
        trials=tuple(t.id for t in valid),
    )


def _summed_invariants(trials: list[Trial]) -> tuple[InvariantResult, ...]:
    by_name: dict[str, list[InvariantResult]] = defaultdict(list)
    for trial in trials:
        for result in trial.invariants:
            by_name[result.name].append(result)
    return tuple(
        InvariantResult(
            name=name,
            promised=sum(r.promised for r in rs),
            kept=sum(r.kept for r in rs),
            promised_by=rs[0].promised_by,
            zero=rs[0].zero,
        )
        for name, rs in by_name.items()
    )
