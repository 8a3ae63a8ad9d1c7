"""SMC against closed forms, rejection, SciPy's dual; its kernel leaves the target as it is."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from scipy import optimize, special, stats

from dsnlib import SMC, Circuit, EmergentProperty, Parameter, Statistic, fit
from dsnlib.maxent import relaxed as dual
from dsnlib.maxent.dual import solve_dual
from dsnlib.maxent.features import Features
from dsnlib.methods import Problem
from dsnlib.methods.smc import ensemble, gradient
from dsnlib.methods.smc.agreement import MOST_CELL_SPREAD, cell_spread, check_agreement
from dsnlib.methods.smc.state import MOVES
from dsnlib.methods.smc.target import Target
from dsnlib.storage.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from report.studies.problems import CASES


@dataclasses.dataclass(frozen=True)
class Identity(Circuit):
    """One parameter that is its own statistic."""

    parameters: ClassVar = (Parameter("a", "1", 0, 10),)
    observables: ClassVar = (Statistic("a", "1"),)

    def evaluate(self, z: jax.Array) -> jax.Array:
        return z


@dataclasses.dataclass(frozen=True)
class Corner(Circuit):
    """A weighted sum of two parameters, which is small in the corner of the box."""

    parameters: ClassVar = (Parameter("a", "1", 0, 1), Parameter("b", "1", 0, 1))
    observables: ClassVar = (Statistic("sum", "1"),)

    def evaluate(self, z: jax.Array) -> jax.Array:
        return (z[:, :1] + 0.5 * z[:, 1:]) / 0.3


@dataclasses.dataclass(frozen=True)
class Islets(Circuit):
    """The wanted statistic on two discs of 2e-4 of the box each; elsewhere no hint of them."""

    parameters: ClassVar = (Parameter("a", "1", 0, 1), Parameter("b", "1", 0, 1))
    observables: ClassVar = (Statistic("inside", "1"),)

    def evaluate(self, z: jax.Array) -> jax.Array:
        centres = jnp.array([[0.2, 0.3], [0.8, 0.6]], z.dtype)
        near = ((z[:, None] - centres) ** 2).sum(axis=-1) < 2e-4 / np.pi
        noise = 0.3 * jnp.sin(1e3 * z[:, :1])
        return jnp.where(near.any(axis=1, keepdims=True), noise, 30 + noise)


@dataclasses.dataclass(frozen=True)
class Needle(Identity):
    """The identity, but for a share of 1e-7 of the box where the statistic is the target itself."""

    def evaluate(self, z: jax.Array) -> jax.Array:
        return jnp.where(jnp.abs(z - 9) < 5e-7, 5, z)


@dataclasses.dataclass(frozen=True)
class Failing(Identity):
    """The identity, which fails below 4."""

    def evaluate(self, z: jax.Array) -> jax.Array:
        return jnp.where(z < 4, jnp.nan, z)


@dataclasses.dataclass(frozen=True)
class Sided(Circuit):
    """A radius in 4 dimensions, on half the scale where the first parameter is positive."""

    parameters: ClassVar = tuple(Parameter(f"x{k}", "1", -1, 1) for k in range(5))
    observables: ClassVar = (Statistic("radius", "1"), Statistic("side", "1"))

    def evaluate(self, z: jax.Array) -> jax.Array:
        radius = jnp.sqrt((z[:, 1:] ** 2).sum(axis=1))
        return jnp.stack([jnp.where(z[:, 0] > 0, 2, 1) * radius, z[:, 0]], axis=1)


def test_dual_is_that_of_scipy():
    rng = np.random.default_rng(0)
    f = rng.normal([1.0, -2.0], [0.5, 1.0], (4_000, 2))
    prop = EmergentProperty([1.2, -1.5], [0.4, 0.8])
    found = dual.solve(Features(prop, prop.sd).of(f), np.zeros(4), 0.0, np.zeros(4))
    expected = solve_dual(f, prop)
    np.testing.assert_allclose(found.p, np.exp(expected.log_p), atol=1e-9)
    np.testing.assert_allclose(found.mean, 0, atol=1e-5)


def test_relaxed_dual_costs_what_it_says():
    # At the optimum the miss of the constraints is -rho theta.
    f = np.random.default_rng(1).uniform(0, 10, (5_000, 1))
    prop = EmergentProperty([2.0], [0.5])
    for rho in (0.1, 1.0, 10.0):
        found = dual.solve(Features(prop, prop.sd).of(f), np.zeros(2), rho, np.zeros(2))
        np.testing.assert_allclose(found.mean, -rho * found.theta, rtol=1e-4, atol=1e-5)


def test_statistics_take_turns():
    rng = np.random.default_rng(4)
    f = rng.normal([8.0, 0.0], [1.0, 1.0], (4_000, 2))
    prop = EmergentProperty([1.0, 0.5], [1.0, 0.2])
    points, theta, rho = [Features(prop, prop.sd).of(f)], np.zeros((1, 4)), np.full(2, np.inf)
    no_intervals = np.zeros(4, bool)
    rho = dual.next_relaxations(points, theta, rho, no_intervals, 0.5, 0.4, "in turn")
    assert rho[0] == np.inf  # the far one waits
    assert 0 < rho[1] < np.inf
    found = dual.solve(points[0], theta[0], np.tile(rho, 2), theta[0])
    np.testing.assert_array_equal(found.theta[[0, 2]], 0)
    assert found.effective_share == pytest.approx(0.5, abs=0.02)
    np.testing.assert_allclose(found.mean[[1, 3]], -rho[1] * found.theta[[1, 3]], atol=1e-5)
    # Once the near one is met, the far one's turn has come.
    rho = np.array([np.inf, 0.0])
    rho = dual.next_relaxations(points, theta, rho, no_intervals, 0.5, 0.4, "in turn")
    assert rho[1] == 0
    assert 0 < rho[0] < np.inf


def test_in_turn_against_quadrature(tmp_path):
    """The entropy is that of a Gaussian, the side's, and of a radial integral."""
    k, mean, sd, side_sd = 4, 1.0, 0.1, 0.05
    run = fit(
        Sided(),
        EmergentProperty([mean, 0.5], [sd, side_sd]),
        SMC(particles=8_000, order="in turn"),
        seed=1,
        out=tmp_path / "run",
    )
    radius = np.linspace(1e-3, 2, 20_001)
    x = (radius - mean) / sd
    shell = np.log(2) + k / 2 * np.log(np.pi) - special.gammaln(k / 2) - k * np.log(2)
    log_volume = shell + (k - 1) * np.log(radius)

    def log_z(theta):
        exponent = log_volume + theta @ np.array([x, x**2 - 1])
        return special.logsumexp(exponent) + np.log(radius[1] - radius[0])

    expected = optimize.minimize(
        log_z, [0.0, -0.5], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}
    ).fun
    expected += 0.5 * np.log(2 * np.pi * np.e * side_sd**2)
    assert run.trusted, run.diagnostics
    islands = stats.t(run.data.sizes["island"] - 1)
    assert run.entropy.value == pytest.approx(expected, abs=islands.ppf(0.999) * run.entropy.se)
    assert run.entropy.se < 0.01


