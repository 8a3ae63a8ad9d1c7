"""Simulators outside JAX, against direct calls of the same NumPy code."""

import dataclasses
import math
import re
import subprocess
import sys
from typing import ClassVar

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import strategies as st

import dsnlib
from dsnlib import (
    SMC,
    Circuit,
    EmergentProperty,
    ExternalCircuit,
    ExternalStochasticCircuit,
    Parameter,
    Statistic,
)
from dsnlib._xla import numerics
from dsnlib.circuits.differentiation import in_blocks
from dsnlib.maxent.grid import statistics_grid
from dsnlib.methods import smc
from dsnlib.runs.identity import program
from dsnlib.runs.probing import probe

BOX = (Parameter("g", "nS", -2, 2), Parameter("h", "1", 0, 1))
TWO = (Statistic("sum", "1"), Statistic("wave", "Hz"))
ONE = (Statistic("sum", "1"),)


@dataclasses.dataclass(frozen=True)
class Rows(ExternalCircuit):
    """Two statistics, by Python's own functions; fails where h is above a limit."""

    limit: float = 2.0
    how: str = "raise"

    parameters: ClassVar = BOX
    observables: ClassVar = TWO

    def simulate(self, z):
        assert z.dtype == np.float64
        assert z.shape == (2,)
        g, h = float(z[0]), float(z[1])
        z[:] = np.nan  # its own array: nothing else sees this
        if h > self.limit:
            if self.how == "raise":
                raise RuntimeError("no steady state")
            return [g + h, math.nan if self.how == "nan" else 1e300]
        return [g + h, math.sin(3 * g) * h]


@dataclasses.dataclass(frozen=True)
class Batches(Rows):
    """The same, vectorised; one row above the limit stops the whole batch."""

    def simulate_batch(self, z):
        assert z.dtype == np.float64
        assert len(z) <= self.most_rows
        g, h = z.T.copy()
        z[:] = np.nan
        if (h > self.limit).any() and self.how == "raise":
            raise RuntimeError("no steady state")
        wave = np.sin(3 * g) * h
        bad = math.nan if self.how == "nan" else math.inf
        return np.stack([g + h, np.where(h > self.limit, bad, wave)], axis=1)


@dataclasses.dataclass(frozen=True)
class NoisyRows(ExternalStochasticCircuit):
    """Drive and a parameter times what noise there is."""

    parameters: ClassVar = BOX
    observables: ClassVar = TWO

    def simulate(self, z, rng):
        return [z[0] + rng.normal(), z[1] * rng.exponential()]


@dataclasses.dataclass(frozen=True)
class NoisyBatches(NoisyRows):
    """The same, all rows together."""

    def simulate_batch(self, z, rng):
        shift, scale = rng.normal(), rng.exponential()
        return np.stack([z[:, 0] + shift, z[:, 1] * scale], axis=1)


def draws(n, seed=0):
    low, high = Rows().bounds.T
    return (low + (high - low) * np.random.default_rng(seed).random((n, 2))).astype(np.float32)


def expected(z, limit=2.0, how="raise"):
    g, h = np.asarray(z, float).T
    values = np.stack([g + h, np.sin(3 * g) * h], axis=1)
    values[h > limit, 0 if how == "raise" else 1 :] = np.nan
    return values


def noisy(z, trials, noise):
    """(trials, n, 2) outcomes, from second copies of the trials' random numbers."""
    z, outcomes = np.asarray(z, float), []
    for k in range(trials):
        rng = np.random.default_rng([noise, k])
        shift = rng.normal()
        outcomes.append(np.stack([z[:, 0] + shift, z[:, 1] * rng.exponential()], axis=1))
    return np.array(outcomes)


rows = st.lists(
    st.tuples(st.floats(-2, 2, width=32), st.floats(0, 1, width=32)), min_size=1, max_size=300
)


@pytest.mark.parametrize("cls", [Rows, Batches])
@pytest.mark.parametrize("how", ["raise", "nan", "huge"])
@hypothesis.settings(max_examples=15, deadline=None)
@hypothesis.given(z=rows, limit=st.floats(0, 1))
def test_statistics_are_those_of_direct_calls_and_nan_where_these_fail(cls, how, z, limit):
    circuit = cls(limit=limit, how=how)
    found = np.asarray(circuit.statistics(z))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected(z, limit, how), rtol=1e-6, atol=1e-6)
    assert [circuit.failure_at(row) is None for row in z[:20]] == list(~np.isnan(found[:20, 1]))


