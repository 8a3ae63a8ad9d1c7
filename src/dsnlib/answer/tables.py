"""Tables of an answer, as a page shows them: rounded, with units."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from dsnlib.answer.regions import Regions
from dsnlib.methods.run import Run
from dsnlib.storage.dataset import attribute

_DIGITS = 3  # of a standard deviation
_LEVELS = (0.05, 0.5, 0.95)
_NONE = "-"


def in_unit(name: str, unit: str) -> str:
    """A name with its unit, as headings and axes write it.

    Args:
        name: of a parameter or statistic.
        unit: its unit, "1" where it has none.

    Example:
        >>> in_unit("g_el", "nS"), in_unit("gain", "1")
        ('g_el (nS)', 'gain')
    """
    return name if unit == "1" else f"{name} ({unit})"


def rounded(value: float, sd: float) -> str:
    """A number with the decimals that show three digits of a standard deviation.

    Args:
        value: in any unit.
        sd: in the same unit; 0 or not a number: the value gets three digits of its own.

    Example:
        >>> rounded(3.14159, 0.0271), rounded(12345.6, 700.0), rounded(float("nan"), 1.0)
        ('3.1416', '12,346', '-')
    """
    if not math.isfinite(value):
        return _NONE if math.isnan(value) else str(value)
    scale = sd if math.isfinite(sd) and sd > 0 else abs(value)
    if scale == 0:
        return "0"
    if not 1e-4 <= scale < 1e7:
        return f"{value:.{_DIGITS}g}"
    decimals = max(0, _DIGITS - 1 - math.floor(math.log10(scale)))
    return f"{round(value, decimals) + 0.0:,.{decimals}f}"  # no -0


def statistics_table(run: Run[Any]) -> pd.DataFrame:
    """Mean and sd of each statistic beside its targets.

    Args:
        run: of any method; samples whose statistic is not finite are left out of its row.

    Returns:
        A row a statistic with its unit; an interval where one was asked for, with the share of the
        samples inside; a dash where nothing was asked for.
    """
    prop, within = run.prop, run.prop.intervals
    observed = attribute(run.data, "observables")
    targets = zip(prop.mean, prop.sds, within, strict=True)
    rows = {}
    for o, (mean, sd, interval) in zip(observed, targets, strict=True):
        values = run.samples[o["name"]].values.ravel()
        values = values[np.isfinite(values)]
        found = (values.mean(), values.std()) if len(values) else (np.nan, np.nan)
        row = {
            "mean": rounded(found[0], found[1]),
            "target mean": _NONE if mean is None else f"{mean:g}",
            "sd": rounded(found[1], found[1]),
            "target sd": _NONE if sd is None else f"{sd:g}",
        }
        if any(within):
            row["interval"] = _NONE
            if interval is not None:
                low, high = interval
                inside = np.mean((values >= low) & (values <= high)) if len(values) else np.nan
                row["interval"] = f"{low:g} to {high:g}: {100 * inside:.1f} % inside"
        rows[in_unit(o["name"], o["unit"])] = row
    return pd.DataFrame(rows).T


def parameters_table(run: Run[Any]) -> pd.DataFrame:
    """Mean, sd, median and 90 % interval of each parameter, beside its bounds.

    Args:
        run: of any method.
    """
    rows = {}
    for p in attribute(run.data, "parameters"):
        values = run.samples[p["name"]].values.ravel()
        sd = values.std()
        numbers = {"mean": values.mean(), "sd": sd}
        numbers |= {f"{100 * level:g} %": np.quantile(values, level) for level in _LEVELS}
        rows[in_unit(p["name"], p["unit"])] = {
            **{label: rounded(number, sd) for label, number in numbers.items()},
            "bounds": f"{p['low']:g} to {p['high']:g}",
        }
    return pd.DataFrame(rows).T


def regions_table(run: Run[Any], regions: Regions) -> pd.DataFrame:
    """Share of every region with its standard error, and where it lies, a column a region.

    Args:
        run: of any method.
        regions: of its answer.

    Returns:
        The share, then the mean ± sd of each parameter in the region.
    """
    columns = {}
    for region, row in regions.table.iterrows():
        inside = regions.labels == region
        error = "" if math.isnan(row.se) else f" ± {100 * row.se:.1f}"
        column = {"share (%)": f"{100 * row.share:.1f}{error}"}
        for p in attribute(run.data, "parameters"):
            values = run.samples[p["name"]].values[inside]
            sd = values.std()
            text = f"{rounded(values.mean(), sd)} ± {rounded(sd, sd)}"
            column[in_unit(p["name"], p["unit"])] = text
        columns[f"region {region + 1}"] = column
    return pd.DataFrame(columns)


def checks_table(run: Run[Any]) -> pd.DataFrame:
    """The run's diagnostics, with words for numbers; a remedy where a check failed.

    Args:
        run: of any method.
    """
    table = run.diagnostics
    table["value"] = [f"{value:.3g}" for value in table["value"]]
    table["remedy"] = np.where(table.passed, "", table.remedy)
    table["passed"] = np.where(table.passed, "yes", "no")
    return table if (table.passed == "no").any() else table.drop(columns="remedy")
