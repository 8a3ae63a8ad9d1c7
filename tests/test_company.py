"""Runs that are trained at once as one program, against the same runs trained alone."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from circuits import Brittle, Product
from dsnlib import EmergentProperty, Settings, SimulationError, fit, fit_many, load_run

PROPERTY = EmergentProperty([0.8], [0.3])
SIZE = {"epochs": 2, "iterations": 150, "batch": 200, "layers": 2, "precision": "float64"}
RUNS = [(Settings(c0=c0, **SIZE), seed) for c0, seed in ((1, 1), (1, 2), (100, 1))]

# Trains the runs on three virtual devices, two of three places of which a fourth run would leave.
CHILD = """
import sys
sys.path.insert(0, {tests!r})
import jax
from test_company import PROPERTY, RUNS, Product, fit_many
from dsnlib.training import calls
assert len(jax.devices()) == 3
seen = set()
made = calls._vectorised
def spy(*arguments):
    compiled = made(*arguments)
    def call(*stacked):
        outcome = compiled(*stacked)
        seen.update(jax.tree.leaves(outcome)[0].sharding.device_set)
        return outcome
    return call
calls._vectorised = spy
runs = [*RUNS, (RUNS[0][0], 9)]
fit_many(Product(), PROPERTY, runs, out=[{out!r} + f"/{{i}}" for i in range(4)])
assert len(seen) == 3, seen
"""


def folders(tmp_path):
    return [tmp_path / str(i) for i in range(len(RUNS))]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    return [
        fit(Product(), PROPERTY, settings, seed=seed, out=folder / str(i))
        for i, (settings, seed) in enumerate(RUNS)
    ]


def assert_same_run(mine, theirs):
    """Close at the start; at the end, after rounding has grown, alike within sampling error."""
    for name in ("c", "lam", "violation_start", "z", "log_q", "weights"):
        np.testing.assert_allclose(mine.data[name][0], theirs.data[name][0], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(mine.data.entropy[:2], theirs.data.entropy[:2], rtol=1e-6)
    a, b = (run.data.moments[-1] for run in (mine, theirs))
    error = np.sqrt((a.var("sample") + b.var("sample")) / a.sizes["sample"])
    assert (abs(a.mean("sample") - b.mean("sample")) < 5 * error).all()
    assert mine.data.attrs["settings"] == theirs.data.attrs["settings"]
    assert mine.data.seed == theirs.data.seed


def test_in_company_as_alone(alone, tmp_path):
    together = fit_many(Product(), PROPERTY, RUNS, out=folders(tmp_path))
    for i, (mine, theirs) in enumerate(zip(together, alone, strict=True)):
        assert_same_run(mine, theirs)
        assert (mine.data.company, theirs.data.company) == (3, 1)
        settings, seed = RUNS[i]  # an ordinary run folder, which `fit` loads
        loaded = fit(Product(), PROPERTY, settings, seed=seed, out=tmp_path / str(i))
        assert loaded.data.identical(mine.data)


def test_on_several_devices(alone, tmp_path):
    code = CHILD.format(tests=str(Path(__file__).parent), out=str(tmp_path))
    outcome = subprocess.run(
        [sys.executable, "-c", code],
        env={"XLA_FLAGS": "--xla_force_host_platform_device_count=3", "PATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stderr
    for i, theirs in enumerate(alone):
        assert_same_run(load_run(tmp_path / str(i)), theirs)


def test_resumes_and_loads_what_the_folders_hold(alone, tmp_path, monkeypatch):
    out = folders(tmp_path)
    complete = fit(Product(), PROPERTY, RUNS[0][0], seed=RUNS[0][1], out=out[0])
    with monkeypatch.context() as patch:  # breaks off at the end of the second run
        patch.setattr("dsnlib.runs.session.write_dataset", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fit(Product(), PROPERTY, RUNS[1][0], seed=RUNS[1][1], out=out[1])
    runs = fit_many(Product(), PROPERTY, RUNS, out=out)
    assert runs[0].data.identical(complete.data)
    assert runs[1].data.equals(alone[1].data)  # its checkpoint held all of its training
    assert_same_run(runs[2], alone[2])


def test_a_failing_run_leaves_the_others_alone(tmp_path):
    prop = EmergentProperty([5.0], [1.0])
    settings = Settings(epochs=1, iterations=200, batch=100, layers=2)
    seeds = (1, 2)
    with pytest.raises(ExceptionGroup, match="2 of 2 runs failed") as caught:
        fit_many(
            Brittle(limit=5.0), prop, [(settings, s) for s in seeds], out=folders(tmp_path)[:2]
        )
    assert all(isinstance(error, SimulationError) for error in caught.value.exceptions)
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "checkpoint.npz").write_bytes(b"")
    with pytest.raises(ExceptionGroup, match="1 of 2 runs failed"):
        fit_many(Product(), PROPERTY, RUNS[:2], out=[tmp_path / "good", bad])
    assert load_run(tmp_path / "good").data.company == 2


@pytest.mark.parametrize(
    ("runs", "out", "message"),
    [
        ([], [], "out must name one folder for each run, got 0 for 0 runs; pass"),
        (RUNS, ["a"], "out must name one folder for each run, got 1 for 3 runs; pass"),
        (RUNS[:2], ["a", "./a"], r"out must name each folder once, got '.*a' twice; rename"),
        (
            [RUNS[0], (Settings(**SIZE | {"batch": 100}), 1)],
            ["a", "b"],
            "runs must have settings that differ in c0, beta, gamma, epochs alone, got .*batch=100",
        ),
        ([RUNS[0], (RUNS[0][0], -1)], ["a", "b"], "seed must be at least 0, got -1"),
    ],
)
def test_bad_input(tmp_path, monkeypatch, runs, out, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        fit_many(Product(), PROPERTY, runs, out=out)
    assert list(tmp_path.iterdir()) == []