@pytest.mark.parametrize("cls", [Rows, Batches])
def test_within_jax_it_is_the_same(cls):
    circuit, z = cls(limit=0.9), draws(2_100)
    direct = np.asarray(circuit.statistics(z))
    assert 100 < np.isnan(direct[:, 0]).sum() < 400
    np.testing.assert_allclose(direct, expected(z, 0.9), rtol=1e-6, atol=1e-6)
    for within in (
        jax.jit(circuit.evaluate),
        lambda z: in_blocks(circuit.evaluate, z),
        jax.jit(circuit.statistics),
        lambda z: jax.lax.map(circuit.evaluate, z.reshape(3, 700, 2)).reshape(-1, 2),
        lambda z: jax.vmap(circuit.evaluate)(z.reshape(3, 700, 2)).reshape(-1, 2),
    ):
        np.testing.assert_array_equal(within(jnp.asarray(z)), direct)
    assert circuit.statistics(np.zeros((0, 2))).shape == (0, 2)
    assert jax.eval_shape(circuit.evaluate, jnp.asarray(z)).shape == (2_100, 2)
    circuit.check_evaluate()


def test_double_precision_is_taken_and_given(x64):
    z = draws(5).astype(float) + 1e-12
    found = Rows().statistics(z)
    assert found.dtype == jax.jit(Rows().evaluate)(jnp.asarray(z)).dtype == np.float64
    np.testing.assert_allclose(found, expected(z), rtol=1e-6, atol=1e-6)


def test_one_statistic_may_be_a_float_and_a_batch_of_it_flat():
    @dataclasses.dataclass(frozen=True)
    class Plain(ExternalCircuit):
        parameters = BOX
        observables = ONE

        def simulate(self, z):
            return z[0] + z[1]

    @dataclasses.dataclass(frozen=True)
    class Flat(Plain):
        def simulate_batch(self, z):
            return z.sum(axis=1)

    z = draws(300)
    for circuit in (Plain(), Flat()):
        np.testing.assert_allclose(circuit.statistics(z)[:, 0], expected(z)[:, 0], rtol=1e-6)
    np.testing.assert_allclose(Plain().simulate_batch(z)[:, 0], expected(z)[:, 0], rtol=1e-6)


def test_only_the_rows_that_stop_a_batch_fail():
    z = draws(125)
    z[:, 1] = np.where(np.isin(np.arange(125), [7, 99]), 0.95, z[:, 1] * 0.5)
    found = np.asarray(Batches(limit=0.9).statistics(z))
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(found).any(axis=1)), [7, 99])
    np.testing.assert_allclose(found, expected(z, 0.9), rtol=1e-6, atol=1e-6)


def test_failures_say_why_and_where():
    assert Rows().failure_at([0.5, 0.5]) is None
    why = {"raise": "RuntimeError: no steady state", "nan": "returned nan for wave"}
    for how, text in why.items():
        for cls in (Rows, Batches):
            found = cls(limit=0.9, how=how).failure_at([-1.5, 0.96875])
            assert found == f"{text} at g=-1.5, h=0.96875"
    assert "returned 1e+300 for wave" in Rows(limit=0.9, how="huge").failure_at([0, 1])
    with pytest.raises(ValueError, match=r"z\[0, 1\] \(h\) must lie in \[0, 1\]"):
        Rows().failure_at([0, 2])


@pytest.mark.parametrize("settings", ["raise", "warn"])
def test_numpys_settings_in_this_process_change_nothing(settings):
    @dataclasses.dataclass(frozen=True)
    class Overflowing(ExternalCircuit):
        parameters = BOX
        observables = ONE

        def simulate(self, z):
            return 1 / np.exp(np.float64(1e4) * (1 + abs(z[0])))

    with np.errstate(all=settings):
        assert Overflowing().statistics([[0.5, 0.5]])[0, 0] == 0


