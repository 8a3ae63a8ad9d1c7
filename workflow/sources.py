"""Sources of what is executed: pages are notebooks, chapters are Python text in percent form."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode

_LAYOUT = ("lines_to_next_cell", "lines_to_end_of_cell_marker")  # of the text, not of the cell


def read(path: Path) -> NotebookNode:
    """The notebook that a source stands for.

    Args:
        path: a notebook, or Python text whose cells are marked by `# %%`.

    Returns:
        A notebook. Two readings of a source are the same: cells of a text are numbered.
    """
    notebook = jupytext.read(path)
    if path.suffix == ".py":
        notebook.metadata.pop("jupytext", None)
        for number, cell in enumerate(notebook.cells):
            cell.id = f"{path.stem}-{number:02d}"
            for key in _LAYOUT:
                cell.metadata.pop(key, None)
    return notebook


def parameters(notebook: NotebookNode) -> dict[str, Any]:
    """Parameters of a notebook with their defaults, which are numbers, texts and the like.

    Args:
        notebook: has a cell tagged "parameters" where it has any.
    """
    code = "\n".join(
        cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])
    )
    return {
        target.id: ast.literal_eval(statement.value)
        for statement in ast.parse(code).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
