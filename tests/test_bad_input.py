"""Bad input: one clear error that names argument, value and remedy, before any computing."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest

import dsnlib
from dsnlib import STG, AugmentedLagrangian, EmergentProperty, Linear2D, Parameter, fit

REMEDY = "pass|choose|remove|reshape|drop|swap|shorten"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("c0", 0, "0"), ("c0", -1.0, "-1"), ("c0", float("nan"), "nan"), ("c0", "1", "'1'"),
        ("c0", True, "True"), ("beta", 1.0, "1"), ("gamma", 0.0, "0"), ("gamma", 1.0, "1"),
        ("epochs", 0, "0"), ("epochs", 2.0, "2.0"), ("epochs", "10", "'10'"),
        ("iterations", 0, "0"),
        ("layers", 0, "0"), ("layers", "[64]", "'[64]'"), ("batch", 2, "2"), ("batch", 101, "101"),
        ("batch", None, "None"), ("learning_rate", 0.0, "0"), ("learning_rate", "1e-3", "'1e-3'"),
        ("learning_rate", float("inf"), "inf"), ("flow", "affine", "'affine'"), ("flow", 3, "3"),
        ("precision", "float16", "'float16'"), ("flow", ["planar"], "['planar']"),
        ("c0", 10**400, "1000"), ("c0", 1e40, "1e+40"), ("c0", np.float32(0), "0"),
    ],
)  # fmt: skip
def test_augmented_lagrangian(name, value, shown):
    with pytest.raises((TypeError, ValueError)) as error:
        AugmentedLagrangian(**{name: value})
    message = str(error.value)
    assert message.startswith(name)
    assert shown in message
    assert any(word in message for word in REMEDY.split("|")), message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"T": 0}, "T must be at least 1, got 0; pass"),
        ({"T": 200.0}, "T must be a whole number from 1 on, got 200.0; pass"),
        ({"T": "200"}, r"T must be a whole number .* got '200' \(a string: remove the quotes\)"),
        ({"window": 0}, "window must be at least 1, got 0"),
        ({"T": 10, "window": 11}, "window must be at most T = 10 samples, got 11; shorten"),
        ({"dt": 0}, "dt must be finite and above 0, got 0; pass"),
        ({"dt": "fast"}, "dt must be a number, got 'fast'"),
        ({"g_synB": -5.0}, "g_synB must be finite and at least 0, got -5.0"),
    ],
)
def test_circuit(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        STG(**arguments)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((20, 0), "low of parameter g must be below its high, got low=20, high=0; swap"),
        ((1, 1), "low of parameter g must be below its high"),
        (("0", 20), "low of parameter g must be a number, got '0'"),
        ((0, np.inf), "high of parameter g must be finite, got inf"),
        (
            (0, 20, 30),
            "initial_mean of parameter g must be finite and above 0 and below 20, got 30",
        ),
        ((0, 20, 4, 0), "initial_sd of parameter g must be finite and above 0, got 0"),
    ],
)
def test_parameter(bounds, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Parameter("g", "nS", *bounds)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5], [0.0]), r"sd\[0\] must be finite and above 0, got 0.0; pass"),
        (([0.5], [-0.1]), r"sd\[0\] must be finite and above 0, got -0.1"),
        ((["0.5"], [0.1]), r"mean\[0\] must be a number, got '0.5'"),
        ((0.5, [0.1]), "mean must be a list of numbers, one for each statistic, got 0.5; pass"),
        (("0.5", [0.1]), "mean must be a list of numbers"),
        (([], []), r"mean must hold at least one number, got \[\]"),
        (([0.5, 1.0], [0.1]), "mean and sd must have one entry for each statistic, got 2 and 1"),
    ],
)
def test_property(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        EmergentProperty(*arguments)


@pytest.mark.parametrize(
    ("z", "message"),
    [
        (np.zeros(2), r"z must have shape \(n, 2\) with columns \(g_el, g_synA\), got \(2,\)"),
        (np.zeros((3, 3)), r"z must have shape \(n, 2\) .* got \(3, 3\); reshape"),
        ([[1.0, 21.0]], r"z\[0, 1\] \(g_synA\) must lie in \[0, 20\] nS, got 21.0 \(1 of 1 rows"),
        ([[1.0, 1.0], [-0.5, np.nan]], r"z\[1, 0\] \(g_el\) must lie in \[0, 20\] nS, got -0.5"),
        ([[1.0, np.nan]], r"z\[0, 1\] \(g_synA\) must lie in .* got nan"),
        ([["1", "2"]], "z must hold numbers, got dtype"),
        ([[1.0, 2.0], [3.0]], r"z must be an array of shape \(n, P\), got .*; reshape"),
    ],
)
@pytest.mark.parametrize(
    "method", ["simulate", "voltages", "hub_frequency", "statistics", "statistics_and_jacobian"]
)
def test_conductances(method, z, message):
    with pytest.raises((TypeError, ValueError), match=message):
        getattr(STG(), method)(z)


TARGET = EmergentProperty([0.525], [0.025])


@pytest.mark.parametrize("seed", [-1, 1.5, 1.0, "7", None, 2**32, True])
def test_seed(tmp_path, seed):
    with pytest.raises((TypeError, ValueError), match="seed must be"):
        fit(STG(), TARGET, AugmentedLagrangian(), seed=seed, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("circuit", "prop", "message"),
    [
        (STG(), EmergentProperty([1.5], [0.1]), r"mean of f_hub must lie in \[0, 1\] Hz.* got 1.5"),
        (STG(), EmergentProperty([-0.1], [0.1]), r"mean of f_hub must lie in \[0, 1\] Hz"),
        (Linear2D(), TARGET, r"mean must have one entry for each statistic \(growth, frequency\)"),
    ],
)
def test_property_that_the_circuit_cannot_have(tmp_path, circuit, prop, message):
    with pytest.raises(ValueError, match=message):
        fit(circuit, prop, AugmentedLagrangian(), seed=1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match=r"out must be a folder that can be written, got .*; choose"):
        fit(STG(), TARGET, AugmentedLagrangian(), seed=1, out=tmp_path / "file" / "run")
    with pytest.raises(OSError, match="out must be a folder that can be written"):
        fit(STG(), TARGET, AugmentedLagrangian(), seed=1, out=tmp_path / "file")
    assert (tmp_path / "file").read_text() == "not a folder"


def test_read_only_file_system():
    if not Path("/proc/sys").is_dir():
        pytest.skip("needs Linux's /proc, where not even root may make a folder")
    with pytest.raises(OSError, match="out must be a folder that can be written, got '/proc/"):
        fit(STG(), TARGET, AugmentedLagrangian(), seed=1, out="/proc/sys/run")


@pytest.mark.parametrize("out", [None, "", 3])
def test_folder_that_is_no_path(out):
    with pytest.raises(TypeError, match="out must be the path of a folder"):
        fit(STG(), TARGET, AugmentedLagrangian(), seed=1, out=out)


@dataclasses.dataclass(frozen=True)
class Flat(dsnlib.Circuit):
    """A circuit that forgets the statistics' axis."""

    weights: object = 1.0

    parameters = (Parameter("a", "1", 0, 1),)
    observables = (dsnlib.Statistic("a", "1"),)

    def evaluate(self, z):
        return z[:, 0]


