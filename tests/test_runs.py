"""Runs on disk: the same bits whatever happens, and nothing lost."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest
import xarray as xr

from children import DOUBLE, EVERY_STEP, PROPERTY, SEED, SMALL, Product, start, train
from dsnlib import (
    STG,
    AugmentedLagrangian,
    CheckpointError,
    EmergentProperty,
    Run,
    fit,
    load_run,
)
from dsnlib.storage.files import write_atomically

ROOT = Path(__file__).parent.parent


def test_same_seed_same_bits(undisturbed, tmp_path):
    assert train(tmp_path / "again").data.equals(undisturbed[1].data)
    other = train(tmp_path / "other", seed=6)
    assert (other.data.z != undisturbed[1].data.z).all()


def test_killed_at_random_moments_and_resumed(undisturbed, tmp_path):
    rng = np.random.default_rng(0)
    checkpoint, complete = tmp_path / "run" / "checkpoint.npz", tmp_path / "run" / "run.nc"
    kills = 0
    for _ in range(3):
        process = start(tmp_path / "run", EVERY_STEP)
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if checkpoint.exists() and checkpoint.stat().st_mtime_ns > before:
                break  # it has trained a block since it was started
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        process.stderr.close()
        if complete.exists():
            break
    assert kills >= 1
    resumed = train(tmp_path / "run")
    assert "earlier_sessions" not in resumed.data.attrs  # all on one device, code and versions
    assert resumed.data.equals(undisturbed[1].data)
    assert sorted(path.name for path in (tmp_path / "run").glob("[!.]*")) == ["run.nc"]


def test_interrupted_in_python_and_resumed(undisturbed, tmp_path, monkeypatch):
    shown = []

    def interrupt(*_):
        shown.append(1)
        if len(shown) == 10:
            raise KeyboardInterrupt

    monkeypatch.setattr("dsnlib.runs.progress.Progress.show", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path)
    monkeypatch.undo()
    assert (tmp_path / "checkpoint.npz").exists()
    assert train(tmp_path).data.equals(undisturbed[1].data)


def test_complete_run_loads_at_once(undisturbed, monkeypatch):
    monkeypatch.setattr("dsnlib.runs.fitting._run", None)  # training would fail
    folder, run = undisturbed
    assert train(folder).data.identical(run.data)
    assert load_run(folder).data.identical(run.data)


@pytest.mark.parametrize("kind", ["complete", "in progress"])
def test_folder_with_other_settings_is_refused_untouched(undisturbed, stopped, kind):
    folder = {"complete": undisturbed[0], "in progress": stopped}[kind]
    (folder / ".lock").unlink(missing_ok=True)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    attempts = [
        (
            Product(),
            PROPERTY,
            dataclasses.replace(SMALL, c0=2.0),
            5,
            "c0: 1.0 there, 2.0 asked for",
        ),
        (Product(), PROPERTY, SMALL, 6, "seed: 5 there, 6 asked for"),
        (Product(), EmergentProperty([0.8], [0.2]), SMALL, 5, r"sd: \[0.3\] there, \[0.2\] asked"),
        (STG(T=50), PROPERTY, SMALL, 5, "name: Product there, STG asked for"),
    ]
    for circuit, prop, method, seed, difference in attempts:
        with pytest.raises(ValueError, match=rf"out must be a new folder.*{difference}.*; choose"):
            fit(circuit, prop, method, seed=seed, out=folder)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_damaged_data_is_a_clear_error(undisturbed, tmp_path):
    content = (undisturbed[0] / "run.nc").read_bytes()
    for length in (0, 100, len(content) // 2):
        (tmp_path / "run.nc").write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"run\.nc cannot be read .*restore it"):
            load_run(tmp_path)


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    file = tmp_path / "data"
    file.write_text("old")

    def fail(temporary):
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(file, fail)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert file.read_text() == "old"


def test_data_are_labelled(undisturbed):
    data = undisturbed[1].data
    assert data.entropy.dims == ("step",)
    assert data.statistic_mean.dims == ("step", "moment")
    assert data.z.dims == ("snapshot", "sample", "parameter")
    assert data.z.shape == (4, 1_000, 2)
    assert data.p_value.dims == ("epoch", "moment")
    assert data.moment.values.tolist() == ["product", "product^2"]
    assert data.parameter.values.tolist() == ["a", "b"]
    assert data.method == "lagrangian"
    for name in ("settings", "seed", "versions", "device", "seconds", "git_commit", "program"):
        assert name in data.attrs
    assert undisturbed[1].method == SMALL
    assert undisturbed[1].prop == PROPERTY
    assert undisturbed[1].seed == SEED


@pytest.mark.parametrize("epoch", [0, 1, -1])
def test_network_of_a_snapshot_is_the_one_that_made_it(undisturbed, epoch):
    data = undisturbed[1].data
    log_q = undisturbed[1].network(epoch).log_prob(data.z[epoch].values)
    # Single precision: z has 24 bits, and the density varies by this much between neighbours.
    np.testing.assert_allclose(log_q, data.log_q[epoch], atol=1e-2)


@pytest.mark.parametrize("epoch", [4, -5, 1.0, "last"])
def test_network_of_an_epoch_that_is_not_there(undisturbed, epoch):
    with pytest.raises((TypeError, ValueError), match=r"epoch must be .*got"):
        undisturbed[1].network(epoch)


def test_double_precision_leaves_the_mode_of_jax_as_it_was(tmp_path):
    run = fit(Product(), PROPERTY, dataclasses.replace(DOUBLE, epochs=1), seed=0, out=tmp_path)
    assert run.data.z.dtype == run.data.weights.dtype == np.float64
    assert not jax.config.jax_enable_x64


def test_progress_tells_epoch_entropy_and_violation(tmp_path, capfd):
    fit(Product(), PROPERTY, dataclasses.replace(SMALL, epochs=2), seed=0, out=tmp_path)
    output = capfd.readouterr()
    assert "epoch 2 done: c " in output.err
    for part in ("initial fit", "epoch 2/2", "it/s", "H ", "|R| ", "600/600"):
        assert part in output.err


def test_convergence_table_and_epoch_agree(undisturbed):
    run = undisturbed[1]
    table = run.convergence()
    passed = table.index[table["not rejected"]]
    assert run.converged_epoch == (passed[0] if len(passed) else None)
    assert isinstance(run, Run)


# A run of the simulator's loop, which XLA would split over all cores.
SIMULATED = """
import os, sys
{before}
sys.path.insert(0, {tests!r})
from test_runs import simulated
print(simulated({out!r}).data.device)
"""
SWITCHES = {
    "JAX_THREEFRY_PARTITIONABLE": "0",
    "JAX_DEFAULT_PRNG_IMPL": "rbg",
    "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
    "JAX_NUMPY_DTYPE_PROMOTION": "strict",
    "JAX_NUMPY_RANK_PROMOTION": "raise",
    "JAX_ENABLE_X64": "1",
}


def simulated(out):
    method = AugmentedLagrangian(epochs=1, iterations=60, batch=300, layers=3)
    return fit(STG(T=60), EmergentProperty([0.525], [0.025]), method, seed=3, out=out)


def test_bits_depend_neither_on_cores_nor_on_switches_of_jax(tmp_path):
    before = ""
    if hasattr(os, "sched_setaffinity"):  # only Linux binds processes to cores
        before = f"os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})"
    child = SIMULATED.format(
        before=before, tests=str(Path(__file__).parent), out=str(tmp_path / "other")
    )
    done = subprocess.run(
        [sys.executable, "-c", child], env=os.environ | SWITCHES, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    run = simulated(tmp_path / "here")
    assert load_run(tmp_path / "other").data.equals(run.data)
    for device in (run.data.device, done.stdout.splitlines()[-1]):
        assert device.startswith("cpu: one thread of "), "as measured"


def test_a_shift_of_all_seeds_is_refused_before_anything_is_computed(tmp_path):
    jax.config.update("jax_random_seed_offset", 1)
    try:
        with pytest.raises(ValueError, match=r"JAX_RANDOM_SEED_OFFSET must be 0, got 1: .*; unset"):
            train(tmp_path / "run")
    finally:
        jax.config.update("jax_random_seed_offset", 0)
    assert not (tmp_path / "run").exists()


def test_leftovers_beside_a_complete_run_are_removed(undisturbed, tmp_path):
    shutil.copy(undisturbed[0] / "run.nc", tmp_path)
    for name in ("checkpoint.npz", ".run.nc.abc", ".checkpoint.npz.xyz"):
        (tmp_path / name).write_text("left by a killed process")
    train(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["run.nc"]


def test_complete_run_needs_no_writable_folder(undisturbed, monkeypatch):
    def read_only(*_, **__):
        raise OSError("read-only file system")

    monkeypatch.setattr("dsnlib.runs.fitting.make_writable", read_only)
    monkeypatch.setattr(Path, "unlink", read_only)
    assert train(undisturbed[0]).seed == SEED


def test_resumed_under_other_versions_says_so(undisturbed, folder, monkeypatch):
    there = {"versions": {"jax": "0"}, "device": "cpu", "git_commit": "abc", "xla": ""}
    monkeypatch.setattr("dsnlib.runs.folder.provenance", lambda: there)
    with pytest.warns(UserWarning, match="resumes under another versions, device, git_commit"):
        run = train(folder)
    assert json.loads(run.data.versions) == {"jax": "0"}
    assert json.loads(run.data.earlier_sessions)[0]["device"] == undisturbed[1].data.device
    assert run.data.equals(undisturbed[1].data)


def test_foreign_files_are_named(tmp_path):
    xr.Dataset({"x": 1.0}).to_netcdf(tmp_path / "run.nc")
    with pytest.raises(ValueError, match=r"run\.nc is not the data of a run \(it lacks circuit"):
        load_run(tmp_path)
    (tmp_path / "run.nc").unlink()
    np.savez(tmp_path / "checkpoint.npz", x=1.0)
    with pytest.raises(CheckpointError, match=r"checkpoint\.npz has format None"):
        train(tmp_path)


def test_runs_of_a_method_that_is_not_known(undisturbed, tmp_path):
    data = undisturbed[1].data.assign_attrs(method="annealing")
    del data.attrs["sha256"]
    data.to_netcdf(tmp_path / "run.nc")
    message = r"must be of a known method \(.*lagrangian.*\), got 'annealing'; import the module"
    with pytest.raises(ValueError, match=message):
        load_run(tmp_path)
    with pytest.raises(ValueError, match=message):
        train(tmp_path)


def test_runs_of_population_monte_carlo_are_named(tmp_path):
    """Version 0.1 wrote these, with settings and samples but no multipliers."""
    settings = {"walkers": 1_000, "share": 0.5, "precision": "float32"}
    file = xr.Dataset({"acceptance": ("stage", [0.5])}, attrs={"settings": json.dumps(settings)})
    file.to_netcdf(tmp_path / "run.nc")
    for load in (load_run, train):
        with pytest.raises(ValueError, match="holds a run of population Monte Carlo, which"):
            load(tmp_path)


def test_committed_runs_of_version_0_1_load_through_fit(tmp_path, monkeypatch):
    monkeypatch.setattr("dsnlib.runs.fitting._run", None)  # training would fail
    shutil.copy(ROOT / "runs" / "c0-1_seed-1" / "run.nc", tmp_path)
    note = (STG(T=200), EmergentProperty([0.525], [0.025]))
    run = fit(*note, AugmentedLagrangian(c0=1, epochs=12), seed=1, out=tmp_path)
    assert "program" not in run.data.attrs  # so nothing tells what its circuit computed
    assert run.data.identical(load_run(ROOT / "runs" / "c0-1_seed-1").data)
    with pytest.raises(ValueError, match=r"out must be a new folder.*epochs: 12 there, 8 asked"):
        fit(*note, AugmentedLagrangian(c0=1), seed=1, out=tmp_path)
