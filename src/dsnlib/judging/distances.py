"""Distances between a network and the exact distribution, from samples."""

from __future__ import annotations

import numpy as np

from dsnlib.estimate import Estimate, mean_of, share_of

_FOLDS = 5


def kl_divergence(log_p: np.ndarray, log_q: np.ndarray) -> Estimate:
    """KL(p || q) from the log-densities of both at samples of p.

    Args:
        log_p, log_q: (n,) log-densities, nats per unit volume.

    Returns:
        Mean and standard error of log p - log q, nats; infinite where q excludes a sample.
    """
    return mean_of(np.asarray(log_p, float) - np.asarray(log_q, float))


def c2st(one: np.ndarray, other: np.ndarray) -> Estimate:
    """Accuracy with which boosted trees tell two sets of samples apart: 0.5 where they cannot.

    Gradient-boosted trees with scikit-learn's defaults, five-fold cross-validation. Trees follow
    cliffs and see small regions, which nearest neighbours smooth away.

    Args:
        one, other: (n, P) samples.

    Returns:
        Accuracy, and its standard error as of independent trials.

    Source: Lopez-Paz and Oquab, "Revisiting classifier two-sample tests" (2017).
    """
    # scikit-learn takes a second to import, which only this function is worth.
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    points = np.concatenate([one, other])
    labels = np.repeat([0, 1], [len(one), len(other)])
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    trees = HistGradientBoostingClassifier(random_state=0)
    return share_of(cross_val_predict(trees, points, labels, cv=folds) == labels)
