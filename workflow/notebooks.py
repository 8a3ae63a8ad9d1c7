"""Is an executed notebook complete? The book is built of none that is not."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat

SENTINEL = "complete\n"  # what a notebook's last cell prints


def defects(path: Path) -> list[str]:
    """What is wrong with an executed notebook.

    Args:
        path: of the notebook.

    Returns:
        A line for each defect; none where every cell ran without an error to the sentinel.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # whatever the file holds
        return [f"it cannot be read ({str(error).splitlines()[0] if str(error) else error!r})"]
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    found = []
    for number, cell in enumerate(cells, 1):
        if not cell.execution_count:
            found.append(f"code cell {number} of {len(cells)} never ran")
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"code cell {number} failed with {output.ename}: {output.evalue}")
    last = cells[-1].outputs if cells else []
    if not (last and last[-1].output_type == "stream" and last[-1].text == SENTINEL):
        found.append(f"its last cell does not say {SENTINEL.strip()!r}")
    return found


def main(paths: Sequence[str]) -> None:
    """Exit with an error that names every defect, if there are any.

    Args:
        paths: of executed notebooks.
    """
    lines = [f"{path}: {defect}" for path in paths for defect in defects(Path(path))]
    if lines:
        remedy = "execute these notebooks again (remove them and start the sweep)"
        sys.exit("\n".join([*lines, f"the book takes only complete notebooks; {remedy}"]))


if __name__ == "__main__":
    main(sys.argv[1:])
