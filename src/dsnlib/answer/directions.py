"""Directions in which a circuit's parameters may move, and those in which they may not."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib._xla import numerics
from dsnlib.answer.regions import Regions
from dsnlib.methods.natural import NaturalRun
from dsnlib.methods.run import Run


@dataclasses.dataclass(frozen=True)
class Directions:
    """Directions at a point, the stiffest first, in shares of the box.

    Args:
        z: (P,) the point, in the parameters' units.
        sd: (P,) how far the answer reaches in each direction, in shares of the box: the standard
            deviation of its samples, or of the Gaussian with the same curvature, which is infinite
            where the answer does not bend down.
        vectors: (P, P) unit vectors, a row each, over parameters scaled to the unit box, in
            their logarithms where their scale is logarithmic.
    """

    z: np.ndarray
    sd: np.ndarray
    vectors: np.ndarray


def covariance_directions(
    run: Run[Any], regions: Regions | None = None, region: int = 0
) -> Directions:
    """Where the answer is stiff and where it is free: the covariance of its samples.

    The eigenvectors of the covariance of parameters that are scaled to the unit box. It needs no
    derivatives and speaks of the whole answer or region, not of the surroundings of one point:
    where a region is bent or a ring, every direction is wide.

    Args:
        run: of any method.
        regions: of its answer; by default all samples are taken together.
        region: number of the region, where regions are given; by default the largest.

    Returns:
        Directions at the samples' mean, which may itself lie outside the answer.

    Raises:
        ValueError: no such region, or fewer than two samples in it.
    """
    box = run.box
    z = run.z.reshape(-1, len(box.low))
    if regions is not None:
        if not 0 <= region < len(regions.table):
            raise ValueError(
                f"region must be from 0 to {len(regions.table) - 1}, got {region}; regions.table "
                "lists them"
            )
        z = z[regions.labels.ravel() == region]
    if len(z) < 2:
        raise ValueError(f"run must have two samples there, got {len(z)}; use more particles")
    covariance = np.atleast_2d(np.cov(box.to_unit(z), rowvar=False))
    variances, vectors = np.linalg.eigh(covariance)
    # rounding may leave a variance of 0 just below it
    return Directions(z.mean(axis=0), np.sqrt(np.maximum(variances, 0)), vectors.T)


def directions(run: NaturalRun[Any], z: Any = None) -> Directions:
    """Where the answer is stiff and where it is free: the curvature of its log-density.

    The eigenvectors of the Hessian of log p at a point: along one with a large negative eigenvalue
    the property is lost soon, along one with an eigenvalue near 0 the circuit does not care.

    Args:
        run: of `SMC` or `Uniform`, from `dsnlib.fit`, of a circuit that JAX differentiates.
        z: (P,) the point; by default the sample with the highest density.

    Raises:
        ValueError: the run has no natural parameters or was loaded from disk, so its circuit is not
            known, or z has another shape, or the log-density has no second derivatives there.

    Source: the sensitivity analysis of Bittner et al., eLife (2021).
    """
    if not isinstance(run, NaturalRun):
        raise ValueError(
            "run must be one of dsnlib.SMC or dsnlib.Uniform, whose log-density is known, got "
            f"{type(run).__name__}; use covariance_directions"
        )
    circuit = run.circuit
    if circuit is None:
        raise ValueError(
            "circuit must be known to differentiate, got a run that load_run read; get the run "
            "from dsnlib.fit with its circuit"
        )
    box = circuit.box
    (answer,) = run.snapshots().values()
    at = answer.z[answer.log_q.argmax()] if z is None else np.asarray(z, float)
    if at.shape != (len(box.low),):
        raise ValueError(
            f"z must be one point of shape ({len(box.low)},), got {at.shape}; pass one row"
        )
    eta, S = run.eta["value"].values, len(run.prop.mean)
    # what is recorded only may be undefined
    used = np.tile([kind != "recorded" for kind in run.prop.kinds], 2)
    with numerics("float64"):

        def log_density(unit: jax.Array) -> jax.Array:
            columns = circuit.evaluate(box.from_unit(unit)[None])[0]
            f, noise = columns[:S], columns[S:]
            square = f**2 + (noise if len(noise) else 0)
            return jnp.concatenate([f, square])[used] @ jnp.asarray(eta[used])

        second = jax.jit(jax.hessian(log_density))
        unit = jnp.asarray(box.to_unit(at))
        try:
            jax.eval_shape(second, unit)
        except Exception as error:  # JAX raises various kinds
            raise ValueError(
                f"circuit must be one that JAX differentiates twice, got {type(circuit).__name__} "
                f"({str(error).splitlines()[0]}); use covariance_directions"
            ) from error
        hessian = np.asarray(second(unit))
    if not np.isfinite(hessian).all():
        raise ValueError(
            f"z must be a point where log p has second derivatives, got {at.tolist()}; pass "
            "another one, or use covariance_directions"
        )
    values, vectors = np.linalg.eigh(hessian)
    sd = np.full(len(values), np.inf)
    sd[values < 0] = (-values[values < 0]) ** -0.5
    return Directions(at, sd, vectors.T)
