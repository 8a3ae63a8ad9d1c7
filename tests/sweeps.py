"""Sweeps in a copy of the repository, for tests."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
TINY = "{epochs: 2, iterations: 200, batch: 20, layers: 2, T: 30, window: 5}"


def copy_of_the_repository(target: Path) -> Path:
    """Copy what git tracks or would track, as it is in the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, listed):
        source, copy = ROOT / name, target / name
        if source.is_symlink() or source.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy, follow_symlinks=False)
    return target


def git(folder: Path, *arguments: str) -> str:
    """Run git with a name and without hooks or signatures."""
    options = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *options, *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


def environment(folder: Path) -> dict[str, str]:
    """Variables under which the copy's own library is imported."""
    return {**os.environ, "PYTHONPATH": str(folder / "src")}


def arguments(*targets: str, sweep: str = "config/note.yaml", options=()) -> list[str]:
    """Command of a sweep."""
    return [
        sys.executable, "-m", "snakemake", "--profile", "profiles/laptop", "--cores", "2",
        *options, "--config", f"sweep={sweep}", "--", *targets,
    ]  # fmt: skip


def snakemake(folder: Path, *targets: str, **keywords) -> subprocess.CompletedProcess:
    """Run a sweep in a copy to its end."""
    return subprocess.run(
        arguments(*targets, **keywords), cwd=folder, env=environment(folder),
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def due(
    folder: Path, *targets: str, sweep: str = "config/note.yaml", options: Sequence[str] = ()
) -> list[str]:
    """Outputs that a sweep would make, but for those of rules that only gather."""
    done = snakemake(folder, *targets, sweep=sweep, options=[*options, "--dry-run"])
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (done.stdout + done.stderr).splitlines()
    return sorted(
        name
        for line in lines
        if line.startswith("    output: ")
        for name in line.removeprefix("    output: ").split(", ")
    )
