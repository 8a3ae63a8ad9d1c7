"""A small grid goes through a real SLURM of one node: cancelled and out of time, it is resumed.

Needs root and Debian's packages slurmctld, slurmd, slurm-client and munge (`make test-slurm`).
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
from children import wait_for
from dsnlib import load_run
from sweeps import copy_of_the_repository, environment

# Two runs of about a minute and a half; SLURM's shortest time limit is a minute.
GRID = """
folder: tiny/runs
grid: {c0: [1], seed: [1, 2]}
fixed: {epochs: 500, iterations: 100, batch: 100, layers: 2, T: 60, window: 5}
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


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """SLURM on this machine; what is started here is stopped here."""
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    host = socket.gethostname().split(".")[0]
    cpus = max(2, len(os.sched_getaffinity(0)))
    conf = folder / "slurm.conf"
    conf.write_text(CONFIGURATION.format(host=host, folder=folder, cpus=cpus))
    (folder / "gres.conf").write_text(f"NodeName={host} Name=gpu File=/dev/null,/dev/zero\n")
    munge = Path("/run/munge")
    munge.mkdir(exist_ok=True)
    shutil.chown(munge, "munge", "munge")
    variables = {"SLURM_CONF": str(conf)}
    started = []

    def start(*command, **keywords):
        log = (folder / f"{Path(command[0]).name}.log").open("w")
        started.append(
            subprocess.Popen(
                command, stdout=log, stderr=log, env=os.environ | variables, **keywords
            )
        )

    try:
        start("/usr/sbin/munged", "--force", "--foreground", user="munge")
        wait_for((munge / "munge.socket.2").exists, started[-1])
        start("/usr/sbin/slurmctld", "-D", "-f", str(conf))
        start("/usr/sbin/slurmd", "-D", "-N", host, "-f", str(conf))
        wait_for(lambda: "idle" in query(variables, "sinfo", "-h", "-o", "%t"))
        yield variables
    finally:
        subprocess.run(["scancel", "--user", "root"], env=os.environ | variables, check=False)
        time.sleep(1)
        for process in reversed(started):
            process.terminate()
            process.wait()


def query(variables, *command):
    """Output of one of SLURM's commands, or nothing where it does not answer yet."""
    done = subprocess.run(
        command, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    return done.stdout


def position(file):
    with np.load(file) as members:
        return int(members["state.epoch"]), int(members["state.iteration"])


def test_cancelled_and_out_of_time(cluster, tmp_path):
    folder = copy_of_the_repository(tmp_path / "repository")
    (folder / "config" / "tiny.yaml").write_text(GRID)
    runs = [folder / "tiny/runs" / f"c0-1_seed-{seed}" for seed in (1, 2)]
    command = [
        sys.executable, "-m", "snakemake", "--profile", "profiles/slurm", "--latency-wait", "5",
        "--slurm-status-command", "squeue", "--seconds-between-status-checks", "5",
        "--set-resources", "train:runtime=1", "train:gpu=1",
        "--config", "sweep=config/tiny.yaml", "--", *[str(r.relative_to(folder) / "run.nc") for r in runs],
    ]  # fmt: skip
    with (tmp_path / "log").open("w") as log:
        head = subprocess.Popen(
            command, cwd=folder, env=environment(folder) | cluster, stdout=log, stderr=log
        )
        wait_for((runs[0] / "checkpoint.npz").exists, seconds=120)
        wait_for(lambda: position(runs[0] / "checkpoint.npz") > (2, 0), seconds=120)
        jobs = query(cluster, "squeue", "-h", "-o", "%i %k %b").splitlines()
        first = next(line.split()[0] for line in jobs if "seed-1" in line)
        assert all("gpu" in line.split()[-1] for line in jobs), jobs  # GPU requests are mapped
        subprocess.run(["scancel", first], env=os.environ | cluster, check=True)
        wait_for(lambda: not (runs[0] / ".lock").exists())
        cancelled_at = position(runs[0] / "checkpoint.npz")
        head.wait(timeout=540)
    text = (tmp_path / "log").read_text()
    assert head.returncode == 0, text[-5_000:]
    assert text.count("Trying to restart job") >= 2, text[-5_000:]  # cancelled; out of time
    assert cancelled_at > (2, 0)
    for run in runs:
        data = load_run(run).data
        assert data.sizes["epoch"] == 500
        trained = (folder / "logs/tiny/runs" / f"{run.name}.log").read_text()
        # Every epoch was trained once, whatever came in between: nothing began anew.
        for epoch in range(1, 501):
            assert len(re.findall(rf": epoch {epoch} done", trained)) <= 1, epoch
        assert trained.count("Executing notebook") >= 2
