"""Population Monte Carlo: its parts against closed forms and quadrature, whole runs end to end."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import dsnlib
from dsnlib import Circuit, EmergentProperty, Parameter, Population, ResampledNetwork, Statistic
from dsnlib.exact.dual import solve_dual
from dsnlib.flows import density_network, initial_weights
from dsnlib.population import tempering
from dsnlib.population.resampled import acceptance_weights
from dsnlib.population.training import SimulationError

TINY = {
    "iterations": 20, "repeats": 1, "final_samples": 20_000, "final_iterations": 150,
    "acceptance_samples": 20_000, "acceptance_iterations": 200, "ess": 0.05,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Twin(Circuit):
    """|a| with a cliff: two narrow modes, and nothing beyond b = 0.5."""

    parameters: ClassVar = (Parameter("a", "1", -1, 1), Parameter("b", "1", 0, 1))
    observables: ClassVar = (Statistic("size", "1"),)

    def evaluate(self, z: jax.Array) -> jax.Array:
        return jnp.where(z[:, 1] < 0.5, jnp.round(jnp.abs(z[:, 0]) * 1e4) / 1e4, 0.0)[:, None]


TWIN = EmergentProperty(mean=[0.6], sd=[0.05])


def test_weighted_dual_is_that_of_repeated_rows():
    rng = np.random.default_rng(0)
    f = rng.normal(0.3, 1, size=(500, 1))
    times = rng.integers(1, 5, 500)
    prop = EmergentProperty(mean=[0.5], sd=[0.4])
    weighted = solve_dual(f, prop, np.log(times) + 7.0)  # a constant does not matter
    repeated = solve_dual(np.repeat(f, times, axis=0), prop)
    np.testing.assert_allclose(weighted.eta, repeated.eta, rtol=1e-8)
    np.testing.assert_allclose(weighted.log_mean, repeated.log_mean, rtol=1e-8)
    np.testing.assert_allclose(np.exp(weighted.log_p).sum(), 1)


def test_effective_share():
    assert tempering.effective_share(np.log(np.full(50, 0.02))) == pytest.approx(1)
    with np.errstate(divide="ignore"):
        one_of_four = np.log([1.0, 0, 0, 0])
    assert tempering.effective_share(one_of_four) == pytest.approx(0.25)


def test_target_is_as_sharp_as_the_samples_allow():
    # Uniform samples of f itself: the tempered target is close to a Gaussian, whose effective
    # share under the uniform distribution on (0, 1) is 2 sqrt(pi) sd.
    f = np.linspace(0, 1, 20_001)[:, None]
    prop = EmergentProperty(mean=[0.5], sd=[0.001])
    widest = tempering.widest_scale(f, prop)
    assert widest == pytest.approx(500)
    found = tempering.sharpest(f, np.zeros(len(f)), prop, 0.2, widest)
    assert found.ess == pytest.approx(2 * np.sqrt(np.pi) * found.scale * 0.001, rel=0.02)
    assert 0.2 <= found.ess < 0.2 * widest ** (1 / 24) * 1.02  # the next sharper one has less
    assert found.dual.gradient_norm < 1e-8


def test_target_out_of_reach():
    with pytest.raises(ValueError, match=r"samples of a stage must allow the targets.*draw more"):
        tempering.sharpest(np.zeros((10, 1)), np.zeros(10), TWIN, 0.2, 10.0)
    assert issubclass(SimulationError, RuntimeError)


@pytest.fixture(scope="module")
def resampled():
    with jax.enable_x64(True):
        flow_weights = initial_weights(jax.random.key(0), "planar", 3, 2)
        flow = density_network(flow_weights, "planar", [0.0, 0.0], [20.0, 20.0])
        weights = acceptance_weights(jax.random.key(1), 2)
        weights = jax.tree.map(lambda w: 1.5 * w, weights)
        return ResampledNetwork(flow, weights, jnp.zeros(()))


def test_resampled_density_is_flow_times_acceptance(x64, resampled):
    # Quadrature of the rate of acceptance in the flow's own noise, where its density is Gaussian.
    x = np.linspace(-6, 6, 601)
    noise = np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2)
    z = jnp.asarray(noise)
    for transform in resampled.flow.transforms:
        z = transform(z)
    p = stats.norm.pdf(noise).prod(axis=1) * (x[1] - x[0]) ** 2
    accepted = np.exp(resampled.log_acceptance(z))
    rate = p @ accepted
    assert 0.1 < rate < 0.99
    q = ResampledNetwork(resampled.flow, resampled.weights, jnp.log(rate))
    np.testing.assert_allclose(
        q.log_prob(z), resampled.flow.log_prob(z) + np.log(accepted / rate), atol=1e-9
    )
    # Samples by rejection against the same quadrature: 5 standard errors.
    n = 40_000
    drawn = q.sample(jax.random.key(2), (n,))
    for summary in (np.asarray(drawn)[:, 0], np.asarray(resampled.log_acceptance(drawn))):
        values = np.asarray(z)[:, 0] if summary.min() > 0 else np.asarray(np.log(accepted))
        expected = p @ (accepted * values) / rate
        assert abs(summary.mean() - expected) < 5 * summary.std() / np.sqrt(n)


def test_resampled_network_is_an_ordinary_distribution(resampled):
    q = resampled
    assert q.sample(jax.random.key(0), (3, 2)).shape == (3, 2, 2)
    assert q.sample(jax.random.key(0)).shape == (2,)
    outside = jnp.array([[0.0, 5.0], [25.0, 1.0]])
    assert (q.log_prob(outside) == -jnp.inf).all()
    again = jax.jit(lambda q, z: q.log_prob(z))(q, jnp.ones((4, 2)))
    np.testing.assert_allclose(again, q.log_prob(jnp.ones((4, 2))), rtol=1e-4)


def test_run_finds_both_modes_of_a_circuit_without_derivatives(tmp_path):
    settings = Population(
        iterations=200, repeats=2, final_samples=40_000, final_iterations=600,
        acceptance_samples=60_000, acceptance_iterations=600, ess=0.1,
    )  # fmt: skip
    run = dsnlib.fit(Twin(), TWIN, settings, seed=1, out=tmp_path / "run")
    exact = dsnlib.exact_maxent(Twin(), TWIN, cells=400)
    judged = dsnlib.judge(tmp_path / "run", exact).isel(snapshot=-1)
    assert judged.kl.item() < 0.1 + 3 * judged.kl_se.item()
    assert len(judged.mode) == 2
    np.testing.assert_allclose(judged.mode_mass, judged.exact_mass, rtol=0.1)
    np.testing.assert_allclose(run.data.eta, exact.eta, rtol=0.05)
    assert run.equivalence().met.all()
    # What is stored is what the network gives.
    z, log_q = run.data.z.values[-1][:500], run.data.log_q.values[-1][:500]
    with jax.enable_x64(True):
        np.testing.assert_allclose(run.network().log_prob(z.astype(float)), log_q, atol=0.02)
    with pytest.raises(ValueError, match="epoch must be -1"):
        run.network(3)


def test_broken_off_everywhere_gives_the_same_bits(tmp_path, monkeypatch):
    settings = Population(**TINY)
    easy = EmergentProperty(mean=[0.3], sd=[0.3])  # so that the result is soon drawn
    whole = dsnlib.fit(Twin(), easy, settings, seed=3, out=tmp_path / "whole").data

    def interrupt(self, state, history):
        raise KeyboardInterrupt

    blocks = 0
    with monkeypatch.context() as patch:
        patch.setattr("dsnlib.runs.progress.Progress.update", interrupt)
        while blocks < 5:  # a stage, two blocks of the flow's fit, two of the acceptance's
            with pytest.raises(KeyboardInterrupt):
                dsnlib.fit(Twin(), easy, settings, seed=3, out=tmp_path / "parts")
            assert (tmp_path / "parts" / "checkpoint.npz").exists()
            blocks += 1
    parts = dsnlib.fit(Twin(), easy, settings, seed=3, out=tmp_path / "parts").data
    for name in whole.data_vars:
        np.testing.assert_array_equal(parts[name], whole[name], err_msg=name)
    assert not (tmp_path / "parts" / "checkpoint.npz").exists()


def test_bad_settings():
    for given, message in (
        ({"samples": 0}, "samples must be at least 20000, got 0"),
        ({"final_samples": 50_000}, r"multiple of 20,000, got 50,000; pass 60,000"),
        ({"ess": 1.5}, "ess must be finite and above 0 and below 1"),
        ({"flow": "affine"}, "flow must be one of"),
        ({"memory": 0}, "memory must be at least 1"),
        ({"acceptance_iterations": -1}, "acceptance_iterations must be at least 0"),
    ):
        with pytest.raises(ValueError, match=message):
            Population(**given)
