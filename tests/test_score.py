"""Scores of samples whose faults are known."""

import numpy as np
import pytest

from report.studies.problems import CASES
from report.studies.score import score


@pytest.fixture(scope="module")
def exact():
    return CASES["d2"].exact()["z"].astype(float)


def test_an_exact_sampler_scores_a_half():
    found = score("d2", CASES["d2"].exact()["z"][:3_000])["of_exact"]
    assert abs(found["c2st"].value - 0.5) < 4 * found["c2st"].se
    for key, target in (("mean", 0), ("sd", 1)):
        _, estimate = found[key]
        assert abs(estimate.value - target) < 4.5 * estimate.se


def test_independent_draws_score_a_half():
    case = CASES["linear2d"]
    prop, exact = case.prop, case.exact()
    rng = np.random.default_rng(1)
    z = rng.uniform(-10, 10, (400_000, 4))
    x = (np.asarray(case.circuit.statistics(z), float) - prop.mean) / prop.sd
    exponent = np.concatenate([x, x**2 - 1], axis=1) @ exact["theta"]
    z = z[np.log(rng.random(len(z))) < exponent - exponent.max()]
    found = score("linear2d", z)
    assert abs(found["c2st"].value - 0.5) < 4 * found["c2st"].se
    for u, variance in found["moments"].values():
        assert abs(u.value) < 4 * u.se
        assert abs(variance.value - 1) < 4 * variance.se + 0.02  # that of eta
    assert not found["weak"]


def test_a_shift_is_told(exact):
    low, high = CASES["d2"].circuit.bounds.T
    z = np.clip(exact[:3_000] + 0.3 * exact.std(axis=0), low, high)
    found = score("d2", z)
    assert found["c2st"].value > 0.6
    _, shift = found["mean"]
    assert abs(shift.value - 0.3) < 4 * shift.se + 0.05  # some are clipped
    ((u, _),) = found["moments"].values()
    assert abs(u.value) > 4 * u.se


def test_a_lost_region_is_told():
    exact = CASES["linear2d"].exact()["z"].astype(float)
    found = score("linear2d", exact[exact[:, 1] > 0])
    assert found["c2st"].value > 0.7  # the best that can be done is 0.75
    assert found["mean"][0] in ("a12", "a21")


def test_bad_input(exact):
    with pytest.raises(KeyError, match="name must be one of"):
        score("ring10", exact)
    with pytest.raises(ValueError, match="z must have shape"):
        score("d2", exact[:, :1])
    with pytest.raises(ValueError, match="z must lie in"):
        score("d2", exact - 100)
