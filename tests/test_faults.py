"""Faults are injected into training: a clear error, nothing lost, and the same bits afterwards."""

import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import textwrap
import time

import numpy as np
import pytest

from children import PROPERTY, SLOWLY, SMALL, Product, command, start, train, wait_for
from circuits import Brittle
from dsnlib import (
    AugmentedLagrangian,
    CheckpointError,
    EmergentProperty,
    RunLockedError,
    SimulationError,
    fit,
)
from dsnlib.runs import folder as runs_folder
from dsnlib.runs.folder import RunFolder, discard_stale
from dsnlib.storage.checkpoint import CHECKPOINT_FILES, _digest, _read

NEWEST, PREVIOUS = CHECKPOINT_FILES
ONE_EPOCH = dataclasses.replace(SMALL, epochs=1)


def position(file):
    with np.load(file) as members:
        return int(members["state.epoch"]), int(members["state.iteration"])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -2)])
def test_signal_between_calls(undisturbed, tmp_path, number, code):
    process = start(tmp_path, SLOWLY)  # no checkpoint is due but at the ends of epochs
    wait_for((tmp_path / "here").exists, process)
    process.send_signal(number)
    (tmp_path / "here").unlink()
    process.communicate(timeout=30)
    assert process.returncode == code
    assert position(tmp_path / NEWEST) == (1, 200)
    assert position(tmp_path / PREVIOUS) == (1, 0)
    assert train(tmp_path).data.equals(undisturbed[1].data)


def test_signals_while_the_checkpoint_is_written(undisturbed, tmp_path, monkeypatch):
    def interrupt(self, report):
        if report.done == 500:
            os.kill(os.getpid(), signal.SIGINT)

    save = runs_folder.save_checkpoint

    def slow(folder, checkpoint):
        if checkpoint.state.iteration:
            os.kill(os.getpid(), signal.SIGTERM)
        save(folder, checkpoint)

    with monkeypatch.context() as patch:
        patch.setattr("dsnlib.runs.progress.Progress.show", interrupt)
        patch.setattr(runs_folder, "save_checkpoint", slow)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path)
    assert position(tmp_path / NEWEST) == (1, 200)
    assert train(tmp_path).data.equals(undisturbed[1].data)


