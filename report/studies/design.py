"""The points of the phase diagram: config/phase.yaml spelled out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

DESIGN = Path("config/phase.yaml")


def read_points(file: Path = DESIGN) -> dict[str, dict[str, Any]]:
    """Settings of each point of the design, by name.

    A point is named after its gradient estimator and what it varies, for example `score_c0-100`;
    one that varies nothing is a base.

    Args:
        file: the design, in YAML.

    Returns:
        For each point what `dsnlib.AugmentedLagrangian` takes.

    Raises:
        ValueError: two points have one name.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "mine.yaml"
        ...     text = "{gradient: [score], base: {c0: 1.0, beta: 4.0}, vary: [{c0: 10.0}]}"
        ...     _ = path.write_text(text)
        ...     read_points(path)["score_c0-10"]
        {'gradient': 'score', 'c0': 10.0, 'beta': 4.0}
    """
    design = yaml.safe_load(file.read_text())
    found: dict[str, dict[str, Any]] = {}
    for gradient in design["gradient"]:
        for varied in [{}, *design["vary"]]:
            words = [f"{name}-{value:g}" for name, value in varied.items() if name != "epochs"]
            point = "_".join([gradient, *(words or ["base"])])
            if point in found:
                raise ValueError(f"vary must hold each point once, got {point} twice; remove one")
            found[point] = {"gradient": gradient, **design["base"], **varied}
    return found
