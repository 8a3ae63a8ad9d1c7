"""Sweeps in a copy of the repository, for tests."""

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
TINY = "{epochs: 2, iterations: 100, batch: 20, layers: 2, T: 30, window: 5}"


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


# Heads of sweeps are forked from a process that has imported what takes seconds, but nothing of the
# repository: each imports the library of its copy.
_SERVER = """
import json, os, sys
import dsnlib, jupytext, psutil, smart_open, snakemake.cli
snakemake.cli.get_argument_parser()  # imports its plugins
for name in [name for name in sys.modules if name.split(".")[0] == "dsnlib"]:
    del sys.modules[name]
for line in sys.stdin:
    folder, environment, arguments, log = json.loads(line)
    head = os.fork()
    if not head:
        for number in (1, 2):
            os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT), number)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.path[:0] = environment["PYTHONPATH"].split(os.pathsep)
        sys.argv = arguments
        snakemake.cli.main()
    print(os.waitstatus_to_exitcode(os.waitpid(head, 0)[1]), flush=True)
"""


@functools.cache
def _server() -> subprocess.Popen:
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(server.communicate)
    return server


def snakemake(folder: Path, *targets: str, variables=(), **keywords) -> subprocess.CompletedProcess:
    """Run a sweep in a copy to its end; `stdout` of the result is all that its head says."""
    command = arguments(*targets, **keywords)
    with tempfile.NamedTemporaryFile("r") as log:
        order = [str(folder), environment(folder) | dict(variables), command[2:], log.name]
        server = _server()
        server.stdin.write(json.dumps(order) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return subprocess.CompletedProcess(command, code, log.read(), "")


def due(
    folder: Path, *targets: str, sweep: str = "config/note.yaml", options: Sequence[str] = ()
) -> list[str]:
    """Outputs that a sweep would make, but for those of rules that only gather."""
    done = snakemake(folder, *targets, sweep=sweep, options=[*options, "--dry-run"])
    assert done.returncode == 0, done.stdout
    return sorted(
        name
        for line in done.stdout.splitlines()
        if line.startswith("    output: ")
        for name in line.removeprefix("    output: ").split(", ")
    )
