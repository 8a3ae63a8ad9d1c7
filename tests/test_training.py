"""Training: the initial fit, small problems solved, failures counted."""

import dataclasses

import jax
import numpy as np
import pytest
from scipy import stats

from children import DOUBLE
from circuits import Brittle, Product
from dsnlib import STG, AugmentedLagrangian, EmergentProperty, Linear2D, SimulationError, fit
from dsnlib.methods import Problem
from dsnlib.methods.lagrangian.initial import truncated_gaussian
from dsnlib.methods.lagrangian.objective import Objective
from dsnlib.methods.lagrangian.programs import block, optimiser_of


def test_truncated_gaussian_is_that_of_scipy(x64):
    z = np.random.default_rng(0).uniform(0, 20, (50, 2))
    one = stats.truncnorm((0 - 4) / 3, (20 - 4) / 3, loc=4, scale=3)
    expected = one.logpdf(z).sum(axis=1)
    np.testing.assert_allclose(truncated_gaussian(STG()).log_prob(z), expected, rtol=1e-9)


def test_initial_fit_reports_its_divergence(x64):
    prop = EmergentProperty(mean=[0.525], sd=[0.025])
    method = AugmentedLagrangian(precision="float64")
    problem = Problem(STG(), prop, method, seed=1)
    state, windows = method.start(problem), []
    assert "iteration" not in method.report(problem, state).detail
    while state.epoch < 0:
        state = method.step(problem, state)
        windows.append(state.initial.iterations)
        if state.epoch < 0:
            detail = f"iteration {windows[-1]}, KL {state.initial.kl:.4f} nat"
            assert method.report(problem, state).detail == detail
    assert method.report(problem, state).line == "initial fit done"
    fitted = state.initial
    assert fitted.kl < 0.01
    assert fitted.iterations >= 5_000
    assert windows == list(range(1_000, fitted.iterations + 1, 1_000))
    # By quadrature: KL = integral of q log(q / p)
    cells = 500
    midpoints = 20 * (np.arange(cells) + 0.5) / cells
    grid = np.stack(np.meshgrid(midpoints, midpoints), axis=-1).reshape(-1, 2)
    log_q = Objective.of(problem, method).network(state.weights).log_prob(grid)
    log_p = stats.truncnorm(-4 / 3, 16 / 3, loc=4, scale=3).logpdf(grid).sum(axis=1)
    quadrature = (np.exp(log_q) * (log_q - log_p)).sum() * (20 / cells) ** 2
    assert abs(fitted.kl - quadrature) < 5 * fitted.kl_se


def test_linear_circuit_meets_its_constraints(tmp_path, oscillation):
    method = AugmentedLagrangian(epochs=8, iterations=800, batch=400, learning_rate=2e-3, layers=4)
    run = fit(Linear2D(), oscillation, method, seed=2, out=tmp_path)
    assert run.converged_epoch is not None
    assert run.convergence().loc[8, "not rejected"]
    assert run.data.entropy[-1] > 7  # it stays broad: the box of volume 20^4 allows 12
    # Independent: eigenvalues by numpy at the stored samples give the stored moments.
    z = run.data.z[-1].values.reshape(-1, 2, 2).astype(float)
    leading = np.linalg.eigvals(z)
    growth, frequency = leading.real.max(axis=1), np.abs(leading.imag).max(axis=1) / (2 * np.pi)
    np.testing.assert_allclose(run.data.moments[-1, :, 0], growth, atol=5e-3)
    np.testing.assert_allclose(run.data.moments[-1, :, 1], frequency, atol=5e-3)


def test_what_is_recorded_follows_the_rules(tmp_path):
    method = dataclasses.replace(DOUBLE, c0=2.0, iterations=250)
    run = fit(Product(), EmergentProperty([0.8], [0.3]), method, seed=0, out=tmp_path)
    data = run.data
    assert data.step.values.tolist() == [0, 100, 200, 250, 350, 450, 500, 600, 700, 750]
    assert data.c[0] == 2.0
    assert (data.lam[0] == 0).all()
    for epoch in range(1, 3):
        t, p = stats.ttest_ind(
            data.violation_end[epoch - 1], 0.25 * data.violation_start[epoch - 1], equal_var=False
        )
        np.testing.assert_allclose([data.welch_t[epoch - 1], data.welch_p[epoch - 1]], [t, p])
        assert data.c[epoch] in (data.c[epoch - 1], 4 * data.c[epoch - 1])
        if t <= 0:
            assert data.c[epoch] == data.c[epoch - 1]
        # lam grows by c R, with R from other samples than the snapshot: equal within their error
        R = data.moments[epoch].mean("sample") - data.mu
        error = data.moments[epoch].std("sample") / np.sqrt(1_000) * np.sqrt(2)
        grown = (data.lam[epoch] - data.lam[epoch - 1]) / data.c[epoch - 1]
        assert (abs(grown - R) < 5 * error).all()
    assert np.isfinite(data.entropy).all()
    assert data.z.dtype == np.float64


def test_a_step_that_is_not_finite_changes_nothing_but_the_count():
    prop, method = EmergentProperty([5.0], [1.0]), AugmentedLagrangian(batch=4)
    objective = Objective(Brittle(limit=0.0), prop, method)
    before = objective.random_weights(jax.random.key(0))
    weights, optimiser, _ = block(
        objective, 3, before, optimiser_of(method).init(before), np.zeros(2, np.float32),
        np.float32(1), jax.random.key(1), 0,
    )  # fmt: skip
    jax.tree.map(np.testing.assert_array_equal, weights, before)
    assert optimiser.total_notfinite == 3


# Of Brittle, like those of test_faults, so that they share what is compiled for them.
FRAGILE = AugmentedLagrangian(epochs=1, iterations=1_000, batch=100, layers=2)


def test_rare_failures_are_skipped_and_counted(tmp_path):
    method = dataclasses.replace(FRAGILE, c0=100.0)
    run = fit(Brittle(limit=8.8), EmergentProperty([5.0], [1.0]), method, seed=1, out=tmp_path)
    assert 0 < run.data.skipped_steps[0] <= 10
    assert np.isfinite(run.data.lam).all()
    assert np.isfinite(run.data.violation_end).all()


def test_frequent_failures_end_the_run(tmp_path):
    prop = EmergentProperty([5.0], [1.0])
    with pytest.raises(
        SimulationError, match=r"100 of 100 steps in epoch 1 .* smaller learning_rate"
    ):
        fit(Brittle(limit=5.0), prop, FRAGILE, seed=1, out=tmp_path)
