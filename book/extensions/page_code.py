"""Sphinx extension: the code of an executed page stands in one fold at its end."""

from docutils import nodes

OPEN = '<details class="page-code"><summary>The code of this page</summary>'


def fold_code(app, doctree):
    """Move the source of every cell to the end of the page; cells without outputs go."""
    cells = [c for c in doctree.findall(nodes.container) if c.get("nb_element") == "cell_code"]
    sources = []
    for cell in cells:
        for source in [c for c in cell.children if c.get("nb_element") == "cell_code_source"]:
            cell.remove(source)
            sources += source.children
        cell.attributes.pop("hide_mode", None)  # nothing is left to hide
        if not cell.children:
            cell.parent.remove(cell)
    if sources:
        page = next(doctree.findall(nodes.section), doctree)
        page += nodes.raw("", OPEN, format="html")
        page += sources
        page += nodes.raw("", "</details>", format="html")


def setup(app):
    """Register with Sphinx."""
    app.connect("doctree-read", fold_code)
    return {"parallel_read_safe": True}
