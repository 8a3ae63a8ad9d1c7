"""Directions in which a circuit's parameters may move, and those in which they may not."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib._xla import numerics
from dsnlib.methods.smc import SMCRun


@dataclasses.dataclass(frozen=True)
class Directions:
    """Directions at a point, the stiffest first, in shares of the box.

    Args:
        z: (P,) the point, in the parameters' units.
        sd: (P,) how far the answer reaches in each direction, as the standard deviation of the
            Gaussian with the same curvature, in shares of the box; infinite where it does not
            bend down.
        vectors: (P, P) unit vectors, a row each, over parameters scaled to the unit box.
    """

    z: np.ndarray
    sd: np.ndarray
    vectors: np.ndarray


def directions(run: SMCRun, z: Any = None) -> Directions:
    """Where the answer is stiff and where it is free: the curvature of its log-density.

    The eigenvectors of the Hessian of log p at a point: along one with a large negative eigenvalue
    the property is lost soon, along one with an eigenvalue near 0 the circuit does not care.

    Args:
        run: from `dsnlib.fit`, of a circuit that JAX differentiates.
        z: (P,) the point; by default the sample with the highest density.

    Raises:
        ValueError: the run was loaded from disk, so its circuit is not known, or z has another
            shape.

    Source: the sensitivity analysis of Bittner et al., eLife (2021).
    """
    circuit = run.circuit
    if circuit is None:
        raise ValueError(
            "circuit must be known to differentiate, got a run that load_run read; get the run "
            "from dsnlib.fit with its circuit"
        )
    low, high = circuit.bounds.T
    (answer,) = run.snapshots().values()
    at = answer.z[answer.log_q.argmax()] if z is None else np.asarray(z, float)
    if at.shape != low.shape:
        raise ValueError(
            f"z must be one point of shape ({len(low)},), got {at.shape}; pass one row"
        )
    eta = run.eta["value"].values
    with numerics("float64"):
        scale = jnp.asarray(high - low)

        def log_density(unit: jax.Array) -> jax.Array:
            f = circuit.evaluate((low + scale * unit)[None])[0]
            return jnp.concatenate([f, f**2]) @ jnp.asarray(eta)

        hessian = jax.jit(jax.hessian(log_density))((at - low) / (high - low))
    values, vectors = np.linalg.eigh(np.asarray(hessian))
    sd = np.full(len(values), np.inf)
    sd[values < 0] = (-values[values < 0]) ** -0.5
    return Directions(at, sd, vectors.T)
