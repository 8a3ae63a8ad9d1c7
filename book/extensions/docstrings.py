"""Sphinx extension: docstrings are plain text in which |R| is a norm and `name` is code."""

import re


def as_restructured_text(app, what, name, obj, options, lines):
    """Escape bars and double backticks; `lines` are changed in place."""
    lines[:] = [
        re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line).replace("|", r"\|") for line in lines
    ]


def setup(app):
    """Register with Sphinx."""
    app.connect("autodoc-process-docstring", as_restructured_text, priority=100)  # before napoleon
    return {"parallel_read_safe": True}
