"""Sphinx extension: the page of a run says which run it is, and offers its files.

All executed notebooks in runs/ share the cells of train.ipynb or recipe.ipynb; papermill records
the parameters of each in its metadata.
"""

import json
import re
from pathlib import Path

DATA_FILES = {"run.nc": "what was recorded", "judged.nc": "how far it is from the exact answer"}


def complete_page(app, docname, source):
    """Add what the run's name says to the heading, downloads to the end; `source` is changed."""
    if not docname.startswith("runs/"):
        return
    notebook = json.loads(source[0])
    given = notebook["metadata"]["papermill"]["parameters"]
    cell = notebook["cells"][0]
    varied = [f"{name} = {value}" for name, value in given.items() if f"{name}-" in docname]
    heading, *rest = "".join(cell["source"]).splitlines(keepends=True)
    heading = re.sub(r"\b(o|O)ne run$", _run_with(varied), heading)
    cell["source"] = "".join([heading, *rest])
    notebook["cells"].append(
        {
            "cell_type": "markdown",
            "id": "downloads",
            "metadata": {},
            "source": downloads(app, docname),
        }
    )
    source[0] = json.dumps(notebook)


def _run_with(varied):
    """What replaces "one run" in a heading."""

    def words(match):
        return f"{'r' if match[1] == 'o' else 'R'}un with {', '.join(varied)}"

    return words


def downloads(app, docname):
    """Markdown that links the run's notebook and data."""
    name = docname.removeprefix("runs/")
    folder = Path(app.srcdir) / docname
    lines = [f"- {{download}}`this notebook <{name}.ipynb>`"]
    lines += [
        f"- {{download}}`{file} <{name}/{file}>`: {meaning} (netCDF, opens with xarray)"
        for file, meaning in DATA_FILES.items()
        if (folder / file).exists()
    ]
    return "\n".join(["## Downloads", "", *lines])


def setup(app):
    """Register with Sphinx."""
    app.connect("source-read", complete_page)
    return {"parallel_read_safe": True}