# The third block never ends: a compiled loop that computes for minutes, which no handler stops.
ENDLESS = """
import jax
from dsnlib.methods.lagrangian import training
block, blocks = training.block, []
def endless(*arguments):
    blocks.append(1)
    if len(blocks) < 3:
        return block(*arguments)
    open(out + "/here", "w").close()
    loop = jax.jit(lambda x: jax.lax.while_loop(lambda x: x < 2, jax.numpy.sin, x))
    return loop(1.0).block_until_ready()
training.block = endless
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_during_a_call_that_does_not_end(undisturbed, tmp_path, number):
    process = start(tmp_path, ENDLESS)
    wait_for((tmp_path / "here").exists, process)
    time.sleep(3)  # until the loop is compiled: before, Python would see the signal
    process.send_signal(number)
    try:
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 128 + number
    assert f"ended by {number.name}" in errors
    assert position(tmp_path / NEWEST) == (0, 200)
    (tmp_path / "here").unlink()
    assert train(tmp_path).data.equals(undisturbed[1].data)


def test_signal_handlers_are_as_before(tmp_path):
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    fit(Product(), PROPERTY, ONE_EPOCH, seed=0, out=tmp_path)
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
    assert signal.set_wakeup_fd(-1) == -1


@pytest.mark.parametrize("damage", ["truncated", "empty", "flipped", "garbage", "stripped"])
def test_damaged_newest_checkpoint(undisturbed, folder, damage):
    file = folder / NEWEST
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    if damage == "stripped":  # intact members, but not all of them
        with np.load(folder / NEWEST) as members:
            entropy = "state.records['entropy']"
            assert entropy in members
            kept = {name: members[name] for name in members if name != entropy}
        np.savez(file, **kept)
    else:
        length = {"truncated": 1_000, "empty": 0}.get(damage, len(content))
        file.write_bytes(bytes(1_000) if damage == "garbage" else content[:length])
    with pytest.warns(UserWarning, match=r"checkpoint\.npz cannot be read .*resumes from .*prev"):
        assert train(folder).data.equals(undisturbed[1].data)


def test_both_checkpoints_damaged(folder):
    for name in CHECKPOINT_FILES:
        (folder / name).write_bytes(b"PK")
    with pytest.raises(CheckpointError, match=r"npz cannot be read .*npz cannot .*; remove both"):
        train(folder)
    assert (folder / NEWEST).read_bytes() == (folder / PREVIOUS).read_bytes() == b"PK"


def rewrite(folder, **changes):
    """Change the meta of both checkpoints as another version would have written it."""
    for file in (folder / name for name in CHECKPOINT_FILES):
        arrays, meta = _read(file)
        arrays["meta"] = np.array(json.dumps({**meta, **changes}))
        arrays["sha256"] = np.array(_digest(arrays))
        np.savez(file, **arrays)


def test_checkpoint_of_another_version(folder):
    rewrite(folder, format=2)
    before = (folder / NEWEST).read_bytes()
    with pytest.raises(CheckpointError, match=r"has format 2, this version reads 3; finish .*"):
        train(folder)
    assert (folder / NEWEST).read_bytes() == before


def test_checkpoint_of_other_training_code(folder):
    rewrite(folder, numerics="0" * 64)
    with pytest.raises(CheckpointError, match=r"checkpoint that other code wrote .*; resume with"):
        train(folder)
    assert discard_stale(folder) == [folder / NEWEST, folder / PREVIOUS]
    assert not (folder / NEWEST).exists()


def test_checkpoint_of_this_code_is_not_stale(folder):
    assert discard_stale(folder) == discard_stale(folder / "nothing") == []
    (folder / NEWEST).write_bytes(b"")
    assert discard_stale(folder) == []  # fit judges the damage


def test_checkpoint_of_other_settings(folder):
    before = (folder / NEWEST).read_bytes()
    with pytest.raises(ValueError, match="seed: 5 there, 6 asked for"):
        fit(Product(), PROPERTY, SMALL, seed=6, out=folder)
    assert (folder / NEWEST).read_bytes() == before


def test_second_process_is_refused_with_the_owner(tmp_path):
    process = start(tmp_path, SLOWLY)
    wait_for((tmp_path / "here").exists, process)
    owner = f"process {process.pid} on host {socket.gethostname()}"
    with pytest.raises(RunLockedError, match=f"out must be .* which {owner} holds; wait for it"):
        train(tmp_path)
    process.kill()  # a dead owner blocks nobody, though its lock's file is there
    process.communicate()
    assert (tmp_path / ".lock").exists()
    train(tmp_path)
    assert not (tmp_path / ".lock").exists()


def test_file_system_without_locks(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.warns(UserWarning, match="file system without locks .*only one process"):
        fit(Product(), PROPERTY, ONE_EPOCH, seed=0, out=tmp_path)


def test_run_that_another_process_completed_meanwhile(undisturbed, tmp_path, monkeypatch):
    complete, asked = RunFolder.complete, []

    def not_at_first(self):
        asked.append(1)
        return None if len(asked) == 1 else complete(self)

    monkeypatch.setattr(RunFolder, "complete", not_at_first)
    monkeypatch.setattr("dsnlib.runs.fitting._run", None)  # training would fail
    shutil.copy(undisturbed[0] / "run.nc", tmp_path)
    assert train(tmp_path).data.identical(undisturbed[1].data)
    assert os.listdir(tmp_path) == ["run.nc"]


# In a mount namespace of its own, the run's folder is a file system of 3 MB; in the second epoch
# it becomes full, or read-only.
FAULTS = {
    "full": "open(out + '/ballast', 'wb').write(bytes(10**7))",
    "read-only": "mount('--bind', out, out); mount('-o', 'remount,bind,ro', out)",
}
STRIKE = """
import os, subprocess
def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)
save = runs_folder.save_checkpoint
for name, fault in {faults!r}.items():
    out, saves = {out!r} + "/" + name, []
    os.makedirs(out)
    mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", out)
    def strike(folder, checkpoint):
        saves.append(1)
        if len(saves) == 3:
            try:
                exec(fault)
            except OSError:
                pass
        save(folder, checkpoint)
    runs_folder.save_checkpoint = strike
    try:
        train(out)
    except OSError as error:
        print(error)
    os.makedirs({saved!r} + "/" + name)
    subprocess.run(["cp", *{files!r}, {saved!r} + "/" + name], cwd=out, check=True)
