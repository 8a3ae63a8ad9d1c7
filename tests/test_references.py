"""The committed references: whole, small, and what they say they are."""

import json

import jax
import numpy as np
import pytest

from dsnlib import StochasticCircuit
from report.studies.problems import CASES, REFERENCES
from report.studies.references import long_chains
from report.studies.references.closed_forms import linear2d, rank_two, rank_two_image
from report.studies.references.weighing import network
from report.studies.truths import linear2d as linear2d_entropy

NAMES = [name for name, case in CASES.items() if case.reference]
CLOSED = {"linear2d": linear2d} | {name: rank_two for name in NAMES if name.startswith("rnn")}


def test_every_file_is_a_problem_s():
    assert {path.name for path in REFERENCES.glob("*.npz")} == {CASES[n].reference for n in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_samples_have_their_statistics_and_the_targets_moments(name, x64):
    case = CASES[name]
    exact = case.exact()
    z, f = exact["z"], exact["statistics"].astype(float)
    assert (REFERENCES / case.reference).stat().st_size <= 1_000_000
    assert z.shape == (len(f), len(case.circuit.parameters))
    low, high = case.circuit.bounds.T
    assert ((z >= low) & (z <= high)).all()  # and so finite
    if name not in CLOSED:  # a simulation in single precision; the last digits matter to few draws
        noisy = isinstance(case.circuit, StochasticCircuit)  # numbers of z's precision
        again = np.asarray(case.circuit.statistics(z[:500] if noisy else z[:500].astype(float)))
        assert (np.abs(again - f[:500]) < 1e-4).mean() > 0.98
    else:
        again = np.asarray(case.circuit.statistics(z.astype(float)))
        np.testing.assert_allclose(again, f, atol=1e-5)
        np.testing.assert_allclose(CLOSED[name](z), f, atol=1e-5)
    u = (f - case.prop.mean) / case.prop.sd
    moments = np.concatenate([u, u**2 - 1], axis=1)
    # Of the samples; eta's own error is that of its effective draws.
    error = moments.std(axis=0) * np.sqrt(
        1 / len(z) + 1 / float(exact.get("kept", exact.get("ess", np.inf)))
    )
    assert (np.abs(moments.mean(axis=0)) < 4.5 * error).all()


@pytest.mark.parametrize("name", [name for name in CLOSED if "entropy" in CASES[name].exact()])
def test_entropy_is_that_of_eta(name):
    """The same identity in the statistics' units: H = log Z - eta . E[T]."""
    exact, prop = CASES[name].exact(), CASES[name].prop
    mean, sd = np.array(prop.mean), np.array(prop.sd)
    target = np.r_[mean, mean**2 + sd**2]
    entropy = float(exact["log_z"] - exact["eta"] @ target)
    assert entropy == pytest.approx(float(exact["entropy"]), abs=1e-6)


def test_entropy_of_the_linear_system_is_that_of_quadrature():
    case = CASES["linear2d"]
    exact = case.exact()
    truth = linear2d_entropy(np.array(case.prop.mean), np.array(case.prop.sd))
    assert abs(float(exact["entropy"]) - truth) < 4 * float(exact["entropy_se"])
    half = (exact["z"][:, 1] > 0).mean()
    assert abs(half - 0.5) < 4 * 0.5 / np.sqrt(len(exact["z"]))


def test_entropy_of_the_note_s_problem_by_uniform_draws():
    exact = CASES["d2"].exact()
    error = np.hypot(float(exact["uniform_entropy_se"]), float(exact["entropy_se"]))
    assert abs(float(exact["entropy"] - exact["uniform_entropy"])) < 4 * error


@pytest.mark.parametrize("N", [2, 3, 7])
def test_images_of_a_network_have_its_statistics(N):
    rng = np.random.default_rng(N)
    z = rng.uniform(-1, 1, (50, 4 * N))
    image = rank_two_image(z, rng)
    np.testing.assert_allclose(rank_two(image), rank_two(z), atol=1e-12)
    np.testing.assert_allclose(np.sort(np.abs(image)), np.sort(np.abs(z)))
    assert (np.abs(image - z).max(axis=1) > 0).mean() > 0.9


@pytest.mark.parametrize("path", sorted(REFERENCES.glob("*_chains.json")), ids=lambda p: p.stem)
def test_long_chains_at_eta_meet_the_targets(path):
    found = json.loads(path.read_text())
    exact = CASES[path.stem.removesuffix("_chains")].exact()
    u = (exact["statistics"] - np.array([0.5, 1.5])) / 0.25
    # An error of eta moves the moments as their own spread in the kept draws would.
    spread = np.concatenate([u, u**2 - 1], axis=1).std(axis=0) / np.sqrt(float(exact["kept"]))
    for (average, se), of_eta in zip(found["moments"].values(), spread, strict=True):
        assert abs(average) < 4 * np.hypot(se, of_eta)
    (one, one_se), (other, other_se) = found["second"], found["second_of_reference"]
    assert abs(one - other) < 4 * np.hypot(one_se, other_se)
    assert found["rhat"]["moments"] < 1.02


def test_potential_of_the_chains_has_its_slope(x64):
    problem = network(6, 0, 0)
    z = np.random.default_rng(3).uniform(-0.6, 0.6, (4, 24))
    f = np.array(
        [
            [long_chains.growth(U, V), long_chains.amplification(U, V)]
            for U, V in z.reshape(4, 2, 6, 2)
        ]
    )
    np.testing.assert_allclose(f, rank_two(z), atol=1e-12)
    theta, y, step = np.array([0.6, -0.8, -0.6, -0.3]), np.arctanh(z[0]), 1e-6
    potential = jax.jit(lambda y: long_chains.potential(theta, problem, y))
    slope = jax.grad(potential)(y)
    for k in range(0, 24, 5):
        move = step * np.eye(24)[k]
        found = (potential(y + move) - potential(y - move)) / (2 * step)
        assert float(slope[k]) == pytest.approx(float(found), abs=1e-6)
