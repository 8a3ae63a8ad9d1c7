"""Training: the initial fit, small problems solved, failures counted."""

import jax
import numpy as np
import pytest
from scipy import stats

from circuits import Brittle, Product
from dsnlib import STG, EmergentProperty, Linear2D, Settings, SimulationError, fit
from dsnlib.training.calls import alone
from dsnlib.training.initial import fit_initial, truncated_gaussian
from dsnlib.training.lagrangian import _block, initial_state, stream
from dsnlib.training.problem import Problem


def test_truncated_gaussian_is_that_of_scipy(x64):
    z = np.random.default_rng(0).uniform(0, 20, (50, 2))
    one = stats.truncnorm((0 - 4) / 3, (20 - 4) / 3, loc=4, scale=3)
    expected = one.logpdf(z).sum(axis=1)
    np.testing.assert_allclose(truncated_gaussian(STG()).log_prob(z), expected, rtol=1e-9)


def test_initial_fit_reports_its_divergence(x64):
    prop = EmergentProperty(mean=[0.525], sd=[0.025])
    problem = Problem(STG(), prop, Settings(precision="float64"))
    reports = []
    fitted = alone(
        fit_initial(problem, stream(1, 0), lambda *report: reports.append(report)), lambda: None
    )
    assert fitted.kl < 0.01
    assert fitted.iterations >= 5_000
    assert [iteration for iteration, _ in reports] == list(
        range(1_000, fitted.iterations + 1, 1_000)
    )
    # By quadrature: KL = integral of q log(q / p)
    cells = 500
    midpoints = 20 * (np.arange(cells) + 0.5) / cells
    grid = np.stack(np.meshgrid(midpoints, midpoints), axis=-1).reshape(-1, 2)
    log_q = problem.network(fitted.weights).log_prob(grid)
    log_p = stats.truncnorm(-4 / 3, 16 / 3, loc=4, scale=3).logpdf(grid).sum(axis=1)
    quadrature = (np.exp(log_q) * (log_q - log_p)).sum() * (20 / cells) ** 2
    assert abs(fitted.kl - quadrature) < 5 * fitted.kl_se


def test_linear_circuit_meets_its_constraints(tmp_path, oscillation):
    settings = Settings(epochs=8, iterations=800, batch=400, learning_rate=2e-3)
    run = fit(Linear2D(), oscillation, settings, seed=2, out=tmp_path)
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
    settings = Settings(c0=2.0, epochs=3, iterations=250, batch=200, layers=2, precision="float64")
    run = fit(Product(), EmergentProperty([0.8], [0.3]), settings, seed=0, out=tmp_path)
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
    problem = Problem(Brittle(limit=0.0), EmergentProperty([5.0], [1.0]), Settings(batch=4))
    state = initial_state(problem, problem.random_weights(jax.random.key(0)))
    weights, optimiser, _ = _block(
        problem, 3, state.weights, state.optimiser, np.zeros(2, np.float32), np.float32(1),
        jax.random.key(1), 0,
    )  # fmt: skip
    jax.tree.map(np.testing.assert_array_equal, weights, state.weights)
    assert optimiser.total_notfinite == 3


def test_rare_failures_are_skipped_and_counted(tmp_path):
    settings = Settings(c0=100.0, epochs=1, iterations=1_000, batch=100, layers=2)
    run = fit(Brittle(limit=8.8), EmergentProperty([5.0], [1.0]), settings, seed=1, out=tmp_path)
    assert 0 < run.data.skipped_steps[0] <= 10
    assert np.isfinite(run.data.lam).all()
    assert np.isfinite(run.data.violation_end).all()


def test_frequent_failures_end_the_run(tmp_path):
    settings = Settings(epochs=1, iterations=200, batch=100, layers=2)
    with pytest.raises(
        SimulationError, match=r"100 of 100 steps in epoch 1 .* smaller learning_rate"
    ):
        fit(Brittle(limit=5.0), EmergentProperty([5.0], [1.0]), settings, seed=1, out=tmp_path)
