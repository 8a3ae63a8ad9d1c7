"""Faults are injected into training: a clear error, nothing lost, and the same bits afterwards."""

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

from children import PROPERTY, SEED, SMALL, Product, command, start, wait_for
from circuits import Brittle
from dsnlib import (
    CheckpointError,
    EmergentProperty,
    RunLockedError,
    Settings,
    SimulationError,
    fit,
    fit_many,
)
from dsnlib.runs import session
from dsnlib.runs.checkpoint import CHECKPOINT_FILES, _digest, _read
from dsnlib.runs.session import discard_stale

NEWEST, PREVIOUS = CHECKPOINT_FILES

# Says where training is, and then lets the signal come whenever it comes.
EVERY_BLOCK = "session._CHECKPOINT_SECONDS = 0"
SLOWLY = """
import time
from pathlib import Path
from dsnlib.runs.progress import Progress
update = Progress.update
def slow(self, state, history):
    if (state.epoch, state.iteration) == (1, 200):
        here = Path(out, "here")
        here.touch()
        while here.exists():
            time.sleep(0.01)
    update(self, state, history)
Progress.update = slow
"""


def train(out):
    return fit(Product(), PROPERTY, SMALL, seed=SEED, out=out)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return train(tmp_path_factory.mktemp("undisturbed")).data


@pytest.fixture(scope="module")
def broken_off(tmp_path_factory):
    """A folder of a run that was killed in its second epoch, with its last two checkpoints."""
    folder = tmp_path_factory.mktemp("broken_off") / "run"
    process = start(folder, EVERY_BLOCK + SLOWLY)
    wait_for((folder / "here").exists, process)
    process.kill()
    process.wait()
    process.stderr.close()
    (folder / "here").unlink()
    assert {NEWEST, PREVIOUS} <= {path.name for path in folder.iterdir()}
    return folder


@pytest.fixture
def folder(broken_off, tmp_path):
    return shutil.copytree(broken_off, tmp_path / "run")


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
    assert train(tmp_path).data.equals(undisturbed)


def test_signals_while_the_checkpoint_is_written(undisturbed, tmp_path, monkeypatch):
    def interrupt(self, state, history):
        if (state.epoch, state.iteration) == (1, 200):
            os.kill(os.getpid(), signal.SIGINT)

    save = session.save_checkpoint

    def slow(folder, checkpoint):
        if checkpoint.state.iteration:
            os.kill(os.getpid(), signal.SIGTERM)
        save(folder, checkpoint)

    with monkeypatch.context() as patch:
        patch.setattr("dsnlib.runs.progress.Progress.update", interrupt)
        patch.setattr(session, "save_checkpoint", slow)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path)
    assert position(tmp_path / NEWEST) == (1, 200)
    assert train(tmp_path).data.equals(undisturbed)


# The third block never ends: a compiled loop that computes for minutes, which no handler stops.
ENDLESS = """
import jax
from dsnlib.training import calls
made = calls._compiled
blocks = []
def compiled(function, static):
    if function.__name__ == "_block":
        blocks.append(1)
        if len(blocks) == 3:
            def endless(*_):
                open(out + "/here", "w").close()
                loop = jax.jit(lambda x: jax.lax.while_loop(lambda x: x < 2, jax.numpy.sin, x))
                return loop(1.0).block_until_ready()
            return endless
    return made(function, static)
calls._compiled = compiled
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
    assert train(tmp_path).data.equals(undisturbed)


def test_signal_handlers_are_as_before(tmp_path):
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    fit(Product(), PROPERTY, Settings(epochs=1, iterations=2, batch=4), seed=0, out=tmp_path)
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_all_runs_of_a_company_are_saved(tmp_path, monkeypatch):
    calls = []

    def interrupt(self, state, history):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr("dsnlib.runs.progress.Progress.update", interrupt)
    out = [tmp_path / "a", tmp_path / "b"]
    with pytest.raises(KeyboardInterrupt):
        fit_many(Product(), PROPERTY, [(SMALL, 1), (SMALL, 2)], out=out)
    assert [position(folder / NEWEST) for folder in out] == [(0, 300), (0, 100)]


@pytest.mark.parametrize("damage", ["truncated", "empty", "flipped", "garbage", "stripped"])
def test_damaged_newest_checkpoint(undisturbed, folder, damage):
    file = folder / NEWEST
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    if damage == "stripped":  # intact members, but not all of them
        with np.load(folder / NEWEST) as members:
            kept = {name: members[name] for name in members if name != "history/entropy"}
        np.savez(file, **kept)
    else:
        length = {"truncated": 1_000, "empty": 0}.get(damage, len(content))
        file.write_bytes(bytes(1_000) if damage == "garbage" else content[:length])
    with pytest.warns(UserWarning, match=r"checkpoint\.npz cannot be read .*goes on from .*prev"):
        assert train(folder).data.equals(undisturbed)


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
    rewrite(folder, format=1)
    before = (folder / NEWEST).read_bytes()
    with pytest.raises(CheckpointError, match=r"has format 1, this version reads 2; finish .*"):
        train(folder)
    assert (folder / NEWEST).read_bytes() == before


def test_checkpoint_of_other_training_code(folder):
    rewrite(folder, numerics="0" * 64)
    with pytest.raises(CheckpointError, match=r"other training code wrote .*; go on with that"):
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
    with pytest.raises(ExceptionGroup, match="1 of 1 runs failed"):
        fit_many(Product(), PROPERTY, [(SMALL, SEED)], out=[tmp_path])
    process.kill()  # a dead owner blocks nobody, though its lock's file is there
    process.communicate()
    assert (tmp_path / ".lock").exists()
    train(tmp_path)
    assert not (tmp_path / ".lock").exists()


def test_file_system_without_locks(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.warns(UserWarning, match="file system without locks .*one process alone"):
        fit(Product(), PROPERTY, Settings(epochs=1, iterations=2, batch=4), seed=0, out=tmp_path)


def test_run_that_another_process_completed_meanwhile(tmp_path, monkeypatch):
    train(tmp_path)
    monkeypatch.setattr("dsnlib.runs.fitting.load_complete", lambda *_: None)  # as it was then
    monkeypatch.setattr("dsnlib.runs.session.load_checkpoint", None)  # training would fail
    assert train(tmp_path).data.seed == SEED


# In a mount namespace of its own, the run's folder is a file system of 3 MB; in the second epoch
# it becomes full, or read-only.
FAULTS = {
    "full": "open(out + '/ballast', 'wb').write(bytes(10**7))",
    "read-only": "mount('--bind', out, out); mount('-o', 'remount,bind,ro', out)",
}
STRIKE = """
import subprocess
def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)
mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", out)
save, calls = session.save_checkpoint, []
def strike(folder, checkpoint):
    calls.append(1)
    if len(calls) == 3:
        try:
            {fault}
        except OSError:
            pass
    save(folder, checkpoint)
