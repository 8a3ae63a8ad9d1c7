"""Make the run of one page of the gallery: python -m workflow.system NAME [DEVICES]."""

from __future__ import annotations

import sys

from report.gallery.systems import FOLDER, problem_of
from workflow.train import train


def main(name: str, devices: str = "") -> None:
    """Make or resume the run, as `workflow.train` does those of a grid.

    Args:
        name: of the system, among `report.gallery.systems.SYSTEMS`.
        devices: of which the run takes one, separated by commas; none: what JAX finds.
    """
    train(problem_of(name), FOLDER / name, devices)


if __name__ == "__main__":
    main(*sys.argv[1:])
