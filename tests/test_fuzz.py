"""Malformed input of every kind, 300 pieces from one seed: a message that says what is wrong.

Either the input is refused with an error of ours, or, where the damage hit nothing, the content is
what it was before. Nothing hangs, nothing crashes, nothing wrong is taken for right.
"""

import dataclasses
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
import yaml

from children import PROPERTY, SEED, SMALL, Product
from dsnlib import AugmentedLagrangian, CheckpointError
from dsnlib.methods import Problem
from dsnlib.storage.checkpoint import CHECKPOINT_FILES, load_checkpoint
from workflow.grid import GridError, read_grid
from workflow.notebooks import defects

NOTEBOOK = Path(__file__).parent.parent / "train.ipynb"
PIECES = range(60)  # of each kind


def damaged(content: bytes, piece: int) -> bytes:
    """The content with bits flipped, cut, repeated, overwritten or replaced."""
    rng = np.random.default_rng([piece, len(content)])
    data = bytearray(content)
    at, length = (int(n) for n in rng.integers(0, len(data), 2))
    match piece % 6:
        case 0:
            data[at] ^= 1 << int(rng.integers(8))
        case 1:
            for place in rng.integers(0, len(data), 20):
                data[int(place)] ^= 0xFF
        case 2:
            del data[at:]
        case 3:
            del data[at : at + 1 + length % 100]
        case 4:
            data[at : at + 64] = rng.bytes(64)
        case 5:
            data = bytearray(rng.bytes(length % 1_000))
    return bytes(data)


def test_checkpoints(stopped, tmp_path):
    content = (stopped / CHECKPOINT_FILES[0]).read_bytes()
    like = SMALL.start(Problem(Product(), PROPERTY, SMALL, SEED))

    def load(folder):
        return load_checkpoint(folder, lambda: like, lambda meta: None)

    whole = load(stopped)
    refused = 0
    for piece in PIECES:
        (tmp_path / CHECKPOINT_FILES[0]).write_bytes(damaged(content, piece))
        try:
            found = load(tmp_path)
        except CheckpointError as error:
            assert "checkpoint.npz" in str(error)
            assert "train afresh" in str(error)
            refused += 1
        else:
            assert found.meta == whole.meta
            jax.tree.map(np.testing.assert_array_equal, found.state, whole.state)
    assert refused > 50


# A process of its own for each piece of HDF5's C code would take long; one for all shows crashes.
LOAD = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from dsnlib import load_run
from test_fuzz import PIECES, damaged
content, file = Path({source!r}).read_bytes(), Path({folder!r}, "run.nc")
whole = load_run(Path({source!r}).parent).data
refused = 0
for piece in PIECES:
    print("piece", piece, flush=True)
    file.write_bytes(damaged(content, piece))
    try:
        found = load_run(file.parent).data
    except ValueError as error:
        assert "run.nc" in str(error) and "restore it" in str(error), error
        refused += 1
    else:
        assert found.drop_attrs().identical(whole.drop_attrs()), piece
        same = {{k: v for k, v in found.attrs.items() if k != "sha256"}}
        assert all(whole.attrs[k] == v for k, v in same.items()), piece
