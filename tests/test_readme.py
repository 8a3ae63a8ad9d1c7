"""The code of the README runs, and what it says of train.ipynb is true."""

import ast
import re
from pathlib import Path

import nbformat
import numpy as np

from dsnlib import EmergentProperty, Settings, fit

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_own_circuit_trains(tmp_path):
    names = {"__name__": "readme"}
    exec(BLOCKS[4], names)
    pendulum = names["Pendulum"]()
    np.testing.assert_allclose(pendulum.statistics([[1.0]]), 2 * np.pi / np.sqrt(9.81), rtol=1e-6)
    settings = Settings(epochs=1, iterations=10, batch=20, layers=2)
    prop = EmergentProperty(mean=[1.5], sd=[0.1])
    assert fit(pendulum, prop, settings, seed=1, out=tmp_path).data.sizes["parameter"] == 1


def test_library_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = "epochs=1, iterations=10, batch=20, layers=2"
    assert "epochs=10" in BLOCKS[0]
    names = {}
    exec(BLOCKS[0].replace("epochs=10", small), names)
    assert names["frequency"].shape == (2,)
    assert names["q"].event_shape == (2,)
    brief = (
        "iterations=5, repeats=1, final_samples=20_000, final_iterations=5, "
        "acceptance_samples=20_000, acceptance_iterations=0, ess=1e-6"
    )
    assert "dsnlib.Population()" in BLOCKS[1]
    exec(BLOCKS[1].replace("Population()", f"Population({brief})"), names)
    assert names["run"].simulations == 60_000
    exec(BLOCKS[2], names)
    assert names["judged"].sizes["snapshot"] == 2
    assert abs(names["exact"].entropy - 1.887) < 0.01
    assert "Settings(c0=c0)" in BLOCKS[3]
    exec(BLOCKS[3].replace("c0=c0", f"c0=c0, {small}"), names)
    assert [run.data.seed for run in names["runs"]] == [1, 2, 1, 2]


def test_parameter_table_lists_the_parameters_of_the_notebook():
    cells = nbformat.read(ROOT / "train.ipynb", as_version=4).cells
    (cell,) = [c for c in cells if "parameters" in c.metadata.get("tags", [])]
    defined = {target.id for node in ast.parse(cell.source).body for target in node.targets}
    table = README.split("| parameter |")[1].split("\n\n")[0]
    listed = {
        name for row in table.split("\n")[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert listed == defined
