"""A third method is one folder: it trains, is checkpointed, resumed, loaded and judged."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from children import PROPERTY, Product, fit, wait_for
from dsnlib import AugmentedLagrangian, exact_maxent, judge, load_run
from dsnlib.methods import METHODS
from dsnlib.runs.provenance import numerics_files
from third import CrossEntropy, CrossEntropyRun

METHOD = CrossEntropy(steps=30)

SLOW = """
import sys
sys.path.insert(0, {tests!r})
import third
from test_third_method import train
third.PAUSE = 0.2
train({out!r})
"""


def train(out, method=METHOD):
    return fit(Product(), PROPERTY, method, seed=2, out=out)


def test_killed_resumed_and_loaded(tmp_path):
    child = SLOW.format(tests=str(Path(__file__).parent), out=str(tmp_path / "run"))
    process = subprocess.Popen([sys.executable, "-c", child], stderr=subprocess.PIPE, text=True)
    wait_for((tmp_path / "run" / "checkpoint.npz").exists, process)
    process.kill()
    process.communicate()
    with np.load(tmp_path / "run" / "checkpoint.npz") as members:
        assert members["state.steps"] == 10
    run = train(tmp_path / "run")
    undisturbed = train(tmp_path / "undisturbed")
    assert run.data.equals(undisturbed.data)
    assert isinstance(run, CrossEntropyRun)
    assert run.method == METHOD
    assert run.data.method == "cross-entropy"
    loaded = load_run(tmp_path / "run")
    assert loaded.data.identical(train(tmp_path / "run").data)
    assert loaded.diagnostics.index[-1] == "widest sd"
    off = np.abs(loaded.samples["product"] - 0.8)
    assert off.mean() < 0.3  # it went to where the property is

    with pytest.raises(ValueError, match=r"out must be a new folder.*steps: 30 there, 40 asked"):
        train(tmp_path / "run", CrossEntropy(steps=40))
    with pytest.raises(ValueError, match="method: cross-entropy there, lagrangian asked"):
        train(tmp_path / "run", AugmentedLagrangian())

    judged = judge(tmp_path / "run", exact_maxent(Product(), PROPERTY, cells=100))
    assert judged.sizes["snapshot"] == 1
    assert np.isfinite(judged.kl).all()

    # Who does not import its module is told to.
    code = f"import dsnlib; dsnlib.load_run({str(tmp_path / 'run')!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (
        "must be of a known method (lagrangian, smc, uniform), got 'cross-entropy'" in done.stderr
    )
    assert "import the module that defines it" in done.stderr.splitlines()[-1]


def test_it_registers_itself_and_its_numbers_depend_on_its_folder():
    assert METHODS["cross-entropy"] is CrossEntropy
    files = {path.name for path in numerics_files(CrossEntropy) if "third" in path.parts}
    assert files == {"__init__.py"}
    common = set(numerics_files(AugmentedLagrangian)) & set(numerics_files(CrossEntropy))
    assert {"network.py", "base.py", "_xla.py"} <= {path.name for path in common}
