"""How far each network of a run is from the exact answer."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import xarray as xr

from dsnlib.estimate import Estimate, mean_of, share_of
from dsnlib.judging.distances import c2st, kl_divergence
from dsnlib.maxent import ExactMaxEnt
from dsnlib.maxent.modes import BAND_SDS, Mode, in_band
from dsnlib.methods import Run
from dsnlib.methods.run import Snapshot
from dsnlib.methods.uniform import UniformRun
from dsnlib.property import EmergentProperty
from dsnlib.runs import load_run
from dsnlib.runs.loading import DATA_FILE
from dsnlib.storage.dataset import attribute, read_dataset, write_dataset
from dsnlib.storage.files import checked_path

JUDGED_FILE = "judged.nc"
_FORMAT = 3
_MOST_EXACT = 10_000  # exact samples
_EXACT_SEED = 0  # of the exact samples, which are common to all runs

_MEANINGS = {
    "kl": "KL(q || p*), nats",
    "forward_kl": "KL(p* || q), nats; infinite where the network excludes an exact sample",
    "entropy": "entropy H(q), nats",
    "entropy_gap": "H* - H(q), nats; equals KL(q || p*) where q meets the constraints",
    "band_share": f"share of samples within {BAND_SDS:g} sd of the target",
    "mode_mass": "share of samples in each mode",
    "c2st": "accuracy of a classifier between network and exact samples",
}


def judge(path: str | os.PathLike[str], exact: ExactMaxEnt | UniformRun) -> xr.Dataset:
    """Judge every snapshot of a complete run against the exact answer.

    The result is kept beside the run's data and returned the next time, unless the run or the exact
    answer has changed.

    Args:
        path: folder of the run.
        exact: the exact answer for the run's circuit and property; or in any dimension a run of
            `dsnlib.Uniform` for them, which knows no modes.

    Returns:
        Over `snapshot` (epochs done) with standard errors (`_se`): `kl`, `forward_kl`, `entropy`,
        `entropy_gap`, `band_share`, `c2st`, and over `mode` too `mode_mass`; for the exact answer
        `exact_mass` and `exact_mass_se` (mode), and attributes `exact_entropy`, `exact_log_z`.

    Raises:
        FileNotFoundError: the folder holds no complete run.
        TypeError: `exact` is neither of the two.
        ValueError: the run's data are damaged, or `exact` is for another circuit or property.
    """
    if not isinstance(exact, (ExactMaxEnt, UniformRun)):
        raise TypeError(
            f"exact must be a dsnlib.ExactMaxEnt or a run of dsnlib.Uniform, got {exact!r}; pass "
            "what dsnlib.exact_maxent or dsnlib.fit returned"
        )
    folder = checked_path("path", path)
    run, truth = load_run(folder), _truth(exact)
    for name, found, value in (
        ("circuit", attribute(run.data, "circuit"), truth.circuit),
        ("property", run.prop, exact.prop),
    ):
        if found != value:
            raise ValueError(
                f"exact must be the answer for the run's {name}, got {value} for {found}; "
                "compute it for that one"
            )
    file = folder / JUDGED_FILE
    digest = hashlib.sha256((folder / DATA_FILE).read_bytes()).hexdigest()
    if (stored := _stored(file, digest, truth)) is not None:
        return stored
    judged = _judged(run, truth).assign_attrs(format=_FORMAT, run_sha256=digest)
    try:
        write_dataset(file, judged)
    except OSError as error:
        warnings.warn(f"the result of judge could not be stored in {file}: {error}", stacklevel=2)
    return judged


def _stored(file: Path, digest: str, exact: _Truth) -> xr.Dataset | None:
    """The stored result, or None where it is missing, damaged or about something else."""
    try:
        found = read_dataset(file)
        same = (found.attrs["format"], found.attrs["run_sha256"], found.attrs["exact_cells"]) == (
            _FORMAT, digest, exact.cells,
        )  # fmt: skip
        # The answer of another machine may differ in its last digits.
        close = np.allclose(found.attrs["exact_eta"], exact.eta, rtol=1e-6)
    except (OSError, ValueError, KeyError, RuntimeError):
        return None
    return found if same and close else None


def _judged(run: Run[Any], exact: _Truth) -> xr.Dataset:
    snapshots = run.snapshots()
    n = min(len(next(iter(snapshots.values())).z), _MOST_EXACT)
    z, moments = exact.draw(n)
    rows = [_estimates(snapshot, exact, z, moments) for snapshot in snapshots.values()]
    judged = xr.Dataset(
        coords={"snapshot": list(snapshots), "mode": [mode.name for mode in exact.modes]},
        attrs={
            "exact_cells": exact.cells,
            "exact_eta": exact.eta,
            "exact_log_z": exact.log_z,
            "exact_entropy": exact.entropy,
            "exact_entropy_se": exact.entropy_se,
        },
    )
    for name, meaning in _MEANINGS.items():
        dims = ("snapshot", "mode") if name == "mode_mass" else ("snapshot",)
        shape = (len(rows), len(exact.modes), 2) if name == "mode_mass" else (len(rows), 2)
        value, se = np.moveaxis(np.reshape([row[name] for row in rows], shape), -1, 0)
        judged[name] = (dims, value, {"long_name": meaning})
        judged[f"{name}_se"] = (dims, se, {"long_name": f"standard error of {name}"})
    judged["exact_mass"] = ("mode", [mode.mass for mode in exact.modes])
    judged["exact_mass_se"] = ("mode", [mode.mass_se for mode in exact.modes])
    return judged


def _estimates(
    snapshot: Snapshot, exact: _Truth, z: np.ndarray, moments: np.ndarray
) -> dict[str, Any]:
    """Estimates for one snapshot, with exact samples z and their moments."""
    statistics = snapshot.moments[:, : len(exact.prop.mean)]
    modes = exact.assign(snapshot.z, statistics) if exact.modes else np.empty(0)
    entropy = mean_of(-snapshot.log_q)
    forward = kl_divergence(exact.log_prob_of(moments), snapshot.log_prob(z, moments))
    return {
        "kl": kl_divergence(snapshot.log_q, exact.log_prob_of(snapshot.moments)),
        "forward_kl": forward,
        "entropy": entropy,
        "entropy_gap": Estimate(exact.entropy - entropy.value, entropy.se),
        "band_share": share_of(in_band(statistics, exact.prop)),
        "mode_mass": [share_of(modes == k) for k in range(len(exact.modes))],
        "c2st": c2st(snapshot.z[np.linspace(0, len(snapshot.z) - 1, len(z), dtype=int)], z),
    }


class _Truth(NamedTuple):
    """What a run is judged against."""

    circuit: dict[str, Any]  # its configuration
    prop: EmergentProperty
    cells: int  # of the grid, 0 where there is none
    eta: np.ndarray
    log_z: float
    entropy: float
    entropy_se: float
    modes: tuple[Mode, ...]
    assign: Callable[[np.ndarray, np.ndarray], np.ndarray]
    log_prob_of: Callable[[np.ndarray], np.ndarray]
    draw: Callable[[int], tuple[np.ndarray, np.ndarray]]  # samples and their moments


def _truth(exact: ExactMaxEnt | UniformRun) -> _Truth:
    if isinstance(exact, ExactMaxEnt):

        def sampled(n: int) -> tuple[np.ndarray, np.ndarray]:
            z = exact.sample(jax.random.key(_EXACT_SEED), n)
            return z, exact.moments(z)

        configuration = json.loads(json.dumps(exact.circuit.configuration()))
        return _Truth(
            configuration, exact.prop, exact.cells, exact.eta, exact.log_z, exact.entropy,
            exact.entropy_se, exact.modes, exact.assign, exact.log_prob_of, sampled,
        )  # fmt: skip
    (answer,) = exact.snapshots().values()

    def kept(n: int) -> tuple[np.ndarray, np.ndarray]:
        rows = np.random.default_rng(_EXACT_SEED).permutation(len(answer.z))[:n]
        return answer.z[rows], answer.moments[rows]

    eta, entropy = exact.eta["value"].values, exact.entropy
    configuration = attribute(exact.data, "circuit")
    return _Truth(
        configuration, exact.prop, 0, eta, exact.log_z.value, entropy.value, entropy.se, (),
        lambda z, statistics: np.empty(0), exact.log_prob_of, kept,
    )  # fmt: skip
