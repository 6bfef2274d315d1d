"""A closed sweep: the same variants under 1, 2, 4, 8 … users, and how their goodput scales."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from harness.errors import UsageError
from harness.record import Pair, Profile, Scalability, Trial
from harness.staging import TrialPlan
from harness.usl import FEWEST_POINTS, doubts, fit_law

MOST_USERS = 10_000
_LEAST_NOISE = (
    0.05  # of the largest rate: what the noise of a point near nothing is taken to be at the least, like that of 5 %
)
_FAILING = 0.01  # failed share from which a point is named


def parse_users(text: str) -> tuple[int, ...]:
    """ "1,2,4" -> (1, 2, 4), ascending. Raises UsageError for anything but whole numbers of users, separated by commas."""
    try:
        users = sorted({int(part) for part in text.split(",")})
    except ValueError:
        users = []
    if not users or users[0] < 1 or users[-1] > MOST_USERS:
        raise UsageError(
            f"--sweep {text!r} is not a list of numbers of users from 1 to {MOST_USERS:,}; write for example --sweep 1,2,4,8,16,32"
        )
    return tuple(users)


def users_of(pair: Pair, profile: Profile, asked: Sequence[int]) -> tuple[int, ...]:
    """The numbers of users of a pair's sweep: those asked for; else the pair's own, which the quick profile leaves out."""
    return tuple(asked) or (() if profile.name == "quick" else pair.sweep)


def plan_sweeps(trials: Sequence[TrialPlan], asked: Sequence[int]) -> list[TrialPlan]:
    """The sweeps' trials, one for each variant and number of users, to run after the plan's own trials.

    The numbers of users come in an order shuffled by the seed and the variants take turns at being first, so that what drifts
    on the machine does not look like scaling. Without the sequential check, which the plan's own trials make, and without a
    canary: nothing but the users asks. The windows are as long as the profile's: a pair asks for longer ones to see single requests
    to their end, and the goodput of many users needs no more.
    """
    firsts: dict[str, dict[str, TrialPlan]] = {}
    for trial in trials:
        firsts.setdefault(trial.pair.name, {}).setdefault(trial.variant, trial)
    planned: list[TrialPlan] = []
    for by_variant in firsts.values():
        plans = list(by_variant.values())
        users = list(users_of(plans[0].pair, plans[0].profile, asked))
        random.Random(plans[0].seed).shuffle(users)
        for turn, count in enumerate(users):
            for plan in plans if turn % 2 == 0 else reversed(plans):
                planned.append(_with_users(plan, count, len(trials) + len(planned) + 1))
    return planned


def scalabilities(trials: Sequence[Trial]) -> tuple[Scalability, ...]:
    """What the sweeps of a run show. In: their trials, in any order."""
    of: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in sorted(trials, key=lambda t: t.id):
        of[trial.pair, trial.variant].append(trial)
    return tuple(scalability(pair, variant, mine) for (pair, variant), mine in of.items())


def scalability(pair: str, variant: str, trials: Sequence[Trial]) -> Scalability:
    """What a variant's sweep shows. In: its trials, in any order, the invalid ones too."""
    found = Scalability(pair=pair, variant=variant, trials=tuple(sorted(trials, key=lambda t: t.workload.users)))
    users = [t.workload.users for t in found.points]
    rates = [t.figures.goodput_rps or 0.0 for t in found.points]
    noise = [max(r, _LEAST_NOISE * max(rates)) for r in rates]
    fit = fit_law(users, rates, noise) if users else None
    if fit is None:
        return replace(found, warnings=(*_about_points(found), f"no fit: {_why_none(users, rates)}"))
    return replace(found, fit=fit, warnings=(*_about_points(found), *doubts(fit, users)))


def _why_none(users: Sequence[int], rates: Sequence[float]) -> str:
    if len(set(users)) < FEWEST_POINTS:
        return f"the law needs {FEWEST_POINTS} numbers of users"
    return "the points do not determine the law" if max(rates) else "nothing was answered rightly"


def _with_users(plan: TrialPlan, users: int, number: int) -> TrialPlan:
    workload = replace(plan.pair.workload, model="closed", users=users, rate_rps=None, canary=None)
    return replace(
        plan,
        id=number,
        pair=replace(plan.pair, workload=workload),
        profile=replace(plan.profile, sequential_tasks=0, window_s=plan.profile.window_s / plan.pair.window_factor),
    )


def _about_points(found: Scalability) -> list[str]:
    said = [f"left out, invalid: {t.workload.users} users: {'; '.join(t.invalid)}" for t in found.trials if t.invalid]
    failing = [t for t in found.points if (t.figures.failed_share or 0.0) > _FAILING]
    if failing:
        counts = ", ".join(str(t.workload.users) for t in failing)
        said.append(f"requests failed at {counts} users: goodput is fitted, and the law knows nothing of failures")
    return said
