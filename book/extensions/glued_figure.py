"""Sphinx extension: a numbered figure or table from what another page computed.

MyST-NB's own directive, {glue:figure}, knows the same page only.

````{glued-figure} answer-landing
:doc: answer
:name: fig-landing

The caption.
````
"""

from captions import TableFigure, origin
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

OPTIONS = dict.fromkeys(("doc", "name", "data"), directives.unchanged_required)


class GluedFigure(SphinxDirective):
    """What a chapter glued under a key, and a caption."""

    required_arguments = 1
    option_spec = OPTIONS
    is_table = False
    has_content = True

    def run(self):
        """Paste, then read the caption."""
        key, doc = self.arguments[0], self.options["doc"]
        pasted = nodes.Element()
        lines = ["```{glue} " + key, f":doc: {doc}.ipynb", "```"]
        self.state.nested_parse(StringList(lines, ""), self.content_offset, pasted)
        caption = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, caption)
        words = nodes.caption("", "", *caption[0].children)
        if self.is_table:
            figure = TableFigure("", words, *pasted.children)
        else:
            source = origin(self.env.app, doc, self.options["name"], self.options.get("data"))
            figure = nodes.figure("", *pasted.children, words, nodes.legend("", source))
        self.set_source_info(figure)
        self.add_name(figure)
        return [figure]


class GluedTable(GluedFigure):
    """The same of a table, with the caption above it."""

    is_table = True


def setup(app):
    """Register with Sphinx."""
    app.add_directive("glued-figure", GluedFigure)
    app.add_directive("glued-table", GluedTable)
    return {"parallel_read_safe": True}
