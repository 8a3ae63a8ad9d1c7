"""The exact maximum-entropy distribution of a circuit of few parameters, by quadrature."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import xarray as xr
from scipy import ndimage

from dsnlib import _check
from dsnlib.circuits import Circuit
from dsnlib.circuits.differentiation import one_row
from dsnlib.maxent.dual import Dual, solve_dual
from dsnlib.maxent.grid import statistics_grid
from dsnlib.maxent.modes import Interleaved, Mode, find_modes, in_band
from dsnlib.property import EmergentProperty

_PROPOSALS = 50_000  # in one round of rejection sampling
_MAX_ROUNDS = 10_000
_STRIDE = 4  # of the interleaved grids that tell the numerical error


@dataclasses.dataclass(frozen=True)
class ExactMaxEnt:
    """The distribution p*(z) proportional to exp(eta.T(z)) on the circuit's box.

    Args:
        circuit, prop: what it is the exact answer for.
        cells: cells of the grid along each parameter.
        eta: (2 S,) natural parameters, of the moments (f_1, .., f_S, f_1^2, .., f_S^2).
        log_z: log of the integral of exp(eta.T) over the box, nats.
        entropy: H*, nats.
        eta_se, log_z_se, entropy_se: numerical standard errors, see `Interleaved`; not a number
            where the grid is too coarse to tell.
        gradient_norm: |E[T] - mu| on the grid, each moment in units of its target sd.
        grid: (cells, .., S) statistics at the cells' midpoints.
        density: (cells, ..) density there, per unit volume.
        modes: regions of the band that hold at least 1 % of the mass, the heaviest first.
        labels: (cells, ..) index of each cell's mode, or -1.
    """

    circuit: Circuit
    prop: EmergentProperty
    cells: int
    eta: np.ndarray
    eta_se: np.ndarray
    log_z: float
    log_z_se: float
    entropy: float
    entropy_se: float
    gradient_norm: float
    grid: xr.DataArray
    density: xr.DataArray
    modes: tuple[Mode, ...]
    labels: xr.DataArray

    def log_prob(self, z: Any) -> np.ndarray:
        """(...) log-density at parameters z (..., P), by simulation, nats per unit volume.

        It is -inf outside the circuit's bounds.
        """
        z = np.asarray(z, float)
        low, high = self.circuit.bounds.T
        if z.shape[-1:] != low.shape:
            raise ValueError(f"z must have shape (..., {len(low)}), got {z.shape}; reshape it")
        inside = ((z >= low) & (z <= high)).all(axis=-1)
        safe = np.where(inside[..., None], z, (low + high) / 2).reshape(-1, len(low))
        return np.where(inside, self.log_prob_of(self.moments(safe)).reshape(inside.shape), -np.inf)

    def log_prob_of(self, moments: np.ndarray) -> np.ndarray:
        """(...) log-density where the moments are (..., 2 S); -inf where they are not finite."""
        exponent = np.asarray(moments, float) @ self.eta
        return np.where(np.isfinite(exponent), exponent, -np.inf) - self.log_z

    def moments(self, z: Any) -> np.ndarray:
        """(n, 2 S) moments at parameters z (n, P), in double precision."""
        with jax.enable_x64(True):
            statistics = self.circuit.statistics(np.asarray(z, float))
            return np.asarray(self.prop.moments(statistics))

    def model(self) -> None:
        """The same density as a numpyro model, for any of numpyro's samplers: its site is `z`.

        Where a simulation fails the density is 0.
        """
        low, high = jnp.asarray(self.circuit.bounds).T
        z = numpyro.sample("z", dist.Uniform(low, high).to_event(1))
        statistics = one_row(self.circuit.evaluate)(z)
        exponent = self.prop.moments(statistics[None])[0] @ jnp.asarray(self.eta)
        numpyro.factor("property", jnp.where(jnp.isfinite(exponent), exponent, -jnp.inf))

    def assign(self, z: Any, statistics: Any = None) -> np.ndarray:
        """The mode to which each sample belongs.

        A sample belongs to a mode where its own statistics lie in the band and its cell is one of
        the mode's or next to one. So samples and `Mode.mass` are about the same set, whose border
        runs through cells.

        Args:
            z: (n, P) parameters.
            statistics: (n, S) statistics there, which are simulated where they are not given.

        Returns:
            (n,) index of the mode, or -1.
        """
        z = np.asarray(z, float)
        if statistics is None:
            statistics = self.moments(z)[:, : len(self.prop.mean)]
        low, high = self.circuit.bounds.T
        cell = np.floor((z - low) / (high - low) * self.cells).astype(int)
        nearest = self._nearest_mode[tuple(np.clip(cell, 0, self.cells - 1).T)]
        return np.where(in_band(np.asarray(statistics), self.prop), nearest, -1)

    @functools.cached_property
    def _nearest_mode(self) -> np.ndarray:
        """(cells, ..) index of the mode that has the cell or a neighbour of it, or -1."""
        labels = self.labels.values
        away, nearest = ndimage.distance_transform_edt(labels < 0, return_indices=True)
        adjacent = away <= np.sqrt(labels.ndim)
        return np.where(adjacent, labels[tuple(nearest)], -1)

    def sample(self, key: jax.Array, n: int) -> np.ndarray:
        """Independent exact samples, by rejection from the uniform distribution.

        The grid enters through eta alone: each proposal is simulated, and accepted with
        probability exp(eta.T(z) - bound), the bound being the largest value that eta.T can take.

        Args:
            key: random key.
            n: number of samples.

        Returns:
            (n, P) parameters, in double precision.

        Raises:
            RuntimeError: the bound was exceeded between grid points, or next to nothing accepted.
        """
        n = _check.whole("n", n, at_least=1)
        accepted: list[np.ndarray] = []
        for z, log_ratio, uniform in self._proposals(key):
            if log_ratio.max() > 1e-9:
                raise RuntimeError(
                    f"the density exceeds its bound on the grid by {log_ratio.max():.3g} nat; "
                    f"cells must be larger, got {self.cells}"
                )
            accepted.append(z[np.log(uniform) < log_ratio])
            if sum(map(len, accepted)) >= n:
                return np.concatenate(accepted)[:n]
        raise RuntimeError(
            f"only {sum(map(len, accepted))} of {n} samples were accepted in "
            f"{_MAX_ROUNDS * _PROPOSALS:,} proposals; the property is too rare for rejection"
        )

    def _proposals(self, key: jax.Array) -> Any:
        low, high = self.circuit.bounds.T
        bound = self._largest_exponent()
        for round_key in (jax.random.fold_in(key, i) for i in range(_MAX_ROUNDS)):
            with jax.enable_x64(True):
                draws = np.asarray(
                    jax.random.uniform(round_key, (_PROPOSALS, len(low) + 1), jnp.float64)
                )
            z = low + (high - low) * draws[:, :-1]
            yield z, self.log_prob_of(self.moments(z)) + self.log_z - bound, draws[:, -1]

    def _largest_exponent(self) -> float:
        """Upper bound of eta.T, statistic by statistic: a parabola over what can be reported."""
        total = 0.0
        linear, square = np.split(self.eta, 2)
        for i, o in enumerate(self.circuit.observables):
            values = self.grid.isel(statistic=i).values
            low = o.low if np.isfinite(o.low) else np.nanmin(values)
            high = o.high if np.isfinite(o.high) else np.nanmax(values)
            vertex = [-linear[i] / (2 * square[i])] if square[i] < 0 else []
            candidates = np.clip([low, high, *vertex], low, high)
            total += float((linear[i] * candidates + square[i] * candidates**2).max())
        return total


def exact_maxent(circuit: Circuit, prop: EmergentProperty, cells: int = 400) -> ExactMaxEnt:
    """The exact answer: the distribution of maximum entropy that has the property.

    The statistics are computed once at the midpoints of a grid (see `statistics_grid`); on it the
    convex dual gives the natural parameters eta, and sums over cells give everything else.

    Args:
        circuit: with one to three parameters.
        prop: means and standard deviations of its statistics.
        cells: number of cells along each parameter, at least 4.

    Returns:
        The distribution, with certificate, error estimates and modes.

    Raises:
        TypeError, ValueError: bad arguments, or a property that the circuit cannot have.

    Source: Jaynes (1957) for the form of the answer.

    Example:
        >>> from dsnlib import STG, EmergentProperty
        >>> ref = exact_maxent(STG(T=200), EmergentProperty([0.5], [0.1]), cells=40)
        >>> ref.eta.shape, bool(ref.gradient_norm < 1e-8)
        ((2,), True)
    """
    _check.instance("circuit", circuit, Circuit)
    _check.instance("prop", prop, EmergentProperty)
    cells = _check.whole("cells", cells, at_least=_STRIDE)
    if cells % 2:
        raise ValueError(
            f"cells must be even, got {cells}; the errors are estimated from interleaved coarser, "
            f"pass {cells + 1}"
        )
    prop.check_against(circuit)
    prop.check_moments("dsnlib.exact_maxent")
    circuit.check_plain("dsnlib.exact_maxent")
    grid = statistics_grid(circuit, cells)
    flat = grid.values.reshape(-1, grid.shape[-1])
    volume = float(np.prod(np.diff(circuit.bounds, axis=1)))
    dual = solve_dual(flat, prop)
    density = grid.isel(statistic=0, drop=True).copy(
        data=(np.exp(dual.log_p) * len(flat) / volume).reshape(grid.shape[:-1])
    )
    density.name = "density"
    density.attrs["units"] = "1/(" + " ".join(p.unit for p in circuit.parameters) + ")"
    groups = _interleaved(grid.shape[:-1])
    own = [_solve_coarser(flat[groups == g], prop) for g in range(groups.max() + 1)]
    coarser = Interleaved(groups, np.empty(len(flat)))
    for g, answer in enumerate(own):
        coarser.probability[groups == g] = np.exp(answer.log_p)
    inside = density.copy(data=in_band(flat, prop).reshape(density.shape))
    modes, labels = find_modes(inside, density * volume / len(flat), coarser)
    return ExactMaxEnt(
        circuit=circuit,
        prop=prop,
        cells=cells,
        eta=dual.eta,
        eta_se=np.array([coarser.standard_error(e) for e in np.transpose([d.eta for d in own])]),
        log_z=dual.log_mean + np.log(volume),
        log_z_se=coarser.standard_error(np.array([d.log_mean for d in own])),
        entropy=dual.relative_entropy + np.log(volume),
        entropy_se=coarser.standard_error(np.array([d.relative_entropy for d in own])),
        gradient_norm=dual.gradient_norm,
        grid=grid,
        density=density,
        modes=modes,
        labels=labels,
    )


def _solve_coarser(statistics: np.ndarray, prop: EmergentProperty) -> Dual:
    """The answer on a coarser grid; not a number throughout where that is too coarse for one."""
    try:
        return solve_dual(statistics, prop)
    except ValueError:
        nothing = np.full(len(statistics), np.nan)
        return Dual(np.full(2 * len(prop.mean), np.nan), np.nan, nothing, np.nan)


def _interleaved(shape: tuple[int, ...]) -> np.ndarray:
    """(n,) which of the interleaved grids a cell belongs to: every fourth cell along each axis."""
    parts = np.indices(shape) % _STRIDE
    return np.tensordot(_STRIDE ** np.arange(len(shape)), parts, axes=1).ravel()
