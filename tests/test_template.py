"""The template of the examples, solved as its docstring says, against its closed form."""

import numpy as np

import dsnlib
from examples.pendulum import PROPERTY, Pendulum
from quadrature import assert_meets, maxent


def test_period_against_the_formula(x64):
    length = np.linspace(0.1, 2, 50)
    found = Pendulum(gravity=1.62).statistics(length[:, None])
    np.testing.assert_allclose(found[:, 0], 2 * np.pi * (length / 1.62) ** 0.5, rtol=1e-14)


def test_answer_against_quadrature(tmp_path):
    run = dsnlib.fit(Pendulum(), PROPERTY, dsnlib.SMC(particles=500), seed=1, out=tmp_path / "run")
    edges = np.linspace(0.1, 2, 20_001)
    length = (edges[1:] + edges[:-1]) / 2
    period = 2 * np.pi * np.sqrt(length / 9.81)
    masses = maxent(period, np.ones_like(length), *PROPERTY.mean, *PROPERTY.sd)
    assert_meets(run.samples["period"], run, period, masses)
    assert_meets(run.samples["length"], run, length, masses)
    # The mass of a cell is p* times its width, so that the entropy is a sum, in nats.
    entropy = -(masses * np.log(masses / np.diff(edges))).sum()
    assert abs(run.entropy.value - entropy) < 5 * run.entropy.se
