"""A small run that tests train in processes of their own, to disturb it there."""

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

from circuits import Product
from dsnlib import AugmentedLagrangian, EmergentProperty, Run, fit

# Most toy runs of the tests are this one, or differ in what the compiled programs do not know.
SMALL = AugmentedLagrangian(epochs=3, iterations=300, batch=200, layers=3)
DOUBLE = dataclasses.replace(SMALL, precision="float64")
PROPERTY = EmergentProperty([0.8], [0.3])
SEED = 5

_TRAIN = """
import sys
sys.path.insert(0, {tests!r})
from children import *
from dsnlib.runs import folder as runs_folder
out = {out!r}
{before}
train(out)
"""

# Checkpoints after every step, and a step where it says that it is there, and stays a while.
EVERY_STEP = "runs_folder._CHECKPOINT_SECONDS = 0"
SLOWLY = """
import time
from pathlib import Path
from dsnlib.runs.progress import Progress
show = Progress.show
def slow(self, report):
    if report.done == 500:
        here = Path(out, "here")
        here.touch()
        while here.exists():
            time.sleep(0.01)
    show(self, report)
Progress.show = slow
"""


def train(out: Path | str, seed: int = SEED) -> Run:
    """Train the small run, or go on with it, or load it."""
    return fit(Product(), PROPERTY, SMALL, seed=seed, out=out)


def command(out: Path, before: str = "") -> list[str]:
    """Command of a process that trains the small run after some other code."""
    code = _TRAIN.format(tests=str(Path(__file__).parent), out=str(out), before=before)
    return [sys.executable, "-c", code]


def start(out: Path, before: str = "") -> subprocess.Popen:
    """Start such a process, which may be killed: it leaves no half-written program to others."""
    return subprocess.Popen(
        command(out, before),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "1e9"},
    )


def wait_for(condition, process=None, seconds=120):
    """Wait until the condition holds, or the process has ended."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        if process and process.poll() is not None:
            raise AssertionError(f"it ended before: {process.stderr.read()}")
        time.sleep(0.01)


__all__ = [
    "DOUBLE", "EVERY_STEP", "PROPERTY", "SEED", "SLOWLY", "SMALL", "Product", "command", "fit",
    "start", "train", "wait_for",
]  # fmt: skip
