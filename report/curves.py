"""Curves of a run against its iterations, smoothed for figures and rules alike."""

from __future__ import annotations

import numpy as np

WINDOW = 10  # records, of 100 iterations each


def running_mean(values: np.ndarray) -> np.ndarray:
    """Means of (n,) records over each window of 1,000 iterations: (n - 9,)."""
    return np.convolve(values, np.ones(WINDOW) / WINDOW, mode="valid")