print("refused", refused)
"""


def test_netcdf(undisturbed, tmp_path):
    source = str(undisturbed[0] / "run.nc")
    code = LOAD.format(tests=str(Path(__file__).parent), source=source, folder=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=NOTEBOOK.parent, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-300:] + done.stderr
    assert int(done.stdout.split()[-1]) > 40


def test_notebooks(tmp_path):
    executed = NOTEBOOK.parent / "book" / "background.ipynb"
    content = executed.read_bytes()
    assert defects(executed) == []
    file = tmp_path / "page.ipynb"
    refused = 0
    for piece in PIECES:
        file.write_bytes(damaged(content, piece))
        found = defects(file)
        assert all(isinstance(line, str) and len(line) > 10 for line in found)
        refused += bool(found)
        if piece % 6 in (2, 5):  # cut or replaced: never complete
            assert found
    assert refused >= 20


def test_grids_of_damaged_bytes(tmp_path):
    content = b"folder: a/runs\ngrid:\n  c0: [1, 100]\n  seed: [1, 2]\nfixed:\n  batch: 20\n"
    file = tmp_path / "mine.yaml"
    refused = 0
    for piece in PIECES:
        file.write_bytes(damaged(content, piece))
        try:
            grid = read_grid(file, NOTEBOOK.parent)
        except GridError as error:
            assert str(error).startswith(str(file)), error
            refused += 1
        else:  # what is left is a grid, of values that can be trained
            assert grid.runs
            assert isinstance(yaml.safe_load(file.read_bytes()), dict)
    assert refused > 30


WRONG = [None, True, [], {}, "1", "", -1, 0, 1.5, float("nan"), float("inf"), 10**40, 1e-400, [[1]],
         {"a": 1}, "planar ", 2**32, -0.0, [None], ".inf"]  # fmt: skip


@pytest.mark.parametrize("kind", ["grid", "fixed"])
def test_values_in_grids(tmp_path, kind):
    names = [
        "c0",
        "seed",
        "epochs",
        "batch",
        "flow",
        "precision",
        "T",
        "dt",
        "mean",
        "learning_rate",
    ]
    rng = np.random.default_rng(0)
    file = tmp_path / "mine.yaml"
    refused = 0
    for _ in PIECES:
        name, value = names[rng.integers(len(names))], WRONG[rng.integers(len(WRONG))]
        content = {"folder": "a/runs", "grid": {"gamma": [0.5]}}
        if kind == "grid":
            content["grid"][name] = [value]
        else:
            content["fixed"] = {name: value}
        file.write_text(yaml.safe_dump(content))
        try:
            (given,) = read_grid(file, NOTEBOOK.parent).runs.values()
        except GridError as error:
            assert name in str(error), (name, value, error)
            refused += 1
        else:
            known = [field.name for field in dataclasses.fields(AugmentedLagrangian)]
            AugmentedLagrangian(**{k: v for k, v in given.items() if k in known})
            assert given[name] == value
    assert refused > 30


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must hold folder, grid and perhaps fixed, method, notebook, prefix, got None"),
        ("[1]", r"must hold folder, grid .* got \[1\]"),
        ("{folder: a/runs, grid: {c0: [1]}, more: 1}", "must hold folder, grid"),
        ("{folder: ../runs, grid: {c0: [1]}}", "folder must be runs, or a path .*got '../runs'"),
        ("{folder: /a/runs, grid: {c0: [1]}}", "folder must be .* got '/a/runs'; pass"),
        ("{folder: a, grid: {c0: [1]}}", "folder must be .* got 'a'; pass"),
        ("{folder: 3, grid: {c0: [1]}}", "folder must be .* got 3"),
        ("{folder: a/runs, grid: {}}", "grid must map parameters to values, got {}"),
        ("{folder: a/runs, grid: {c0: 1}}", r"c0 in grid must be a list .* got 1; pass .*\[1.0\]"),
        ("{folder: a/runs, grid: {c0: []}}", r"c0 in grid must be a list of values, got \[\]"),
        ("{folder: a/runs, grid: {c0: [1, 1.0]}}", "each value once, got c0-1 twice; remove"),
        ("{folder: a/runs, grid: {c0: [1], c0: [2]}}", "key 'c0' stands twice"),
        ("{folder: a/runs, grid: {c0: [1]}, fixed: {c0: 2}}", "c0 must be in grid or in fixed"),
        ("{folder: a/runs, grid: {c0: [1]}, method: em}", "method must be one of .*lagrangian"),
        ("{folder: a/runs, grid: {c0: [1]}, method: [smc]}", r"method must be .* got \['smc'\]"),
        ("{folder: a/runs, grid: {out: [b]}}", "train.ipynb has no parameter 'out' for grid"),
        ("{folder: a/runs, grid: {c0: ['1']}}", "c0 must be a number, got '1'; pass"),
        ("{folder: a/runs, grid: {c0: [1e-3]}}", "c0 must be a number, got '1e-3'.*write 1.0e-3"),
        ("{folder: a/runs, grid: {seed: [1.0]}}", "seed must be a whole number, got 1.0"),
        ("{folder: a/runs, grid: {batch: [7]}}", "batch must be even, got 7"),
        ("{folder: a/runs, grid: {T: [10]}}", "window must be at most T = 10"),
        ("{folder: a/runs, grid: {mean: [1.5]}}", "mean of f_hub must lie in"),
        ("{folder: a/runs, grid: {c0: [1]", "cannot be read"),
        ("{folder: a/runs, grid: {? [1] : [1]}}", "cannot be read"),
    ],
)
def test_bad_grids(tmp_path, text, message):
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(GridError, match=message):
        read_grid(file, NOTEBOOK.parent)
    with pytest.raises(GridError, match="cannot be read"):
        read_grid(tmp_path / "nothing.yaml", NOTEBOOK.parent)


def test_names_of_runs(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("{folder: a/runs, grid: {learning_rate: [1.0e-3, 0.12345678], flow: [planar]}}")
    assert list(read_grid(file, NOTEBOOK.parent).runs) == [
        "learning_rate-0.001_flow-planar",
        "learning_rate-0.12345678_flow-planar",
    ]


def test_settings():
    rng = np.random.default_rng(1)
    names = [field.name for field in dataclasses.fields(AugmentedLagrangian)]
    refused = 0
    for _ in PIECES:
        name, value = names[rng.integers(len(names))], WRONG[rng.integers(len(WRONG))]
        try:
            made = AugmentedLagrangian(**{name: value})
        except (TypeError, ValueError) as error:
            assert str(error).startswith(name), (name, value, error)
            refused += 1
        else:
            assert getattr(made, name) == value
    assert refused > 40
