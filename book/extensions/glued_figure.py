"""Sphinx extension: a numbered figure from what another page computed, which {glue:figure} cannot.

````{glued-figure} answer-landing
:doc: answer
:name: fig-landing

The caption.
````
"""

from captions import origin
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

OPTIONS = {"doc": directives.unchanged_required, "name": directives.unchanged_required}


class GluedFigure(SphinxDirective):
    """What a chapter glued under a key, and a caption."""

    required_arguments = 1
    option_spec = OPTIONS
    has_content = True

    def run(self):
        """Paste, then read the caption."""
        key, doc = self.arguments[0], self.options["doc"]
        pasted = nodes.Element()
        lines = ["```{glue} " + key, f":doc: {doc}.ipynb", "```"]
        self.state.nested_parse(StringList(lines, ""), self.content_offset, pasted)
        caption = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, caption)
        figure = nodes.figure(
            "", *pasted.children, nodes.caption("", "", *caption[0].children),
            nodes.legend("", origin(self.env.app, doc, self.options["name"])),
        )  # fmt: skip
        self.set_source_info(figure)
        self.add_name(figure)
        return [figure]


def setup(app):
    """Register with Sphinx."""
    app.add_directive("glued-figure", GluedFigure)
    return {"parallel_read_safe": True}
