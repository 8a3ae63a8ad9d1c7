"""Kernel, papermill and head of a sweep are killed at random moments, over and over: same bits."""

import contextlib
import os
import signal
import subprocess
import time

import numpy as np
import psutil
import pytest

from children import wait_for
from dsnlib import load_run
from sweeps import arguments, copy_of_the_repository, environment, snakemake

KILLS = 24
GRID = """
folder: {folder}/runs
grid: {{c0: [1], seed: [1, 2]}}
fixed: {{epochs: 20, iterations: 1000, batch: 100, beta: 1.01, layers: 2, T: 60, window: 5}}
"""
ROLES = {"kernel": "ipykernel_launcher", "papermill": "train.py", "head": "snakemake"}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with two grids of the same runs, the first of which is complete."""
    folder = copy_of_the_repository(tmp_path_factory.mktemp("kills"))
    for name in ("undisturbed", "disturbed"):
        (folder / "config" / f"{name}.yaml").write_text(GRID.format(folder=name))
    done = snakemake(folder, *data("undisturbed"), sweep="config/undisturbed.yaml")
    assert done.returncode == 0, done.stderr
    return folder


def data(folder):
    return [f"{folder}/runs/c0-1_seed-{seed}/run.nc" for seed in (1, 2)]


def checkpoints(folder):
    return [(folder / path).with_name("checkpoint.npz") for path in data("disturbed")]


def start(folder, log):
    """Start the sweep that will be disturbed; jobs that die are started again by the head."""
    options = ["--retries", "100"]
    command = arguments(*data("disturbed"), sweep="config/disturbed.yaml", options=options)
    return subprocess.Popen(
        command, cwd=folder, env=environment(folder), stdout=log, stderr=subprocess.STDOUT
    )


def processes(head, role):
    """Processes of the sweep that play a role."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in [head, *head.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                if any(ROLES[role] in part for part in process.cmdline()[:4]):
                    found.append(process)
    return found


def unlock(folder):
    """What a killed head leaves behind, see the README."""
    done = snakemake(folder, sweep="config/disturbed.yaml", options=["--unlock"])
    assert done.returncode == 0, done.stderr


def assert_same_bits(repository):
    for mine, theirs in zip(data("disturbed"), data("undisturbed"), strict=True):
        a, b = (load_run((repository / path).parent).data for path in (mine, theirs))
        assert a.equals(b)
    left = [path.name for path in (repository / data("disturbed")[0]).parent.iterdir()]
    assert left == ["run.nc"]


def test_killed_at_random_moments(repository, tmp_path, request):
    # A head whose test is broken off must not go on.
    request.addfinalizer(lambda: process.poll() is None and process.terminate())
    rng = np.random.default_rng(0)
    kills = dict.fromkeys(ROLES, 0)
    during_training = 0
    log = (tmp_path / "log").open("w")
    process = start(repository, log)
    wait_for(lambda: any(file.exists() for file in checkpoints(repository)))
    for number in range(KILLS):
        role = list(ROLES)[number % len(ROLES)]
        head = psutil.Process(process.pid)
        wait_for(lambda head=head, role=role: processes(head, role), seconds=60)
        time.sleep(rng.uniform(0, 4))
        victims = processes(head, role)
        if not victims:
            continue
        during_training += any(file.exists() for file in checkpoints(repository))
        everyone = [head, *head.children(recursive=True)]
        victims[rng.integers(len(victims))].kill()
        kills[role] += 1
        if role == "head":
            process.wait()
            # Nobody is left to compete with the next head, or only for the moment.
            psutil.wait_procs(everyone, timeout=30)
            assert not [p for p in everyone if p.is_running() and p.status() != "zombie"]
            unlock(repository)
            process = start(repository, log)
    process.wait()
    log.close()
    assert process.returncode == 0, (tmp_path / "log").read_text()[-3_000:]
    assert sum(kills.values()) >= 20, kills
    assert min(kills.values()) >= 5, kills
    assert during_training >= 10
    assert_same_bits(repository)


# One epoch for minutes, with checkpoints at its ends and every minute; it says when it trains.
LONG = """
folder: long/runs
grid: {seed: [1]}
fixed: {epochs: 1, iterations: 1000000, batch: 100, layers: 2, T: 60, window: 5}
"""
SAY = """
_update = Progress.update
def _saying(self, state, history):
    open("training", "w").close()
    _update(self, state, history)
Progress.update = _saying
"""


@pytest.mark.parametrize(
    ("role", "number"),
    [("head", signal.SIGTERM), ("head", signal.SIGINT), ("papermill", signal.SIGTERM),
     ("kernel", signal.SIGTERM)],
)  # fmt: skip
def test_stopped_in_order(long, tmp_path, role, number):
    """A time limit of a scheduler (SIGTERM) and Ctrl-C leave a checkpoint, whomever they reach."""
    checkpoint = long / "long/runs/seed-1/checkpoint.npz"
    (long / "training").unlink(missing_ok=True)
    before = iteration(checkpoint) if checkpoint.exists() else 0
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            arguments("long/runs/seed-1/run.nc", sweep="config/long.yaml"),
            cwd=long, env=environment(long), stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        wait_for((long / "training").exists)
        head = psutil.Process(process.pid)
        everyone = [head, *head.children(recursive=True)]
        began = time.monotonic()
        os.kill(processes(head, role)[-1].pid, number)
        process.wait(timeout=60)
        _, alive = psutil.wait_procs(everyone[1:], timeout=60)
        print(f"{role} {number.name}: {time.monotonic() - began:.1f} s")
    assert not alive
    assert process.returncode != 0
    assert iteration(checkpoint) > before  # each goes on where the one before was stopped
    assert "seed-1  STOPPED, epoch 1 of 1" in (tmp_path / "log").read_text()


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    folder = copy_of_the_repository(tmp_path_factory.mktemp("long"))
    (folder / "config" / "long.yaml").write_text(LONG)
    progress = folder / "src/dsnlib/runs/progress.py"
    progress.write_text(progress.read_text() + SAY)
    return folder


def iteration(file):
    with np.load(file) as members:
        return int(members["state.iteration"])
