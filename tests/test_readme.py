"""The code of the README runs, and what it says of train.ipynb is true."""

import ast
import re
from pathlib import Path

import nbformat
import numpy as np

from dsnlib import SMC, EmergentProperty, fit

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


SMALL = "epochs=1, iterations=10, batch=20, layers=2"


def test_own_circuit_trains(tmp_path):
    names = {"__name__": "readme"}
    exec(BLOCKS[3], names)
    pendulum = names["Pendulum"]()
    np.testing.assert_allclose(pendulum.statistics([[1.0]]), 2 * np.pi / np.sqrt(9.81), rtol=1e-6)
    prop = EmergentProperty(mean=[1.5], sd=[0.1])
    run = fit(pendulum, prop, SMC(particles=1_000), seed=1, out=tmp_path)
    # period = 2 pi sqrt(length / 9.81), so the lengths' mean follows from the period's moments
    expected = 9.81 / (2 * np.pi) ** 2 * (1.5**2 + 0.1**2)
    assert abs(run.samples["length"].mean() - expected) < 0.02


def test_library_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    assert "dsnlib.SMC()" in BLOCKS[0]
    exec(BLOCKS[0].replace("SMC()", "SMC(particles=400)"), names)
    assert names["frequency"].shape == (2,)
    assert names["run"].samples.sizes == {"island": 4, "sample": 400}
    assert "epochs=10" in BLOCKS[1]
    exec(BLOCKS[1].replace("epochs=10", SMALL), names)
    assert names["q"].event_shape == (2,)
    exec(BLOCKS[2], names)
    assert names["judged"].sizes["snapshot"] == 2
    assert abs(names["exact"].entropy - 1.887) < 0.01


def test_parameter_table_lists_the_parameters_of_the_notebook():
    cells = nbformat.read(ROOT / "train.ipynb", as_version=4).cells
    (cell,) = [c for c in cells if "parameters" in c.metadata.get("tags", [])]
    defined = {target.id for node in ast.parse(cell.source).body for target in node.targets}
    table = README.split("| parameter |")[1].split("\n\n")[0]
    listed = {
        name for row in table.split("\n")[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert listed == defined