class Undeclared(Linear2D.__base__):
    """A circuit that is no dataclass."""

    parameters, observables = Linear2D.parameters, Linear2D.observables

    def evaluate(self, z):
        return z[:, :2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((STG, TARGET, AugmentedLagrangian()), "circuit must be a dsnlib.Circuit, got <class"),
        (
            (STG(), ([0.525], [0.025]), AugmentedLagrangian()),
            r"prop must be a dsnlib.EmergentProperty, got \(",
        ),
        (
            (STG(), TARGET, {"c0": 1}),
            r"method must be a dsnlib.Method, got {'c0': 1}; pass an instance",
        ),
        (
            (Flat(), TARGET, AugmentedLagrangian()),
            r"evaluate must return shape \(n, 1\) .* got \(2,\)",
        ),
        (
            (Undeclared(), EmergentProperty([0, 1], [1, 1]), AugmentedLagrangian()),
            "must be a frozen dataclass",
        ),
    ],
)
def test_arguments_of_fit(tmp_path, arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        fit(*arguments, seed=1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("weights", [{"a": 1.0}, {1.0}, np.array([object()])])
def test_circuit_with_fields_that_cannot_be_recorded(tmp_path, weights):
    with pytest.raises(TypeError, match="circuit must be a frozen dataclass of numbers, strings"):
        Flat(weights).configuration()


def test_log_prob_of_a_wrong_shape():
    weights = dsnlib.flows.initial_weights(jax.random.key(0), "planar", 2, 2)
    q = dsnlib.flows.density_network(weights, "planar", [0, 0], [1, 1])
    for shape in [(3, 1), (3, 3), (3,)]:
        with pytest.raises(ValueError, match=r"value must have shape \(\.\.\., 2\), got"):
            q.log_prob(np.full(shape, 0.5))
    assert q.log_prob([[0.5, 0.5]]).shape == (1,)
    assert q.log_prob(np.zeros((0, 2))).shape == (0,)


def test_run_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="path must be the folder of a complete run"):
        dsnlib.load_run(tmp_path / "nothing")