session.save_checkpoint = strike
try:
    fit(Product(), PROPERTY, SMALL, seed=SEED, out=out)
except OSError as error:
    print(error)
subprocess.run(["cp", *{files!r}, {saved!r}], cwd=out, check=True)
raise SystemExit
"""


@pytest.mark.skipif(
    subprocess.run(["unshare", "-rm", "true"], check=False).returncode != 0,
    reason="needs Linux with namespaces for file systems of its own",
)
@pytest.mark.parametrize(
    ("fault", "message"), [("full", "No space left"), ("read-only", "Read-only file system")]
)
def test_disk_full_or_read_only(undisturbed, tmp_path, fault, message):
    out, saved = tmp_path / "run", tmp_path / "saved"
    out.mkdir()
    saved.mkdir()
    script = STRIKE.format(fault=FAULTS[fault], files=CHECKPOINT_FILES, saved=str(saved))
    done = subprocess.run(
        ["unshare", "-rm", *command(out, script)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "checkpoint.npz cannot be written" in done.stdout
    assert message in done.stdout
    assert "start again" in done.stdout
    assert position(saved / NEWEST) == (1, 0)
    assert train(saved).data.equals(undisturbed)


def test_data_file_that_cannot_be_written(undisturbed, tmp_path):
    limit = "import resource; from dsnlib.runs import session as s; write = s.write_dataset"
    script = textwrap.dedent(
        f"""
        {limit}
        def full(*arguments):
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
            write(*arguments)
        s.write_dataset = full
        """
    )
    done = subprocess.run(command(tmp_path, script), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "run.nc cannot be written" in done.stderr.splitlines()[-1]
    assert position(tmp_path / NEWEST) == (3, 0)
    assert sorted(os.listdir(tmp_path)) == [NEWEST, PREVIOUS]
    assert train(tmp_path).data.equals(undisturbed)


def test_clock_that_jumps(undisturbed, tmp_path, monkeypatch):
    hours = iter(range(10**6))
    monkeypatch.setattr("time.time", lambda: 1e9 - 3600 * next(hours) * (-1) ** next(hours))
    monkeypatch.setattr("tqdm.std.time", time.time)
    began = time.monotonic()
    data = train(tmp_path).data
    assert data.equals(undisturbed)
    assert 0 < data.seconds < time.monotonic() - began


def test_checkpoints_are_at_most_60_seconds_apart(tmp_path, monkeypatch):
    clock = [0.0]
    saves = []
    save = session.save_checkpoint

    def tick(self, state, history):
        clock[0] += 7  # seconds that a block takes

    def note(folder, checkpoint):
        saves.append(clock[0])
        save(folder, checkpoint)

    monkeypatch.setattr("dsnlib.runs.session.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("dsnlib.runs.progress.Progress.update", tick)
    monkeypatch.setattr(session, "save_checkpoint", note)
    settings = Settings(epochs=2, iterations=3_000, batch=4, layers=1)
    fit(Product(), PROPERTY, settings, seed=1, out=tmp_path)
    assert len(saves) > 6
    assert max(np.diff(saves)) <= 60
    assert saves[-1] == clock[0]  # the last epoch's end


def test_nan_in_the_simulation(tmp_path):
    settings = Settings(epochs=2, iterations=200, batch=100, layers=2)
    prop = EmergentProperty([5.0], [1.0])
    # A few: they are left out and counted. Many: the run stops and says what to try.
    some = fit(Brittle(limit=8.7), prop, settings, seed=1, out=tmp_path / "some").data
    assert some.failed_simulations.sum() + some.skipped_steps.sum() > 0
    assert np.isfinite(some.entropy).all()
    with pytest.raises(SimulationError, match=r"not finite \(limit: 1 %.*; try a smaller"):
        fit(Brittle(limit=5.0), prop, settings, seed=1, out=tmp_path / "many")
    assert position(tmp_path / "many" / NEWEST) == (0, 0)
