"""The wheel of the library installs anywhere, with what it declares, and does what README says."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from test_readme import BLOCKS, SMALL

ROOT = Path(__file__).parent.parent.parent
LIBRARY = ROOT / "src" / "dsnlib"
# Where the examples are to show that they run, and not to give numbers.
FEWER = {
    "dsnlib.SMC()": "dsnlib.SMC(particles=400)",
    "epochs=10": SMALL,
    "cells=400": "cells=50",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built of a copy: setuptools leaves its folders beside what it builds, and takes them up."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", source / "src", ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", target, source]
    subprocess.run(command, check=True)
    (built,) = target.iterdir()
    return built


def test_it_holds_the_library_and_nothing_else(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    package = {name for name in held if ".dist-info/" not in name}
    written = {
        path.relative_to(ROOT / "src").as_posix()
        for path in LIBRARY.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {"dsnlib/py.typed", "dsnlib/plots/dsnlib.mplstyle"} <= written
    assert package == written
    assert any(name.endswith("licenses/LICENSE") for name in held)


def test_examples_of_the_readme_run_where_only_it_is_installed(wheel, tmp_path):
    venv.create(tmp_path / "fresh", with_pip=True)
    python = tmp_path / "fresh" / "bin" / "python"
    # What the user set for the repository is not there; caches only save time.
    kept = ("PATH", "HOME", "JAX_COMPILATION_CACHE_DIR")
    clean = {n: v for n, v in os.environ.items() if n in kept or n.startswith("PIP_")}
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    install = [*pip, "install", "--no-compile", wheel, "-c", ROOT / "constraints.txt"]
    subprocess.run(install, check=True, env=clean, cwd=tmp_path)
    subprocess.run([*pip, "check"], check=True, env=clean, cwd=tmp_path)
    example = "\n".join(BLOCKS[:3])
    for full, fewer in FEWER.items():
        assert full in example
        example = example.replace(full, fewer)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "example.py").write_text(f"{example}\nprint(dsnlib.__file__)\n")
    ran = subprocess.run(
        [python, "-W", "ignore", "example.py"],
        cwd=scratch,
        env=clean | {"DSNLIB_CACHE": str(tmp_path / "grids")},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split()[-1].startswith(str(tmp_path / "fresh"))
    assert (scratch / "runs" / "mine" / "run.nc").is_file()
    # what only the report, its tests or its book need is not the library's
    installed = {p.name for p in (tmp_path / "fresh" / "lib").glob("python*/site-packages/*")}
    assert not installed & {
        "report",
        "workflow",
        "jupytext",
        "papermill",
        "snakemake",
        "jupyter_book",
    }
