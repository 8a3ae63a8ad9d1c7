"""What runs of designed studies came to, and effects of factors, against other ways to them."""

import itertools

import numpy as np
import pytest
import xarray as xr

from report.effects import effects
from report.outcomes import at, first_pass, holds


@pytest.fixture
def point():
    # Three seeds, two epochs: the first passes in epoch 1, the second in epoch 2, the third never.
    mass = np.zeros((3, 3, 2))
    mass[..., 0] = 0.8  # upper
    mass[0, 1, 1] = 0.03  # lower, at the first pass of seed 1
    mass[:, 2, 1] = [0.001, 0.02, 0.04]  # at the end
    return xr.Dataset(
        {
            "not_rejected": (("seed", "epoch"), [[1, 0], [0, 1], [0, 0]]),
            "mode_mass": (("seed", "snapshot", "mode"), mass),
            "kl": (("seed", "snapshot"), [[9.0, 3.0, 1.0], [9.0, 4.0, 2.0], [9.0, 5.0, 3.0]]),
            "c": (("seed", "epoch"), np.ones((3, 2))),
        },
        {
            "seed": [1, 2, 3],
            "epoch": [1, 2],
            "snapshot": [0, 1, 2],
            "mode": ["upper", "lower"],
            "exact_mass": ("mode", [0.9, 0.04]),
        },
    )


def test_networks_are_those_of_the_first_epoch_that_passes_or_of_the_last(point):
    np.testing.assert_array_equal(first_pass(point), [1, 2, np.nan])
    np.testing.assert_array_equal(at(point, "first").kl, [3, 2, np.nan])
    np.testing.assert_array_equal(at(point, "end").kl, [1, 2, 3])
    assert set(at(point, "end")) == {"mode_mass", "kl"}


@pytest.mark.parametrize(
    ("when", "threshold", "expected"),
    [
        ("end", 0.01, [True, True, True]),
        ("end", 0.1, [False, True, True]),
        ("end", 0.6, [False, False, True]),
        ("end", 1.0, [False, False, False]),  # the upper mode has 0.8 of 0.9
        ("first", 0.1, [True, True, False]),
        ("first", 0.6, [True, False, False]),
    ],
)
def test_a_mode_is_held_from_a_share_of_its_exact_mass_on(point, when, threshold, expected):
    assert holds(point, when, threshold).values.tolist() == expected


def test_effects_are_the_coefficients_of_a_regression():
    rng = np.random.default_rng(0)
    names = list("abcde")
    levels = [tuple(map(bool, x)) for x in itertools.product((0, 1), repeat=5) if sum(x) % 2 == 0]
    cells = dict(zip(map(str, levels), levels, strict=True))
    seeds = np.arange(8)
    values = rng.normal(size=(16, 8)) + rng.normal(size=8)  # seeds differ, as blocks do
    found = effects(
        cells, {c: xr.DataArray(v, {"seed": seeds}) for c, v in zip(cells, values, strict=True)},
        names,
    )  # fmt: skip
    signs = 2.0 * np.array(levels) - 1
    pairs = [signs[:, i] * signs[:, j] for i, j in itertools.combinations(range(5), 2)]
    X = np.column_stack([np.ones(16), signs, *pairs])
    coefficients = np.stack([np.linalg.lstsq(X, v, rcond=None)[0][1:] for v in values.T])
    np.testing.assert_allclose(found["value"], 2 * coefficients.mean(axis=0))
    z = found["value"] / ((found["high"] - found["low"]) / 2)
    se = 2 * coefficients.std(axis=0, ddof=1) / np.sqrt(8)
    np.testing.assert_allclose(z * 2.364624251592785, found["value"] / se)  # t of 7 at 97.5 %
    assert found.index[5] == "a by b"
    assert ((found.p < 0.05) == (found.low * found.high > 0)).all()


def test_designs_that_are_not_balanced_are_refused():
    cells = {"one": (False, False), "two": (True, False), "three": (False, True)}
    responses = {cell: xr.DataArray([1.0, 2.0], {"seed": [1, 2]}) for cell in cells}
    with pytest.raises(ValueError, match="balanced"):
        effects(cells, responses, ["a", "b"])
