"""Effects of the factors of the designed study, seed by seed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from report.outcomes import at


def responses(point: xr.Dataset) -> dict[str, xr.DataArray]:
    """What the study explains of a cell, at the end of its trainings, by name: each (seed).

    Of both modes the share of the exact mass that is left, in per cent and at most 100, since more
    than all of one mode is no better; and the distance, whose size varies by orders of magnitude,
    as log10 of KL in nat.

    Args:
        point: data of a cell.
    """
    last = at(point, "end")
    left = (100 * last.mode_mass / point.exact_mass).clip(max=100)
    return {
        "lower": left.sel(mode="lower", drop=True),
        "upper": left.sel(mode="upper", drop=True),
        "kl": np.log10(last.kl),
    }


def effects(
    cells: Mapping[str, tuple[bool, ...]], responses: Mapping[str, xr.DataArray], names: list[str]
) -> pd.DataFrame:
    """Main effects and interactions of pairs of two-level factors.

    All cells share their seeds, so an effect is computed for each seed, and the spread of these
    values gives its error: seeds are blocks.

    Args:
        cells: for each cell of a balanced design whether each factor is at its second level.
        responses: for each cell what is explained, (seed).
        names: of the factors.

    Returns:
        For each effect its `value`, the mean response at the second level less that at the first
        (of an interaction: where both factors are at the same level, less where not), the ends
        `low` and `high` of its 95 % interval (Student's t), and its two-sided `p`.

    Raises:
        ValueError: the design is not balanced.
    """
    signs = np.array([[1 if second else -1 for second in levels] for levels in cells.values()])
    pairs = list(itertools.combinations(range(len(names)), 2))
    columns = np.column_stack([signs, *[signs[:, i] * signs[:, j] for i, j in pairs]])
    if not np.array_equal(columns.T @ columns, len(signs) * np.eye(columns.shape[1])):
        raise ValueError(f"cells must be a balanced design of resolution V, got {list(cells)}")
    values = np.stack([responses[cell].values for cell in cells])  # (cell, seed)
    by_seed = columns.T @ values / (len(signs) / 2)  # (effect, seed)
    n = by_seed.shape[1]
    mean, se = by_seed.mean(axis=1), by_seed.std(axis=1, ddof=1) / np.sqrt(n)
    half = stats.t.ppf(0.975, n - 1) * se
    return pd.DataFrame(
        {
            "value": mean,
            "low": mean - half,
            "high": mean + half,
            "p": 2 * stats.t.sf(np.abs(mean / se), n - 1),
        },
        [*names, *(f"{names[i]} by {names[j]}" for i, j in pairs)],
    )
