"""Lay out the book of a sweep other than the note's: python -m workflow.book BOOK FOLDER RUN...

Its prose, settings, the chapters that show no runs and the pages of other runs are those of the
report, by links; its table of contents is the report's, with its own runs instead of the note's.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from workflow.files import found

REPORT = Path("book")
# Of the root, what pages of the report show in part or whole.
INCLUDED = ("README.md", "CITATION.cff", "examples/pendulum.py")
OWN_RUNS = "sweep"  # the page above a sweep's own runs
_RUNS = "runs/"


def contents(report: dict[str, Any], runs: list[str]) -> dict[str, Any]:
    """The report's table of contents with the sweep's runs in the place of the note's.

    Args:
        report: content of _toc.yml.
        runs: names.
    """
    pages = [{"file": _RUNS + run, "title": _title(run)} for run in runs]
    own = {page["file"] for page in pages}
    parts = []
    for part in report["parts"]:
        chapters = []
        for entry in part["chapters"]:
            sections = entry.get("sections", [])
            if not sections:
                chapters.append(entry)
            elif pages:  # the first page above runs
                chapters.append({"file": OWN_RUNS, "sections": pages})
                pages = []
            # Chapters about other runs lead to their pages.
            elif others := [page for page in sections if page["file"] not in own]:
                chapters.append({**entry, "sections": others})
        parts.append({**part, "chapters": chapters})
    return {**report, "parts": parts}


def files(contents: dict[str, Any]) -> Iterator[str]:
    """Every page of a table of contents but the root, in its order.

    Args:
        contents: content of _toc.yml.
    """
    for part in contents["parts"]:
        for entry in part["chapters"]:
            yield entry["file"]
            yield from (section["file"] for section in entry.get("sections", []))


def _title(run: str) -> str:
    """What varies, from the run's name: c0 = 1, seed = 2."""
    varied = re.findall(r"(\w+?)-(.+?)(?:_(?=[A-Za-z])|$)", run)
    return ", ".join(f"{name} = {value}" for name, value in varied)


def main(book: str, folder: str, *runs: str) -> None:
    """Link what the books share and the pages of runs, and write the table of contents."""
    target = Path(book)
    (target / "runs").mkdir(parents=True, exist_ok=True)
    toc = contents(yaml.safe_load(Path("_toc.yml").read_text()), list(runs))
    own = {"_build", "_toc.yml", "runs"}
    shared = [Path(entry) for entry in found(f"{REPORT}/*")]
    links = {target / entry.name: entry for entry in shared if entry.name not in own}
    links |= {target.parent / name: Path(name) for name in INCLUDED}
    for file in files(toc):
        if file.startswith(_RUNS):
            run = file.removeprefix(_RUNS)
            data = Path(folder if run in runs else "runs") / run
            links |= {target / file: data, target / f"{file}.ipynb": data.parent / f"{run}.ipynb"}
    for link, source in links.items():
        if not (link.exists() or link.is_symlink()):  # a chapter of its own stays
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(source, link.parent))
    (target / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