def corner_samples(theta, n, seed):
    """Exact samples of exp(theta.features) on the unit box, by rejection in NumPy."""
    rng = np.random.default_rng(seed)
    z = rng.random((60 * n, 2))
    x = ((z[:, 0] + 0.5 * z[:, 1]) / 0.3 - 0.5) / 0.5
    exponent = theta[0] * x + theta[1] * (x**2 - 1)
    grid = np.linspace(-1, 9, 10_001)
    bound = (theta[0] * grid + theta[1] * (grid**2 - 1)).max()
    kept = z[np.log(rng.random(len(z))) < exponent - bound]
    assert len(kept) >= n
    return kept[:n]


KERNELS = [("ensemble", kind) for kind in range(ensemble.KINDS)] + [("gradient", 0)]


@pytest.mark.parametrize(("moves", "kind"), KERNELS)
def test_kernel_leaves_the_target_as_it_is(moves, kind):
    """From exact samples, in a corner where walls matter: 20 sweeps must not change them.

    (A reflection of steps at the walls fails here: it takes mass away from the corner.)
    """
    theta, n = np.array([0.5, -0.5]), 4_000
    target = Target(Corner(), Features(EmergentProperty([0.5], [0.5]), (0.5,)))
    z = corner_samples(theta, n, seed=2).reshape(2, n // 2, 2).astype(np.float32)
    statistics = np.asarray(target.simulate(jnp.asarray(z)))
    if moves == "ensemble":
        tuning = np.full((2, ensemble.KINDS), 1e-9, np.float32)
        tuning[:, kind] = 1
    else:
        tuning = gradient.first_steps(2, 2).astype(np.float32)
    kernel = MOVES[moves]
    swept = kernel.sweeps(
        target, jnp.asarray(z), jnp.asarray(statistics),
        jnp.tile(jnp.asarray(theta, "float32"), (2, 1)),
        jnp.asarray(tuning), kernel.prepare(jnp.asarray(z), jax.random.key(3)),
        jax.random.key(4), 20,
    )  # fmt: skip
    moved = np.asarray(swept.z).reshape(-1, 2)
    assert swept.accepted.sum() / swept.tried.sum() > 0.05
    np.testing.assert_allclose(
        np.asarray(swept.statistics).reshape(-1), (moved[:, 0] + 0.5 * moved[:, 1]) / 0.3, atol=1e-5
    )
    other = corner_samples(theta, n, seed=5)
    for values, expected in zip(
        (*moved.T, moved.sum(axis=1)), (*other.T, other.sum(axis=1)), strict=True
    ):
        # Particles of a population are not quite independent: a lenient level, far from a bias.
        assert stats.ks_2samp(values, expected).pvalue > 1e-4


@pytest.fixture(scope="module")
def gaussian(tmp_path_factory):
    """A run whose answer is the Gaussian N(5, 1) on (0, 10), but for its far tails."""
    folder = tmp_path_factory.mktemp("smc")
    prop = EmergentProperty([5.0], [1.0])
    return fit(Identity(), prop, SMC(particles=2_000), seed=1, out=folder)


def test_gaussian(gaussian):
    a = gaussian.samples["a"].values.ravel()
    assert stats.kstest(a, stats.norm(5, 1).cdf).statistic < 4 / np.sqrt(len(a))
    entropy, error = gaussian.entropy
    assert error < 0.02
    assert abs(entropy - stats.norm(5, 1).entropy()) < 4 * error + 1e-3
    # exp(eta_1 f + eta_2 f^2) is N(5, 1): eta = (5, -1/2)
    np.testing.assert_allclose(gaussian.eta["value"], [5, -0.5], atol=0.15)
    z = np.array([[[2.0], [5.0]], [[6.5], [11.0]]])
    expected = stats.norm(5, 1).logpdf(z[..., 0])
    expected[1, 1] = -np.inf
    found = gaussian.log_prob(z)
    np.testing.assert_allclose(found, expected, atol=0.15)
    assert gaussian.trusted, gaussian.diagnostics


def test_run_stands_by_itself(gaussian):
    chains = gaussian.to_arviz()
    assert chains.posterior.sizes == {"chain": 4, "draw": 2_000}
    with pytest.raises(ValueError, match="density must be asked for"):
        gaussian.network()
    assert gaussian.simulations == gaussian.data.simulations.sum()


def test_failed_simulations_are_rejections_and_counted(tmp_path):
    prop = EmergentProperty([5.0], [0.7])
    run = fit(Failing(), prop, SMC(particles=1_000), seed=1, out=tmp_path)
    assert (run.samples["a"] >= 4).all()
    # 40 % of the uniform particles fail: binomial, within 5 standard deviations
    n = 4 * 5 * 1_000
    assert abs(run.data.failed[0] - 0.4 * n) < 5 * np.sqrt(n * 0.24)
    assert abs(run.samples["a"].mean() - 5) < 0.05


def test_islands_that_miss_a_region_are_not_trusted(tmp_path):
    prop = EmergentProperty([0.0], [0.2])
    with pytest.warns(UserWarning, match="not to be trusted"):
        run = fit(Islets(), prop, SMC(particles=200), seed=3, out=tmp_path)
    assert not run.trusted


def test_needle_that_no_island_hits_leaves_no_trace(tmp_path):
    """What no sampler can see, as SMC's docstring says; the diagnostics cannot know of it."""
    assert (1 - 1e-7) ** (4 * 5 * 2_000) > 0.99
    run = fit(Needle(), EmergentProperty([5.0], [1.0]), SMC(particles=2_000), seed=1, out=tmp_path)
    assert (np.abs(run.samples["a"] - 9) > 5e-7).all()
    assert run.trusted


def test_too_few_particles_for_twelve_conductances_are_not_trusted(tmp_path):
    case = CASES["d12"]
    with pytest.warns(UserWarning, match="not to be trusted"):
        run = fit(case.circuit, case.prop, SMC(particles=100, islands=2), seed=1, out=tmp_path)
    failed = run.diagnostics.index[~run.diagnostics.passed]
    assert "largest R-hat over islands of a parameter or statistic" in failed


def samples_of(z):
    return xr.Dataset({f"p{k}": (("island", "sample"), z[..., k]) for k in range(z.shape[-1])})


def test_cells_see_what_r_hat_does_not():
    rng = np.random.default_rng(6)
    region = np.where(rng.random((4, 4_000)) < 0.04, 0.9, 0.2)
    z = np.stack([region, region], axis=-1) + 0.02 * rng.standard_normal((4, 4_000, 2))
    assert all(check.passed for check in check_agreement(samples_of(z), z, seed=0))
    lost = z.copy()
    lost[0][z[0, :, 0] > 0.5] = z[1][z[1, :, 0] < 0.5][: (z[0, :, 0] > 0.5).sum()]
    # One island of four lacks the region: sqrt(4) / (4 - 1) by hand.
    assert abs(cell_spread(lost, seed=0) - 2 / 3) < 0.1
    checks = check_agreement(samples_of(lost), lost, seed=0)
    assert not checks[-1].passed
    assert MOST_CELL_SPREAD < 2 / 3


@pytest.mark.parametrize(("density", "patience"), [(None, 0), ("planar", 2)])
def test_resumed_run_has_the_same_bits(tmp_path, monkeypatch, density, patience):
    monkeypatch.setattr("dsnlib.methods.smc.density._PATIENCE", patience)
    method = SMC(particles=200, islands=2, density=density)
    problem = Problem(Identity(), EmergentProperty([5.0], [1.0]), method, 7)
    states = [method.start(problem)]
    while not method.report(problem, states[-1]).finished:
        states.append(method.step(problem, states[-1]))
    whole = method.result(problem, states[-1]).records
    for at in (7, len(states) - 2):
        save_checkpoint(tmp_path, Checkpoint(states[at], {"of": "test"}))
        state = load_checkpoint(tmp_path, lambda: method.start(problem), lambda meta: None).state
        while not method.report(problem, state).finished:
            state = method.step(problem, state)
        for name, array in method.result(problem, state).records.items():
            np.testing.assert_array_equal(array, whole[name])
    if density:
        report = whole["density_report"]
        assert -0.05 < report[0] < 0.5  # KL(p* || q) of a few hundred held-out samples
        assert report[2] > 0.3


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [("particles", 101, "101"), ("particles", 10, "10"), ("islands", 1, "1"),
     ("moves", "random", "'random'"), ("density", "affine", "'affine'")],
)  # fmt: skip
def test_bad_settings(name, value, shown):
    with pytest.raises(ValueError, match=rf"{name} must .* {shown}.*pass"):
        SMC(**{name: value})
