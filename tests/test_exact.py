"""The exact answer against closed forms, direct integration and a second implementation."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats
from scipy.special import logsumexp

from dsnlib import STG, Circuit, EmergentProperty, Linear2D, Parameter, Statistic, exact_maxent
from dsnlib.judging.distances import kl_divergence
from dsnlib.maxent import grid as grid_module
from dsnlib.maxent import statistics_grid
from dsnlib.maxent.dual import solve_dual
from dsnlib.maxent.modes import _names
from test_stg import plain_frequency, plain_voltage  # the second implementation

MEDIUM = EmergentProperty([0.525], [0.025])


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DSNLIB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@dataclasses.dataclass(frozen=True)
class Identity(Circuit):
    """The statistics are the parameters themselves, so the answer is a truncated Gaussian."""

    size: int

    @property
    def parameters(self):
        return tuple(Parameter(f"a{i}", "1", 0, 10) for i in range(self.size))

    @property
    def observables(self):
        return tuple(Statistic(f"a{i}", "1") for i in range(self.size))

    def evaluate(self, z):
        return z


@dataclasses.dataclass(frozen=True)
class Antisymmetric(Circuit):
    """`Linear2D` with the diagonal at zero: two of its four entries are free."""

    parameters: ClassVar = (Parameter("a12", "1/s", -10, 10), Parameter("a21", "1/s", -10, 10))
    observables: ClassVar = Linear2D.observables

    def evaluate(self, z):
        zero = jnp.zeros_like(z[:, 0])
        return Linear2D().evaluate(jnp.stack([zero, z[:, 0], z[:, 1], zero], axis=1))


@dataclasses.dataclass(frozen=True)
class Bumps(Circuit):
    """A statistic near its target 1 in two discs, of radius 1 and 2, and NaN in a corner."""

    parameters: ClassVar = (Parameter("x", "1", 0, 10), Parameter("y", "1", 0, 10))
    observables: ClassVar = (Statistic("f", "1"),)

    def evaluate(self, z):
        small = jnp.linalg.norm(z - jnp.array([8.0, 2.0]), axis=1) < 1
        large = jnp.linalg.norm(z - jnp.array([3.0, 6.0]), axis=1) < 2
        f = jnp.where(small | large, 1.0, 0.001 * z[:, 0])
        return jnp.where(z.min(axis=1) > 9, jnp.nan, f)[:, None]


def truncated_gaussian(mean, sd, low, high):
    """The Gaussian that has this mean and sd once it is cut at low and high."""

    def miss(x):
        loc, scale = x[0], np.exp(x[1])
        cut = stats.truncnorm((low - loc) / scale, (high - loc) / scale, loc, scale)
        return cut.mean() - mean, cut.std() - sd

    loc, log_scale = optimize.fsolve(miss, [mean, np.log(sd)], xtol=1e-12)
    scale = np.exp(log_scale)
    return loc, scale, stats.truncnorm((low - loc) / scale, (high - loc) / scale, loc, scale)


@given(mean=st.floats(2, 8), breadth=st.floats(0.1, 0.5))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_one_parameter_gives_the_truncated_gaussian(mean, breadth):
    sd = breadth * min(mean, 10 - mean)  # narrow enough for a density that peaks inside
    loc, scale, cut = truncated_gaussian(mean, sd, 0, 10)
    points = (np.arange(20_000) + 0.5)[:, None] / 2_000
    dual = solve_dual(points, EmergentProperty([mean], [sd]))
    # Midpoint sums of a smooth integrand: the error falls with the square of the cell.
    np.testing.assert_allclose(dual.eta, [loc / scale**2, -0.5 / scale**2], rtol=1e-5, atol=1e-5)
    assert abs(dual.relative_entropy + np.log(10) - cut.entropy()) < 1e-6
    assert dual.gradient_norm < 1e-8


def test_three_parameters():
    prop = EmergentProperty([3, 5, 7], [1, 2, 1.5])
    ref = exact_maxent(Identity(3), prop, cells=60)
    cuts = [truncated_gaussian(m, s, 0, 10) for m, s in zip(prop.mean, prop.sd, strict=True)]
    assert abs(ref.entropy - sum(cut.entropy() for _, _, cut in cuts)) < 2e-3
    eta = [loc / scale**2 for loc, scale, _ in cuts] + [-0.5 / scale**2 for _, scale, _ in cuts]
    np.testing.assert_allclose(ref.eta, eta, rtol=5e-3)
    assert abs(float(ref.density.sum()) * (10 / 60) ** 3 - 1) < 1e-12
    assert ref.density.dims == ("a0", "a1", "a2")


def test_linear2d_with_two_free_entries_by_direct_integration():
    prop = EmergentProperty([0.5, 0.6], [1.0, 0.5])
    ref = exact_maxent(Antisymmetric(), prop, cells=1_000)

    def moments(a12, a21):
        growth, frequency = np.sqrt(max(a12 * a21, 0)), np.sqrt(max(-a12 * a21, 0)) / (2 * np.pi)
        return np.array([growth, frequency, growth**2, frequency**2])

    def integral(values):
        """Over the four quadrants, between whose borders the integrand is smooth."""
        quarters = [((-10, 0), (-10, 0)), ((-10, 0), (0, 10)), ((0, 10), (-10, 0)), ((0, 10),) * 2]
        return sum(
            integrate.dblquad(lambda y, x: values(moments(x, y)), *x, *y, epsabs=1e-4)[0]
            for x, y in quarters
        )

    Z = integral(lambda T: np.exp(ref.eta @ T))
    assert abs(np.log(Z) - ref.log_z) < 1e-3
    for i, mu in enumerate(prop.mu):
        mean = integral(lambda T, i=i: T[i] * np.exp(ref.eta @ T)) / Z
        assert abs(mean - mu) < 2e-3
    assert abs(ref.entropy - (np.log(Z) - ref.eta @ prop.mu)) < 1e-2


def test_stg_against_a_second_implementation():
    cells = 60
    ref = exact_maxent(STG(T=200), MEDIUM, cells=cells)
    midpoints = 20 * (np.arange(cells) + 0.5) / cells
    z = np.stack(np.meshgrid(midpoints, midpoints, indexing="ij"), axis=-1).reshape(-1, 2)
    f = plain_frequency(plain_voltage(z, 200, 0.025, 5.0)[:, 2], 0.025, 20)
    u = (f - 0.525) / 0.025

    def miss(theta):
        p = np.exp(theta[0] * u + theta[1] * u**2 - logsumexp(theta[0] * u + theta[1] * u**2))
        return p @ u, p @ u**2 - 1

    theta = optimize.fsolve(miss, [0, -0.5], xtol=1e-13)
    exponent = theta[0] * u + theta[1] * u**2
    log_p = exponent - logsumexp(exponent)
    H = -(np.exp(log_p) * log_p).sum() + np.log((20 / cells) ** 2)
    assert abs(ref.entropy - H) < 1e-4  # the two differ by rounding, which cliffs amplify
    square = theta[1] / 0.025**2
    np.testing.assert_allclose(ref.eta, [theta[0] / 0.025 - 2 * 0.525 * square, square], rtol=1e-3)
    assert ref.gradient_norm < 1e-8


def test_finer_grids_agree_within_their_errors():
    coarse, fine = (exact_maxent(STG(T=200), MEDIUM, cells=cells) for cells in (300, 600))
    for name in ("entropy", "log_z"):
        error = np.hypot(getattr(coarse, f"{name}_se"), getattr(fine, f"{name}_se"))
        assert abs(getattr(coarse, name) - getattr(fine, name)) < 4 * error
    assert (abs(coarse.eta - fine.eta) < 4 * np.hypot(coarse.eta_se, fine.eta_se)).all()
    assert fine.entropy_se < coarse.entropy_se < 0.05
    for mode in fine.modes:
        same = next(m for m in coarse.modes if m.name == mode.name)
        assert abs(mode.mass - same.mass) < 4 * np.hypot(mode.mass_se, same.mass_se)


@pytest.fixture(scope="module")
def reference():
    return exact_maxent(STG(T=200), MEDIUM, cells=400)


def test_samples_are_from_the_exact_distribution(reference):
    n = 4_000
    z = reference.sample(jax.random.key(1), n)
    assert z.shape == (n, 2)
    assert (reference.sample(jax.random.key(1), 10) == z[:10]).all()
    moments = reference.moments(z)
    error = moments.std(axis=0) / np.sqrt(n)
    # 4 standard errors of the sample, and those of the grid's eta to first order
    spread = np.cov(moments.T) @ np.abs(reference.eta_se)
    assert (abs(moments.mean(axis=0) - MEDIUM.mu) < 4 * error + abs(spread)).all()
    surprise = -reference.log_prob(z)
    tolerance = 4 * surprise.std() / np.sqrt(n) + 4 * reference.entropy_se
    assert abs(surprise.mean() - reference.entropy) < tolerance
    modes = reference.assign(z)
    for k, mode in enumerate(reference.modes):
        error = np.sqrt(mode.mass * (1 - mode.mass) / n)
        assert abs((modes == k).mean() - mode.mass) < 4 * np.hypot(error, mode.mass_se)


def test_kl_of_the_answer_itself_and_of_the_uniform(reference):
    z = reference.sample(jax.random.key(2), 500)
    own = kl_divergence(reference.log_prob(z), reference.log_prob_of(reference.moments(z)))
    assert own == (0, 0)
    n = 20_000
    z = np.random.default_rng(3).uniform(0, 20, (n, 2))
    sampled = kl_divergence(np.full(n, -np.log(400)), reference.log_prob(z))
    exponent = reference.prop.moments(reference.grid.values.reshape(-1, 1)) @ reference.eta
    quadrature = -np.log(400) - float(exponent.mean()) + reference.log_z
    assert abs(sampled.value - quadrature) < 4 * sampled.se
    assert sampled.se < 0.02 * sampled.value


def test_importance_sampling_from_the_uniform_gives_the_normaliser(reference):
    n = 100_000
    z = np.random.default_rng(4).uniform(0, 20, (n, 2))
    weights = 400 * np.exp(reference.log_prob(z))  # mean 1
    error = weights.std() / np.sqrt(n)
    assert abs(weights.mean() - 1) < 4 * np.hypot(error, reference.log_z_se)


def test_modes_of_two_discs():
    # Outside the discs f is 0 to 0.01, so a mean of 0.9 leaves sds of 0.297 to 0.3.
    prop = EmergentProperty([0.9], [0.2985])
    ref = exact_maxent(Bumps(), prop, cells=200)
    assert [mode.name for mode in ref.modes] == ["lower", "upper"]  # the large disc is at small x
    large, small = ref.modes
    assert abs(large.area - 4 * np.pi / 100) < 1e-3
    assert abs(small.area - np.pi / 100) < 1e-3
    assert abs(large.mass / small.mass - 4) < 0.05  # the density is the same in both
    np.testing.assert_allclose([large.centre, small.centre], [(3, 6), (8, 2)], atol=1e-2)
    z = np.array([(3, 6), (8, 2), (5, 5), (0, 0), (10, 10), (3, 7.9)])
    assert ref.assign(z).tolist() == [0, 1, -1, -1, -1, 0]
    assert ref.assign(z, np.ones((6, 1))).tolist() == [0, 1, -1, -1, -1, 0]  # no mode nearby
    assert (ref.assign(z, np.zeros((6, 1))) == -1).all()
    rng = np.random.default_rng(0)  # a thin ring about the border of the large disc
    angle, radius = rng.uniform(0, 2 * np.pi, 500), rng.uniform(1.97, 2.03, 500)
    ring = np.array([3, 6]) + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert ((ref.assign(ring) == 0) == (radius < 2)).all()
    assert (ref.density.sel(x=slice(9, None), y=slice(9, None)) == 0).all()  # simulations fail
    assert ref.log_prob(np.array([[9.5, 9.5]])) == -np.inf


@pytest.mark.parametrize(
    ("first", "names"),
    [
        ([], []),
        ([5], ["upper"]),
        ([5, 9], ["lower", "upper"]),
        ([5, 1], ["upper", "lower"]),
        ([5, 9, 1, 2], ["upper", "third", "lower", "fourth"]),
        ([5, 9, 7], ["lower", "upper", "third"]),
    ],
)
def test_names_of_modes(first, names):
    assert _names([(x, 0.0) for x in first]) == names


@pytest.mark.parametrize(
    ("circuit", "mean", "sd", "message"),
    [
        (Identity(1), 11, 1, r"mean\[0\] must lie between 0.05 and 9.95, .* got 11; choose"),
        (Identity(1), 5, 6, r"sd\[0\] must lie between .* and 4.95, .* got 6; choose a target"),
        (Bumps(), 0.5, 0.001, r"sd\[0\] must lie between 0.49\d* and .* at a mean of 0.5, got"),
        (STG(T=200), 0.99, 0.001, r"mean\[0\] must lie between"),
        (STG(T=200), 2.0, 0.1, r"mean of f_hub must lie in \[0, 1\] Hz"),
    ],
)
def test_infeasible_targets(circuit, mean, sd, message):
    with pytest.raises(ValueError, match=message):
        exact_maxent(circuit, EmergentProperty([mean], [sd]), cells=100)


def test_targets_that_exclude_each_other():
    growth_and_rotation = EmergentProperty([2.0, 1.0], [0.01, 0.01])  # one of the two is always 0
    with pytest.raises(ValueError, match=r"mean and sd must be possible together.*mean=\[2.0, 1.0"):
        exact_maxent(Antisymmetric(), growth_and_rotation, cells=100)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: exact_maxent(STG, MEDIUM), TypeError, "circuit must be a dsnlib.Circuit, got"),
        (lambda: exact_maxent(STG(), 0.5), TypeError, "prop must be a dsnlib.EmergentProperty"),
        (lambda: exact_maxent(STG(), MEDIUM, cells=2), ValueError, "cells must be at least 4"),
        (lambda: exact_maxent(STG(), MEDIUM, cells="9"), TypeError, "cells must be a whole number"),
        (lambda: statistics_grid(STG(), 10**5), ValueError, "cells must be at most 8192"),
        (
            lambda: exact_maxent(Linear2D(), EmergentProperty([0, 1], [1, 1])),
            ValueError,
            r"circuit must have at most 3 parameters for a grid, got 4 \(a11, .*fix some of them",
        ),
        (
            lambda: exact_maxent(STG(), EmergentProperty([0, 1], [1, 1])),
            ValueError,
            "mean must have one entry for each statistic",
        ),
    ],
)
def test_bad_input(cache, call, error, message):
    with pytest.raises(error, match=message):
        call()
    assert not cache.exists()


def test_the_grid_is_kept_and_its_key_is_all_it_depends_on(cache, monkeypatch):
    computed = []
    original = grid_module._computed

    def spy(circuit, cells):
        computed.append((circuit, cells))
        return original(circuit, cells)

    monkeypatch.setattr(grid_module, "_computed", spy)
    first = statistics_grid(STG(T=50), 20)
    assert statistics_grid(STG(T=50), 20).identical(first)
    assert len(computed) == 1
    for circuit, cells in ((STG(T=50, g_synB=4.0), 20), (STG(T=51), 20), (STG(T=50), 21)):
        statistics_grid(circuit, cells)
    assert len(computed) == 4
    changed = type("STG", (STG,), {"evaluate": lambda self, z: jnp.sin(z[:, :1])})
    assert changed(T=50).configuration() == STG(T=50).configuration()
    assert not statistics_grid(changed(T=50), 20).equals(first)
    for file in cache.iterdir():
        file.write_bytes(file.read_bytes()[:100])
    assert statistics_grid(STG(T=50), 20).identical(first)  # damaged: computed again


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DSNLIB_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="the grid was not kept for next time"):
        assert statistics_grid(STG(T=50), 10).shape == (10, 10, 1)


def test_the_grid_holds_what_the_circuit_says(x64):
    grid = statistics_grid(Antisymmetric(), 7)
    point = grid.isel(a12=2, a21=5)
    z = np.array([[float(point.a12), float(point.a21)]])
    np.testing.assert_allclose(point, Antisymmetric().statistics(z)[0], rtol=1e-12)
    assert grid.a12.attrs["units"] == "1/s"
    np.testing.assert_allclose(grid.a12[[0, -1]], [-10 + 10 / 7, 10 - 10 / 7])
