"""What figures draw, as text/csv beside their images: the book links it below each figure.

A chapter's figures carry it once the chapter has imported anything of `report`, which calls
`carry_data`; for what is shown as HTML the chapter calls `show_data`. Pages of runs import nothing
of it: they link their `run.nc`.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from IPython import get_ipython
from IPython.core.formatters import BaseFormatter
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.category import StrCategoryLocator
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator
from traitlets import ObjectName, Unicode

from dsnlib.plots.plane import BACKGROUND
from report.figures.drawn import MAP, Drawn, drawn_in

COLUMNS = ("panel", "kind", "label", "x", "y", "value", "low", "high")
CSV = "text/csv"
HEADER = ",".join(COLUMNS) + "\n"
ROWS = 2_000  # of one line or cloud of points
SIDE = 100  # cells of a map along either axis
ALL_ROWS = 20_000  # of a figure's lines and points, and again of its maps, about: panels share them


def figure_table(figure: Figure) -> str:
    """What a figure draws, as CSV.

    Lines (also outlines of histograms, and contours with their level as `value`), points, bars
    with their heights (and their ends where they are stacked), error bars with their ends, and
    maps with the centres of their cells. A line across a whole panel has one coordinate only, as
    have error bars without a mark; a row without any number separates lines. Left out are text,
    shapes (circles, arrows, shaded spans), colour bars, pictures in true colour, what is not
    visible, cells without a value, and the map of `dsnlib.plots.draw_plane` below other things.

    Args:
        figure: to read.

    Returns:
        Lines that begin with `#` (what the axes are, what ticks are called, of what only every
        kth row stands below), the header, and a row for each point, with 5 significant digits.
    """
    panels = [ax for ax in figure.axes if ax.get_visible() and ax.get_label() != "<colorbar>"]
    content = {ax: found for ax in panels if (found := _own(list(drawn_in(ax))))}
    everything = [drawn for found in content.values() for drawn in found]
    maps = sum(drawn.kind == MAP for drawn in everything)
    most = min(ROWS, ALL_ROWS // max(1, len(everything) - maps))
    side = min(SIDE, math.isqrt(ALL_ROWS // max(1, maps)))
    comments: list[str] = []
    rows: list[tuple[str, ...]] = []
    for (ax, found), name in zip(content.items(), _names(list(content)), strict=True):
        comments += _comments(name, ax)
        for drawn in found:
            label = _text(drawn.label or "")
            head = (name, drawn.kind, "" if label.startswith("_") else label)
            columns, thinned = _thinned(drawn, most, side)
            if thinned:
                comments.append(": ".join(filter(None, (*head, thinned))))
            if rows and rows[-1][:3] == head:
                rows.append((*head, *[""] * len(columns)))
            rows += [(*head, *row) for row in zip(*columns, strict=True)]
    text = io.StringIO()
    text.writelines(f"# {comment}\n" for comment in comments)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return text.getvalue()


def _own(found: list[Drawn]) -> list[Drawn]:
    """What is drawn on the map, or the map itself where there is nothing else."""
    return [drawn for drawn in found if drawn.label != BACKGROUND] or found


def carry_data() -> None:
    """Make the notebook that calls this, if one does, show every figure with its table."""
    shell = get_ipython()
    if shell is None:
        return
    shown = shell.display_formatter
    formatter = _CSVFormatter(parent=shown)
    shown.formatters[formatter.format_type] = formatter
    shown.active_types = [*dict.fromkeys([*shown.active_types, formatter.format_type])]


def show_data(data: Figure | pd.DataFrame) -> None:
    """Give the cell that calls this a table, as text/csv: for figures that are HTML.

    Args:
        data: a figure that is drawn within the HTML, or what the HTML shows, a row for each point.
    """
    if isinstance(data, Figure):
        table = figure_table(data)
    else:
        table = data.to_csv(index=False, float_format="%.4g")
    display({CSV: table}, raw=True)


class _CSVFormatter(BaseFormatter):
    format_type = Unicode(CSV)
    print_method = ObjectName("_repr_csv_")

    def __call__(self, obj: object) -> str | None:
        """Of figures only. A choice of formats of images would remove what `for_type` sets."""
        if not isinstance(obj, Figure):
            return None
        table = figure_table(obj)
        return None if table.endswith(HEADER) else table  # drawings have no numbers


def _names(panels: Sequence[Axes]) -> list[str]:
    """A panel's title, or what its axes say, or its number; with its number where two are alike."""
    names = []
    for number, ax in enumerate(panels, 1):
        titles = [ax.get_title(loc=loc) for loc in ("center", "left", "right")]
        candidates = [*titles, _said(ax, "y"), _said(ax, "x"), f"panel {number}"]
        names.append(next(filter(None, map(_text, candidates))))
    return [
        f"{name} (panel {number})" if names.count(name) > 1 else name
        for number, name in enumerate(names, 1)
    ]


