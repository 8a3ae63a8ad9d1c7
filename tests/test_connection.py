"""The planner of paths within a band, on circuits whose bands are known in closed form."""

import dataclasses
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
import pytest

from dsnlib import Circuit, EmergentProperty, Parameter, Statistic
from report.studies.band import CHECK, STEP, Band, tangent
from report.studies.cells import gridded
from report.studies.connection import Planner
from report.studies.paths import on_level, resampled, shortened, verified

PLANNER = Planner(walkers=30, steps=100, rounds=5)


@dataclasses.dataclass(frozen=True)
class Saddle(Circuit):
    """x^2 - y^2, less `lift` z^2 where z is free.

    At 1 +- 0.2 its band is a pair of hyperbolas, one at x < 0 and one at x > 0. With a lift of -3
    the band is a hyperboloid of one piece, x^2 + 3 z^2 = 1 + y^2.
    """

    d: int
    lift: float = -3.0

    observables: ClassVar = (Statistic("height", "1"),)

    @property
    def parameters(self):
        return tuple(Parameter(name, "1", -2, 2) for name in "xyz"[: self.d])

    def evaluate(self, z):
        height = z[:, :1] ** 2 - z[:, 1:2] ** 2
        return height - self.lift * z[:, 2:] ** 2 if self.d == 3 else height


@dataclasses.dataclass(frozen=True)
class Wall(Circuit):
    """Zero but for a ridge at x = 0.5, higher than the band, with a gate at y = 0.9."""

    width: float
    gate: float

    parameters: ClassVar = (Parameter("x", "1", 0, 1), Parameter("y", "1", 0, 1))
    observables: ClassVar = (Statistic("height", "1"),)

    def evaluate(self, z):
        ridge = jnp.abs(z[:, :1] - 0.5) < self.width / 2
        return jnp.where(ridge & (jnp.abs(z[:, 1:] - 0.9) > self.gate / 2), 10.0, 0.0)


@dataclasses.dataclass(frozen=True)
class Corridor(Circuit):
    """Distance from the unit circle, and y z: two statistics of three parameters."""

    parameters: ClassVar = tuple(Parameter(name, "1", -2, 2) for name in "xyz")
    observables: ClassVar = (Statistic("radius", "1"), Statistic("height", "1"))

    def evaluate(self, z):
        radius = jnp.sqrt(z[:, 0] ** 2 + z[:, 1] ** 2 + 1e-9)
        return jnp.stack([radius, z[:, 2] - 0.5 * z[:, 0]], axis=1)


ONE = EmergentProperty([1.0], [0.1])
FLAT = EmergentProperty([0.0], [1.0])


def hyperbola(side, d, n=6):
    """n points of the band, on one side."""
    y = np.linspace(-1, 1, n)
    z = np.zeros((n, d))
    z[:, 0], z[:, 1] = side * np.sqrt(1 + y**2 + 0.1 * np.sin(7 * y)), y
    return z


def test_two_pieces_are_not_joined_but_each_is_one():
    found = PLANNER.connect(Saddle(2), ONE, hyperbola(-1, 2), hyperbola(1, 2), seed=1)
    assert not found.joined.any()
    assert found.components == 2
    assert found.rounds == PLANNER.rounds
    side = np.sign(found.roadmap.points[:, 0] - 0.5)
    assert (side == side[:12][[0, 6]][found.roadmap.components()]).all()
    with pytest.raises(ValueError, match="joined"):
        found.path(0)


def test_a_third_parameter_joins_them():
    circuit, starts, goals = Saddle(3), hyperbola(-1, 3), hyperbola(1, 3)
    found = PLANNER.connect(circuit, ONE, starts, goals, seed=1)
    assert found.joined.all()
    assert found.components == 1
    for pair, (start, goal) in enumerate(zip(starts, goals, strict=True)):
        path = 4 * found.path(pair) - 2
        np.testing.assert_allclose(path[[0, -1]], [start, goal], atol=1e-12)
        assert np.abs(np.diff(path, axis=0)).max() <= 4 * STEP * 1.001
        fine = 4 * resampled(found.path(pair), CHECK / 10) - 2
        height = fine[:, 0] ** 2 - fine[:, 1] ** 2 + 3 * fine[:, 2] ** 2
        assert np.abs(height - 1).max() < 0.2  # in the band, in closed form
        assert np.abs(fine).max() <= 2  # and in the box
        # x = 0 is crossed where 3 z^2 = 1 + y^2, within the band
        crossing = np.abs(fine[:, 0]).argmin()
        assert np.abs(fine[crossing, 2]) > np.sqrt(0.8 / 3) - 1e-3


def test_a_box_that_cuts_the_way_off_leaves_them_apart():
    # f = x^2 - y^2 - 3 z^2 is a hyperboloid of two pieces.
    found = PLANNER.connect(Saddle(3, lift=3.0), ONE, hyperbola(-1, 3), hyperbola(1, 3), seed=1)
    assert not found.joined.any()


