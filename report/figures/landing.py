"""The report in one picture: the map, the exact answer, networks that lost a mode, SMC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dsnlib.maxent import ExactMaxEnt
from dsnlib.methods.smc import SMCRun
from dsnlib.plots import draw_plane, embedded, mode_colour, region_masses, run_name, small_png
from report.judged import HELD, JudgedLagrangian
from report.text import per_cent

SAMPLES = 1_000  # of each answer
_INCHES = 2.8
_NAMED = ("lower", "upper")
Masses = dict[str, float]  # of each mode


def typical_loss(runs: Sequence[JudgedLagrangian], c0: float) -> JudgedLagrangian:
    """Of the runs with a penalty c0 that end without one of the note's modes, the middle one by KL.

    Args:
        runs: judged.
        c0: of those to choose from.

    Raises:
        ValueError: none of them lost a mode.
    """
    lost = [
        one
        for one in runs
        if one.run.method.c0 == c0
        and not set(_NAMED) <= set(one.held(int(one.run.data.snapshot[-1])))
    ]
    if not lost:
        raise ValueError(f"runs must hold one with c0 = {c0:g} that lost a mode, got none")
    return sorted(lost, key=lambda one: one.final("kl"))[(len(lost) - 1) // 2]


def landing_panels(
    exact: Mapping[int, ExactMaxEnt],
    networks: Mapping[int, Sequence[JudgedLagrangian]],
    smc: Mapping[int, SMCRun],
) -> HTML:
    """Six panels for each number of Euler steps T, side by side or, on a phone, one below another.

    The map; samples of the exact answer, of SMC and of a typical network of each c0 that lost a
    mode; what share of each falls into the modes.

    Args:
        exact: exact answers, by T.
        networks: judged runs of the augmented Lagrangian, by T.
        smc: a run of SMC, by T.
    """
    parts = []
    for T, answer in exact.items():
        samples = {
            "exact answer": np.asarray(answer.sample(jax.random.key(0), SAMPLES)),
            "SMC": _some(smc[T].data.z.values.reshape(-1, 2)),
        }
        masses: dict[str, Masses] = {
            "exact answer": {mode.name: mode.mass for mode in answer.modes},
            "SMC": dict(
                zip(
                    [mode.name for mode in answer.modes],
                    region_masses(smc[T], answer).mean(axis=0).tolist(),
                    strict=True,
                )
            ),
        }
        for c0 in (1.0, 100.0):
            one = typical_loss(networks[T], c0)
            name = f"network, {run_name(one.run)}"
            samples[name] = one.run.data.z.values[-1]
            masses[name] = {mode.name: one.final_mass(mode.name) for mode in answer.modes}
        panels = [_map(answer)]
        panels += [_dots(answer, name, z, masses[name]) for name, z in samples.items()]
        panels.append(_bars(masses))
        duration = T * answer.circuit.dt  # type: ignore[attr-defined]
        title = f"T = {T} Euler steps, {duration:g} s"
        parts.append(f'<p class="panels-title">{title}</p><div class="panels">{"".join(panels)}')
        parts.append("</div>")
    return HTML("".join(parts))


def _some(z: np.ndarray) -> np.ndarray:
    return z[np.random.default_rng(0).permutation(len(z))[:SAMPLES]]


def _panel() -> tuple[Figure, Axes]:
    figure, ax = plt.subplots(figsize=(_INCHES, _INCHES))
    return figure, ax


def _html(figure: Figure, alt: str) -> str:
    return embedded(small_png(figure, dpi=150), alt)


def _map(exact: ExactMaxEnt) -> str:
    figure, ax = _panel()
    draw_plane(ax, exact)
    for mode, place in zip(_NAMED, ((0.03, 0.42), (0.6, 0.5)), strict=True):
        ax.text(*place, mode, transform=ax.transAxes, color=mode_colour(mode), fontsize=9)
    ax.set_title("where the hub is at 0.525 ± 0.025 Hz", fontsize=9)
    return _html(
        figure,
        "Map of the hub's frequency over g_el and g_synA: a green band at medium frequency lies "
        "within the outlined lower mode, at small g_el, and upper mode, at large g_el.",
    )


def _dots(exact: ExactMaxEnt, name: str, z: np.ndarray, masses: Masses) -> str:
    figure, ax = _panel()
    draw_plane(ax, exact)
    ax.plot(*z.T, "k.", markersize=1.5)
    ax.set_title(name, fontsize=9)
    words = ", ".join(f"{mode} {per_cent(masses[mode])} %" for mode in _NAMED)
    lost = [m.name for m in exact.modes if m.name in _NAMED and masses[m.name] < HELD * m.mass]
    verdict = f"lost: {' and '.join(lost)}" if lost else "both modes held"
    return _html(figure, f"Samples of the {name} on the same map: {words}; {verdict}.")


def _bars(masses: Mapping[str, Masses]) -> str:
    figure, ax = _panel()
    rows = list(masses)[::-1]
    left = np.zeros(len(rows))
    for mode in (*_NAMED, "third"):
        width = np.array([100 * masses[row].get(mode, 0.0) for row in rows])
        ax.barh(rows, width, left=left, color=mode_colour(mode), label=mode)
        left += width
    ax.barh(rows, 100 - left, left=left, color="0.85", label="elsewhere")
    ax.set_yticks(
        range(len(rows)), [row.replace("network, ", "").replace(", ", ",\n") for row in rows]
    )
    ax.tick_params(labelsize=7)
    ax.set(xlabel="share of the samples (%)", xlim=(0, 100))
    ax.set_title("where the samples lie", fontsize=9)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=7)
    words = "; ".join(
        f"{row}: " + ", ".join(f"{mode} {per_cent(share)} %" for mode, share in masses[row].items())
        for row in masses
    )
    return _html(figure, f"Stacked bars of the share of samples in each mode. {words}.")
