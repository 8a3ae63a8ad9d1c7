"""A small run that tests train in processes of their own, to disturb it there."""

import subprocess
import sys
import time
from pathlib import Path

from circuits import Product
from dsnlib import EmergentProperty, Settings

SMALL = Settings(epochs=3, iterations=300, batch=200, layers=3)
PROPERTY = EmergentProperty([0.8], [0.3])
SEED = 5

_TRAIN = """
import sys
sys.path.insert(0, {tests!r})
from children import PROPERTY, SEED, SMALL, Product
from dsnlib import fit
import dsnlib.runs.session as session
out = {out!r}
{before}
fit(Product(), PROPERTY, SMALL, seed=SEED, out=out)
"""


def command(out: Path, before: str = "") -> list[str]:
    """Command of a process that trains the small run after some other code."""
    code = _TRAIN.format(tests=str(Path(__file__).parent), out=str(out), before=before)
    return [sys.executable, "-c", code]


def start(out: Path, before: str = "") -> subprocess.Popen:
    """Start such a process."""
    return subprocess.Popen(
        command(out, before), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def wait_for(condition, process=None, seconds=120):
    """Wait until the condition holds, or the process has ended."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        if process and process.poll() is not None:
            raise AssertionError(f"it ended before: {process.stderr.read()}")
        time.sleep(0.01)


__all__ = ["PROPERTY", "SEED", "SMALL", "Product", "command", "start", "wait_for"]