def test_the_seed_fixes_the_paths():
    ends = hyperbola(-1, 3), hyperbola(1, 3)
    first, again, other = (PLANNER.connect(Saddle(3), ONE, *ends, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.roadmap.points, again.roadmap.points)
    assert first.simulations == again.simulations
    assert other.joined.all()
    assert len(other.roadmap.points) != len(first.roadmap.points)


@pytest.mark.parametrize(("gate", "joined"), [(0.1, True), (0.0, False)])
def test_a_wall_is_passed_through_its_gate_only(gate, joined):
    # The wall is thinner than a step; a step over it would be found in band at both ends.
    starts, goals = np.array([[0.2, 0.1]]), np.array([[0.8, 0.1]])
    found = PLANNER.connect(Wall(0.3 * STEP, gate), FLAT, starts, goals, seed=3)
    assert found.joined.all() == joined
    if joined:
        path = resampled(found.path(0), CHECK / 10)
        within = np.abs(path[:, 0] - 0.5) < 0.15 * STEP
        assert within.any()
        assert (np.abs(path[within, 1] - 0.9) <= gate / 2 + 1e-9).all()


def test_two_statistics_leave_a_curve():
    prop = EmergentProperty([1.0, 0.0], [0.02, 0.02])
    starts, goals = np.array([[1.0, 0.0, 0.5]]), np.array([[-1.0, 0.0, -0.5]])
    found = PLANNER.connect(Corridor(), prop, starts, goals, seed=1)
    assert found.joined.all()
    off = Corridor().statistics(4 * found.path(0) - 2)
    assert np.abs(off - np.array(prop.mean)).max() < 0.04


def test_paths_are_shortened_and_brought_onto_the_level_set():
    found = PLANNER.connect(Saddle(3), ONE, hyperbola(-1, 3), hyperbola(1, 3), seed=1)

    def length(path):
        return np.linalg.norm(np.diff(path, axis=0), axis=1).sum()

    before = [length(found.path(pair)) for pair in (0, 5)]
    short = shortened(found, PLANNER, [0, 5], rounds=3, seed=1)
    assert all(length(path) <= old for path, old in zip(short, before, strict=True))
    off, change = verified(found.band, short, CHECK / 10)
    assert off < 2
    assert change < 0.05
    path, narrowest = on_level(found.band, short[0])
    assert narrowest < 0.05
    x, y, z = (4 * path - 2).T
    np.testing.assert_allclose(x**2 - y**2 + 3 * z**2, 1, atol=0.005)


@pytest.mark.parametrize(("d", "joined"), [(2, 0), (3, 6)])
def test_a_grid_agrees_and_guides(d, joined):
    band = Band(Saddle(d), ONE)
    starts, goals = hyperbola(-1, d), hyperbola(1, d)
    found = gridded(band, starts, goals, (80,) * d, (1.0,) * d)
    assert found.counts["faces"] == found.counts["corners"] == joined
    assert found.counts["simulations"] == 80**d
    assert (found.guides is not None) == bool(joined)
    if joined:
        x, y, z = found.guides.T
        assert np.abs(x**2 - y**2 + 3 * z**2 - 1).max() < 0.2
        np.testing.assert_allclose(found.guides[[0, -1]], [starts[0], goals[0]], atol=0.2)
        guided = Planner(walkers=30, rounds=2)
        paths = guided.connect(Saddle(3), ONE, starts[:1], goals[:1], 1, found.guides)
        assert paths.joined.all()


def test_tangent_keeps_statistics_and_box():
    slopes = np.array([[[1.0, 2.0, 0.5]]])
    u = np.array([[0.0, 0.5, 0.5]])
    move = tangent(np.array([[-1.0, 0.3, 0.2]]), np.zeros((1, 1)), slopes, u)
    assert move[0, 0] == 0
    assert abs((slopes[0] @ move[0]).item()) < 1e-12
    newton = tangent(np.zeros((1, 3)), np.array([[0.7]]), slopes, u + 0.1)
    assert (slopes[0] @ newton[0]).item() == pytest.approx(-0.7)


def test_resampled_keeps_corners():
    path = np.array([[0.0, 0.0], [0.5, 0.0], [0.5, 0.25]])
    fine = resampled(path, 0.1)
    assert np.abs(np.diff(fine, axis=0)).max() <= 0.1 + 1e-12
    assert all((np.abs(fine - corner).max(axis=1) < 1e-12).any() for corner in path)


def test_a_jump_between_neighbours_is_no_path():
    # Band at 0 +- 2: a cliff of 1.5 stays in it, yet a way out may hide between two points.
    @dataclasses.dataclass(frozen=True)
    class Cliff(Wall):
        def evaluate(self, z):
            return jnp.where(z[:, :1] > 0.5, 0.75, -0.75)

    band = Band(Cliff(0, 0), FLAT)
    edges = np.array([[0.496, 0.5], [0.2, 0.5]])
    assert band.holds_edges(edges, edges + np.array([STEP, 0])).tolist() == [False, True]


def test_bad_pairs_are_named():
    good, outside = hyperbola(1, 2), np.zeros((6, 2))
    with pytest.raises(ValueError, match=r"in the band, got 6 of 12"):
        PLANNER.connect(Saddle(2), ONE, good, outside, seed=1)
    with pytest.raises(ValueError, match="one shape"):
        PLANNER.connect(Saddle(2), ONE, good, good[:2], seed=1)
