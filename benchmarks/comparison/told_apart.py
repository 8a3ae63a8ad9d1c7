"""A strong classifier two-sample test for this circuit, and its calibration.

`dsnlib.judging.distances.c2st` takes two sets of samples and nothing else. Here f is known too,
which is what the target depends on, and where its cliffs are. So the trees get z, its square root
(the small regions lie at small conductances) and f, more trees, and 10,000 samples a side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from dsnlib.estimate import Estimate, share_of

LARGEST = 10_000  # samples a side
SMALLEST = 500  # samples a side below which there is no test: its error would be above 0.016
_FOLDS = 5
# A leaf of 100 samples beats scikit-learn's 20 on the draws of `calibrated`: differences are small
# shares of mass here. Trees are added until a held-out tenth gains nothing in 20 rounds.
_TREES = {
    "min_samples_leaf": 100,
    "max_iter": 500,
    "early_stopping": True,
    "n_iter_no_change": 20,
}


class Samples(NamedTuple):
    """Parameters and what the circuit does there, in float32: more digits would tell exact ones."""

    z: np.ndarray  # (n, 2), nS
    f: np.ndarray  # (n,), Hz

    def at(self, rows: np.ndarray) -> Samples:
        """Those with these positions."""
        return Samples(self.z[rows], self.f[rows])

    @property
    def features(self) -> np.ndarray:
        """(n, 5) what the trees see."""
        z = np.asarray(self.z, float)
        return np.column_stack([z, np.sqrt(z), np.asarray(self.f, float)])


class Points(NamedTuple):
    """Different points with weights of sum 1."""

    samples: Samples
    weight: np.ndarray

    @property
    def effective(self) -> float:
        """Kish's effective sample size."""
        return float(1 / (self.weight**2).sum())

    def unweighted(self, generator: np.random.Generator) -> Samples:
        """Points without weights, for a classifier, which finds repeats before anything else.

        Where all weigh the same, as many as there are, at most `LARGEST`; else at most half as
        many as are effective, by systematic resampling, and what that draws twice is kept once.
        """
        n = len(self.weight)
        if np.isclose(self.weight.max(), self.weight.min()):
            return self.samples.at(generator.permutation(n)[:LARGEST])
        size = min(LARGEST, int(self.effective / 2))
        ladder = (np.arange(size) + generator.random()) / size
        drawn = np.searchsorted(np.cumsum(self.weight), ladder)
        return self.samples.at(np.unique(np.minimum(drawn, n - 1)))


def distinct(samples: Samples, weight: np.ndarray) -> Points:
    """Equal rows become one point with the sum of their weights, and what weighs nothing goes."""
    kept = weight > 0
    _, first, owner = np.unique(samples.z[kept], axis=0, return_index=True, return_inverse=True)
    total = np.bincount(owner.ravel(), weight[kept])
    return Points(samples.at(np.flatnonzero(kept)[first]), total / total.sum())


def told_apart(one: Samples, other: Samples) -> tuple[Estimate | None, int]:
    """Accuracy with which boosted trees tell samples from exact ones: 0.5 where they cannot.

    Args:
        one: samples without repeats.
        other: exact samples; as many are used as there are of `one`.

    Returns:
        Accuracy with its standard error as of independent trials (None for fewer than `SMALLEST`
        a side), and the number of samples a side.
    """
    n = min(len(one.f), len(other.f))
    if n < SMALLEST:
        return None, n
    points = np.concatenate([s.at(np.arange(n)).features for s in (one, other)])
    labels = np.repeat([0, 1], n)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    trees = HistGradientBoostingClassifier(random_state=0, **_TREES)
    return share_of(cross_val_predict(trees, points, labels, cv=folds) == labels), n


def calibrated(exact: Samples, others: Samples, lower: np.ndarray) -> dict[str, list[float]]:
    """What the test says where the answer is known.

    Args:
        exact: exact samples.
        others: further exact ones, at least twice as many.
        lower: whether each of `others` lies in the lower mode.

    Returns:
        Accuracy and standard error of `others` against `exact` where nothing is wrong, and where
        the lower mode has double, half and none of its mass.
    """
    generator = np.random.default_rng(0)
    n = len(exact.f)
    outside, inside = np.flatnonzero(~lower), np.flatnonzero(lower)
    share = lower.mean()
    found = {"same distribution": others.at(np.arange(n))}
    for name, factor in {"doubled": 2, "halved": 0.5, "lost": 0}.items():
        k = int(factor * share * n)
        rows = np.concatenate([inside[:k], outside[: n - k]])
        found[f"lower mode {name}"] = others.at(generator.permutation(rows))
    return {name: list(told_apart(samples, exact)[0] or ()) for name, samples in found.items()}
