"""Jobs and head of a sweep are killed at random moments, over and over: same bits."""

import contextlib
import os
import signal
import subprocess
import time

import numpy as np
import psutil
import pytest

from children import fit, wait_for
from dsnlib import STG, AugmentedLagrangian, EmergentProperty, load_run
from sweeps import arguments, copy_of_the_repository, environment, snakemake

KILLS = 6
SIZE = {"epochs": 12, "iterations": 1_000, "batch": 20, "beta": 1.01, "layers": 2}
GRID = """
folder: disturbed/runs
grid: {c0: [1], seed: [1, 2]}
fixed: {epochs: 12, iterations: 1000, batch: 20, beta: 1.01, layers: 2, T: 30, window: 5}
"""
# One epoch for minutes, with checkpoints at its ends and every minute.
LONG = """
folder: long/runs
grid: {seed: [1]}
fixed: {epochs: 1, iterations: 1000000, batch: 20, layers: 2, T: 30, window: 5}
"""
# A run says when it trains.
SAY = """
_show = Progress.show
def _saying(self, report):
    if report.done:
        open("training", "w").close()
    _show(self, report)
Progress.show = _saying
"""
ROLES = {"job": "workflow.train", "head": "snakemake"}
DATA = [f"disturbed/runs/c0-1_seed-{seed}/run.nc" for seed in (1, 2)]


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A copy of the repository with both grids, whose runs say when they train."""
    folder = copy_of_the_repository(tmp_path_factory.mktemp("kills"))
    for name, grid in (("disturbed", GRID), ("long", LONG)):
        (folder / "config" / f"{name}.yaml").write_text(grid)
    progress = folder / "src/dsnlib/runs/progress.py"
    progress.write_text(progress.read_text() + SAY)
    return folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The data of the grid's runs. Their programs are then compiled for those that are killed."""
    circuit, prop = STG(T=30, window=5), EmergentProperty([0.525], [0.025])
    method, folder = AugmentedLagrangian(**SIZE), tmp_path_factory.mktemp("undisturbed")
    return [fit(circuit, prop, method, seed=seed, out=folder / str(seed)).data for seed in (1, 2)]


def start(folder, sweep, *targets, log, options=()):
    """Start a sweep, whose processes leave no half-written program to others."""
    return subprocess.Popen(
        arguments(*targets, sweep=sweep, options=options), cwd=folder, stdout=log,
        stderr=subprocess.STDOUT,
        env=environment(folder) | {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "1e9"},
    )  # fmt: skip


def processes(head, role):
    """Processes of the sweep that play a role."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in [head, *head.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                if any(ROLES[role] in part for part in process.cmdline()[:4]):
                    found.append(process)
    return found


def test_killed_at_random_moments(repository, undisturbed, tmp_path, request):
    def restart():
        """Jobs that die are started again by the head."""
        options = ["--retries", "100"]
        return start(repository, "config/disturbed.yaml", *DATA, log=log, options=options)

    # A head whose test is broken off must not go on.
    request.addfinalizer(lambda: process.poll() is None and process.terminate())
    rng = np.random.default_rng(0)
    kills = dict.fromkeys(ROLES, 0)
    checkpoints = [(repository / path).with_name("checkpoint.npz") for path in DATA]
    during_training = 0
    log = (tmp_path / "log").open("w")
    process = restart()
    wait_for(lambda: any(file.exists() for file in checkpoints))
    for number in range(KILLS):
        role = list(ROLES)[number % len(ROLES)]
        head = psutil.Process(process.pid)
        wait_for(lambda head=head, role=role: processes(head, role), seconds=60)
        time.sleep(rng.uniform(0, 3))
        victims = processes(head, role)
        if not victims:
            continue
        during_training += any(file.exists() for file in checkpoints)
        everyone = [head, *head.children(recursive=True)]
        victims[rng.integers(len(victims))].kill()
        kills[role] += 1
        if role == "head":
            process.wait()
            # Nobody is left to compete with the next head, or only for the moment.
            psutil.wait_procs(everyone, timeout=30)
            assert not [p for p in everyone if p.is_running() and p.status() != "zombie"]
            done = snakemake(repository, sweep="config/disturbed.yaml", options=["--unlock"])
            assert done.returncode == 0, done.stdout  # what a killed head leaves, see the README
            process = restart()
    process.wait()
    log.close()
    assert process.returncode == 0, (tmp_path / "log").read_text()[-3_000:]
    assert min(kills.values()) >= 3, kills
    assert during_training >= 3
    for path, expected in zip(DATA, undisturbed, strict=True):
        folder = (repository / path).parent
        assert load_run(folder).data.equals(expected)
        assert os.listdir(folder) == ["run.nc"]


@pytest.mark.parametrize(
    ("role", "number"),
    [("head", signal.SIGTERM), ("head", signal.SIGINT), ("job", signal.SIGTERM)],
)
def test_stopped_in_order(repository, tmp_path, role, number):
    """A time limit of a scheduler (SIGTERM) and Ctrl-C leave a checkpoint, whomever they reach."""
    checkpoint = repository / "long/runs/seed-1/checkpoint.npz"
    (repository / "training").unlink(missing_ok=True)
    before = iteration(checkpoint) if checkpoint.exists() else 0
    with (tmp_path / "log").open("w") as log:
        process = start(repository, "config/long.yaml", "long/runs/seed-1/run.nc", log=log)
        wait_for((repository / "training").exists)
        head = psutil.Process(process.pid)
        everyone = [head, *head.children(recursive=True)]
        os.kill(processes(head, role)[-1].pid, number)
        process.wait(timeout=60)
        _, alive = psutil.wait_procs(everyone[1:], timeout=60)
    assert not alive
    assert process.returncode != 0
    assert iteration(checkpoint) > before  # each goes on where the one before was stopped
    assert "seed-1  STOPPED, epoch 1/1, " in (tmp_path / "log").read_text()


def iteration(file):
    with np.load(file) as members:
        return int(members["state.iteration"])
