"""What the book's Sphinx extensions make of an executed notebook."""

import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from sphinx.application import Sphinx

EXTENSIONS = Path(__file__).parent.parent / "book" / "extensions"
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9aw"
    "AAAABJRU5ErkJggg=="
)


def cell(source, metadata, **data):
    output = new_output("display_data", {"text/plain": "x", **data})
    return new_code_cell(source, metadata=metadata, outputs=[output], execution_count=1)


NOTEBOOK = new_notebook(
    cells=[
        new_markdown_cell("# A page\n\nIts result."),
        new_code_cell("silent = 1", metadata={"tags": ["hide-input"]}, execution_count=1),
        cell(
            "draw()",
            {"mystnb": {"figure": {"caption": "Drawn.", "name": "fig-drawn"}}},
            **{"image/png": PNG, "text/csv": "x,y\n1,2\n"},
        ),
        cell(
            "table",
            {"caption": "Told & counted.", "name": "tab-told", "tags": ["hide-input"]},
            **{"text/html": "<table><tr><td>7</td></tr></table>"},
        ),
        cell(
            "widget",
            {"kind": "figure", "caption": "It moves.", "name": "fig-moves"},
            **{"text/html": "<video></video>"},
        ),
        cell(
            "pairs",
            {"kind": "figure", "caption": "In pairs.", "name": "fig-pairs"},
            **{"text/html": "<i>pairs</i>"},
        ),
        new_code_cell(
            "secret = 2", metadata={"tags": ["remove-cell"]}, outputs=[], execution_count=1
        ),
    ]
)
NOTEBOOK.cells[4].metadata["data"] = "elsewhere"
# As `report.figures.show_data` gives data to a cell that shows HTML.
NOTEBOOK.cells[5].outputs.insert(0, new_output("display_data", {"text/csv": "z\n3\n"}))
INDEX = """# First

Table: Kept *apart*, by `name`.

| a | b |
|---|---|
| 1 | 2 |

This table has no caption:

| c |
|---|
| 3 |

`````{glued-figure} key
:doc: page
:name: fig-glued

Glued *here*.
`````
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Pages of a book of a first page and a notebook, as text, and the folder."""
    folder = tmp_path_factory.mktemp("book")
    notebook = NOTEBOOK.copy()
    glued = new_output("display_data", {"text/html": "<b>glued</b>"})
    glued.metadata = {"scrapbook": {"name": "key", "mime_prefix": ""}}
    notebook.cells = [
        *notebook.cells,
        new_code_cell(
            "glue()", metadata={"tags": ["remove-cell"]}, outputs=[glued], execution_count=1
        ),
    ]
    nbformat.write(notebook, folder / "page.ipynb")
    (folder / "elsewhere.md").write_text("# Elsewhere\n")
    earlier = folder / "html" / "figure-data" / "fig-moves.csv"  # of a figure that had data then
    earlier.parent.mkdir(parents=True)
    earlier.write_text("x\n0\n")
    (folder / "index.md").write_text(INDEX + "\n```{toctree}\npage\nelsewhere\n```\n")
    sys.path.insert(0, str(EXTENSIONS))
    try:
        app = Sphinx(
            folder, None, folder / "html", folder / "trees", "html", status=None,
            confoverrides={
                "extensions": ["myst_nb", "captions", "page_code", "glued_figure"],
                "nb_execution_mode": "off",
                # Sphinx keeps the suffixes of books that were built before in this process.
                "source_suffix": {".md": "myst-nb", ".ipynb": "myst-nb"},
                "numfig": True,
            },
        )  # fmt: skip
        app.build()
    finally:
        sys.path.remove(str(EXTENSIONS))
    return {
        name: (folder / "html" / f"{name}.html").read_text() for name in ("index", "page")
    }, folder


def test_code_stands_in_one_fold_below_the_results(built):
    page = built[0]["page"]
    (fold,) = re.findall(r'<details class="page-code">.*?</details>', page, re.DOTALL)
    for code in ("silent", "draw", "table", "widget"):
        assert code in fold
    before = page[: page.index(fold)]
    assert "highlight" not in before.partition("<body")[2].partition("Its result.")[2]
    assert "secret" not in page
    assert page.index("<video>") < page.index(fold)


def test_everything_shown_has_a_number_and_a_caption(built):
    page = built[0]["page"]
    text = re.sub(r"<[^>]+>", "", page)
    for words in ("Drawn.", "It moves.", "In pairs."):
        assert re.search(rf"Fig\. \d+ *{words}", text), words
    assert re.search(r"Table \d+ *Told &amp; counted\.", text)
    assert page.index("counted.") < page.index("<td>7</td>")
    assert 'id="tab-told"' in page


def test_figures_say_what_remakes_them_and_lead_to_their_data(built):
    pages, folder = built
    text = re.sub(r"<[^>]+>", "", pages["page"])
    assert len(re.findall(r"Made by make book/page\.ipynb from these data", text)) == 3
    links = re.findall(r'href="([^"]+)">these data', pages["page"])
    assert links == ["figure-data/fig-drawn.csv", "elsewhere.html", "figure-data/fig-pairs.csv"]
    files = {file.name: file.read_text() for file in (folder / "html" / "figure-data").iterdir()}
    assert files == {"fig-drawn.csv": "x,y\n1,2\n", "fig-pairs.csv": "z\n3\n"}
    assert "text/csv" not in pages["page"]


def test_first_page_shows_what_another_computed(built):
    index = built[0]["index"]
    assert "<b>glued</b>" in index
    text = re.sub(r"<[^>]+>", "", index)
    assert re.search(r"Fig\. \d+ *Glued here\.", text)
    assert "Made by make book/page.ipynb" in text


def test_a_paragraph_that_says_so_is_the_caption_of_the_table_below_it(built):
    index = built[0]["index"]
    (captioned, bare) = re.findall(r"<table.*?</table>", index, re.DOTALL)
    text = re.sub(r"<[^>]+>", "", captioned)
    assert re.search(r"Table \d+ *Kept apart, by name\.", text)
    assert "<em>apart</em>" in captioned
    assert "Table: " not in re.sub(r"<[^>]+>", "", index)
    assert "caption" not in bare
    assert "This table has no caption:" in index
