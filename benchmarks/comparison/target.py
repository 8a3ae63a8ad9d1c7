"""What the other methods are given: the target as an observation with noise, and exact samples.

The target exp(eta_1 f + eta_2 f^2) is a Gaussian in f, so with the uniform prior it is the
posterior after x = f(z) + noise was observed to be m, where m = -eta_1 / (2 eta_2) and the noise
has the variance -1 / (2 eta_2). The natural parameters eta come from the exact answer.
"""

from __future__ import annotations

import jax
import numpy as np
import xarray as xr
from record import RESULTS

import dsnlib
from dsnlib.maxent import ExactMaxEnt
from dsnlib.storage.dataset import write_dataset

CIRCUIT = dsnlib.STG(T=200)
PROPERTY = dsnlib.EmergentProperty(mean=[0.525], sd=[0.025])
CELLS = 1_000
_SAMPLES = 5_000


def exact_answer() -> ExactMaxEnt:
    """The exact answer that all methods are judged against."""
    return dsnlib.exact_maxent(CIRCUIT, PROPERTY, cells=CELLS)


def main() -> None:
    """Write target.nc."""
    exact = exact_answer()
    linear, square = exact.eta
    samples = exact.sample(jax.random.key(0), _SAMPLES).astype(np.float32)
    frequencies = exact.moments(samples)[:, 0]
    target = xr.Dataset(
        {
            "z": (("sample", "parameter"), samples, {"long_name": "exact samples", "units": "nS"}),
            "f": (("sample",), frequencies, {"long_name": "their frequencies", "units": "Hz"}),
            "bounds": (("parameter", "bound"), exact.circuit.bounds, {"units": "nS"}),
        },
        {"parameter": [p.name for p in exact.circuit.parameters]},
        {
            "observed": -linear / (2 * square),
            "noise_sd": np.sqrt(-1 / (2 * square)),
            "eta": exact.eta,
            "cells": exact.cells,
            "seed": 0,
        },
    )
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_dataset(RESULTS / "target.nc", target)
    print(target.attrs)


if __name__ == "__main__":
    main()
