"""The claim about the band: C8."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from dsnlib.maxent import ExactMaxEnt
from dsnlib.maxent.modes import BAND_SDS
from report.rules.verdict import Verdict

_SHOWN = 3  # regions whose numbers are stated


class Region(NamedTuple):
    """A connected region of the band."""

    area: float  # share of the parameters' box
    mass: float  # of the exact distribution
    g_el: float  # nS, mean over its cells


def regions(exact: ExactMaxEnt, half_width: float = BAND_SDS) -> list[Region]:
    """The largest connected regions of the band, by area.

    Args:
        exact: whose grid is looked at; cells that share a face, an edge or a corner are connected.
        half_width: of the band, in target standard deviations.

    Returns:
        Three at most, the largest first.
    """
    frequency = exact.grid.isel(statistic=0).values
    band = np.abs(frequency - exact.prop.mean[0]) < half_width * exact.prop.sd[0]
    labels, count = ndimage.label(band, structure=np.ones((3, 3)))
    flat = labels.ravel()
    probability = exact.density.values.ravel() / exact.density.values.sum()
    first = np.broadcast_to(exact.grid[exact.grid.dims[0]].values[:, None], labels.shape).ravel()
    cells = np.bincount(flat, minlength=count + 1)
    mass = np.bincount(flat, probability, count + 1)
    g_el = np.bincount(flat, first, count + 1)
    largest = 1 + np.argsort(-cells[1:], kind="stable")[:_SHOWN]
    return [
        Region(float(cells[k] / flat.size), float(mass[k]), float(g_el[k] / cells[k]))
        for k in largest
    ]


def _as_claimed(found: Sequence[Region]) -> bool:
    """Whether of the two largest regions the smaller lies at smaller g_el."""
    return len(found) > 1 and found[1].g_el < found[0].g_el


def two_regions(short: ExactMaxEnt, long: ExactMaxEnt) -> Verdict:
    """C8: a small region at small g_el and a large one at large g_el."""
    answers = {f"T = {e.circuit.configuration()['T']}": e for e in (short, long)}
    found = {name: regions(exact) for name, exact in answers.items()}

    def outcome(half_width: float) -> str:
        held = all(_as_claimed(regions(exact, half_width)) for exact in answers.values())
        return "holds" if held else "fails"

    def by_mass() -> str:
        order = [sorted(each, key=lambda r: -r.mass) for each in found.values()]
        return "holds" if all(map(_as_claimed, order)) else "fails"

    def write(each: list[Region]) -> str:
        ranks = ("largest", "second", "third")
        return "; ".join(
            f"{rank}: area {100 * r.area:.3f} %, mass {100 * r.mass:.1f} %, g_el {r.g_el:.2f} nS"
            for rank, r in zip(ranks, each, strict=False)
        )

    values: dict[str, Any] = {
        name: [r._asdict() for r in each] for name, each in found.items()
    }  # fmt: skip
    return Verdict(
        "C8",
        "the band consists of two green areas: a small one at small g_el (lower), an expansive one "
        "at large g_el (upper)",
        f"take the two largest connected regions within {BAND_SDS:g} sd of the target: at T = 200 "
        "and at T = 800 the smaller of them lies at smaller g_el; a third region is stated and not "
        "held against the note, which could not see it",
        {name: write(each) for name, each in found.items()},
        "holds" if all(map(_as_claimed, found.values())) else "fails",
        {f"within {w:g} sd": outcome(w) for w in (BAND_SDS / 2, BAND_SDS * 2)}
        | {"the two of largest exact mass": by_mass()},
        values,
    )
