"""Sphinx extension: the page of a run says which run it is, and offers its files; lists of runs.

All executed notebooks in runs/ share the cells of train.ipynb or smc.ipynb; papermill records
the parameters of each in its metadata, and the names of their figures and tables get the page's
name in front. A page above runs has a line `% runs`, in whose place comes a table of the runs that
the table of contents has under it.
"""

import json
import re
from pathlib import Path

from docutils import nodes

LIST = "% runs"
DATA_FILES = {"run.nc": "what was recorded", "judged.nc": "how far it is from the exact answer"}


def complete_page(app, docname, source):
    """Add what the run's name says to the heading, downloads to the end, the page's name to others.

    `source` is changed.
    """
    if not docname.startswith("runs/"):
        return
    notebook = json.loads(source[0])
    cell = notebook["cells"][0]
    named = [f"{name} = {value}" for name, value in varied(docname, notebook).items()]
    heading, *rest = "".join(cell["source"]).splitlines(keepends=True)
    heading = re.sub(r"\b(o|O)ne run$", _run_with(named), heading)
    cell["source"] = "".join([heading, *rest])
    for each in notebook["cells"]:
        add_page_name(docname, each["metadata"])
    notebook["cells"].append(
        {
            "cell_type": "markdown",
            "id": "downloads",
            "metadata": {},
            "source": downloads(app, docname),
        }
    )
    source[0] = json.dumps(notebook)


def add_page_name(docname, metadata):
    """Put the page's name before the name of what a cell shows: names are unique in a book."""
    page = nodes.make_id(docname.removeprefix("runs/"))
    for named in (metadata, metadata.get("mystnb", {}).get("figure", {})):
        if "name" in named:
            named["name"] = f"{page}-{named['name']}"


def varied(docname, notebook):
    """The parameters of a run that its name has."""
    given = notebook["metadata"]["papermill"]["parameters"]
    return {name: value for name, value in given.items() if f"{name}-" in docname}


def _run_with(named):
    """What replaces "one run" in a heading."""

    def words(match):
        return f"{'r' if match[1] == 'o' else 'R'}un with {', '.join(named)}"

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


def list_runs(app, docname, source):
    """Put a table of the runs below a page in the place of `% runs`; `source` is changed."""
    if LIST not in source[0].splitlines():
        return
    trees = app.config.external_site_map[docname].subtrees
    found = {}
    for run in (str(item) for tree in trees for item in tree.items):
        path = Path(app.srcdir) / f"{run}.ipynb"
        found[run] = varied(run, json.loads(path.read_text(encoding="utf-8")))
    source[0] = source[0].replace(LIST, table(found))


def table(runs):
    """Markdown: a row for each setting, with links to its seeds.

    Args:
        runs: by the names of their pages, what varies between them.
    """
    rows = {}
    for run, given in runs.items():
        setting = {name: value for name, value in given.items() if name != "seed"}
        link = f"[{given.get('seed', 'page')}]({run}.ipynb)"
        rows.setdefault(tuple(setting.items()), []).append(link)
    names = list(dict.fromkeys(name for setting in rows for name, _ in setting))
    lines = [[*names, "seed" if any("seed" in given for given in runs.values()) else "run"]]
    lines.append(["---"] * len(lines[0]))
    for setting, links in rows.items():
        cells = [f"{dict(setting).get(name, '')}" for name in names]
        lines.append([*cells, ", ".join(links)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def setup(app):
    """Register with Sphinx."""
    # captions.py, which is told at the same event, takes the names as they are by then.
    app.connect("source-read", complete_page, priority=400)
    app.connect("source-read", list_runs)
    return {"parallel_read_safe": True}
