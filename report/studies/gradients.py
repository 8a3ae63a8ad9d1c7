"""Gradients of the constraint, pathwise against score: python -m report.studies.gradients OUT.

They are measured at every network that the committed runs kept, where lam_eff is
lam + c (E[T] - mu) with lam and c of the epoch that starts there (at the end: of the last epoch).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from dsnlib import (
    ExactMaxEnt,
)
from dsnlib.storage.dataset import write_dataset
from report.experiment import exact_answer
from report.judged import judged_runs
from report.losses import mode_losses
from report.studies.contributions import (
    ESTIMATORS,
    Snapshot,
    directional,
    drawn,
    hill,
    snapshot,
    summed,
)
from report.studies.stamps import stamped

SETTINGS: dict[str, Any] = {
    "samples": 100_000,  # of every snapshot
    "focus_samples": 1_000_000,  # of the snapshot before each run's first loss of a mode
    "reference_samples": 300_000,  # of the references there
    "difference_steps": [1e-2, 3e-3],  # of the weights, along a unit vector
    "sizes": [1_000, 10_000, 100_000, 1_000_000],
    "tail_share": 0.01,  # of the samples, for Hill's estimate at every snapshot
    "tail_sizes": [100, 300, 1_000, 3_000, 10_000, 30_000],  # the same at the focus
    "probe": 1e-3,  # nS, half the distance over which f is compared about a sample
    "shown": 2_000,
    "largest": 200,
}
Measured = dict[str, np.ndarray]
_EXCEEDANCE = np.logspace(-6, 0, 61)
_QUARTILES = [0.25, 0.5, 0.75]


def measured(at: Snapshot, key: jax.Array, n: int, lam_eff: np.ndarray | None = None) -> Measured:
    """Both estimators on n samples.

    Args:
        at: the network.
        key: random key.
        n: number of samples.
        lam_eff: (M,) weights of the moments, by default those that follow from the samples.

    Returns:
        `lam_eff` (M,); `z` (n, 2), `f` (n, 1) and `slope` (n, 2) of f; `noise` and what `summed`
        returns, by block.
    """
    noise, z, f, jacobian = drawn(at.objective, at.weights, key, n)
    prop = at.objective.prop
    moments = np.concatenate([f, f**2], axis=-1).astype(float)
    if lam_eff is None:
        lam_eff = at.lam + at.c * (moments.mean(axis=(0, 1)) - prop.mu)
    value = moments @ lam_eff
    slope = (lam_eff[0] + 2 * lam_eff[1] * f) * jacobian[:, :, 0].astype(float)
    found = summed(at.objective, at.weights, noise, slope, value - value.mean())
    return {name: np.asarray(part) for name, part in found.items()} | {
        "lam_eff": lam_eff,
        "noise": noise,
        "z": z.reshape(-1, 2),
        "f": f.reshape(-1, 1),
        "slope": jacobian.reshape(-1, 2),
    }


def summary(found: Measured) -> dict[str, Any]:
    """Norms, errors and tail indices of the estimators from what `measured` returns."""
    mean, norm = found["mean"].mean(axis=0), found["norm"].reshape(-1, 2)
    variance = found["square"].mean(axis=0) - (mean**2).sum(axis=-1)
    k = int(SETTINGS["tail_share"] * len(norm))
    tail = np.array([hill(values, k) for values in norm.T])
    length = np.linalg.norm(mean, axis=-1)
    return {
        "lam_eff": (("moment",), found["lam_eff"]),
        "mean_norm": (("estimator",), length),
        "mean_se": (("estimator",), np.sqrt(variance / len(norm))),
        "variance": (("estimator",), variance),
        "alpha": (("kind",), tail[:, 0]),
        "alpha_se": (("kind",), tail[:, 1]),
        "norm": (("kind", "exceedance"), np.quantile(norm, 1 - _EXCEEDANCE, axis=0).T),
        "cosine": ((), mean[0] @ mean[1] / (length[0] * length[1])),
        "entropy_norm": ((), np.linalg.norm(found["entropy"].mean(axis=0))),
    }


def focus(at: Snapshot, key: jax.Array, exact: ExactMaxEnt, mode: str) -> dict[str, Any]:
    """The estimators at one network in detail, against references that are independent of them.

    Args:
        at: the network.
        key: random key.
        exact: the exact answer.
        mode: that is about to be lost.

    Returns:
        Variables as (dimensions, values).
    """
    keys = jax.random.split(key, 3)
    found = measured(at, keys[0], SETTINGS["focus_samples"])
    other = measured(at, keys[1], SETTINGS["reference_samples"], found["lam_eff"])
    reference = other["mean"].mean(axis=0)[1]
    data = {f"focus_{name}": part for name, part in summary(found).items()}
    data |= rates(at, found, other, exact, mode)
    errors, cosines = [], []
    for size in SETTINGS["sizes"]:
        blocks = found["mean"][:, :2]
        means = blocks.reshape(-1, size // 1_000, *blocks.shape[1:]).mean(axis=1)
        off = np.linalg.norm(means - reference, axis=-1) / np.linalg.norm(reference)
        along = means @ reference / np.linalg.norm(means, axis=-1) / np.linalg.norm(reference)
        errors.append(np.quantile(off, _QUARTILES, axis=0))
        cosines.append(np.quantile(along, _QUARTILES, axis=0))
    by_size = ("size", "quartile", "kind")
    data |= {"size_error": (by_size, errors), "size_cosine": (by_size, cosines)}
    norms = found["norm"].reshape(-1, 2).T
    tails = [[hill(values, k) for k in SETTINGS["tail_sizes"]] for values in norms]
    data["tail_index"] = (("kind", "tail_size", "estimate"), tails)
    for name, vector in (("reference", reference), ("pathwise", found["mean"].mean(axis=0)[0])):
        unit = vector / np.linalg.norm(vector)
        blocks = found["mean"][:, :2] @ unit
        se = blocks.std(axis=0) / np.sqrt(len(blocks))
        data[f"along_{name}"] = (("kind", "estimate"), np.stack([blocks.mean(axis=0), se], axis=1))
        given = at.objective, at.weights, keys[2], SETTINGS["reference_samples"], found["lam_eff"]
        differences = [directional(*given, step * unit) for step in SETTINGS["difference_steps"]]
        data[f"difference_{name}"] = (("difference_step", "estimate"), differences)
    return data | on_the_map(at, found)


def rates(
    at: Snapshot, found: Measured, other: Measured, exact: ExactMaxEnt, mode: str
) -> dict[str, Any]:
    """How fast a mode's log-mass grows down the gradient of the Lagrangian, by each estimator.

    The gradient of the mass is the score-function one of its indicator, from other samples. A batch
    is wrong where its sign is not that of the score function's mean.
    """
    names = [m.name for m in exact.modes]
    inside = (exact.assign(other["z"], other["f"]) == names.index(mode)).astype(float)
    mass, shape = inside.mean(), other["noise"].shape
    centred = (inside - mass).reshape(shape[:2])
    sums = summed(at.objective, at.weights, other["noise"], np.zeros(shape), centred)
    direction = np.asarray(sums["mean"][:, 1]).mean(axis=0) / mass
    batches = -(found["mean"][:, :2] + found["entropy"].mean(axis=0)) @ direction
    se = batches.std(axis=0) / np.sqrt(len(batches))
    wrong = (np.sign(batches) != np.sign(batches[:, 1].mean())).mean(axis=0)
    return {
        "rate_wrong": (("kind",), wrong),
        "rate": (("kind", "estimate"), np.stack([batches.mean(axis=0), se], axis=1)),
        "rate_batch": (("kind", "quartile"), np.quantile(batches, _QUARTILES, axis=0).T),
        "lost_mass": ((), mass),
    }


def on_the_map(at: Snapshot, found: Measured) -> dict[str, Any]:
    """Where samples lie and how f changes about them: random ones, and the steepest."""
    steepness = np.linalg.norm(found["slope"], axis=1)
    order = np.argsort(-steepness)
    share = np.cumsum(np.sort(found["norm"][:, :, 0].ravel())[::-1])
    data: dict[str, Any] = {"top_share": ((), share[len(share) // 1_000 - 1] / share[-1])}
    for name, chosen in (
        ("shown", np.arange(SETTINGS["shown"])),
        ("largest", order[: SETTINGS["largest"]]),
    ):
        z, slope = found["z"][chosen].astype(float), found["slope"][chosen]
        half = SETTINGS["probe"] * slope / np.maximum(steepness[chosen], 1e-30)[:, None]
        low, high = at.objective.circuit.bounds.T
        sides = [
            np.asarray(at.objective.circuit.statistics(np.clip(z + sign * half, low, high)))[:, 0]
            for sign in (1, -1)
        ]
        data |= {
            f"{name}_z": ((name, "parameter"), z),
            f"{name}_steepness": ((name,), steepness[chosen]),
            f"{name}_change": ((name,), sides[0] - sides[1]),
        }
    return data


def _dataset(variables: dict[str, Any], **coordinates: Any) -> xr.Dataset:
    single = {name: (dims, np.asarray(v, "float32")) for name, (dims, v) in variables.items()}
    return xr.Dataset(single).expand_dims({name: [v] for name, v in coordinates.items()})


def study(folder: Path) -> xr.Dataset:
    """Measure the gradients at all snapshots of all runs in a folder.

    Args:
        folder: of the runs.

    Returns:
        Over `run` and `snapshot` what `summary` returns; over `run` what `focus` does, with
        `focus_snapshot`. Estimates are pairs of value and standard error.
    """
    began, parts = time.monotonic(), []
    exact = exact_answer()
    for name, judged in tqdm(judged_runs(folder, exact).items()):
        run, key = judged.run, jax.random.key(judged.seed)
        for epoch in run.data.snapshot.values.tolist():
            part = measured(
                snapshot(run, epoch), jax.random.fold_in(key, epoch), SETTINGS["samples"]
            )
            parts.append(_dataset(summary(part), run=name, snapshot=epoch))
        losses = mode_losses([judged]).dropna(subset="lost")
        loss = losses.sort_values("lost").iloc[0]
        at = snapshot(run, int(loss.lost) - 1)
        detail = _dataset(focus(at, jax.random.fold_in(key, 100), exact, loss["mode"]), run=name)
        detail["focus_snapshot"] = ("run", [int(loss.lost) - 1])
        parts.append(detail.assign(focus_mode=("run", [loss["mode"]])))
    data = xr.merge(parts, join="outer", compat="no_conflicts").assign_coords(
        estimator=list(ESTIMATORS), kind=list(ESTIMATORS[:2]), exceedance=_EXCEEDANCE,
        size=SETTINGS["sizes"], quartile=_QUARTILES, tail_size=SETTINGS["tail_sizes"],
        difference_step=SETTINGS["difference_steps"], estimate=["value", "se"],
    )  # fmt: skip
    return stamped(data, SETTINGS, began)


def main(out: str) -> None:
    """Write the study's data, a netCDF file."""
    jax.config.update("jax_enable_x64", True)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    write_dataset(Path(out), study(Path("runs")))


if __name__ == "__main__":
    main(*sys.argv[1:])