def _said(ax: Axes, letter: str) -> str:
    """Label of an axis; in a grid only the outermost panels say theirs."""
    own = ax.get_xlabel() if letter == "x" else ax.get_ylabel()
    place = ax.get_subplotspec()
    if own or place is None or not len(getattr(ax, f"{letter}axis").get_majorticklocs()):
        return _text(own)
    for other in ax.figure.axes:
        there = other.get_subplotspec()
        if there is None or there.get_gridspec() is not place.get_gridspec():
            continue
        if letter == "x" and there.colspan == place.colspan and there.is_last_row():
            return _text(other.get_xlabel())
        if letter == "y" and there.rowspan == place.rowspan and there.is_first_col():
            return _text(other.get_ylabel())
    return ""


def _comments(name: str, ax: Axes) -> Iterator[str]:
    for letter in "xy":
        if said := _said(ax, letter):
            yield f"{name}: {letter} is {said}"
        if words := _words(getattr(ax, f"{letter}axis")):
            yield f"{name}: ticks of {letter} are {words}"


def _words(axis: Any) -> str:
    """What ticks are called that are not called what they are, if any."""
    if not isinstance(axis.get_major_locator(), FixedLocator | StrCategoryLocator):
        return ""
    called = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=False)
    ticks = [(place, _text(label.get_text())) for place, label in called]
    ticks = [(place, word) for place, word in ticks if word and not word.startswith("$")]
    if all(word.replace("\N{MINUS SIGN}", "-") == f"{place:g}" for place, word in ticks):
        return ""
    return ", ".join(f"{place:.5g} = {word}" for place, word in ticks)


def _thinned(drawn: Drawn, most: int, side: int) -> tuple[list[list[str]], str]:
    """Columns as text, of what is kept, and what to say of what is not."""
    said = ""
    columns: dict[str, np.ndarray] = {
        key: np.ma.filled(np.ma.asarray(values, float), np.nan)
        for key, values in drawn.columns.items()
    }
    if drawn.kind == MAP:
        rows, cells = columns["value"].shape
        down, along = -(-rows // side), -(-cells // side)
        columns = {key: values[::down, ::along].ravel() for key, values in columns.items()}
        known = ~np.isnan(columns["value"])
        columns = {key: values[known] for key, values in columns.items()}
        if max(down, along) > 1:
            said = f"every {along}. cell along x and every {down}. along y of {cells} x {rows}"
    else:
        size = len(next(iter(columns.values())))
        step = max(1, -(-size // most))
        columns = {key: values[::step] for key, values in columns.items()}
        if step > 1:
            said = f"every {step}. row of {size}"
    empty = np.full(len(next(iter(columns.values()))), np.nan)
    return [_texts(columns.get(key, empty)) for key in COLUMNS[3:]], said


def _texts(values: np.ndarray) -> list[str]:
    return ["" if math.isnan(value) else f"{value:.5g}" for value in values.tolist()]


def _text(label: object) -> str:
    return " ".join(str(label).split())
