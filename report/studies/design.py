"""The points of the designed studies: config/phase.yaml and config/factors.yaml spelled out."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, NamedTuple

import yaml

PHASE, FACTORS = Path("config/phase.yaml"), Path("config/factors.yaml")
_NO_PENALTY = 1e-12
_LAYERS = {"planar": 10, "coupling": 4}


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

    A point is named after its design, or after its gradient estimator where a design has several,
    and what it varies, for example `score_c0-100`; one that varies nothing is a base.

    Args:
        file: the designs, in YAML, each with its seeds, base, and what is varied.

    Raises:
        ValueError: two points have one name.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "mine.yaml"
        ...     _ = path.write_text("mine: {seeds: [1], base: {beta: 4.0}, vary: [{c0: 10.0}]}")
        ...     {name: point.settings for name, point in read_phase(path).items()}
        {'mine_base': {'beta': 4.0}, 'mine_c0-10': {'beta': 4.0, 'c0': 10.0}}
    """
    found: dict[str, Point] = {}
    for name, design in yaml.safe_load(file.read_text()).items():
        several = {each: {"gradient": each} for each in design.get("gradient", [])}
        for first, gradient in (several or {name: {}}).items():
            for varied in [{}, *design["vary"]]:
                point = "_".join([first, *(_words(varied) or ["base"])])
                if point in found:
                    raise ValueError(
                        f"vary must hold each point once, got {point} twice; remove one"
                    )
                settings = {**design["base"], **gradient, **varied}
                found[point] = Point(design["seeds"], settings)
    return found


def _words(varied: dict[str, Any]) -> list[str]:
    """What a point varies, for its name; what only follows from it is left out."""
    told = {name: value for name, value in varied.items() if name not in ("epochs", "layers")}
    return [f"{k}-{v}" if isinstance(v, (str, bool)) else f"{k}-{v:g}" for k, v in told.items()]


def read_factors(file: Path = FACTORS) -> dict[str, Point]:
    """The cells of the study of factors, by name.

    Five factors of two levels each, in the half of the 32 combinations in which an even number of
    factors is at its second level: no main effect and no interaction of two factors is mixed up
    with another one (a fraction of resolution V).

    Args:
        file: the design, in YAML: its seeds, base and `factors`.

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
    for cell in cells:
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
    found: dict[str, dict[str, Any]] = {}
    for point in read_points().values():
        network = {name: point.settings[name] for name in ("flow", "layers")}
        given = found.setdefault(point.initial, {**network, "start": point.start, "seeds": []})
        given["seeds"] = sorted({*given["seeds"], *point.seeds})
    return found
