"""Circuits on other people's simulators, in an environment that has them: make test-examples."""

import math

import jax
import numpy as np
import pytest
import scipy.integrate
import scipy.stats

import dsnlib
from dsnlib.runs.identity import program
from examples import diffrax_oscillator, jaxley_cell
from examples.diffrax_oscillator import VanDerPol
from examples.hodgkin_huxley import HodgkinHuxley
from examples.jaxley_cell import JaxleyCell

CIRCUITS = {JaxleyCell: jaxley_cell.PROPERTY, VanDerPol: diffrax_oscillator.PROPERTY}
MEMBRANE = 2 * math.pi * 1e-4 * 10e-4  # cm2, the side of a cylinder


def test_cell_against_the_other_example(x64):
    """The same neuron twice: half of Jaxley's step, which is of first order, half the error."""
    z = np.array([[0.12, 0.036, 0.0003], [0.09, 0.02, 0.0001], [0.18, 0.05, 0.0005]])
    current = 0.01e-3 / MEMBRANE  # uA/cm2
    same = np.ones((len(z), 1)) * [-54.3, current, 1.0]
    reference = HodgkinHuxley(quiet=20.0, driven=100.0, dt=0.00625)
    V = np.asarray(reference.voltage(jax.numpy.asarray(np.hstack([1_000 * z, same]))))[3_200:]
    peak, count = V.max(axis=0), ((V[:-1] < -10) & (V[1:] >= -10)).sum(axis=0)
    coarse, fine = (np.asarray(JaxleyCell(dt=dt).statistics(z)) for dt in (0.025, 0.0125))
    np.testing.assert_array_equal(fine[:, 0], 10 * count)
    assert count.min() >= 5
    assert np.abs(coarse[:, 1] - peak).max() < 2
    np.testing.assert_allclose((coarse[:, 1] - peak) / (fine[:, 1] - peak), 2, rtol=0.3)


def test_period_of_a_small_mu(x64):
    """2 pi / omega (1 + mu^2 / 16 - 5 mu^4 / 3072 + ..), by Lindstedt's method."""
    found = VanDerPol(cycles=60.0, tolerance=1e-7).statistics([[0.1, 3.0]])[0, 0]
    assert abs(found - 2 * math.pi / 3 * (1 + 0.01 / 16)) < 1e-5


@pytest.mark.parametrize(("mu", "omega"), [(0.5, 3.0), (2.0, 12.0), (5.0, 19.0)])
def test_oscillator_against_scipy(mu, omega):
    def upwards(t, s):
        return s[0]

    upwards.direction = 1
    end = 15 * 2 * math.pi / omega
    solution = scipy.integrate.solve_ivp(
        lambda t, s: [s[1], omega * mu * (1 - s[0] ** 2) * s[1] - omega**2 * s[0]],
        (0, end),
        [2.0, 0.0],
        events=upwards,
        dense_output=True,
        rtol=1e-10,
        atol=1e-10,
    )
    late = np.linspace(0.6 * end, end, 200_001)
    expected = [np.diff(solution.t_events[0])[-1], np.abs(solution.sol(late)[1]).max()]
    # 2,000 samples of 6 cycles: the highest speed lies between two of them.
    np.testing.assert_allclose(VanDerPol().statistics([[mu, omega]])[0], expected, rtol=5e-3)


def test_a_row_that_needs_too_many_steps_fails_alone():
    # Within 4,096 steps diffrax reaches the end where mu is small.
    found = np.asarray(VanDerPol(cycles=160.0).statistics([[0.1, 10.0], [5.0, 10.0]]))
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_almost_all_of_the_box_is_defined_and_some_has_the_property(circuit):
    prop, (low, high) = CIRCUITS[circuit], circuit().bounds.T
    z = low + (high - low) * np.random.default_rng(0).random((3_000, len(low)))
    found = np.asarray(circuit().statistics(z.astype(np.float32)))
    assert np.isnan(found).any(axis=1).mean() < 2e-3
    within = (np.abs(found - prop.mean) <= 2 * np.array(prop.sd)).all(axis=1).mean()
    expected = {JaxleyCell: 0.026, VanDerPol: 0.015}[circuit]
    assert abs(within - expected) < 4 * math.sqrt(expected / len(z))


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_smc_solves_it(circuit, tmp_path):
    prop = CIRCUITS[circuit]
    run = dsnlib.fit(circuit(), prop, dsnlib.SMC(particles=200), seed=1, out=tmp_path / "run")
    assert program(circuit(), "float32") == program(circuit(), "float32")  # so that it loads again
    for statistic, mean, sd in zip(circuit.observables, prop.mean, prop.sd, strict=True):
        found = run.samples[statistic.name].values.ravel()
        # Of 800 samples, no fewer than 200 are independent.
        assert abs(found.mean() - mean) < 5 * sd / math.sqrt(200)
        assert 0.7 * sd < found.std() < 1.3 * sd
