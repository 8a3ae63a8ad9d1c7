"""Print the built book to book/_build/dsnlib.pdf with Chromium, page after page."""

import os
import shutil
from pathlib import Path

import yaml
from playwright.sync_api import Page, sync_playwright
from pypdf import PdfWriter

ROOT = Path(__file__).parent.parent
HTML = ROOT / "book" / "_build" / "html"
TARGET = ROOT / "book" / "_build" / "dsnlib.pdf"
MARGIN = dict.fromkeys(("top", "bottom", "left", "right"), "15mm")
# The page alone: no bars, no buttons, no code that the screen hides until it is asked for.
PRINT = """
.bd-sidebar, .bd-header, .bd-header-article, .prev-next-footer, .bd-footer, .bd-footer-content,
.headerlink, details.page-code, .bd-sidebar-secondary, button.copybtn, #pst-back-to-top {
  display: none !important;
}
.bd-main .bd-content .bd-article-container { max-width: 100% !important; padding: 0 !important; }
img { max-width: 100% !important; }
img, figure, tr { break-inside: avoid; }
h1, h2, h3 { break-after: avoid; }
"""


def pages() -> list[str]:
    """Names of the pages in the order of the table of contents."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    chapters = [entry for part in toc["parts"] for entry in part["chapters"]]
    files = [page["file"] for entry in chapters for page in (entry, *entry.get("sections", []))]
    return [toc["root"], *files]


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
            page.pdf(path=printed, format="A4", scale=0.75, margin=MARGIN, print_background=True)
            writer.append(printed, outline_item=title)
            printed.unlink()
            page.close()
        browser.close()
    temporary = TARGET.with_suffix(".tmp")
    writer.write(temporary)
    temporary.replace(TARGET)


if __name__ == "__main__":
    main()
