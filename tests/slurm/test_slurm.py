"""A small grid goes through a real SLURM of one node: cancelled and out of time, it is resumed.

Needs root and Debian's packages slurmctld, slurmd, slurm-client and munge (`make test-slurm`).
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
from children import wait_for
from dsnlib import load_run
from sweeps import copy_of_the_repository, environment

# SLURM's shortest time limit is a minute. A run takes longer on a machine of any speed, for it
# rests for half a second at each of 160 reports of its progress.
EPOCHS = 80
GRID = f"""
folder: tiny/runs
grid: {{c0: [1], seed: [1, 2]}}
fixed: {{epochs: {EPOCHS}, iterations: 100, batch: 20, beta: 1.01, layers: 2, T: 30, window: 5}}
"""
REST = """
_update = Progress.update
def _slowly(self, state, history):
    import time
    time.sleep(0.5)
    _update(self, state, history)
Progress.update = _slowly
"""
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}
AuthType=auth/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MinJobAge=300
KillWait=10
ReturnToService=2
MpiDefault=none
GresTypes=gpu
NodeName={host} CPUs={cpus} RealMemory=4000 Gres=gpu:2 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


INSTALLED = [Path("/etc/slurm/slurm.conf"), Path("/etc/slurm/gres.conf")]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """SLURM on this machine; what is started here is stopped here."""
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    assert not any(file.exists() for file in INSTALLED), f"this machine has a SLURM: {INSTALLED}"
    host = socket.gethostname().split(".")[0]
    cpus = max(2, len(os.sched_getaffinity(0)))
    INSTALLED[0].parent.mkdir(exist_ok=True)
    # Where SLURM's commands look on their own: Snakemake takes SLURM_CONF out of the jobs' way.
    INSTALLED[0].write_text(CONFIGURATION.format(host=host, folder=folder, cpus=cpus))
    INSTALLED[1].write_text(f"NodeName={host} Name=gpu File=/dev/null,/dev/zero\n")
    munge = Path("/run/munge")
    munge.mkdir(exist_ok=True)
    shutil.chown(munge, "munge", "munge")
    started = []

    def start(*command, **keywords):
        log = (folder / f"{Path(command[0]).name}.log").open("w")
        started.append(subprocess.Popen(command, stdout=log, stderr=log, **keywords))

    try:
        start("/usr/sbin/munged", "--force", "--foreground", user="munge")
        wait_for((munge / "munge.socket.2").exists)
        start("/usr/sbin/slurmctld", "-D")
        start("/usr/sbin/slurmd", "-D", "-N", host)
        wait_for(lambda: "idle" in query("sinfo", "-h", "-o", "%t"))
        yield
    finally:
        query("scancel", "--user", "root")
        with contextlib.suppress(AssertionError):
            wait_for(lambda: not query("squeue", "-h"), seconds=30)  # jobs may take KillWait
        for process in reversed(started):
            process.terminate()
            process.wait()
        for file in INSTALLED:
            file.unlink()


def query(*command):
    """Output of one of SLURM's commands, or nothing where it does not answer yet."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def position(file):
    with np.load(file) as members:
        return int(members["state.epoch"]), int(members["state.iteration"])


def test_cancelled_and_out_of_time(cluster, tmp_path):
    folder = copy_of_the_repository(tmp_path / "repository")
    (folder / "config" / "tiny.yaml").write_text(GRID)
    progress = folder / "src/dsnlib/runs/progress.py"
    progress.write_text(progress.read_text() + REST)
    runs = [folder / "tiny/runs" / f"c0-1_seed-{seed}" for seed in (1, 2)]
    command = [
        sys.executable, "-m", "snakemake", "--profile", "profiles/slurm", "--latency-wait", "5",
        "--slurm-status-command", "squeue", "--seconds-between-status-checks", "5",
        "--retries", "8", "--set-resources", "train:runtime=1", "train:gpu=1",
        "--config", "sweep=config/tiny.yaml",
        "--", *[f"tiny/runs/{run.name}/run.nc" for run in runs],
    ]  # fmt: skip
    with (tmp_path / "log").open("w") as log:
        head = subprocess.Popen(
            command, cwd=folder, env=environment(folder), stdout=log, stderr=log
        )
        try:
            checkpoint = runs[0] / "checkpoint.npz"
            wait_for(lambda: checkpoint.exists() and position(checkpoint) > (2, 0), seconds=240)
            jobs = query("squeue", "-h", "-o", "%i %k").splitlines()
            first = next(line.split()[0] for line in jobs if "seed-1" in line)
            assert "TresPerJob=gres:gpu:1" in query("scontrol", "show", "job", first)
            subprocess.run(["scancel", first], check=True)
            wait_for(lambda: not (runs[0] / ".lock").exists())
            cancelled_at = position(checkpoint)
            head.wait(timeout=900)
        finally:
            head.kill()
    text = (tmp_path / "log").read_text()
    assert head.returncode == 0, text[-5_000:]
    assert text.count("Trying to restart job") >= 2, text[-5_000:]  # cancelled; out of time
    assert cancelled_at > (2, 0)
    for run in runs:
        assert load_run(run).data.sizes["epoch"] == EPOCHS
        # A job's log is that of its last attempt, which went on where the one before had ended.
        trained = (folder / "logs/tiny/runs" / f"{run.name}.log").read_text()
        epochs = [int(n) for n in re.findall(r": epoch (\d+) done", trained)]
        assert epochs == list(range(epochs[0], EPOCHS + 1))
        assert epochs[0] > cancelled_at[0]
