"""Distances between a network and the exact distribution, from samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_NEIGHBOURS = 20
_FOLDS = 5


class Estimate(NamedTuple):
    """A mean over samples with its standard error."""

    value: float
    se: float


def mean_of(values: np.ndarray) -> Estimate:
    """Mean of (n,) independent values; infinite, without an error, where one of them is."""
    if np.isposinf(values).any():
        return Estimate(np.inf, np.nan)
    return Estimate(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def share_of(hits: np.ndarray) -> Estimate:
    """Share of (n,) booleans, with an error that is not 0 where all or none are true.

    The error is that of Agresti and Coull (1998): two hits and two misses are added for it.
    """
    n = len(hits)
    near = (hits.sum() + 2) / (n + 4)
    return Estimate(float(hits.mean()), float(np.sqrt(near * (1 - near) / (n + 4))))


def kl_divergence(log_p: np.ndarray, log_q: np.ndarray) -> Estimate:
    """KL(p || q) from the log-densities of both at samples of p.

    Args:
        log_p, log_q: (n,) log-densities, nats per unit volume.

    Returns:
        Mean and standard error of log p - log q, nats; infinite where q excludes a sample.
    """
    return mean_of(np.asarray(log_p, float) - np.asarray(log_q, float))


def c2st(one: np.ndarray, other: np.ndarray) -> Estimate:
    """Accuracy with which a classifier tells two sets of samples apart: 0.5 where it cannot.

    The majority of the 20 nearest neighbours decides, in coordinates scaled to the pooled standard
    deviation; five-fold cross-validation.

    Args:
        one, other: (n, P) samples.

    Returns:
        Accuracy, and its standard error as of independent trials.

    Source: Lopez-Paz and Oquab, "Revisiting classifier two-sample tests" (2017).
    """
    # scikit-learn takes a second to import, which only this function is worth.
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.neighbors import KNeighborsClassifier

    points = np.concatenate([one, other])
    points = (points - points.mean(axis=0)) / points.std(axis=0)
    labels = np.repeat([0, 1], [len(one), len(other)])
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    guess = cross_val_predict(KNeighborsClassifier(_NEIGHBOURS), points, labels, cv=folds)
    return share_of(guess == labels)
