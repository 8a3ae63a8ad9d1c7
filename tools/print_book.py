"""Print the built book to book/_build/dsnlib.pdf with Chromium, page after page.

Pages of runs are of one notebook for each method: below each table of runs its first run is
printed, as an example of the others, which the table lists and the book has.
"""

import os
import shutil
from pathlib import Path

import yaml
from playwright.sync_api import Page, sync_playwright
from pypdf import PdfWriter

ROOT = Path(__file__).parent.parent
HTML = ROOT / "book" / "_build" / "html"
TARGET = ROOT / "book" / "_build" / "dsnlib.pdf"
MARGIN = dict.fromkeys(("top", "bottom", "left", "right"), "13mm")
SCALE = 0.68  # text of 8 points
# Looked up on the screen, by its links; printed it would be a fifth of the book.
LEFT_OUT = {"api"}
# The page alone: no bars, no buttons, no code that the screen hides until it is asked for, no
# contents of each page, and less room between lines and cells than on a screen.
PRINT = """
.bd-sidebar, .bd-header, .bd-header-article, .prev-next-footer, .bd-footer, .bd-footer-content,
.headerlink, details.page-code, .bd-sidebar-secondary, button.copybtn, #pst-back-to-top,
#jb-print-docs-body {
  display: none !important;
}
.bd-main .bd-content .bd-article-container, .bd-main .bd-content .bd-article-container .bd-article,
.bd-main .bd-content, .bd-container .bd-container__inner {
  max-width: 100% !important; padding: 0 !important; margin: 0 !important;
}
body { line-height: 1.4; }
.bd-main .bd-content .bd-article h1:first-of-type {
  display: block !important; margin: 0 0 0.6rem !important;
}
.bd-main .bd-content :is(h2, h3) { margin: 1.2rem 0 0.5rem; }
p { margin-bottom: 0.6rem; }
div.cell { margin: 0.5rem 0 !important; }
div.cell_output { margin: 0 !important; padding: 0 !important; }
figure { margin: 0.5rem 0 !important; }
table { margin: 0.4rem 0 !important; }
main table :is(td, th) { padding: 0.1rem 0.3rem !important; line-height: 1.25; }
img { max-width: 100% !important; }
figure img { max-height: 150mm; }
img, figure:not(:has(table)), tr { break-inside: avoid; }
figcaption { break-before: avoid; }
h1, h2, h3, table caption, figure:has(table) > figcaption { break-after: avoid; }
"""


def pages() -> list[str]:
    """Names of the pages that are printed, in the order of the table of contents."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    chapters = [entry for part in toc["parts"] for entry in part["chapters"]]
    files = [page["file"] for entry in chapters for page in (entry, *entry.get("sections", [])[:1])]
    return [toc["root"], *(file for file in files if file not in LEFT_OUT)]


def wait_until_drawn(page: Page) -> None:
    """Once loaded, a page still sets its equations and gets what draws its widgets."""
    page.evaluate("Promise.all([document.fonts.ready, window.MathJax?.startup?.promise])")
    page.wait_for_function(
        """!document.querySelector('script[type="application/vnd.jupyter.widget-view+json"]')
        || document.querySelector('.jupyter-widgets')"""
    )


def main() -> None:
    """Print each page and join them, with a bookmark each."""
    writer = PdfWriter()
    with sync_playwright() as playwright:
        found = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for name in pages():
            page = browser.new_page()
            page.goto((HTML / f"{name}.html").as_uri())
            wait_until_drawn(page)
            page.add_style_tag(content=PRINT)
            title = page.locator("h1").first.evaluate("e => e.childNodes[0].textContent")
            printed = HTML.parent / "page.pdf"
            page.pdf(path=printed, format="A4", scale=SCALE, margin=MARGIN, print_background=True)
            writer.append(printed, outline_item=title)
            printed.unlink()
            page.close()
        browser.close()
    temporary = TARGET.with_suffix(".tmp")
    writer.write(temporary)
    temporary.replace(TARGET)


if __name__ == "__main__":
    main()