@pytest.mark.parametrize("cls", [NoisyRows, NoisyBatches])
@hypothesis.settings(max_examples=10, deadline=None)
@hypothesis.given(z=rows, trials=st.integers(1, 7), noise=st.integers(0, 2**40))
def test_trials_meet_the_documented_random_numbers(cls, z, trials, noise):
    z = z[:40]
    found = cls(trials=trials, noise=noise).statistics(z)
    expected = noisy(np.float32(z), trials, noise).mean(axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("base", [NoisyRows, NoisyBatches])
def test_single_trials_give_means_and_then_variances(base):
    @dataclasses.dataclass(frozen=True)
    class Single(base):
        single_trials = True

    z = draws(130)
    outcomes = noisy(z, 6, 3)
    expected = np.concatenate([outcomes.mean(axis=0), outcomes.var(axis=0)], axis=1)
    circuit = Single(trials=6, noise=3)
    np.testing.assert_allclose(circuit.statistics(z), expected, rtol=1e-5, atol=1e-6)
    found = jax.jit(circuit.evaluate)(z)
    np.testing.assert_array_equal(found, circuit.statistics(z))
    assert not dsnlib.StochasticCircuit.single_trials
    assert not base.single_trials


def test_a_trial_that_fails_makes_its_row_fail():
    @dataclasses.dataclass(frozen=True)
    class Sometimes(NoisyRows):
        def simulate(self, z, rng):
            if rng.random() > 0.9 and z[1] > 0.5:
                raise ArithmeticError("unstable")
            return z

    circuit, z = Sometimes(trials=30), draws(40)
    lucky = [np.random.default_rng([0, k]).random() for k in range(30)]
    assert max(lucky) > 0.9
    np.testing.assert_array_equal(np.isnan(circuit.statistics(z)[:, 0]), z[:, 1] > 0.5)
    assert "ArithmeticError: unstable at g=0, h=0.75" in circuit.failure_at([0, 0.75])


def test_the_default_batch_gives_each_row_the_same_random_numbers():
    rng = np.random.default_rng([4, 0])
    found = NoisyRows().simulate_batch(draws(5).astype(float), rng)
    np.testing.assert_allclose(found, noisy(draws(5), 1, 4)[0], rtol=1e-12)
    with pytest.raises(NotImplementedError, match="NoisyRows simulates outside JAX"):
        NoisyRows().trial(jnp.zeros(2), jax.random.key(0))


SCRIPT = """
import dataclasses, sys
import numpy as np
import dsnlib
from dsnlib import Parameter, Statistic

class Both:
    parameters = (Parameter("g", "nS", -2, 2), Parameter("h", "1", 0, 1))
    observables = (Statistic("a", "1"), Statistic("b", "1"))

@dataclasses.dataclass(frozen=True)
class Rows(Both, dsnlib.ExternalCircuit):
    def simulate(self, z):
        if z[1] > 0.9:
            raise RuntimeError("no steady state")
        return WEIGHTS @ np.tanh(z)

@dataclasses.dataclass(frozen=True)
class Batches(Both, dsnlib.ExternalCircuit):
    def simulate_batch(self, z):
        return np.tanh(z) @ WEIGHTS.T

@dataclasses.dataclass(frozen=True)
class Noisy(Both, dsnlib.ExternalStochasticCircuit):
    def simulate(self, z, rng):
        return z + rng.normal(size=2)

@dataclasses.dataclass(frozen=True)
class Wrong(Both, dsnlib.ExternalCircuit):
    def simulate(self, z):
        return [1.0, 2.0, 3.0]

@dataclasses.dataclass(frozen=True)
class Where(Both, dsnlib.ExternalCircuit):
    def simulate(self, z):
        return [os.getpid(), signal.getsignal(signal.SIGINT) == signal.SIG_IGN]

if __name__ == "__main__":
    import os, signal
    import jax
    WEIGHTS = np.random.default_rng(1).normal(size=(2, 2))
    z = np.random.default_rng(0).random((301, 2))
    for circuit in (Rows(), Batches(), Noisy(trials=5)):
        spread = dataclasses.replace(circuit, processes=2)
        assert spread.configuration() == circuit.configuration()
        one, two = (np.asarray(each.statistics(z)) for each in (circuit, spread))
        assert one.tobytes() == two.tobytes()
        within = np.asarray(jax.jit(spread.evaluate)(np.float32(z)))
        assert one.tobytes() == within.tobytes()
    assert np.isnan(np.asarray(Rows(processes=2).statistics(z))).any()
    found = np.asarray(Where(processes=2).statistics(z))
    assert os.getpid() not in found[:, 0] and found[:, 1].all()
    try:
        Wrong(processes=2).statistics(z)
    except ValueError as error:
        assert "Wrong.simulate must return shape (2,)" in str(error)
        print("as expected", flush=True)
        os._exit(0)  # as if it were killed
"""


def test_two_processes_give_the_same_bits_for_classes_of_a_script(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    # The pipes are open until the last worker has ended; an idle one would stay for five minutes.
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.stdout == "as expected\n", done.stderr


def test_ctrl_c_gets_through():
    @dataclasses.dataclass(frozen=True)
    class Interrupted(Rows):
        def simulate(self, z):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Interrupted().statistics(draws(3))
    with pytest.raises(KeyboardInterrupt):
        Interrupted().failure_at([0, 0])


def variant(base, **members):
    """A circuit that is called as its base, but has other members."""
    cls = dataclasses.make_dataclass(
        base.__name__, [], bases=(base,), frozen=True, namespace=members
    )
    return cls()


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ([1.0], r"got \[1\.0\] \(shape \(1,\)\)"),
        (1.0, r"got 1\.0 \(shape \(\)\)"),
        ([1.0, 2.0, 3.0], r"got \[1\.0, 2\.0, 3\.0\] \(shape \(3,\)\)"),
        ([1.0, 2.0j], "complex numbers"),
        ("nothing", "got 'nothing'"),
        ([[1.0], [1.0, 2.0]], "inhomogeneous"),
    ],
)
def test_a_wrong_return_is_an_error(returned, told):
    wrong = variant(Rows, simulate=lambda self, z: returned)
    told = rf"Rows\.simulate must return shape \(2,\), a number for each of \(sum, wave\).*{told}"
    with pytest.raises(ValueError, match=told):
        wrong.statistics(draws(3))
    with pytest.raises(ValueError, match=told):
        probe(wrong, "float32")
    with pytest.raises(jax.errors.JaxRuntimeError, match=told):
        jax.jit(wrong.evaluate)(draws(3))


