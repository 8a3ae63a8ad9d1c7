"""Sources of what is executed: pages are notebooks, chapters are Python text in percent form."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode

_INCLUDE = "# include: "
_LAYOUT = ("lines_to_next_cell", "lines_to_end_of_cell_marker")  # of the text, not of the cell


def read(path: Path) -> NotebookNode:
    """The notebook that a source stands for.

    Args:
        path: a notebook, or Python text whose cells are marked by `# %%`. A cell of text that says
            only `# include: FILE` stands for the cells of that file beside it; the names of their
            figures and tables get `fig-` or `tab-` and the name of the including text in front.

    Returns:
        A notebook. Two readings of a source are the same: cells of a text are numbered.
    """
    notebook = jupytext.read(path)
    if path.suffix == ".py":
        notebook.metadata.pop("jupytext", None)
        notebook.cells = [each for cell in notebook.cells for each in _spliced(cell, path)]
        for number, cell in enumerate(notebook.cells):
            cell.id = f"{path.stem}-{number:02d}"
            for key in _LAYOUT:
                cell.metadata.pop(key, None)
    return notebook


def _spliced(cell: NotebookNode, path: Path) -> list[NotebookNode]:
    """The cells for which a cell of the text at a path stands."""
    if not cell.source.startswith(_INCLUDE):
        return [cell]
    cells = jupytext.read(path.parent / cell.source.removeprefix(_INCLUDE)).cells
    page = path.stem.replace("_", "-")
    for each in cells:
        image = each.metadata.get("mystnb", {}).get("figure", {})
        kind = "fig" if each.metadata.get("kind") == "figure" else "tab"
        for named, prefix in ((image, "fig"), (each.metadata, kind)):
            if "name" in named:
                named["name"] = f"{prefix}-{page}-{named['name'].removeprefix(f'{prefix}-')}"
    return list(cells)


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