raise SystemExit
"""


@pytest.mark.skipif(
    subprocess.run(["unshare", "-rm", "true"], check=False).returncode != 0,
    reason="needs Linux with namespaces for file systems of its own",
)
def test_disk_full_or_read_only(undisturbed, tmp_path):
    saved = tmp_path / "saved"
    script = STRIKE.format(
        faults=FAULTS, files=CHECKPOINT_FILES, out=str(tmp_path / "run"), saved=str(saved)
    )
    done = subprocess.run(
        ["unshare", "-rm", *command(tmp_path, script)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for line, reason in zip(
        done.stdout.splitlines(), ["No space left", "Read-only file system"], strict=True
    ):
        assert "checkpoint.npz cannot be written" in line
        assert reason in line
        assert "start again" in line
    for fault in FAULTS:
        assert position(saved / fault / NEWEST) == (1, 0)
        assert train(saved / fault).data.equals(undisturbed[1].data)


def test_data_file_that_cannot_be_written(undisturbed, tmp_path):
    script = textwrap.dedent(
        """
        import resource
        write = runs_folder.write_dataset
        def full(*arguments):
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
            write(*arguments)
        runs_folder.write_dataset = full
        """
    )
    done = subprocess.run(command(tmp_path, script), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "run.nc cannot be written" in done.stderr.splitlines()[-1]
    assert position(tmp_path / NEWEST) == (3, 0)
    assert sorted(os.listdir(tmp_path)) == [NEWEST, PREVIOUS]
    assert train(tmp_path).data.equals(undisturbed[1].data)


def test_clock_that_jumps(undisturbed, tmp_path, monkeypatch):
    hours = iter(range(10**6))
    monkeypatch.setattr("time.time", lambda: 1e9 - 3600 * next(hours) * (-1) ** next(hours))
    monkeypatch.setattr("tqdm.std.time", time.time)
    began = time.monotonic()
    data = train(tmp_path).data
    assert data.equals(undisturbed[1].data)
    assert 0 < data.seconds < time.monotonic() - began


def test_checkpoints_are_at_most_60_seconds_apart(tmp_path, monkeypatch):
    clock = [0.0]
    saves = []
    save = runs_folder.save_checkpoint

    def tick(self, report):
        clock[0] += 7  # seconds that a block takes

    def note(folder, checkpoint):
        saves.append(clock[0])
        save(folder, checkpoint)

    monkeypatch.setattr("dsnlib.runs.folder.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("dsnlib.runs.progress.Progress.show", tick)
    monkeypatch.setattr(runs_folder, "save_checkpoint", note)
    method = AugmentedLagrangian(epochs=2, iterations=3_000, batch=4, layers=3)
    fit(Product(), PROPERTY, method, seed=1, out=tmp_path)
    assert len(saves) > 6
    assert max(np.diff(saves)) <= 60
    assert saves[-1] == clock[0] - 7  # the last epoch's end, before it is shown


def test_nan_in_the_simulation(tmp_path):
    method = AugmentedLagrangian(epochs=2, iterations=200, batch=100, layers=2)
    prop = EmergentProperty([5.0], [1.0])
    # A few: they are left out and counted. Many: the run stops and says what to try.
    some = fit(Brittle(limit=8.7), prop, method, seed=1, out=tmp_path / "some").data
    assert some.failed_simulations.sum() + some.skipped_steps.sum() > 0
    assert np.isfinite(some.entropy).all()
    with pytest.raises(SimulationError, match=r"not finite \(limit: 1 %.*; try a smaller"):
        fit(Brittle(limit=5.0), prop, method, seed=1, out=tmp_path / "many")
    assert position(tmp_path / "many" / NEWEST) == (0, 0)
