"""Sphinx extension: captions for what is no image, and below each figure what remakes it.

A code cell whose output is a table has `caption` and `name` in its metadata; one that shows a
figure as HTML (a widget, several images) has `"kind": "figure"` besides. Images have both in
`mystnb`. Below each figure of an executed page stand the command that remakes it and its data:
what it draws, which the outputs carry as text/csv (`report.figures.data`), or the files of runs,
which are on the page that the cell names as its `data`.

A table of Markdown has its caption in the paragraph above it, which begins with "Table: ", as in
Pandoc: it reads well where nothing numbers it, too.
"""

import json
from pathlib import Path

from docutils import nodes
from sphinx.util.osutil import relative_uri

FOLDER = "figure-data"
CSV = "text/csv"
TABLE = "Table: "  # begins the caption of a table of Markdown


class TableFigure(nodes.figure):
    """A table of pandas, numbered as a table."""


def figure_name(metadata):
    """Name of the figure that a cell shows, or None."""
    if metadata.get("kind") == "figure":
        return metadata["name"]
    return metadata.get("mystnb", {}).get("figure", {}).get("name")


def store_data(app, docname, source):
    """Take what figures draw out of the notebook, `source`, into files beside the pages."""
    if Path(app.env.doc2path(docname)).suffix != ".ipynb":
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        bundles = [output.get("data", {}) for output in cell.get("outputs", [])]
        tables = ["".join(bundle.pop(CSV)) for bundle in bundles if CSV in bundle]
        if tables:
            cell["outputs"] = [o for o in cell["outputs"] if o.get("data", True)]
        if name := figure_name(cell["metadata"]):
            file = data_file(app, name)
            file.unlink(missing_ok=True)  # of an earlier build, when it had other data or some
            if tables:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("".join(tables), encoding="utf-8")
    source[0] = json.dumps(notebook)


def data_file(app, name):
    """Where the data of a figure lie."""
    return Path(app.outdir) / FOLDER / f"{name}.csv"


def add_captions(app, doctree):
    """Give captions to what cells name, and say below figures what remakes them."""
    for cell in list(doctree.findall(nodes.container)):
        if cell.get("nb_element") != "cell_code":
            continue
        metadata = cell["cell_metadata"]
        if "caption" in metadata:
            caption_output(doctree, cell, metadata)
        if name := figure_name(metadata):
            for figure in cell.findall(nodes.figure):
                figure += nodes.legend("", origin(app, app.env.docname, name, metadata.get("data")))


def caption_tables(app, doctree):
    """Make the paragraph above a table of Markdown its caption, if it says that it is one."""
    page = nodes.make_id(app.env.docname)
    for number, table in enumerate(list(doctree.findall(nodes.table)), 1):
        above = table.previous_sibling()
        if isinstance(above, nodes.paragraph) and above.astext().startswith(TABLE):
            above.parent.remove(above)
            first, *rest = above.children
            words = nodes.Text(first.astext().removeprefix(TABLE))
            table.insert(0, nodes.title("", "", words, *rest))
            table["names"].append(f"tab-{page}-above-{number}")
            doctree.note_implicit_target(table, table)


def caption_output(doctree, cell, metadata):
    """Put a cell's output and its caption into one numbered node, tables below their caption."""
    (output,) = [c for c in cell.children if c.get("nb_element") == "cell_code_output"]
    content, output.children = output.children, []
    caption = nodes.caption("", "", nodes.Text(metadata["caption"]))
    if metadata.get("kind") == "figure":
        wrapped = nodes.figure("", *content, caption)
    else:
        wrapped = TableFigure("", caption, *content)
    wrapped["names"].append(nodes.fully_normalize_name(metadata["name"]))
    doctree.note_explicit_target(wrapped, wrapped)
    output += wrapped


def origin(app, docname, name, data=None):
    """A paragraph with the command that remakes a figure and a link to its data.

    Args:
        app: Sphinx.
        docname: of the page that makes the figure.
        name: of the figure.
        data: page that offers the data, where the figure does not carry them.
    """
    here = app.builder.get_target_uri(docname)
    if docname.startswith("runs/"):
        command, uri = "make runs", "#downloads"
    else:
        command, uri = f"make book/{docname}.ipynb", None
        if data:
            uri = app.builder.get_target_uri(data)
        elif data_file(app, name).exists():
            uri = relative_uri(here, f"{FOLDER}/{name}.csv")
    paragraph = nodes.paragraph("", "Made by ", classes=["origin"])
    paragraph += nodes.literal(text=command)
    if uri:
        paragraph += [nodes.Text(" from "), nodes.reference("", "these data", refuri=uri)]
    return paragraph


def visit_table(self, node):
    """Begin it as the theme begins figures."""
    self.visit_figure(node)


def depart_table(self, node):
    """End it."""
    self.depart_figure(node)


def setup(app):
    """Register with Sphinx."""
    app.add_enumerable_node(
        TableFigure, "table", lambda node: node[0].astext(), html=(visit_table, depart_table)
    )
    app.connect("source-read", store_data)
    for step in (add_captions, caption_tables):  # before numbers are given
        app.connect("doctree-read", step, priority=400)
    return {"parallel_read_safe": True}
