"""The separate regions of an answer, by clusters of its samples."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from dsnlib.estimate import over_islands
from dsnlib.methods.run import Run
from dsnlib.storage.dataset import attribute

_CLUSTERED = 10_000  # samples; the others belong to the region of the nearest of them
_NEIGHBOURS = 10
_FEWEST = 4 * _NEIGHBOURS  # samples; fewer are one region
LEAST_SHARE = 0.005  # of the samples; smaller clusters are not told from chance


@dataclasses.dataclass(frozen=True)
class Regions:
    """The regions of an answer, the largest first.

    Args:
        labels: (islands, n) number of each sample's region, from 0.
        table: a row a region: its `share` of the answer, the standard error `se` over islands, and
            the `mean of` each parameter in it, in the parameter's unit.
    """

    labels: np.ndarray
    table: pd.DataFrame


def regions(run: Run) -> Regions:  # type: ignore[type-arg]
    """Find the regions into which the samples of a run fall.

    Samples cluster by HDBSCAN, which follows density and needs no number of clusters, in parameters
    (or their logarithms, where that is their scale) that are scaled to a standard deviation of 1.
    Samples between clusters belong to the region of the nearest one that has a region. Clusters
    below half a percent of the samples are not counted.

    Two regions are a statement about samples: whether a thin bridge joins them cannot be read off
    these. In more than about ten dimensions samples are too few to show any but wide gaps.

    Args:
        run: of any method.

    Returns:
        At least one region.

    Source: Campello, Moulavi and Sander, "Density-based clustering based on hierarchical density
    estimates" (2013), as scikit-learn has it.
    """
    from sklearn.cluster import HDBSCAN  # takes a second to import
    from sklearn.neighbors import KNeighborsClassifier

    described = attribute(run.data, "parameters")
    names = [p["name"] for p in described]
    z = run.z
    log = np.array([p.get("scale") == "log" for p in described])
    pooled = z.reshape(-1, len(names))
    pooled = np.where(log, np.log(np.where(log, pooled, 1)), pooled)
    spread = pooled.std(axis=0)
    # A parameter that all samples share parts none of them.
    scaled = (pooled - pooled.mean(axis=0)) / np.where(spread > 0, spread, 1)
    rng = np.random.default_rng(run.seed)
    few = rng.permutation(len(scaled))[:_CLUSTERED]
    if len(names) == 1:
        # On a line every chance gap parts the samples into clusters, in a plane it does not.
        scaled = np.column_stack([scaled, rng.normal(size=len(scaled))])
    if len(few) < _FEWEST:
        clusters = np.zeros(len(few), int)
    else:
        clusters = HDBSCAN(
            min_cluster_size=max(2 * _NEIGHBOURS, round(LEAST_SHARE * len(few))),
            min_samples=_NEIGHBOURS,
            allow_single_cluster=True,
            copy=True,
        ).fit_predict(scaled[few])
    held = clusters >= 0
    if held.any():
        nearest = KNeighborsClassifier(1).fit(scaled[few][held], clusters[held])
        found = nearest.predict(scaled)
    else:
        found = np.zeros(len(scaled), int)
    sizes = np.bincount(found)
    rank = np.empty(len(sizes), int)
    rank[np.argsort(-sizes)] = np.arange(len(sizes))
    labels = rank[found].reshape(z.shape[:2])
    rows = []
    for region in range(len(sizes)):
        inside = labels == region
        share = over_islands(inside.mean(axis=1))
        means = zip(names, z[inside].mean(axis=0), strict=True)
        rows.append(
            {"share": share.value, "se": share.se}
            | {f"mean of {name}": float(mean) for name, mean in means}
        )
    return Regions(labels, pd.DataFrame(rows).rename_axis("region"))
