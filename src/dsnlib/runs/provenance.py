"""Where a run comes from: versions, device, commit, and the code on which its numbers depend."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import jax

from dsnlib._xla import cpu_threads
from dsnlib.methods import Method

_PACKAGES = ("dsnlib", "jax", "jaxlib", "numpyro", "optax", "numpy", "scipy", "xarray")

_PACKAGE = Path(__file__).resolve().parent.parent
#: The modules of this package on which the numbers of every method depend. What a circuit computes
#: is part of a run's identity, see `dsnlib.runs.identity.program`.
_COMMON = (
    "_xla.py",
    "circuits/base.py",
    "circuits/box.py",
    "circuits/differentiation.py",
    "circuits/quantities.py",
    "flows/*.py",
    "maxent/dual.py",
    "maxent/features.py",
    "maxent/relaxed.py",
    "property.py",
)


def numerics_files(method: type[Method]) -> list[Path]:
    """The source files on which a method's numbers depend, sorted.

    Those of the library that all methods share, and those in the folder of the method's class.
    Only importable modules count: an editor's lock file is none.
    """
    own = Path(inspect.getfile(method)).resolve().parent
    files = {path for pattern in _COMMON for path in _PACKAGE.glob(pattern)} | set(own.glob("*.py"))
    return sorted(path for path in files if path.stem.isidentifier())


def numerics_stamp(method: type[Method]) -> str:
    """SHA-256 of those files: what it marks was computed by this very code."""
    digest = hashlib.sha256()
    for path in numerics_files(method):
        content = path.read_bytes().replace(b"\r\n", b"\n")  # as git may check them out
        name = Path(os.path.relpath(path, _PACKAGE)).as_posix()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def provenance() -> dict[str, Any]:
    """Versions, device, git commit and XLA's settings of this process."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {
        "versions": {"python": platform.python_version(), **versions},
        "device": _device(),
        "git_commit": _git_commit(),
        "xla": f"PJRT_NPROC={os.environ['PJRT_NPROC']} {os.environ['XLA_FLAGS']}",
    }


def _device() -> str:
    device = jax.devices()[0]
    if device.platform != "cpu":
        return f"{device.platform}: {device.device_kind}"
    cpuinfo = Path("/proc/cpuinfo")
    models = [
        line.split(":", 1)[1].strip()
        for line in (cpuinfo.read_text().splitlines() if cpuinfo.exists() else [])
        if line.startswith("model name")
    ]
    count = cpu_threads()
    threads = {None: "", 1: "one thread of "}.get(count, f"{count} threads of ")
    return f"cpu: {threads}{models[0] if models else platform.machine()}"


def _git_commit() -> str:
    """Commit of the code that runs, with "+changes" where the library differs from it."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=_PACKAGE, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", __file__)  # fails where another repository holds it
        changed = git("status", "--porcelain", "--", str(_PACKAGE))
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):  # no git, or not a checkout
        return "unknown"
