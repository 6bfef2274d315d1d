"""What a sweep over numbers of users says, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.measured import Estimate, ScalabilityFit
from harness.record import Scalability, Trial
from harness.report import units
from harness.usl import AT_BOUND, described

_FLAT = 1.5  # a peak at so few users is none: the second user already adds nothing
_SERIAL = 0.9  # contention that is surely above this leaves nothing to gain either
_GAP = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, kw_only=True)
class SweepPart:
    """What a page shows of a variant's sweep."""

    variant: str
    sentence: str
    warnings: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]  # empty: no fit
    points: tuple[tuple[str, ...], ...]  # users, goodput, p50, p99, failed


def part(sweep: Scalability) -> SweepPart:
    """A sweep in words and numbers already made."""
    return SweepPart(
        variant=sweep.variant,
        sentence=sentence(sweep),
        warnings=sweep.warnings,
        parameters=parameters(sweep.fit) if sweep.fit else (),
        points=tuple(_row(t) for t in sweep.points),
    )


def sentence(sweep: Scalability) -> str:
    """Up to where more users bring more goodput, and what each added one costs."""
    points = sweep.points
    if not points:
        return "no valid trial of its sweep"
    if sweep.fit is None:
        ends = points[:1] if len(points) == 1 else (points[0], points[-1])
        told = " and ".join(f"{units.rate(t.figures.goodput_rps)} at {_users(t.workload.users)}" for t in ends)
        return f"{told}; no fit"
    if not described(sweep.fit):
        best = max(points, key=lambda t: t.figures.goodput_rps or 0.0)
        most = f"{units.rate(best.figures.goodput_rps)} at {_users(best.workload.users)}"
        return f"most answered is {most}; the law does not describe it"
    if _gains_nothing(sweep.fit):
        return f"a second user adds nothing to the {units.rate(sweep.fit.single_user_rps.value)} of the first"
    return f"{_gain(sweep.fit, points[-1].workload.users)}; {_cost(sweep.fit)}"


def parameters(fit: ScalabilityFit) -> tuple[tuple[str, str], ...]:
    """The fitted numbers with their 95 % intervals: what each is, and its value."""
    return (
        ("goodput of one user, λ", estimate(fit.single_user_rps, units.rate)),
        ("contention, σ", estimate(fit.contention, units.number)),
        ("coherency, κ", estimate(fit.coherency, units.number)),
        ("users at the peak, N*", estimate(fit.peak_users, lambda n: units.number(n, 2))),
        ("goodput at the peak", units.rate(fit.peak_rps)),
        ("typical distance of a point from the curve", units.share(fit.misfit_share)),
    )


def estimate(found: Estimate | None, words: Callable[[float], str]) -> str:
    """A fitted number with its 95 % interval: "0.028 (0.003 to 0.053)"."""
    return units.NONE if found is None else f"{words(found.value)} ({words(found.low)} to {words(found.high)})"


def response_time(t: Trial, name: str) -> str:
    """A response time of a sweep's point, marked where it is a lower bound."""
    bound = f"≥{_GAP}" if t.warnings.get(name, "").startswith("at least") else ""
    return bound + units.seconds(getattr(t.figures, name))


def _row(t: Trial) -> tuple[str, ...]:
    times = (response_time(t, name) for name in ("response_p50_s", "response_p99_s"))
    return units.count(t.workload.users), units.rate(t.figures.goodput_rps), *times, units.share(t.figures.failed_share)


def _gains_nothing(fit: ScalabilityFit) -> bool:
    return (
        fit.contention.low > _SERIAL
        or fit.contention.value >= AT_BOUND
        or (fit.peak_users is not None and fit.peak_users.value < _FLAT)
    )


def _gain(fit: ScalabilityFit, most: int) -> str:
    peak = fit.peak_users
    if peak is not None:
        between = f"95{_GAP}%: {units.number(peak.low, 2)} to {units.number(peak.high, 2)}"
        return f"gains up to about {_users(round(peak.value))} ({between}), where it gives {units.rate(fit.peak_rps)}"
    limit = fit.single_user_rps.value / fit.contention.value if fit.contention.low > 0 else None
    end = "" if limit is None else f", with contention to stop it at {units.rate(limit)}"
    return f"no peak to be seen up to {_users(most)}{end}"


def _cost(fit: ScalabilityFit) -> str:
    """σ and κ as what they add to the response time N/X, which is 1 + σ(N − 1) + κN(N − 1) times a lone user's.

    From N to N + 1 users that is σ + 2κN.
    """
    parts = []
    if fit.contention.low > 0:
        parts.append(_percent(fit.contention.value))
    if fit.coherency.low > 0:
        parts.append(f"{_percent(2 * fit.coherency.value)} for each user already there")
    if not parts:
        return "what an added user costs the others cannot be told from nothing"
    return f"each added user adds {' and '.join(parts)} to everybody's response time, of what a lone user waits"


def _percent(share: float) -> str:
    return f"{units.number(share * 100, 2)}{_GAP}%"


def _users(n: int) -> str:
    return units.plural(n, "user")
