"""Modes: the connected regions of parameter space that have the property, ranked by mass."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy import ndimage

from dsnlib.property import EmergentProperty

BAND_SDS = 2.0  # half-width of the band, in target standard deviations
LEAST_MASS = 0.01  # regions of less exact mass are not modes
_ORDINALS = {3: "third", 4: "fourth", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth"}


class Interleaved(NamedTuple):
    """Coarser grids that make up the grid, each with an answer of its own.

    Each of the G grids estimates any quantity; their spread over sqrt(G) is the numerical standard
    error of the whole grid's answer. Where the integrand is smooth, neighbouring grids err in
    opposite directions, so this errs on the safe side.
    """

    groups: np.ndarray  # (n,) which of the grids a cell belongs to, 0 to G - 1
    probability: np.ndarray  # (n,) of the cell, in the answer of its own grid

    def totals(self, summands: np.ndarray) -> np.ndarray:
        """(G,) expectation of (n,) values in the answer of each grid."""
        return np.bincount(self.groups, self.probability * summands)

    @staticmethod
    def standard_error(estimates: np.ndarray) -> float:
        """Standard error of the mean of (G,) estimates."""
        return float(np.std(estimates, ddof=1) / np.sqrt(len(estimates)))


class Mode(NamedTuple):
    """A connected region of the band that holds at least 1 % of the exact mass."""

    name: str
    mass: float  # exact probability
    mass_se: float  # its numerical standard error
    area: float  # share of the parameters' box
    centre: tuple[float, ...]  # mean of the exact distribution within it, in parameter units


def in_band(statistics: np.ndarray, prop: EmergentProperty) -> np.ndarray:
    """(n,) whether all of (n, S) statistics lie within 2 target sds of their target means.

    One with an interval must lie in it; one without an sd may lie anywhere.
    """
    held = np.array([kind == "moments" for kind in prop.kinds])
    mean, sd = (np.array(each, float)[held] for each in (prop.mean, prop.sds))
    off_target = np.abs(statistics[:, held] - mean) / sd
    return (off_target < BAND_SDS).all(axis=1) & prop.inside(statistics)


def find_modes(
    inside: xr.DataArray, probability: xr.DataArray, coarser: Interleaved
) -> tuple[tuple[Mode, ...], xr.DataArray]:
    """Connected regions of the band that hold at least 1 % of the mass, the heaviest first.

    Cells that share a face, an edge or a corner are connected. The heaviest region makes a pair
    with the heaviest of those whose centre has a smaller first parameter (where there is none, with
    the second heaviest): the two are called "lower" and "upper" in the order of that parameter. A
    lone region is "upper"; what else there is, "third", "fourth" and so on.

    Args:
        inside: (cells, ..) the band.
        probability: (cells, ..) exact probability of each cell.
        coarser: the answers of the interleaved grids, for the errors.

    Returns:
        The modes, and (cells, ..) labels: the index of the cell's mode, or -1.
    """
    found, count = ndimage.label(inside.values, structure=np.ones((3,) * inside.ndim))
    p = probability.values
    mass = np.bincount(found.ravel(), p.ravel(), count + 1)
    heavy = [label for label in np.argsort(-mass) if label and mass[label] >= LEAST_MASS]
    rank = np.full(count + 1, -1)
    rank[heavy] = np.arange(len(heavy))
    labels = inside.copy(data=rank[found])
    centres = [
        tuple(
            float((probability[dim] * probability.where(labels == k, 0)).sum() / mass[label])
            for dim in inside.dims
        )
        for k, label in enumerate(heavy)
    ]
    modes = tuple(
        Mode(
            name,
            float(mass[label]),
            coarser.standard_error(coarser.totals(labels.values.ravel() == k)),
            float((labels.values == k).mean()),
            centre,
        )
        for k, (label, centre, name) in enumerate(zip(heavy, centres, _names(centres), strict=True))
    )
    return modes, labels


def _names(centres: list[tuple[float, ...]]) -> list[str]:
    """Names of regions with these centres, the heaviest first."""
    if len(centres) < 2:
        return ["upper"] * len(centres)
    first = [centre[0] for centre in centres]
    partner = next((k for k, x in enumerate(first) if x < first[0]), 1)
    lower, upper = (partner, 0) if first[partner] < first[0] else (0, partner)
    names = {lower: "lower", upper: "upper"}
    for k in range(len(centres)):
        if k not in names:
            names[k] = _ORDINALS.get(len(names) + 1, f"{len(names) + 1}th")
    return [names[k] for k in range(len(centres))]
