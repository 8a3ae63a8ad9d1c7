"""Make the run of one page of the gallery: python -m workflow.system NAME."""

from __future__ import annotations

import sys

from dsnlib.runs.folder import discard_stale
from report.gallery import FOLDER, run_of
from workflow.processes import follow_head


def main(name: str) -> None:
    """Make or resume the run; checkpoints that other code wrote are removed first.

    Args:
        name: of the system, among `report.gallery.SYSTEMS`.
    """
    follow_head()
    for file in discard_stale(FOLDER / name):
        print(f"{file} was written by other code: removed, the run starts afresh")
    run_of(name)


if __name__ == "__main__":
    main(sys.argv[1])
