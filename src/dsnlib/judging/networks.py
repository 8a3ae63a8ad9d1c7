"""How far each network of a run is from the exact answer."""

from __future__ import annotations

import hashlib
import os
import warnings
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from dsnlib import _check
from dsnlib.exact import ExactMaxEnt
from dsnlib.exact.modes import BAND_SDS, in_band
from dsnlib.flows import DensityNetwork
from dsnlib.judging.distances import Estimate, c2st, kl_divergence, mean_of, share_of
from dsnlib.runs import Run, load_run
from dsnlib.runs.dataset import attribute, read_dataset, write_dataset
from dsnlib.runs.run import DATA_FILE

JUDGED_FILE = "judged.nc"
_FORMAT = 2
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


def judge(path: str | os.PathLike[str], exact: ExactMaxEnt) -> xr.Dataset:
    """Judge every snapshot of a complete run against the exact answer; kept beside the run's data.

    What the folder holds already is returned, unless the run or the exact answer has changed.

    Args:
        path: folder of the run.
        exact: the exact answer for the run's circuit and property.

    Returns:
        Over `snapshot` (epochs done) with standard errors (`_se`): `kl`, `forward_kl`, `entropy`,
        `entropy_gap`, `band_share`, `c2st`, and over `mode` too `mode_mass`; for the exact answer
        `exact_mass` and `exact_mass_se` (mode), and attributes `exact_entropy`, `exact_log_z`.

    Raises:
        FileNotFoundError, ValueError: as `load_run`; an exact answer for another circuit or
            property.
    """
    _check.instance("exact", exact, ExactMaxEnt)
    run = load_run(path)
    wanted = {"circuit": exact.circuit.configuration(), "property": {
        "mean": list(exact.prop.mean), "sd": list(exact.prop.sd)
    }}  # fmt: skip
    for name, value in wanted.items():
        if (found := attribute(run.data, name)) != value:
            raise ValueError(
                f"exact must be the answer for the run's {name}, got {value} for {found}; "
                "compute it with exact_maxent for that one"
            )
    file = Path(path) / JUDGED_FILE
    digest = hashlib.sha256((Path(path) / DATA_FILE).read_bytes()).hexdigest()
    if (stored := _stored(file, digest, exact)) is not None:
        return stored
    judged = _judged(run, exact).assign_attrs(format=_FORMAT, run_sha256=digest)
    try:
        write_dataset(file, judged)
    except OSError as error:
        warnings.warn(f"what was judged is not kept in {file}: {error}", stacklevel=2)
    return judged


def _stored(file: Path, digest: str, exact: ExactMaxEnt) -> xr.Dataset | None:
    """What was judged before, unless it is missing, damaged or of something else."""
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


def _judged(run: Run, exact: ExactMaxEnt) -> xr.Dataset:
    data = run.data
    samples = exact.sample(jax.random.key(_EXACT_SEED), data.sizes["sample"])
    log_p_exact = exact.log_prob(samples)
    rows = [_snapshot(run, index, exact, samples, log_p_exact) for index in range(len(data.z))]
    judged = xr.Dataset(
        coords={"snapshot": data.snapshot, "mode": [mode.name for mode in exact.modes]},
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
        value, se = np.moveaxis(np.array([row[name] for row in rows]), -1, 0)
        judged[name] = (dims, value, {"long_name": meaning})
        judged[f"{name}_se"] = (dims, se, {"long_name": f"standard error of {name}"})
    judged["exact_mass"] = ("mode", [mode.mass for mode in exact.modes])
    judged["exact_mass_se"] = ("mode", [mode.mass_se for mode in exact.modes])
    return judged


def _snapshot(
    run: Run, index: int, exact: ExactMaxEnt, samples: np.ndarray, log_p_exact: np.ndarray
) -> dict[str, Any]:
    """Estimates for one snapshot."""
    data = run.data.isel(snapshot=index)
    z, log_q, moments = (data[name].values.astype(float) for name in ("z", "log_q", "moments"))
    entropy = mean_of(-log_q)
    statistics = moments[:, : len(exact.prop.mean)]
    modes = exact.assign(z, statistics)
    with jax.enable_x64(True):
        log_q_exact = np.asarray(_log_prob(run.network(index), jnp.asarray(samples)))
    return {
        "kl": kl_divergence(log_q, exact.log_prob_of(moments)),
        "forward_kl": kl_divergence(log_p_exact, log_q_exact),
        "entropy": entropy,
        "entropy_gap": Estimate(exact.entropy - entropy.value, entropy.se),
        "band_share": share_of(in_band(statistics, exact.prop)),
        "mode_mass": [share_of(modes == k) for k in range(len(exact.modes))],
        "c2st": c2st(z, samples),
    }


@jax.jit
def _log_prob(network: DensityNetwork, z: jax.Array) -> jax.Array:
    """The network's log-density, compiled once for all networks of one architecture."""
    return network.log_prob(z)
