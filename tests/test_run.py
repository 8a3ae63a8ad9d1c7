"""What a complete run says of itself, computed again with NumPy and SciPy."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from children import train
from dsnlib import load_run

NOTE = Path(__file__).parent.parent / "runs" / "c0-1_seed-1"


@pytest.fixture(scope="module", params=["toy", "committed"])
def run(request, undisturbed):
    return {"toy": undisturbed[1], "committed": load_run(NOTE)}[request.param]


def ends(run):
    """The end of the 95 % interval that is farther from 0, of mean and variance off target."""
    (mean,), (sd,) = run.prop.mean, run.prop.sd
    u = (run.data.moments.values[-1, :, 0].astype(float) - mean) / sd
    intervals = [
        stats.ttest_1samp(off, 0).confidence_interval(1 - 0.05 / 2) for off in (u, u**2 - 1)
    ]
    return [max(interval, key=abs) for interval in intervals]


def test_diagnostics(run):
    data, settings = run.data, run.method
    found = run.diagnostics
    assert found.columns.tolist() == ["value", "limit", "passed", "remedy"]
    (name,) = [n for n in data.moment.values if not n.endswith("^2")]
    assert [row.split(",")[0] for row in found.index] == [
        f"mean of {name}", f"variance of {name}", "smallest p of the note's test at the end",
        "share of skipped steps", "share of failed simulations",
    ]  # fmt: skip
    # After an epoch: 100 batches at its start and at its end, 1,000 samples twice.
    evaluated = settings.epochs * (200 * settings.batch + 2_000)
    expected = [
        *ends(run),
        data.p_value.values[-1].min(),
        data.skipped_steps.values.sum() / (settings.epochs * settings.iterations),
        data.failed_simulations.values.sum() / evaluated,
    ]
    np.testing.assert_allclose(found.value, expected, rtol=1e-9)
    mean, variance, p, skipped, failed = expected
    passed = [abs(mean) < 0.1, abs(variance) < 0.1, p > 0.05 / 2, skipped < 0.01, failed < 0.01]
    assert found.passed.tolist() == passed
    assert run.trusted == all(passed)
    assert found.remedy.str.len().min() > 10


def test_samples(run):
    data, samples = run.data, run.samples
    assert samples.sizes == {"island": 1, "sample": 1_000}
    for i, name in enumerate(data.parameter.values):
        np.testing.assert_array_equal(samples[name].values[0], data.z.values[-1, :, i])
        assert samples[name].attrs["units"] == data.parameter_units.values[i]
    name = data.moment.values[0]
    np.testing.assert_array_equal(samples[name].values[0], data.moments.values[-1, :, 0])
    assert samples[name].attrs["units"] == data.moment_units.values[0]


def test_simulations(run):
    m = run.method
    training = m.epochs * m.iterations * m.batch
    tests = m.epochs * (200 * m.batch + 2_000)
    assert run.simulations == training + tests + 1_000  # the initial fit's snapshot


def test_arviz_takes_it(run):
    arviz = pytest.importorskip("arviz")
    tree = run.to_arviz()
    names = run.data.parameter.values.tolist()
    assert list(tree.posterior.data_vars) == names
    table = arviz.summary(tree, var_names=names, kind="stats", round_to="none")
    z = run.data.z.values[-1].astype(float)
    np.testing.assert_allclose(table["mean"], z.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(table["sd"], z.std(axis=0, ddof=1), rtol=1e-6)
    (statistic,) = tree.posterior_predictive.data_vars
    np.testing.assert_array_equal(
        tree.posterior_predictive[statistic].values[0], run.samples[statistic].values[0]
    )
    np.testing.assert_array_equal(tree.constant_data["mu"], run.prop.mu)


def test_one_check_that_fails_is_enough_to_be_distrusted(undisturbed):
    """The toy run's data, with samples that have the property and a test that does not reject."""
    made = type(undisturbed[1])
    data = undisturbed[1].data.copy(deep=True)
    u = np.linspace(-1, 1, 1_000)  # flat, so that 1,000 tell the variance closely enough
    f = 0.8 + 0.3 * u / u.std()
    data.moments[-1] = np.stack([f, f**2], axis=1)
    data.p_value[-1] = 0.5
    assert made(data).trusted
    for name, value in (("p_value", 0.01), ("skipped_steps", 10), ("failed_simulations", 1e4)):
        worse = data.copy(deep=True)
        worse[name][-1] = value
        assert not made(worse).trusted


def test_a_run_that_is_not_to_be_trusted_says_why(undisturbed):
    folder, run = undisturbed
    failed = run.diagnostics.query("not passed")
    assert 0 < len(failed) < len(run.diagnostics)
    begins = re.escape(f"the run in {folder} is not to be trusted:")
    with pytest.warns(UserWarning, match=begins) as caught:
        train(folder)
    (warning,) = [str(each.message) for each in caught]
    *lines, cost = warning.splitlines()[1:]
    assert cost.startswith(f"cost: {run.simulations:,} simulations, ")
    assert len(lines) == len(failed)
    for line, row in zip(lines, failed.itertuples(), strict=True):
        assert line.startswith(f"- {row.Index}: {row.value:.3g}, not {row.limit}; {row.remedy}")