def test_a_wrong_batch_is_an_error():
    wrong = variant(Rows, simulate_batch=lambda self, z: np.zeros((2, len(z))))
    with pytest.raises(ValueError, match=r"simulate_batch must return shape \(32, 2\).*\(2, 32\)"):
        probe(wrong, "float32")


def test_none_is_a_failure():
    silent = variant(Rows, simulate=lambda self, z: None)
    assert silent.failure_at([0, 0]) == "returned None at g=0, h=0"
    assert np.isnan(silent.statistics(draws(3))).all()


def test_fields_are_checked():
    with pytest.raises(ValueError, match="processes must be at least 1, got 0"):
        Rows(processes=0)
    with pytest.raises(TypeError, match=r"processes must be a whole number from 1 on, got 1\.5"):
        NoisyRows(processes=1.5)
    with pytest.raises(ValueError, match="trials must be at least 1, got 0"):
        NoisyRows(trials=0)
    for base in (ExternalCircuit, ExternalStochasticCircuit):
        cls = dataclasses.make_dataclass(
            "Empty",
            [],
            bases=(base,),
            frozen=True,
            namespace={"parameters": BOX, "observables": TWO},
        )
        with pytest.raises(TypeError, match="must define simulate or simulate_batch, got Empty"):
            cls()


def test_processes_are_not_part_of_the_identity():
    assert NoisyRows(trials=3, processes=2).configuration() == {
        "name": "NoisyRows",
        "trials": 3,
        "noise": 0,
    }


def test_an_edited_simulator_has_another_identity():
    first = program(Rows(), "float32")
    assert program(variant(Rows), "float32") == first
    np.testing.assert_allclose(
        first["probes"],
        expected([-2, 0] + np.array([4, 1]) * np.random.default_rng(0).random((4, 2))),
        rtol=1e-6,
        atol=1e-6,
    )
    edited = variant(Rows, simulate=lambda self, z: [z[0] + z[1], math.sin(3.1 * z[0]) * z[1]])
    other = program(edited, "float32")
    assert other["sha256"] == first["sha256"]
    assert other["probes"] != first["probes"]


def test_an_edited_simulator_has_another_grid():
    def kept(circuit):
        return statistics_grid(circuit, 5).values[..., 0]

    np.testing.assert_array_equal(kept(variant(Rows)), kept(Rows()))
    edited = variant(Rows, simulate=lambda self, z: [2 * (z[0] + z[1]), 0.0])
    np.testing.assert_allclose(kept(edited), 2 * kept(Rows()), rtol=1e-6, atol=1e-6)
    assert np.isnan(kept(Rows(limit=0.8))).any()


