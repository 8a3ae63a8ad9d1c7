"""Regions and directions of an answer, against answers that are known in closed form."""

import dataclasses
import itertools
import json
from pathlib import Path
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import dsnlib
from dsnlib import SMC, Circuit, EmergentProperty, Parameter, Statistic
from dsnlib.answer import Directions, directions, regions
from dsnlib.plots import plot_directions, plot_pairs, plot_statistics, region_colour

ROOT = Path(__file__).parent.parent


def run_with(z, seed=1):
    """What `regions` asks of a run whose samples are z (islands, n, P)."""
    names = [f"x{k}" for k in range(z.shape[-1])]
    samples = {name: (("island", "sample"), z[..., k]) for k, name in enumerate(names)}
    parameters = [{"name": name, "unit": "1", "low": -9, "high": 9} for name in names]
    data = xr.Dataset(attrs={"parameters": json.dumps(parameters)})
    return SimpleNamespace(data=data, samples=xr.Dataset(samples), z=z, seed=seed)


@pytest.mark.parametrize("P", [2, 6, 12])
def test_one_cloud_is_one_region(P):
    z = np.random.default_rng(P).normal(size=(4, 2_000, P))
    found = regions(run_with(z))
    assert len(found.table) == 1
    assert found.table.share[0] == 1
    assert not found.labels.any()


def test_a_ring_is_one_region():
    rng = np.random.default_rng(0)
    angle, radius = rng.uniform(0, 2 * np.pi, (4, 2_000)), rng.normal(3, 0.1, (4, 2_000))
    z = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    assert len(regions(run_with(z)).table) == 1


def test_a_small_region_is_found_with_its_share_and_error():
    rng = np.random.default_rng(1)
    small = rng.random((4, 5_000)) < 0.03
    z = rng.normal(size=(4, 5_000, 3)) * 0.5 + np.where(small[..., None], 4, 0)
    found = regions(run_with(z))
    assert len(found.table) == 2
    np.testing.assert_array_equal(found.labels, small)  # the small one is the second
    shares = small.mean(axis=1)
    assert found.table.share[1] == pytest.approx(shares.mean())
    assert found.table.se[1] == pytest.approx(shares.std(ddof=1) / 2)
    assert found.table["mean of x0"][1] == pytest.approx(z[small][:, 0].mean())


@dataclasses.dataclass(frozen=True)
class Plane(Circuit):
    """A statistic that is linear in parameters of very different ranges."""

    parameters = (
        Parameter("a", "nS", 0, 1),
        Parameter("b", "nS", 0, 100),
        Parameter("c", "s", 0, 1),
    )
    observables = (Statistic("f", "Hz"),)

    def evaluate(self, z):
        return z @ jnp.array([[3.0], [0.04], [0.0]], z.dtype)


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    out = tmp_path_factory.mktemp("plane") / "run"
    return dsnlib.fit(Plane(), EmergentProperty([3.5], [0.2]), SMC(particles=500), seed=1, out=out)


def test_directions_of_a_plane(plane):
    """log p = eta_1 f + eta_2 f^2 with f = 3 a + 4 (b / 100): curvature 2 eta_2 25 along (3, 4)."""
    found = directions(plane)
    slope = np.array([3, 4, 0])
    curvature = 2 * plane.eta["value"].values[1] * 25
    assert found.sd[0] == pytest.approx((-curvature) ** -0.5, rel=1e-6)
    assert abs(found.vectors[0] @ slope / 5) == pytest.approx(1, abs=1e-6)
    assert found.sd[1:].min() > 1e3  # flat, but for rounding
    # At the densest of many samples the statistic is near the mean.
    assert found.z @ [3, 0.04, 0] == pytest.approx(3.5, abs=0.05)


def test_directions_ask_for_a_circuit_and_one_point(plane):
    with pytest.raises(ValueError, match=r"z must be one point of shape \(3,\), got \(1, 3\)"):
        directions(plane, [[0.5, 50, 0.5]])
    loaded = dataclasses.replace(plane, circuit=None)
    with pytest.raises(ValueError, match="circuit must be known to differentiate"):
        directions(loaded)


def test_two_mirrored_halves_of_a_linear_system():
    run = dsnlib.load_run(ROOT / "report/gallery/linear2d")
    found = regions(run)
    assert len(found.table) == 2
    positive = run.samples.a12.values > 0
    assert (found.labels == positive).all() or (found.labels == ~positive).all()
    # Each half has half of the mass; four islands, so Student's t with three degrees of freedom.
    assert abs(found.table.share[0] - 0.5) < 5.84 * found.table.se[0]


def test_figures_of_an_answer(plane):
    found = regions(plane)
    pairs = plot_pairs(plane, found)
    grid = np.array(pairs.axes).reshape(3, 3)
    assert grid[2, 0].get_xlabel() == "a\n(nS)"
    b = plane.samples.b.values
    low, high = grid[2, 1].get_xlim()
    assert 0 <= low <= b.min()
    assert b.max() <= high <= 100
    assert len(plot_pairs(plane, found, ["c", "a"]).axes) == 4
    (ax,) = plot_statistics(plane).axes
    assert ax.get_xlabel() == "f (Hz)"
    dashed = ax.lines[0].get_xydata()  # the target
    assert np.trapezoid(dashed[:, 1], dashed[:, 0]) == pytest.approx(1, abs=1e-3)
    assert dashed[dashed[:, 1].argmax(), 0] == pytest.approx(3.5)
    left, right, _ = plot_directions(
        Directions(np.zeros(2), np.array([0.1, np.inf]), np.eye(2)), ["a", "b"]
    ).axes
    assert [bar.get_width() for bar in left.patches] == [0.1, 1.0]
    assert [label.get_text() for label in right.get_xticklabels()] == ["a", "b"]
    # labels of ticks have room, over however many decades
    for stiffest in (0.5, 0.02, 0.004, 1e-5):
        figure = plot_directions(
            Directions(np.zeros(2), np.array([stiffest, 1.0]), np.eye(2)), ["a", "b"]
        )
        figure.canvas.draw()
        low, high = figure.axes[0].get_xlim()
        ticks = figure.axes[0].xaxis.get_major_ticks()
        boxes = [t.label1.get_window_extent() for t in ticks if low <= t.get_loc() <= high]
        assert len(boxes) > 1
        assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))
    assert len({region_colour(k) for k in range(4)}) == 4
    assert region_colour(3) == region_colour(9)
