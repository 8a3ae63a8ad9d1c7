"""The tests between epochs against scipy and closed forms."""

import numpy as np
import pytest
from scipy import stats

from dsnlib import EmergentProperty
from dsnlib.methods.equivalence import equivalence
from dsnlib.methods.lagrangian.convergence import Welch, bootstrap_p, next_penalty, welch


def test_welch_from_its_definition():
    rng = np.random.default_rng(0)
    now, before, gamma = rng.normal(0.3, 0.1, 100), rng.normal(1, 0.3, 100), 0.25
    outcome = welch(now, before, gamma)
    a, b = now.var(ddof=1) / 100, gamma**2 * before.var(ddof=1) / 100
    t = (now.mean() - gamma * before.mean()) / np.sqrt(a + b)
    freedom = (a + b) ** 2 / (a**2 / 99 + b**2 / 99)
    np.testing.assert_allclose(outcome, [t, 2 * stats.t.sf(abs(t), freedom)], rtol=1e-10)


@pytest.mark.parametrize(
    ("now", "t", "p"), [(1.0, np.inf, 0.0), (0.25, 0.0, 1.0), (0.1, -np.inf, 0)]
)
def test_welch_without_spread(now, t, p):
    assert welch(np.full(100, now), np.ones(100), 0.25) == Welch(t, p)


def test_penalty_grows_with_probability_one_minus_half_p():
    rng = np.random.default_rng(1)
    n = 20_000
    grown = sum(next_penalty(2.0, 4.0, Welch(1.0, 0.3), rng) == 8.0 for _ in range(n))
    # binomial with probability 0.85, within 4 standard deviations
    assert abs(grown / n - 0.85) < 4 * np.sqrt(0.85 * 0.15 / n)
    assert next_penalty(2.0, 4.0, Welch(-1.0, 0.0), rng) == 2.0
    assert next_penalty(2.0, 4.0, Welch(9.0, 0.0), rng) == 8.0


def test_bootstrap_p_from_its_definition():
    rng = np.random.default_rng(2)
    moments = rng.normal(size=(1_000, 2))
    # The mean of 200 of 1,000 without replacement: variance s^2 / 200 (1 - 200 / 1000).
    mu = np.array([0.0, 0.12])
    centre = moments.mean(axis=0)
    spread = moments.std(axis=0, ddof=1) * np.sqrt(0.8 / 200)
    expected = 2 * stats.norm.sf(np.abs(centre - mu) / spread)
    repeated = np.mean([bootstrap_p(moments, mu, rng) for _ in range(300)], axis=0)
    np.testing.assert_allclose(repeated, expected, atol=0.04)


def test_bootstrap_p_is_zero_far_away_and_at_most_one():
    rng = np.random.default_rng(3)
    moments = rng.normal(size=(1_000, 1))
    assert bootstrap_p(moments, np.array([5.0]), rng) == 0
    assert bootstrap_p(moments, moments.mean(axis=0), rng) <= 1


def test_equivalence_against_scipy():
    rng = np.random.default_rng(4)
    f = rng.normal(0.5, 0.1, 4_000)
    moments = np.stack([f, f**2], axis=1)
    prop = EmergentProperty([0.5], [0.1])
    tested = equivalence(moments, prop)
    for i, (values, target, unit) in enumerate([(f, 0.5, 0.1), ((f - 0.5) ** 2, 0.01, 0.01)]):
        interval = stats.ttest_1samp(values, target).confidence_interval(1 - 0.05 / 2)
        np.testing.assert_allclose(
            [target + unit * tested.low[i], target + unit * tested.high[i]], interval, rtol=1e-9
        )
    assert tested.met.all()
    shifted = f + 0.02
    found = equivalence(np.stack([shifted, shifted**2], axis=1), prop)
    assert found.met.tolist() == [False, True]  # a fifth of an sd adds 4 % to the variance about m


def test_a_variance_half_too_large_is_not_equivalent_where_the_mean_is_many_sd():
    f = np.random.default_rng(6).normal(5, np.sqrt(1.5) * 0.1, 20_000)
    tested = equivalence(np.stack([f, f**2], axis=1), EmergentProperty([5.0], [0.1]))
    assert tested.met.tolist() == [True, False]


def test_few_samples_pass_the_notes_test_but_not_equivalence():
    rng = np.random.default_rng(5)
    f = rng.normal(0.5, 0.5, 1_000)  # five times too wide
    moments = f[:, None]
    assert bootstrap_p(moments, moments.mean(axis=0) + 0.002, rng) > 0.025
    assert not equivalence(np.stack([f, f**2], axis=1), EmergentProperty([0.5], [0.1])).met.any()
