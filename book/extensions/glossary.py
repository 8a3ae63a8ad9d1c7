"""Sphinx extension: a link to a term of the glossary says on hover what the term means."""

import re

from docutils import nodes
from sphinx import addnodes

GLOSSARY = "glossary"


def first_sentence(text):
    """Up to the first full stop that ends a word."""
    return re.match(r".+?\.(?=\s|$)|.*", " ".join(text.split()))[0]


def meanings(doctree):
    """First sentence of every definition, by the ids of its terms."""
    found = {}
    for item in doctree.findall(nodes.definition_list_item):
        if isinstance(item.parent.parent, addnodes.glossary):
            meaning = first_sentence(item.next_node(nodes.definition).astext())
            found |= {i: meaning for term in item.findall(nodes.term) for i in term["ids"]}
    return found


def read_again_with_glossary(app, doctree):
    """Pages with terms are built again when the glossary changes."""
    terms = (x for x in doctree.findall(addnodes.pending_xref) if x.get("reftype") == "term")
    if next(terms, None) is not None:
        app.env.note_dependency(f"{GLOSSARY}.md")


def add_titles(app, doctree, docname):
    """Give links to terms the meaning as their title; where there is no glossary, none."""
    if GLOSSARY not in app.env.found_docs:
        return
    found = meanings(app.env.get_doctree(GLOSSARY))
    for link in doctree.findall(nodes.reference):
        target = link.get("refid") or link.get("refuri", "").rpartition("#")[2]
        if target in found:
            link["reftitle"] = found[target]


def setup(app):
    """Register with Sphinx."""
    app.connect("doctree-read", read_again_with_glossary)
    app.connect("doctree-resolved", add_titles)
    return {"parallel_read_safe": True}
