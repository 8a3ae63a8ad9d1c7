"""When each run lost which mode, and what stood around that moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from report.judged import JudgedLagrangian


def mode_losses(runs: Sequence[JudgedLagrangian]) -> pd.DataFrame:
    """Modes that a run held at one time and no longer holds from some epoch on.

    A mode is held if the network has at least a tenth of its exact mass (`Judged.held`). It counts
    as lost in epoch k + 1 if it was held at the end of epoch k and never after. Gradients are not
    recorded; what is recorded of that epoch stands beside it.

    Args:
        runs: judged.

    Returns:
        A row for each run and mode: `c0`, `seed`, `mode`, `first` and `last` epoch at whose end it
        is held (missing where never), `lost` (epoch, missing where held at the end or never), and
        of the epoch of loss `c`, `c_next`, `lam` (norm of the multipliers), `violation_start`,
        `violation_end` (mean |R|), `entropy_start`, `entropy_end` (nat).
    """
    rows = [_row(judged, mode) for judged in runs for mode in judged.judged.mode.values.tolist()]
    return pd.DataFrame(rows).astype(dict.fromkeys(("first", "last", "lost"), "Int64"))


def _row(judged: JudgedLagrangian, mode: str) -> dict[str, Any]:
    data = judged.run.data
    epochs = data.epoch.values
    held = [e for e in data.snapshot.values.tolist() if mode in judged.held(e)]
    lost = held[-1] + 1 if held and held[-1] < epochs[-1] else None
    row: dict[str, Any] = {
        "c0": judged.run.method.c0,
        "seed": judged.seed,
        "mode": mode,
        "first": held[0] if held else None,
        "last": held[-1] if held else None,
        "lost": lost,
    }
    names = (
        "c",
        "c_next",
        "lam",
        "violation_start",
        "violation_end",
        "entropy_start",
        "entropy_end",
    )
    if lost is None:
        return row | dict.fromkeys(names, np.nan)
    then = data.sel(epoch=lost)
    entropy = judged.judged.entropy
    values = (
        then.c,
        data.c.sel(epoch=lost + 1) if lost < epochs[-1] else np.nan,
        np.linalg.norm(then.lam),
        then.violation_start.mean(),
        then.violation_end.mean(),
        entropy.sel(snapshot=lost - 1),
        entropy.sel(snapshot=lost),
    )
    return row | {name: float(value) for name, value in zip(names, values, strict=True)}
