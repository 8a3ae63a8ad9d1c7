"""What lies around a run: paths, permissions, other files, a machine without home directories."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from children import PROPERTY, Product, train
from dsnlib import exact_maxent, judge, load_run
from dsnlib.runs import provenance
from dsnlib.storage.files import checked_path

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def exact():
    return exact_maxent(Product(), PROPERTY, cells=100)


def test_a_path_from_home_is_meant_so(exact, tmp_path, monkeypatch):
    home, here = tmp_path / "home", tmp_path / "here"
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    run = train("~/runs/mine")
    judged = judge("~/runs/mine", exact)
    assert load_run("~/runs/mine").data.identical(run.data)
    assert judge(home / "runs" / "mine", exact).equals(judged)
    assert sorted(os.listdir(home / "runs" / "mine")) == ["judged.nc", "run.nc"]
    assert os.listdir(here) == []


def test_a_run_at_home_is_not_taken_for_one_that_is_named_after_it(tmp_path, monkeypatch):
    """Where another run lay in $HOME/mine, it was what `fit(.., out="~/mine")` returned."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    train(tmp_path / "mine", seed=1)
    with pytest.raises(ValueError, match="seed: 1 there, 2 asked for"):
        train("~/mine", seed=2)
    with pytest.raises(ValueError, match="path must be a path whose home directory is known, got"):
        checked_path("path", "~nobody-of-this-name/mine")


@pytest.mark.parametrize("mask", [0o077, 0o027])
def test_files_have_the_permissions_that_the_umask_asks_for(exact, tmp_path, monkeypatch, mask):
    def interrupt(self, report):
        if report.line:
            raise KeyboardInterrupt

    before = os.umask(mask)
    try:
        with monkeypatch.context() as patch:
            patch.setattr("dsnlib.runs.progress.Progress.show", interrupt)
            with pytest.raises(KeyboardInterrupt):
                train(tmp_path / "run")
        modes = {path.name: path.stat().st_mode for path in (tmp_path / "run").iterdir()}
        train(tmp_path / "run")
        judge(tmp_path / "run", exact)
        modes |= {path.name: path.stat().st_mode for path in (tmp_path / "run").iterdir()}
    finally:
        os.umask(before)
    assert modes.keys() == {"checkpoint.npz", "run.nc", "judged.nc"}
    assert {mode & 0o777 for mode in modes.values()} == {0o666 & ~mask}


@pytest.fixture
def method(tmp_path, monkeypatch):
    """A method in a copy of the package, whose files may be disturbed."""
    package = tmp_path / "dsnlib"
    shutil.copytree(ROOT / "src" / "dsnlib", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(Path(__file__).parent / "third", package / "methods" / "third")
    monkeypatch.setattr(provenance, "_PACKAGE", package)
    module = package / "methods" / "third" / "__init__.py"
    spec = importlib.util.spec_from_file_location("copied_third", module)
    monkeypatch.setattr("dsnlib.methods.base.METHODS", {})
    monkeypatch.setitem(sys.modules, "copied_third", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(sys.modules["copied_third"])
    return sys.modules["copied_third"].CrossEntropy


def test_stray_files_are_no_code(method, tmp_path):
    files, stamp = provenance.numerics_files(method), provenance.numerics_stamp(method)
    for folder in ("circuits", "flows", "methods/third"):
        package = tmp_path / "dsnlib" / folder
        (package / ".#stg.py").symlink_to("editor@host.1234:567")  # an editor's lock, which dangles
        (package / "._stg.py").write_bytes(b"\x00\x05\x16\x07\xff")  # a Mac's, on foreign disks
        (package / "#stg.py#").write_text("half a th")
        (package / "stg.py~").write_text("as it was")
    assert provenance.numerics_files(method) == files
    assert provenance.numerics_stamp(method) == stamp


def test_line_ends_are_no_code_but_everything_else_is(method, tmp_path):
    stamp = provenance.numerics_stamp(method)
    for path in provenance.numerics_files(method):
        assert path.is_relative_to(tmp_path)
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert provenance.numerics_stamp(method) == stamp
    for path in provenance.numerics_files(method):
        content = path.read_bytes()
        path.write_bytes(content + b"x = 1\n")
        assert provenance.numerics_stamp(method) != stamp, path
        path.write_bytes(content)


# A user of a container: no entry in the system's list of users, no variable says where home is.
# The import leaves JAX's devices alone: who imports may still choose one, or fork.
HOMELESS = """
import pwd
def getpwuid(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")
pwd.getpwuid = getpwuid
from dsnlib import STG, EmergentProperty, _xla, exact_maxent
print(_xla.cpu_threads())
print(exact_maxent(STG(T=200), EmergentProperty([0.5], [0.1]), cells=40).gradient_norm < 1e-8)
"""


def test_import_starts_nothing_and_without_a_home_directory_the_grid_is_not_kept(tmp_path):
    kept = {name: os.environ[name] for name in os.environ if name.startswith(("PYTHON", "JAX_"))}
    done = subprocess.run(
        [sys.executable, "-c", HOMELESS], cwd=tmp_path, env={"PATH": os.defpath, **kept},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["None", "True"]
    assert "UserWarning: the grid was not kept for next time: " in done.stderr
    assert os.listdir(tmp_path) == []
