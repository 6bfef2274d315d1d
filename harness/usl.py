"""The Universal Scalability Law, fitted to measured rates, and what keeps such a fit from being trusted. Pure.

X(N) = λN / (1 + σ(N − 1) + κN(N − 1)), with N users, λ the rate of a single one, σ contention and κ coherency; σ < 1 and κ > 0
give the most at N* = √((1 − σ) / κ). Source: N. J. Gunther, Guerrilla Capacity Planning, Springer 2007, chapters 4 to 6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.measured import Estimate, ScalabilityFit

Floats = NDArray[np.float64]

FEWEST_POINTS = 4  # three unknowns, and one point more to see how far off they are
ENOUGH_POINTS = 6  # what Gunther asks for
MISFIT_LIMIT = 0.1  # typical distance of the points from the curve, past which the law does not describe them
LEVEL = 0.95
AT_BOUND = 1 - 1e-6  # from here on, σ has come to its bound of 1
_FLATTEST = 1e-6  # ratio of singular values below which the points say nothing in some direction
_STARTS = ((0.05, 1e-3), (0.9, 1e-4))  # σ, κ from which the best fit is looked for


def rate(users: Floats, single: float, contention: float, coherency: float) -> Floats:
    """X(N) in requests per second, for a rate of a single user in requests per second."""
    return single * users / (1.0 + contention * (users - 1.0) + coherency * users * (users - 1.0))


def fit_law(users: Sequence[float], rates: Sequence[float], scale: Sequence[float]) -> ScalabilityFit | None:
    """The law that lies closest to the points, by non-linear least squares with λ ≥ 0, 0 ≤ σ ≤ 1 and κ ≥ 0.

    users: at least 1 each; rates: requests per second; scale: for each point, how large its noise is, up to a factor common
    to all (ones: alike everywhere; the rates themselves: proportional to the rate, as in windows of equal length).
    None when there are fewer than four different numbers of users, nothing was answered, or the points leave open which of
    many curves it is.

    Intervals are those of the linearised model: estimate ± t · standard error, with the covariance s²(JᵀJ)⁻¹ of the scaled
    residuals and Student's t for the points less three degrees of freedom (Bates & Watts, Nonlinear Regression Analysis,
    Wiley 1988, section 2.3), cut where σ and κ cannot be. That of N* is the same for its logarithm.
    """
    n, x, noise = (np.asarray(values, dtype=np.float64) for values in (users, rates, scale))
    if len(np.unique(n)) < FEWEST_POINTS or not x.max() > 0:
        return None
    best = _closest(n, x, noise)
    slopes = _slopes(n, *best) / noise[:, None]
    freedom = len(n) - 3
    spread = float(np.sum(((rate(n, *best) - x) / noise) ** 2)) / freedom
    inverse = _inverse(slopes)
    if inverse is None:
        return None
    covariance = spread * inverse
    single, contention, coherency = (
        _estimate(value, _t(freedom) * math.sqrt(covariance[i, i]), most)
        for i, (value, most) in enumerate(zip(best, (math.inf, 1.0, math.inf), strict=True))
    )
    peak = _peak(contention, coherency, covariance[1:, 1:], freedom)
    off = rate(n, *best) - x
    return ScalabilityFit(
        single_user_rps=single,
        contention=contention,
        coherency=coherency,
        peak_users=peak,
        peak_rps=None if peak is None else float(rate(np.array([peak.value]), *best)[0]),
        misfit_share=float(np.sqrt(np.sum((off / rate(n, *best)) ** 2) / freedom)),
        covariance=tuple(tuple(float(v) for v in row) for row in covariance),
        degrees_of_freedom=freedom,
    )


def curve(fit: ScalabilityFit, users: Floats) -> tuple[Floats, Floats, Floats]:
    """The fitted rates at these numbers of users, and the 95 % band of the curve: rates, lower and upper limits.

    The band is that of the linearised model, t · √(gᵀCg) with g the slopes by the three parameters.
    """
    best = (fit.single_user_rps.value, fit.contention.value, fit.coherency.value)
    fitted, slopes = rate(users, *best), _slopes(users, *best)
    half = _t(fit.degrees_of_freedom) * np.sqrt(
        np.maximum(0.0, np.einsum("ij,jk,ik->i", slopes, np.array(fit.covariance), slopes))
    )
    return fitted, np.maximum(fitted - half, 0.0), fitted + half


def described(fit: ScalabilityFit) -> bool:
    """Whether the points lie so near the curve that its parameters mean something."""
    return fit.misfit_share <= MISFIT_LIMIT


def doubts(fit: ScalabilityFit, users: Sequence[float]) -> list[str]:
    """Why not to trust the fit to the points at these numbers of users, a sentence each; empty when nothing speaks against it."""
    found = []
    if len(users) < ENOUGH_POINTS:
        found.append(
            f"only {len(users)} numbers of users: at least {ENOUGH_POINTS} are needed for intervals that say much"
        )
    if not described(fit):
        off = f"{fit.misfit_share * 100:.0f} %" if fit.misfit_share < 10 else "many times its height"
        found.append(
            f"the law does not describe these points: they lie {off} off its curve, "
            f"more than the {MISFIT_LIMIT * 100:.0f} % up to which σ, κ and the peak mean something"
        )
        return found
    if fit.contention.low <= 0:
        found.append("no contention to be told from none: the interval of σ reaches 0")
    if fit.coherency.low <= 0:
        found.append("no coherency cost to be told from none: the interval of κ reaches 0, so no peak is known")
    if fit.contention.value >= AT_BOUND:
        found.append("σ is at its bound of 1: added users add nothing, and its interval is not to be trusted")
    if fit.peak_users is not None and fit.peak_users.value > max(users):
        found.append(f"the peak lies beyond the {max(users):g} users that were measured: it is an extrapolation")
    return found


def _closest(n: Floats, x: Floats, noise: Floats) -> tuple[float, float, float]:
    from scipy.optimize import least_squares

    unit = float((x / n).max())  # so that all three unknowns are of moderate size

    def residuals(p: Floats) -> Floats:
        return np.asarray((rate(n, p[0] * unit, p[1], p[2]) - x) / noise)

    def slopes(p: Floats) -> Floats:
        return np.asarray(_slopes(n, p[0] * unit, p[1], p[2]) * np.array([unit, 1.0, 1.0]) / noise[:, None])

    fits = [
        least_squares(
            residuals, (1.0, *start), slopes, bounds=([0, 0, 0], [np.inf, 1, np.inf]), x_scale=(1.0, 0.1, 1e-3),
            ftol=1e-12, xtol=1e-12, gtol=1e-12, max_nfev=1000,
        )
        for start in _STARTS
    ]  # fmt: skip
    single, contention, coherency = min(fits, key=lambda f: float(f.cost)).x
    return float(single) * unit, float(contention), float(coherency)


def _slopes(n: Floats, single: float, contention: float, coherency: float) -> Floats:
    """How fast the rate changes with λ, σ and κ: one row for each number of users."""
    below = 1.0 + contention * (n - 1.0) + coherency * n * (n - 1.0)
    by_contention = -single * n * (n - 1.0) / below**2
    return np.stack([n / below, by_contention, n * by_contention], axis=1)


def _inverse(slopes: Floats) -> Floats | None:
    """(JᵀJ)⁻¹ of the slopes J, by their singular values; None when one column is, nearly, made of the others."""
    norms = np.linalg.norm(slopes, axis=0)
    if not norms.min() > 0:
        return None
    _, sizes, rows = np.linalg.svd(slopes / norms, full_matrices=False)
    if sizes[-1] < _FLATTEST * sizes[0]:
        return None
    return np.asarray((rows.T / sizes**2) @ rows / np.outer(norms, norms))


def _t(freedom: int) -> float:
    """Student's t that a share of LEVEL lies within, on both sides of 0."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + LEVEL) / 2))


def _estimate(value: float, half: float, most: float) -> Estimate:
    return Estimate(value=value, low=max(0.0, value - half), high=min(most, value + half))


def _peak(contention: Estimate, coherency: Estimate, covariance: Floats, freedom: int) -> Estimate | None:
    """N*, never less than the one user there must be; None when κ cannot be told from 0."""
    if coherency.low <= 0:
        return None
    left = 1.0 - contention.value
    if contention.value >= AT_BOUND:
        return Estimate(value=1.0, low=1.0, high=1.0)
    slopes = np.array([-0.5 / left, -0.5 / coherency.value])
    factor = math.exp(min(_t(freedom) * math.sqrt(max(0.0, float(slopes @ covariance @ slopes))), 50.0))
    at = math.sqrt(left / coherency.value)
    return Estimate(value=max(1.0, at), low=max(1.0, at / factor), high=max(1.0, at * factor))
