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

from circuits import Product
from dsnlib import (
    STG,
    CheckpointError,
    EmergentProperty,
    Parameter,
    Run,
    Settings,
    fit,
    load_run,
)
from dsnlib.runs.files import write_atomically

SMALL = Settings(epochs=3, iterations=300, batch=200, layers=3)
PROPERTY = EmergentProperty([0.8], [0.3])

# Trains the same run in another process, with a checkpoint after every block.
CHILD = """
import sys
sys.path.insert(0, {tests!r})
from test_runs import PROPERTY, SMALL, Product, fit
import dsnlib.runs.session as module
module._CHECKPOINT_SECONDS = 0
fit(Product(), PROPERTY, SMALL, seed=5, out={out!r})
"""


def break_off(folder, monkeypatch):
    """Train the small run into a folder, but fail where the data would be written."""
    with monkeypatch.context() as patch:
        patch.setattr("dsnlib.runs.session.write_dataset", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fit(Product(), PROPERTY, SMALL, seed=5, out=folder)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "undisturbed"
    return folder, fit(Product(), PROPERTY, SMALL, seed=5, out=folder)


def test_same_seed_same_bits(undisturbed, tmp_path):
    again = fit(Product(), PROPERTY, SMALL, seed=5, out=tmp_path / "again")
    assert again.data.equals(undisturbed[1].data)
    other = fit(Product(), PROPERTY, SMALL, seed=6, out=tmp_path / "other")
    assert (other.data.z != undisturbed[1].data.z).all()


def test_killed_at_random_moments_and_resumed(undisturbed, tmp_path):
    rng = np.random.default_rng(0)
    child = CHILD.format(tests=str(Path(__file__).parent), out=str(tmp_path / "run"))
    checkpoint, complete = tmp_path / "run" / "checkpoint.npz", tmp_path / "run" / "run.nc"
    kills = 0
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", child], stderr=subprocess.PIPE)
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
    resumed = fit(Product(), PROPERTY, SMALL, seed=5, out=tmp_path / "run")
    assert "earlier_sessions" not in resumed.data.attrs  # all on one device, code and versions
    assert resumed.data.equals(undisturbed[1].data)
    assert sorted(path.name for path in (tmp_path / "run").glob("[!.]*")) == ["run.nc"]


def test_interrupted_in_python_and_resumed(undisturbed, tmp_path, monkeypatch):
    calls = []

    def interrupt(*_):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr("dsnlib.runs.progress.Progress.update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(Product(), PROPERTY, SMALL, seed=5, out=tmp_path)
    monkeypatch.undo()
    assert (tmp_path / "checkpoint.npz").exists()
    assert fit(Product(), PROPERTY, SMALL, seed=5, out=tmp_path).data.equals(undisturbed[1].data)


def test_complete_run_loads_at_once(undisturbed, monkeypatch):
    monkeypatch.setattr("dsnlib.runs.fitting.train_in_folder", None)  # training would fail
    folder, run = undisturbed
    assert fit(Product(), PROPERTY, SMALL, seed=5, out=folder).data.identical(run.data)
    assert load_run(folder).data.identical(run.data)


@pytest.mark.parametrize("kind", ["complete", "in progress"])
def test_folder_with_other_settings_is_refused_untouched(undisturbed, tmp_path, monkeypatch, kind):
    folder = undisturbed[0]
    if kind == "in progress":
        folder = tmp_path
        break_off(folder, monkeypatch)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    attempts = [
        (Product(), PROPERTY, Settings(c0=2.0, epochs=3, iterations=300, batch=200, layers=3), 5,
         "c0: 1.0 there, 2.0 asked for"),
        (Product(), PROPERTY, SMALL, 6, "seed: 5 there, 6 asked for"),
        (Product(), EmergentProperty([0.8], [0.2]), SMALL, 5, r"sd: \[0.3\] there, \[0.2\] asked"),
        (STG(T=50), PROPERTY, SMALL, 5, "name: Product there, STG asked for"),
    ]  # fmt: skip
    for circuit, prop, settings, seed, difference in attempts:
        with pytest.raises(ValueError, match=rf"out must be a new folder.*{difference}.*; choose"):
            fit(circuit, prop, settings, seed=seed, out=folder)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("damage", ["truncated", "empty", "flipped"])
def test_damaged_checkpoint_is_an_error_not_a_new_start(tmp_path, monkeypatch, damage):
    break_off(tmp_path, monkeypatch)
    file = tmp_path / "checkpoint.npz"
    content = bytearray(file.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 0x10
    file.write_bytes(content[: {"truncated": 1000, "empty": 0}.get(damage, len(content))])
    shutil.copy(file, tmp_path / "checkpoint.previous.npz")
    with pytest.raises(CheckpointError, match=r"checkpoint\.npz cannot be read .*remove both"):
        fit(Product(), PROPERTY, SMALL, seed=5, out=tmp_path)
    assert file.exists()


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
    for name in ("settings", "seed", "versions", "device", "seconds", "git_commit"):
        assert name in data.attrs
    assert undisturbed[1].settings == SMALL


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


def test_double_precision_leaves_the_mode_of_jax_alone(tmp_path):
    settings = Settings(epochs=1, iterations=50, batch=50, layers=2, precision="float64")
    run = fit(Product(), PROPERTY, settings, seed=0, out=tmp_path)
    assert run.data.z.dtype == run.data.weights.dtype == np.float64
    assert not jax.config.jax_enable_x64


def test_single_precision_is_single_in_either_mode_of_jax(x64, undisturbed, tmp_path):
    run = fit(Product(), PROPERTY, SMALL, seed=5, out=tmp_path)
    assert run.data.equals(undisturbed[1].data)


def test_progress_tells_epoch_entropy_and_violation(tmp_path, capfd):
    settings = Settings(epochs=2, iterations=100, batch=50, layers=2)
    fit(Product(), PROPERTY, settings, seed=0, out=tmp_path)
    output = capfd.readouterr()
    assert "epoch 2 done: c " in output.err
    for part in ("initial fit", "epoch 2/2", "it/s", "H ", "|R| ", "200/200"):
        assert part in output.err


def test_convergence_table_and_epoch_agree(undisturbed):
    run = undisturbed[1]
    table = run.convergence()
    passed = table.index[table["not rejected"]]
    assert run.converged_epoch == (passed[0] if len(passed) else None)
    assert isinstance(run, Run)


AFFINITY = """
import os, sys
os.sched_setaffinity(0, {cores})
sys.path.insert(0, {tests!r})
from test_runs import STG, EmergentProperty, Settings, fit
settings = Settings(epochs=1, iterations=60, batch=300, layers=3)
run = fit(STG(T=60), EmergentProperty([0.525], [0.025]), settings, seed=3, out={out!r})
print(run.data.device)
"""


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="Linux alone binds processes to cores"
)
def test_bits_do_not_depend_on_the_number_of_cores(tmp_path):
    every = os.sched_getaffinity(0)
    for name, cores in (("all", every), ("one", {min(every)})):
        child = AFFINITY.format(
            cores=cores, tests=str(Path(__file__).parent), out=str(tmp_path / name)
        )
        done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1].startswith("cpu: one thread of "), "as measured"
    assert load_run(tmp_path / "all").data.equals(load_run(tmp_path / "one").data)


def other_bounds(high):
    """A circuit called Product, whose constants are the same but whose bounds are not."""
    parameters = (Parameter("a", "1", -1, high), Parameter("b", "1", -1, 1))
    return dataclasses.make_dataclass(
        "Product", [], bases=(Product,), frozen=True, namespace={"parameters": parameters}
    )()


def test_same_name_other_bounds_is_another_run(undisturbed):
    same = fit(other_bounds(1), PROPERTY, SMALL, seed=5, out=undisturbed[0])
    assert same.data.identical(undisturbed[1].data)
    with pytest.raises(ValueError, match=r"out must be a new folder.*parameters: .*2\.0"):
        fit(other_bounds(2), PROPERTY, SMALL, seed=5, out=undisturbed[0])


def test_leftovers_beside_a_complete_run_are_removed(undisturbed, tmp_path):
    shutil.copy(undisturbed[0] / "run.nc", tmp_path)
    for name in ("checkpoint.npz", ".run.nc.abc", ".checkpoint.npz.xyz"):
        (tmp_path / name).write_text("left by a killed process")
    fit(Product(), PROPERTY, SMALL, seed=5, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["run.nc"]


def test_complete_run_needs_no_writable_folder(undisturbed, monkeypatch):
    def read_only(*_, **__):
        raise OSError("read-only file system")

    monkeypatch.setattr("dsnlib.runs.fitting.make_writable", read_only)
    monkeypatch.setattr(Path, "unlink", read_only)
    assert fit(Product(), PROPERTY, SMALL, seed=5, out=undisturbed[0]).data.seed == 5


def test_resumed_under_other_versions_says_so(undisturbed, tmp_path, monkeypatch):
    break_off(tmp_path, monkeypatch)
    there = {"versions": {"jax": "0"}, "device": "cpu", "git_commit": "abc"}
    monkeypatch.setattr("dsnlib.runs.session.provenance", lambda: there)
    with pytest.warns(UserWarning, match="goes on under another versions, device, git_commit"):
        run = fit(Product(), PROPERTY, SMALL, seed=5, out=tmp_path)
    assert json.loads(run.data.versions) == {"jax": "0"}
    assert json.loads(run.data.earlier_sessions)[0]["device"] == undisturbed[1].data.device
    assert run.data.equals(undisturbed[1].data)


def test_foreign_files_are_named(tmp_path):
    xr.Dataset({"x": 1.0}).to_netcdf(tmp_path / "run.nc")
    with pytest.raises(ValueError, match=r"run\.nc is not the data of a run \(it lacks .*entropy"):
        load_run(tmp_path)
    (tmp_path / "run.nc").unlink()
    np.savez(tmp_path / "checkpoint.npz", x=1.0)
    with pytest.raises(CheckpointError, match=r"checkpoint\.npz has format None"):
        fit(Product(), PROPERTY, SMALL, seed=5, out=tmp_path)
