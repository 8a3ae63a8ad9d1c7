"""Sphinx extension: the title of a run's page says which run it is.

All executed notebooks in runs/ share the heading of train.ipynb; papermill records the parameters
of each in its metadata.
"""

import json

HEADING = "# One run"


def add_parameters(app, docname, source):
    """Append the parameters in the run's name to its page's heading; changes `source` in place."""
    if not docname.startswith("runs/"):
        return
    notebook = json.loads(source[0])
    given = notebook["metadata"]["papermill"]["parameters"]
    cell = notebook["cells"][0]
    text = "".join(cell["source"])
    varied = [f"{name} = {value}" for name, value in given.items() if f"{name}-" in docname]
    cell["source"] = text.replace(HEADING, f"{HEADING}: {', '.join(varied)}", 1)
    source[0] = json.dumps(notebook)


def setup(app):
    """Register with Sphinx."""
    app.connect("source-read", add_parameters)
    return {"parallel_read_safe": True}
