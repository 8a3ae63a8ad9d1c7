"""The maximum-entropy answer on a grid, and how far samples of it may stray."""

import arviz as az
import numpy as np
import scipy.optimize
import scipy.stats

ODDS = 1e-6  # of a correct answer to stray farther than a test allows


def maxent(f, base, mean, sd):
    """Masses proportional to base exp(eta . (f, f^2)) at the points of a grid.

    Args:
        f: (n,) the statistic.
        base: (n,) masses before the property is asked for; need not sum to 1.
        mean, sd: of the statistic, which the masses meet.

    Returns:
        (n,) masses that sum to 1.
    """
    x = (f - mean) / sd

    def masses(eta):
        exponent = eta[0] * x + eta[1] * x**2
        p = base * np.exp(exponent - exponent.max())
        return p / p.sum()

    def misses(eta):
        p = masses(eta)
        return [p @ x, p @ x**2 - 1]

    found = scipy.optimize.root(misses, [0.0, -0.5], tol=1e-12)
    assert found.success, found.message
    return masses(found.x)


def assert_meets(samples, run, points, masses):
    """Fail where mean, standard deviation or distribution of the samples is not that of the grid.

    By the central limit theorem, and by the inequality of Dvoretzky, Kiefer, Wolfowitz and Massart
    for the distribution, with as many independent samples as ArviZ counts.

    Args:
        samples: of one parameter or statistic of the run.
        run: to which they belong.
        points, masses: (n,) of the same quantity.
    """
    x = np.asarray(samples).ravel()
    n = min(x.size, *(float(v) for v in az.ess(run.to_arviz()).values()))
    z = scipy.stats.norm.isf(ODDS / 2)
    mean = masses @ points
    central = points - mean
    variance, fourth = masses @ central**2, masses @ central**4
    assert abs(x.mean() - mean) < z * np.sqrt(variance / n)
    assert abs(x.var(ddof=1) - variance) < z * np.sqrt((fourth - variance**2) / n)
    order = np.argsort(points)
    below = np.searchsorted(np.sort(x), points[order], side="right") / x.size
    # A cell of the grid holds its mass somewhere; so much is not known of the grid's distribution.
    unknown = masses.max()
    distance = np.abs(below - np.cumsum(masses[order])).max()
    assert distance < np.sqrt(np.log(2 / ODDS) / (2 * n)) + unknown
