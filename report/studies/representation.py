"""What each flow can represent of p*: python -m report.studies.representation SAMPLES OUT.

Each flow is fitted to exact samples (maximum likelihood), and from there to the exact density: to
KL(q || p*) by the score-function gradient, and for two flows by the pathwise gradient. SAMPLES is a
file that keeps the exact samples for the next time.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.lax import stop_gradient
from tqdm.auto import tqdm

from dsnlib import ExactMaxEnt
from dsnlib.estimate import share_of
from dsnlib.judging.distances import kl_divergence
from dsnlib.maxent.modes import in_band
from dsnlib.storage.dataset import write_dataset
from report.experiment import band_share, exact_answer
from report.studies.families import RECORD_EVERY, Model, fitter, models
from report.studies.stamps import stamped

SETTINGS: dict[str, Any] = {
    "samples": 200_000,  # exact ones
    "held_out": 20_000,  # of them, for the forward KL
    "evaluated": 50_000,  # samples of each fitted flow
    "shown": 1_000,  # of them kept
    "batch": 1_000,
    "seeds": [1, 2, 3],
    "depth": 25.0,  # nats below its maximum at which the score stage cuts the log-density off
    # (steps, learning rate) of each stage
    "stages": {
        "planar": {"likelihood": (20_000, 1e-2), "score": (5_000, 3e-3), "pathwise": (2_000, 1e-3)},
        "mixture": {"likelihood": (20_000, 1e-2), "score": (5_000, 3e-3)},
        "coupling": {"likelihood": (4_000, 3e-3), "score": (1_500, 1e-3)},
        "spline": {"likelihood": (4_000, 3e-3), "score": (1_500, 1e-3), "pathwise": (1_000, 1e-3)},
    },
}
_SAMPLES_KEY = 5
_DIMS = {"mode_mass": ("mode",), "z": ("sample", "parameter"), "curve": ("step",)}


def losses(model: Model, exact: ExactMaxEnt, training: np.ndarray) -> dict[str, Any]:
    """The loss of each stage, by name; what they record is an estimate of a KL in nats.

    Args:
        model: what is fitted.
        exact: the exact answer.
        training: (n, 2) exact samples.
    """
    data, batch = jnp.asarray(training, jnp.float32), SETTINGS["batch"]
    eta, log_z = jnp.asarray(exact.eta), exact.log_z
    floor = float(np.log(exact.density.max())) - SETTINGS["depth"]

    def log_p(z: jax.Array) -> jax.Array:
        return exact.prop.moments(exact.circuit.evaluate(z)) @ eta - log_z

    def likelihood(parameters: Any, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        z = data[jax.random.randint(key, (batch,), 0, len(data))]
        value = -model.log_prob(parameters, z).mean()
        return value, value - exact.entropy

    def score(parameters: Any, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        z = stop_gradient(model.sample(parameters, key, batch))
        ratio = model.log_prob(parameters, z) - jnp.maximum(log_p(z), floor)
        # Over fixed samples of q this has the gradient E[(log q - log p - mean) grad log q],
        # the score-function gradient of KL(q || p) with a baseline (Richter et al. 2020).
        return ratio.var(ddof=1) / 2, ratio.mean()

    def pathwise(parameters: Any, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        z = model.sample(parameters, key, batch)
        value = (model.log_prob(parameters, z) - log_p(z)).mean()
        return value, value

    return {"likelihood": likelihood, "score": score, "pathwise": pathwise}


def evaluated(
    model: Model, parameters: Any, exact: ExactMaxEnt, held_out: np.ndarray
) -> dict[str, np.ndarray]:
    """Distances of a fitted model from the exact answer.

    Args:
        model, parameters: what was fitted.
        exact: the exact answer.
        held_out: (n, 2) exact samples that it was not fitted to.

    Returns:
        `kl` and `forward_kl` with `_se`, `kl_in_band` (of both, given the band), `leak`,
        `mode_mass` (modes,), and `z` (shown, 2).
    """
    blocks = jax.random.split(jax.random.key(0), SETTINGS["evaluated"] // SETTINGS["batch"])
    log_prob = jax.jit(model.log_prob)
    sample = jax.jit(lambda parameters, key: model.sample(parameters, key, SETTINGS["batch"]))
    z = np.concatenate([sample(parameters, key) for key in blocks])

    def log_q(z: np.ndarray) -> np.ndarray:
        parts = z.astype("float32").reshape(-1, SETTINGS["batch"], 2)
        return np.concatenate([log_prob(parameters, part) for part in parts]).astype(float)

    moments, log_q_z = exact.moments(z), log_q(z)
    inside = in_band(moments[:, :1], exact.prop)
    kl = kl_divergence(log_q_z, exact.log_prob_of(moments))
    forward = kl_divergence(exact.log_prob(held_out), log_q(held_out))
    given_band = kl_divergence(log_q_z[inside], exact.log_prob_of(moments[inside]))
    modes = exact.assign(z, moments[:, :1])
    return {
        "kl": np.array(kl.value),
        "kl_se": np.array(kl.se),
        "forward_kl": np.array(forward.value),
        "forward_kl_se": np.array(forward.se),
        "kl_in_band": np.array(given_band.value - np.log(inside.mean() / band_share(exact))),
        "leak": np.array(share_of(~inside).value),
        "mode_mass": np.array([share_of(modes == k).value for k in range(len(exact.modes))]),
        "z": z[: SETTINGS["shown"]],
    }


def exact_samples(exact: ExactMaxEnt, file: Path) -> np.ndarray:
    """(samples, 2) exact samples, from the file or else drawn and kept there."""
    if not file.exists():
        np.save(file, exact.sample(jax.random.key(_SAMPLES_KEY), SETTINGS["samples"]))
    return np.load(file)  # type: ignore[no-any-return]


Outcome = dict[str, np.ndarray]


def fits(name: str, model: Model, exact: ExactMaxEnt, samples: np.ndarray) -> dict[Any, Outcome]:
    """Fit one model with all seeds, stage by stage.

    Args:
        name: of the model.
        model: what is fitted.
        exact: the exact answer.
        samples: (n, 2) exact samples; the last ones are held out.

    Returns:
        For each stage and seed what `evaluated` returns, with the stage's `curve`.
    """
    training, held_out = np.split(samples, [-SETTINGS["held_out"]])
    loss = losses(model, exact, training)
    fitters = {
        stage: fitter(loss[stage], *given) for stage, given in SETTINGS["stages"][name].items()
    }
    found = {}
    for seed in tqdm(SETTINGS["seeds"], desc=name):
        keys = jax.random.split(jax.random.key(seed), 3)
        start = model.initial(keys[0])
        for stage, fit in fitters.items():
            parameters, curve = fit(start, keys[2 if stage != "likelihood" else 1])
            found[stage, seed] = evaluated(model, parameters, exact, held_out) | {"curve": curve}
            if stage == "likelihood":
                start = parameters
    return found


def study(samples_file: Path) -> xr.Dataset:
    """Fit all models with all seeds.

    Args:
        samples_file: where exact samples are kept.

    Returns:
        Over `stage`, `flow` and `seed` what `evaluated` returns (samples of the first seed only)
        and, over `step` too, the estimate of a KL that training recorded; not a number where there
        is none.
    """
    exact = exact_answer()
    samples, began = exact_samples(exact, samples_file), time.monotonic()
    centres = np.array([mode.centre for mode in exact.modes])
    families = models(exact.circuit, centres)
    found = {flow: fits(flow, model, exact, samples) for flow, model in families.items()}
    parts = [
        xr.Dataset(
            {name: (_DIMS.get(name, ()), value.astype("float32")) for name, value in row.items()},
            {"step": RECORD_EVERY * np.arange(1, len(row["curve"]) + 1)},
        ).expand_dims(flow=[flow], stage=[stage], seed=[seed])
        for flow, rows in found.items()
        for (stage, seed), row in rows.items()
    ]
    data = xr.merge(parts, join="outer", compat="no_conflicts")
    data["z"] = data.z.sel(seed=SETTINGS["seeds"][0])
    data["mode"] = [mode.name for mode in exact.modes]
    data["exact_mass"] = ("mode", [mode.mass for mode in exact.modes])
    return stamped(data.assign_attrs(exact_entropy=exact.entropy), SETTINGS, began)


def main(samples_file: str, out: str) -> None:
    """Write the study's data.

    Args:
        samples_file: a .npy file of exact samples, which is made where it is missing.
        out: a netCDF file.
    """
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    write_dataset(Path(out), study(Path(samples_file)))


if __name__ == "__main__":
    main(*sys.argv[1:])
