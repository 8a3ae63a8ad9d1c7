"""What makes two runs the same run, and what else a run says about where it comes from."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import platform
import subprocess
from pathlib import Path
from typing import Any

import jax

from dsnlib._xla import cpu_threads

_PACKAGES = ("dsnlib", "jax", "jaxlib", "numpyro", "optax", "numpy", "scipy", "xarray")

_PACKAGE = Path(__file__).resolve().parent.parent
#: The modules of this package on which a run's numbers depend.
_NUMERICS = (
    "_xla.py",
    "circuits/*.py",
    "differentiation.py",
    "emergent.py",
    "flows/*.py",
    "frequency.py",
    "integration.py",
    "settings.py",
    "training/*.py",
)


#: Those on which the numbers of population Monte Carlo depend besides.
_POPULATION = ("exact/dual.py", "population/*.py")


def numerics_files(settings: dict[str, Any]) -> list[Path]:
    """The source files on which the numbers of a run with these settings depend, sorted."""
    patterns = _NUMERICS + (_POPULATION if "samples" in settings else ())
    return sorted(path for pattern in patterns for path in _PACKAGE.glob(pattern))


def numerics_stamp(settings: dict[str, Any]) -> str:
    """SHA-256 of those files: what it marks was computed by this very code."""
    digest = hashlib.sha256()
    for path in numerics_files(settings):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(_PACKAGE).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def identity(problem: Any, seed: int) -> dict[str, Any]:
    """Circuit with its parameters, property, settings, seed: what determines a run's numbers."""
    return {
        "circuit": problem.circuit.configuration(),
        "parameters": [dataclasses.asdict(p) for p in problem.circuit.parameters],
        "observables": [{"name": o.name, "unit": o.unit} for o in problem.circuit.observables],
        "property": dataclasses.asdict(problem.prop),
        "settings": dataclasses.asdict(problem.settings),
        "seed": seed,
    }


def differences(wanted: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """A line "name: .. there, .. asked for" for each entry in which two identities differ."""
    wanted, found = json.loads(json.dumps(wanted)), json.loads(json.dumps(found))
    lines = []
    for group in wanted.keys() | found.keys():
        mine, theirs = wanted.get(group), found.get(group)
        if isinstance(mine, dict) and isinstance(theirs, dict):
            for name in sorted(mine.keys() | theirs.keys()):
                if mine.get(name) != theirs.get(name):
                    lines.append(f"{name}: {theirs.get(name)} there, {mine.get(name)} asked for")
        elif mine != theirs:
            lines.append(f"{group}: {theirs} there, {mine} asked for")
    return sorted(lines)


def provenance() -> dict[str, Any]:
    """Versions, device and git commit of this process."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {
        "versions": {"python": platform.python_version(), **versions},
        "device": _device(),
        "git_commit": _git_commit(),
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
