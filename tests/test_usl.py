"""The Universal Scalability Law: against a published fit, against known truths, and against data that it does not describe."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measured import ScalabilityFit
from harness.usl import curve, doubts, fit_law, rate

USERS = (1, 2, 4, 8, 16, 32, 64)

# SPEC SDM91 on a Sun SPARCcenter 2000: scripts per hour against simultaneous users. One of Gunther's examples; data set
# `specsdm91` of the R package usl, https://github.com/smoeding/usl, whose README prints the fit below (there α, β, γ for
# σ, κ, λ) and whose tests/peak-scalability.R the peak at 97.
SDM91_USERS = (1, 18, 36, 72, 108, 144, 216)
SDM91_RATES = (64.9, 995.9, 1652.4, 1853.2, 1828.9, 1775.0, 1702.2)
T_OF_4 = 2.776445  # Student's t, 97.5 %, four degrees of freedom


def fitted(users: tuple[int, ...], rates: list[float]) -> ScalabilityFit:
    """The fit under noise in proportion to the rate."""
    fit = fit_law(users, rates, rates)
    assert fit is not None
    return fit


def law(users: tuple[int, ...], single: float, contention: float, coherency: float) -> list[float]:
    return [float(r) for r in rate(np.array(users, dtype=np.float64), single, contention, coherency)]


def test_the_published_fit_of_a_published_data_set() -> None:
    fit = fit_law(SDM91_USERS, SDM91_RATES, np.ones(7).tolist())  # published as an unweighted fit
    assert fit is not None
    published = ((fit.contention, 0.0277285, 0.0091217), (fit.coherency, 0.0001044, 0.0000199))
    for estimate, value, error in (*published, (fit.single_user_rps, 89.9952330, 14.2134894)):
        assert estimate.value == pytest.approx(value, rel=1e-3)
        assert estimate.high - estimate.value == pytest.approx(T_OF_4 * error, rel=5e-3)
    assert fit.peak_users is not None
    assert round(fit.peak_users.value) == 97
    assert fit.peak_users.low < 97 < fit.peak_users.high
    assert fit.peak_rps == pytest.approx(1884, abs=3)


@given(
    single=st.floats(0.5, 5000.0),
    contention=st.floats(0.0, 1.0),
    coherency=st.floats(0.0, 0.05),
)
def test_points_on_the_law_give_its_parameters_back(single: float, contention: float, coherency: float) -> None:
    fit = fitted(USERS, law(USERS, single, contention, coherency))
    assert fit.single_user_rps.value == pytest.approx(single, rel=1e-3)
    assert fit.contention.value == pytest.approx(contention, abs=2e-3)
    assert fit.coherency.value == pytest.approx(coherency, abs=2e-4)
    assert fit.misfit_share < 1e-3


@pytest.mark.parametrize("truth", [(50.0, 0.03, 0.0005), (50.0, 0.2, 0.002), (50.0, 0.9, 0.001)])
def test_the_intervals_hold_the_truth_about_as_often_as_they_say(truth: tuple[float, float, float]) -> None:
    """95 % intervals over 120 noisy sweeps: fewer than 88 % has a chance below 1 in 500."""
    random = np.random.default_rng(4)
    held = np.zeros(3)
    for _ in range(120):
        rates = np.array(law(USERS, *truth)) * np.exp(random.normal(0, 0.06, len(USERS)))
        fit = fitted(USERS, rates.tolist())
        estimates = (fit.single_user_rps, fit.contention, fit.coherency)
        held += [e.low <= t <= e.high for e, t in zip(estimates, truth, strict=True)]
    assert (held >= 0.88 * 120).all()


@given(
    contention=st.floats(0.0, 1.0),
    coherency=st.floats(0.0, 0.01),
    seed=st.integers(0, 2**32 - 1),
    noise=st.floats(0.001, 0.5),
)
def test_intervals_surround_their_value_within_what_can_be(
    contention: float, coherency: float, seed: int, noise: float
) -> None:
    random = np.random.default_rng(seed)
    rates = np.array(law(USERS, 40.0, contention, coherency)) * np.exp(random.normal(0, noise, len(USERS)))
    fit = fitted(USERS, rates.tolist())
    for estimate, most in ((fit.single_user_rps, math.inf), (fit.contention, 1.0), (fit.coherency, math.inf)):
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= most
    if fit.peak_users is not None:
        assert 1 <= fit.peak_users.low <= fit.peak_users.value <= fit.peak_users.high
        assert fit.coherency.low > 0


def test_the_band_surrounds_the_curve_and_narrows_with_the_noise() -> None:
    at = np.linspace(1, 64, 20)
    truth = np.array(law(USERS, 50.0, 0.05, 0.001))
    signs = np.array([1, -1, 1, 1, -1, -1, 1])
    widths = []
    for noise in (0.01, 0.1):
        middle, low, high = curve(fitted(USERS, (truth * (1 + noise * signs)).tolist()), at)
        assert (low <= middle).all() and (middle <= high).all() and (low >= 0).all()
        widths.append(float((high - low).mean()))
    assert widths[0] < widths[1] / 5


def test_a_clean_sweep_past_its_peak_leaves_no_doubt() -> None:
    rates = np.array(law(USERS, 50.0, 0.05, 0.002)) * (1 + 0.005 * np.array([1, -1, 1, -1, 1, -1, 1]))
    assert doubts(fitted(USERS, rates.tolist()), USERS) == []


@pytest.mark.parametrize(
    ("users", "rates", "doubt"),
    [
        (USERS, [50, 100, 200, 400, 10, 5, 2], "the law does not describe these points"),
        (USERS, [50.0 * n * (1 + 0.01 * (-1) ** n) for n in USERS], "no contention to be told from none"),
        (USERS, [50.0 * n * (1 + 0.01 * (-1) ** n) for n in USERS], "no coherency cost to be told from none"),
        (USERS, [5.0] * 7, "σ is at its bound of 1"),
        (USERS[:4], law(USERS[:4], 50.0, 0.1, 0.02), "only 4 numbers of users"),
        (USERS, law(USERS, 50.0, 0.02, 0.00001), "the peak lies beyond the 64 users"),
    ],
)
def test_a_fit_that_is_not_to_be_trusted_says_why(users: tuple[int, ...], rates: list[float], doubt: str) -> None:
    assert any(text.startswith(doubt) for text in doubts(fitted(users, rates), users))


@given(
    users=st.lists(st.integers(1, 300), min_size=4, max_size=8, unique=True),
    rates=st.lists(st.one_of(st.just(0.0), st.floats(1e-3, 1e5)), min_size=8, max_size=8),
)
def test_whatever_the_points_the_fit_is_finite_or_none(users: list[int], rates: list[float]) -> None:
    mine = rates[: len(users)]
    fit = fit_law(users, mine, [max(r, 0.05 * max(mine), 1e-9) for r in mine])
    if fit is None:
        return
    middle, low, high = curve(fit, np.linspace(min(users), max(users), 9))
    assert np.isfinite([middle, low, high]).all()
    numbers = [fit.misfit_share, *(v for row in fit.covariance for v in row)]
    for estimate in (fit.single_user_rps, fit.contention, fit.coherency, fit.peak_users):
        numbers += [estimate.low, estimate.value, estimate.high] if estimate else []
    assert np.isfinite(numbers).all()
    assert isinstance(doubts(fit, users), list)


@pytest.mark.parametrize(
    ("users", "rates"),
    [((), ()), ((1, 2, 4), (1.0, 2.0, 3.0)), ((1, 1, 2, 4), (1.0, 1.0, 2.0, 3.0)), (USERS, (0.0,) * 7)],
)
def test_too_little_to_fit(users: tuple[int, ...], rates: tuple[float, ...]) -> None:
    assert fit_law(users, rates, [1.0] * len(users)) is None
