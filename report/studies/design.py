"""The points of the designed studies: config/phase.yaml and config/factors.yaml spelled out."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, NamedTuple

import yaml

PHASE, FACTORS = Path("config/phase.yaml"), Path("config/factors.yaml")
_NO_PENALTY = 1e-12
_LAYERS = {"planar": 10, "coupling": 4, "spline": 4}


class Point(NamedTuple):
    """One point of a design; all points of a flow and start share their initial networks."""

    seeds: list[int]
    settings: dict[str, Any]  # what `dsnlib.AugmentedLagrangian` takes
    start: str = "note"  # where the network starts, as `training.initial_networks` takes it
    exact_multipliers: bool = False  # whether they are the exact answer's, and stay so

    @property
    def initial(self) -> str:
        """Name of the initial networks."""
        return f"{self.settings['flow']}_{self.start}"


def read_phase(file: Path = PHASE) -> dict[str, Point]:
    """The points of the phase diagram, by name.

    A point is named after its gradient estimator and what it varies, for example `score_c0-100`;
    one that varies nothing is a base.

    Args:
        file: the design, in YAML: for each flow its seeds, gradients, base, and what is varied.

    Raises:
        ValueError: two points have one name.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "mine.yaml"
        ...     design = "seeds: [1], gradient: [score], base: {beta: 4.0}, vary: [{c0: 10.0}]"
        ...     _ = path.write_text(f"planar: {{{design}}}")
        ...     read_phase(path)["score_c0-10"].settings
        {'flow': 'planar', 'layers': 10, 'gradient': 'score', 'beta': 4.0, 'c0': 10.0}
    """
    found: dict[str, Point] = {}
    for flow, design in yaml.safe_load(file.read_text()).items():
        network = {"flow": flow, "layers": _LAYERS[flow]}
        for gradient, varied in itertools.product(design["gradient"], [{}, *design["vary"]]):
            words = [f"{name}-{value:g}" for name, value in varied.items() if name != "epochs"]
            point = "_".join([gradient, *(words or ["base"])])
            if point in found:
                raise ValueError(f"vary must hold each point once, got {point} twice; remove one")
            settings = {**network, "gradient": gradient, **design["base"], **varied}
            found[point] = Point(design["seeds"], settings)
    return found


def read_factors(file: Path = FACTORS) -> dict[str, Point]:
    """The cells of the study of factors, by name.

    Five factors of two levels each, in the half of the 32 combinations in which an even number of
    factors is at its second level: no main effect and no interaction of two factors is mixed up
    with another one (a fraction of resolution V). Cells of other levels are listed one by one.

    Args:
        file: the design, in YAML: its seeds, base, `factors` and the cells `besides`.

    Source: Box and Hunter, "The 2^(k-p) fractional factorial designs" (1961).
    """
    design = yaml.safe_load(file.read_text())
    factors: dict[str, list[Any]] = design["factors"]
    cells = [
        {name: factors[name][level] for name, level in zip(factors, levels, strict=True)}
        for levels in itertools.product((0, 1), repeat=len(factors))
        if sum(levels) % 2 == 0
    ]
    found = {}
    for cell in [*cells, *design["besides"]]:
        name = "_".join(["factors", *map(str, cell.values())])
        network = {"flow": cell["flow"], "layers": _LAYERS[cell["flow"]]}
        settings = {**design["base"], **network, "gradient": cell["gradient"]}
        settings["batch"] = cell["batch"]
        exact = cell["multipliers"] == "exact"
        if exact:  # a penalty is needed, and the multipliers move by it
            settings["c0"] = _NO_PENALTY
        found[name] = Point(design["seeds"], settings, cell["start"], exact)
    return found


def read_points() -> dict[str, Point]:
    """All points of both designs, by name."""
    return read_phase() | read_factors()


def initials() -> dict[str, dict[str, Any]]:
    """The initial networks that the points need, by name: arguments of `initial_networks`."""
    points = read_points().values()
    names = sorted({point.initial for point in points})
    return {
        name: {
            "flow": name.split("_")[0],
            "layers": _LAYERS[name.split("_")[0]],
            "start": name.split("_")[1],
            "seeds": sorted({s for point in points if point.initial == name for s in point.seeds}),
        }
        for name in names
    }
