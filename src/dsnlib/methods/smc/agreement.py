"""Do the islands agree? Each is a population of its own, so their spread is an error.

What no check can see is a region that every island misses. A region of share s of the box is
missed by all N uniform states of one island with probability (1 - s)^N, about exp(-s N), and by all
of I islands with exp(-s N I). An island of 10,000 particles has 50,000 of them: 4 islands miss a
region of 1e-5 of the box with probability 0.14, one of 1e-6 with 0.82. A larger region that lies
around the small one and is nearly as good leads particles there, so these are upper bounds.
"""

from __future__ import annotations

import warnings

import numpy as np
import xarray as xr

from dsnlib.methods.run import Check

MOST_R_HAT = 1.01  # Vehtari et al. (2021)
LEAST_EFFECTIVE = 400  # samples, Vehtari et al. (2021)
#: What the check of the effective sample size is called.
EFFECTIVE = "smallest effective sample size of a parameter or statistic"
CELLS = 20
LEAST_CELL = 0.01  # share of the samples; smaller cells say little of an island
MOST_CELL_SPREAD = 0.33
MOST_ETA_KL = 0.01  # nats
MOST_ENTROPY_SE = 0.1  # nats

MORE = "use more particles: dsnlib.SMC(particles=...)"


def check_agreement(samples: xr.Dataset, z: np.ndarray, seed: int) -> list[Check]:
    """Check that islands hold the same parameters, statistics and cells of parameter space.

    Args:
        samples: parameters and statistics, with dimensions (island, sample).
        z: (islands, n, P) the parameters on the unit box.
        seed: of the cells.

    Returns:
        Rank-normalised R-hat (largest) and bulk effective sample size (smallest) over all
        parameters and statistics, and the largest spread of a cell's share (`cell_spread`).

    Source: Vehtari, Gelman, Simpson, Carpenter and Buerkner, "Rank-normalization, folding, and
    localization: an improved R-hat for assessing convergence of MCMC" (2021).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # ArviZ announces its next major version
        import arviz  # takes seconds to import

    chains = samples.rename(island="chain", sample="draw")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where all samples are the same one
        r_hat = float(arviz.rhat(chains).to_array().max())
        effective = float(arviz.ess(chains).to_array().min())
    spread = cell_spread(z, seed)
    return [
        Check(
            "largest R-hat over islands of a parameter or statistic",
            r_hat,
            f"below {MOST_R_HAT:g}",
            r_hat < MOST_R_HAT,
            f"islands disagree: {MORE}",
        ),
        Check(
            EFFECTIVE,
            effective,
            f"above {LEAST_EFFECTIVE}",
            effective > LEAST_EFFECTIVE,
            MORE,
        ),
        Check(
            f"largest spread over islands of a cell's share ({CELLS} cells)",
            spread,
            f"below {MOST_CELL_SPREAD:g}",
            spread < MOST_CELL_SPREAD,
            f"an island misses a region that another holds: {MORE}",
        ),
    ]


def cell_spread(z: np.ndarray, seed: int) -> float:
    """Largest relative spread of a cell's share over islands.

    k-means cuts the samples of all islands together into 20 cells of about 5 % each. Every
    island's share of each cell is counted, and the standard deviation over islands is divided by
    the mean. Cells of less than 1 % are left out, since chance alone moves their shares that much.
    Where one of I islands has nothing in a cell that the others share alike, the spread is
    sqrt(I) / (I - 1), so 0.67 for I = 4. In a cell of 1 %, sampling alone gives 0.33 where the
    samples of an island are worth about 900.

    Args:
        z: (islands, n, P) parameters on the unit box.
        seed: of k-means.
    """
    from sklearn.cluster import MiniBatchKMeans  # takes a second to import
    from sklearn.exceptions import ConvergenceWarning

    islands, n, P = z.shape
    pooled = z.reshape(-1, P)
    spread = pooled.std(axis=0)
    # Particles that went on to nowhere may all be one.
    scaled = (pooled - pooled.mean(axis=0)) / np.where(spread > 0, spread, 1)
    cells = MiniBatchKMeans(CELLS, random_state=seed % 2**31, n_init=1, batch_size=4_096)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct particles than cells
        labels = cells.fit_predict(scaled).reshape(islands, n)
    shares = np.stack([np.bincount(row, minlength=CELLS) for row in labels]) / n
    held = shares.mean(axis=0) > LEAST_CELL
    return float((shares.std(axis=0, ddof=1)[held] / shares.mean(axis=0)[held]).max())


def check_natural_parameters(
    theta: np.ndarray, entropy: np.ndarray, features: np.ndarray, more: str = MORE
) -> list[Check]:
    """Check that islands agree on the answer's natural parameters and on its entropy.

    The entropy is log Z relative to the targets, log Z - eta.mu; log Z itself depends on where the
    moments have their origin.

    Args:
        theta: (islands, M) natural parameters of the features.
        entropy: (islands,) nats.
        features: (n, M) features of the pooled samples.
        more: the remedy.
    """
    covariance = np.cov(features, rowvar=False)
    off = theta - theta.mean(axis=0)
    divergence = float(np.einsum("im,mk,ik->i", off, covariance, off).max() / 2)
    error = float(entropy.std(ddof=1) / np.sqrt(len(entropy)))
    return [
        Check(
            "largest KL between an island's natural parameters and their mean, nat",
            divergence,
            f"below {MOST_ETA_KL:g}",
            divergence < MOST_ETA_KL,
            f"islands disagree on the answer: {more}",
        ),
        Check(
            "standard error of the entropy, nat",
            error,
            f"below {MOST_ENTROPY_SE:g}",
            error < MOST_ENTROPY_SE,
            f"islands disagree on the volume of the answer: {more}",
        ),
    ]