@pytest.mark.filterwarnings("ignore:the run in")
def test_a_run_counts_failures_and_goes_on(tmp_path, monkeypatch):
    calls = {"all": 0, "failed": 0}

    @dataclasses.dataclass(frozen=True)
    class Counting(ExternalCircuit):
        parameters = BOX
        observables = ONE

        def simulate(self, z):
            calls["all"] += 1
            if z[1] > 0.5:
                calls["failed"] += 1
                if z[0] > 0:
                    raise RuntimeError("no steady state")
                return math.nan
            return z[0] + z[1]

    first_state = smc.method.first_state

    def begin(*args):
        calls.update(all=0, failed=0)  # from here on the run counts too
        return first_state(*args)

    monkeypatch.setattr(smc.method, "first_state", begin)
    prop = EmergentProperty([0.5], [0.2])
    run = dsnlib.fit(Counting(), prop, SMC(particles=200), seed=1, out=tmp_path / "run")
    looked_at = 33  # in the end, for an example of a failure
    assert 0 <= calls["all"] - int(run.data.simulations.sum()) <= looked_at
    assert 0 <= calls["failed"] - int(run.data.failed.sum()) <= looked_at < calls["failed"]
    assert re.search(r"no steady state|returned nan for sum", run.verdict)
    assert (run.samples.h <= 0.5).all()
    # Five standard errors, were only 200 of the 800 samples independent.
    assert abs(float(run.samples["sum"].mean()) - 0.5) < 5 * 0.2 / 200**0.5


def test_noise_from_elsewhere_is_found():
    rng = np.random.default_rng()
    changing = variant(Rows, simulate=lambda self, z: [z[0], z[1] + 0.01 * rng.normal()])
    with pytest.raises(
        ValueError, match=r"got wave = .* and .* at g=.*inherits from dsnlib.StochasticCircuit or"
    ):
        probe(changing, "float32")


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_noise_that_depends_on_the_position_is_found(precision):
    def by_position(self, z, rng):
        return z + rng.normal(size=z.shape)

    @dataclasses.dataclass(frozen=True)
    class InJax(Circuit):
        parameters: ClassVar = BOX
        observables: ClassVar = TWO

        def evaluate(self, z):
            return z + jax.random.normal(jax.random.key(0), z.shape)

    for circuit in (variant(NoisyRows, simulate_batch=by_position), InJax()):
        with pytest.raises(ValueError, match="same statistics whenever and wherever"):
            probe(circuit, precision)


def test_common_random_numbers_and_failing_rows_pass():
    for circuit in (
        *(cls(trials=3) for cls in (NoisyRows, NoisyBatches)),
        *(cls(limit=0.5, how=how) for cls in (Rows, Batches) for how in ("raise", "nan")),
        dsnlib.Linear2D(),
    ):
        for precision in ("float32", "float64"):
            probe(circuit, precision)


def test_where_nothing_works_an_example_says_why():
    with pytest.raises(
        ValueError,
        match=r"332 failures in 332 simulations.*RuntimeError: no steady state at g=0\.5478\d*, h=",
    ):
        probe(Rows(limit=-1), "float32")


@pytest.mark.parametrize(
    "evaluate",
    [
        lambda self, z: np.sin(np.asarray(z)),
        lambda self, z: jnp.array([math.sin(z[0, 0])]),
        lambda self, z: z if z[0, 0] > 0 else -z,
        lambda self, z: z[z[:, 0] > 0],
        lambda self, z: z[: int(z[0, 0])],
    ],
)
def test_numpy_in_evaluate_is_named(evaluate):
    @dataclasses.dataclass(frozen=True)
    class Mine(Circuit):
        parameters: ClassVar = BOX
        observables: ClassVar = TWO

    Mine.evaluate = evaluate
    Mine.__abstractmethods__ = frozenset()
    with numerics("float32"), pytest.raises(ValueError, match="must be traceable") as caught:
        Mine().check_evaluate()
    assert re.fullmatch(
        r"circuit\.evaluate must be traceable by JAX, got Mine whose evaluate .*; use jax\.numpy, "
        r"or inherit from dsnlib\.ExternalCircuit and define `simulate`, which takes NumPy",
        str(caught.value),
    )


def test_other_errors_of_evaluate_come_through():
    @dataclasses.dataclass(frozen=True)
    class Mine(Circuit):
        parameters: ClassVar = BOX
        observables: ClassVar = TWO

        def evaluate(self, z):
            return z @ jnp.zeros((3, 2))

    with pytest.raises(TypeError, match="dot_general"):
        Mine().check_evaluate()


def test_gradients_are_refused():
    prop = EmergentProperty([0, 0], [1, 1])
    with pytest.raises(ValueError, match="moves must be 'ensemble'"):
        SMC(moves="gradient").check(Rows(), prop)
