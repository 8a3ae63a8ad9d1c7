"""Whose run is in the folder? What a run is asked for and what its circuit computes decide."""

import dataclasses
import os
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from children import PROPERTY, SEED, SMALL, Product, fit, train
from dsnlib import AugmentedLagrangian, Circuit, Parameter, Statistic
from dsnlib.runs import folder as runs_folder
from dsnlib.runs.identity import program

SCORE = AugmentedLagrangian(epochs=1, iterations=100, batch=40, layers=2, gradient="score")


def variant(**members):
    """A circuit that is called Product and has the same constants, but other members."""
    return dataclasses.make_dataclass(
        "Product", [], bases=(Product,), frozen=True, namespace=members
    )()


def other_bounds(high):
    return variant(parameters=(Parameter("a", "1", -1, high), Parameter("b", "1", -1, 1)))


def test_same_name_other_bounds_is_another_run(undisturbed):
    same = fit(other_bounds(1), PROPERTY, SMALL, seed=SEED, out=undisturbed[0])
    assert same.data.identical(undisturbed[1].data)
    with pytest.raises(ValueError, match=r"out must be a new folder.*parameters: .*2\.0"):
        fit(other_bounds(2), PROPERTY, SMALL, seed=SEED, out=undisturbed[0])


@pytest.mark.parametrize("kind", ["complete", "in progress"])
def test_a_circuit_that_was_edited_is_another_run(undisturbed, stopped, kind):
    folder = {"complete": undisturbed[0], "in progress": stopped}[kind]
    edited = variant(evaluate=lambda self, z: (jnp.sin(2 * z[:, 0]) * z[:, 1])[:, None])
    assert edited.configuration() == Product().configuration()
    with pytest.raises(ValueError, match=r"out must be a new folder.*evaluate: another program"):
        fit(edited, PROPERTY, SMALL, seed=SEED, out=folder)


def test_a_circuit_whose_constants_differ_by_rounding_is_the_same(undisturbed):
    """As they do on another machine: the filter bank of STG comes from LAPACK."""

    def evaluate(self, z):
        return (jnp.float32(1 + 2**-23) * Product.evaluate(self, z).astype(jnp.float32)).astype(
            z.dtype
        )

    folder, run = undisturbed
    rounded = variant(evaluate=evaluate)
    assert program(rounded, "float32") != program(Product(), "float32")
    assert fit(rounded, PROPERTY, SMALL, seed=SEED, out=folder).data.identical(run.data)
    off = variant(evaluate=lambda self, z: Product.evaluate(self, z) + 0.02)
    with pytest.raises(ValueError, match="evaluate: another program"):
        fit(off, PROPERTY, SMALL, seed=SEED, out=folder)


def test_programs_of_other_versions_of_jax_are_not_compared(undisturbed, monkeypatch):
    """Each version words them in its own way, so a difference says nothing."""
    identity = runs_folder.identity

    def of_another_version(problem):
        found = identity(problem)
        return {**found, "program": {**found["program"], "jax": "9.9", "sha256": "0" * 64}}

    monkeypatch.setattr(runs_folder, "identity", of_another_version)
    assert train(undisturbed[0]).data.identical(undisturbed[1].data)


class Simulator:
    """Code outside JAX, whose source no compiled program tells."""

    gain = 1.0
    folder = None  # to which it changes

    def __call__(self, z):
        if self.folder:
            os.chdir(self.folder)
        return (self.gain * (np.sin(2 * z[:, 0]) * z[:, 1] + z[:, 0]))[:, None]


SIMULATOR = Simulator()


@dataclasses.dataclass(frozen=True)
class Outside(Circuit):
    """`Product`, computed by NumPy."""

    parameters: ClassVar = Product.parameters
    observables: ClassVar = (Statistic("product", "1"),)

    def evaluate(self, z):
        shape = jax.ShapeDtypeStruct((len(z), 1), z.dtype)
        return jax.pure_callback(lambda z: SIMULATOR(np.asarray(z)).astype(z.dtype), shape, z)


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """Folder of a run whose simulator changed the working directory, and the run.

    The folder was given relative to where it began.
    """
    begun, elsewhere = tmp_path_factory.mktemp("begun"), tmp_path_factory.mktemp("elsewhere")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(begun)
        patch.setattr(SIMULATOR, "folder", elsewhere)
        run = fit(Outside(), PROPERTY, SCORE, seed=1, out="runs/mine")
        assert os.getcwd() == str(elsewhere)
    assert os.listdir(elsewhere) == []
    return begun / "runs" / "mine", run


def test_a_simulator_outside_jax_trains_by_its_score(outside):
    folder, run = outside
    assert os.listdir(folder) == ["run.nc"]
    z = run.data.z[-1].values
    np.testing.assert_allclose(
        run.data.moments[-1, :, 0], np.sin(2 * z[:, 0]) * z[:, 1] + z[:, 0], rtol=1e-5, atol=1e-6
    )
    assert fit(Outside(), PROPERTY, SCORE, seed=1, out=folder).data.identical(run.data)


def test_a_simulator_outside_jax_that_was_edited_is_another_run(outside, monkeypatch):
    monkeypatch.setattr(SIMULATOR, "gain", 1.1)
    with pytest.raises(ValueError, match="evaluate: other statistics there, the simulator was"):
        fit(Outside(), PROPERTY, SCORE, seed=1, out=outside[0])


def test_a_simulator_outside_jax_has_no_pathwise_gradient(tmp_path, monkeypatch):
    def simulate(self, z):
        raise AssertionError("it was to be refused before anything is computed")

    monkeypatch.setattr(Simulator, "__call__", simulate)
    pathwise = dataclasses.replace(SCORE, gradient="pathwise")
    with pytest.raises(ValueError, match=r"gradient must be 'score' .* got 'pathwise'.*; pass"):
        fit(Outside(), PROPERTY, pathwise, seed=1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
