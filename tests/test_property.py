"""Properties of every kind, conditions, scales and fixed parameters, against quadrature."""

import dataclasses
import itertools
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, stats

import dsnlib
from dsnlib import (
    SMC,
    STG,
    AugmentedLagrangian,
    Circuit,
    EmergentProperty,
    Linear2D,
    Parameter,
    Statistic,
    StochasticCircuit,
    Uniform,
    exact_maxent,
    fit,
    load_run,
)
from dsnlib.maxent.feasibility import PropertyError

KINDS = {
    "moments": {"mean": 3.0, "sd": 1.5},
    "mean": {"mean": 4.0},
    "interval": {"within": (5.0, 7.0)},
    "recorded": {},
}
DRAWS = 200_000


@dataclasses.dataclass(frozen=True)
class Pair(Circuit):
    """Two parameters that are their own statistics."""

    parameters: ClassVar = (Parameter("a", "mV", 0, 10), Parameter("b", "nS", 0, 10))
    observables: ClassVar = (Statistic("a", "mV"), Statistic("b", "nS"))

    def evaluate(self, z: jax.Array) -> jax.Array:
        return z


@dataclasses.dataclass(frozen=True)
class Ordered(Pair):
    """The same, where the first is below the second."""

    def allowed(self, z: jax.Array) -> jax.Array:
        return z[:, 0] < z[:, 1]


@dataclasses.dataclass(frozen=True)
class Undefined(Pair):
    """The same, whose second statistic is undefined where the first is above 1."""

    def evaluate(self, z: jax.Array) -> jax.Array:
        return jnp.stack([z[:, 0], jnp.where(z[:, 0] > 1, jnp.nan, z[:, 1])], axis=1)


@dataclasses.dataclass(frozen=True)
class Decades(Circuit):
    """A parameter over six orders of magnitude, and one over ten."""

    parameters: ClassVar = (
        Parameter("g", "uS", 1e-3, 1e3, scale="log"),
        Parameter("b", "mV", -5, 5),
    )
    observables: ClassVar = (Statistic("decade", "1"), Statistic("b", "mV"))

    def evaluate(self, z: jax.Array) -> jax.Array:
        return jnp.stack([jnp.log10(z[:, 0]), z[:, 1]], axis=1)


@dataclasses.dataclass(frozen=True)
class Noisy(StochasticCircuit):
    """A parameter with noise on top, of sd 1."""

    single_trials: ClassVar[bool] = True
    parameters: ClassVar = (Parameter("a", "Hz", 0, 10),)
    observables: ClassVar = (Statistic("rate", "Hz"),)

    def trial(self, z: jax.Array, key: jax.Array) -> jax.Array:
        return z + jax.random.normal(key)


def quadrature(kind, weight=lambda a: np.ones_like(a), low=0.0, high=10.0, cells=200_000):
    """Midpoints, probabilities of their cells, and the entropy of the answer in one dimension.

    Maximum entropy relative to a weight, solved by SciPy.
    """
    a = low + (np.arange(cells) + 0.5) / cells * (high - low)
    width, w = (high - low) / cells, weight(a)
    inside = np.ones_like(a)
    features = np.zeros((0, cells))
    if "within" in kind:
        inside = (a >= kind["within"][0]) & (a <= kind["within"][1])
    elif "mean" in kind:
        x = a - kind["mean"]
        features = np.stack([x] if "sd" not in kind else [x, x**2 - kind["sd"] ** 2])

    def log_z(theta):
        return np.log((inside * w * np.exp(theta @ features)).sum() * width)

    theta = np.zeros(len(features))
    if len(theta):
        theta = optimize.minimize(log_z, theta, method="BFGS", options={"gtol": 1e-9}).x
    p = inside * w * np.exp(theta @ features)
    p /= p.sum()
    held = p > 0
    return a, p, float(-(p[held] * np.log(p[held] / width)).sum())


def as_property(*kinds):
    columns = [[kind.get(name) for kind in kinds] for name in ("mean", "sd", "within")]
    return EmergentProperty(*columns)


def student(run):
    """Quantile of the error of a mean over islands, at which one test in a thousand fails."""
    return stats.t(run.data.sizes["island"] - 1).ppf(0.9995)


def check_answer(run, kinds, **more):
    """Entropy, moments and marginals of a run of `Pair` are those of quadrature."""
    expected = 0.0
    for name, kind in zip("ab", kinds, strict=True):
        a, p, entropy = quadrature(kind, **more)
        expected += entropy
        values = run.samples[name].values
        mean = (p * a).sum()
        sd = np.sqrt((p * (a - mean) ** 2).sum())
        effective = 0.5 * values.size  # SMC's samples are worth about that, the rest is margin
        assert abs(values.mean() - mean) < 4 * sd / np.sqrt(effective)
        cdf = np.cumsum(p)
        distance = stats.kstest(values.ravel(), lambda x, a=a, c=cdf: np.interp(x, a, c)).statistic
        assert distance < stats.kstwobign.ppf(0.9999) / np.sqrt(effective)
    # An error of 0 is a frozen island's: where nothing is estimated, quadrature's rounding is left.
    assert abs(run.entropy.value - expected) < student(run) * run.entropy.se + 1e-6


TWO = [pair for pair in itertools.product(KINDS, KINDS) if pair != ("recorded", "recorded")]


@pytest.mark.parametrize("names", TWO, ids=lambda names: " and ".join(names))
def test_every_combination_by_uniform_draws(tmp_path, names):
    kinds = [KINDS[name] for name in names]
    run = fit(Pair(), as_property(*kinds), Uniform(samples=DRAWS), seed=1, out=tmp_path / "run")
    check_answer(run, kinds)
    assert run.trusted, run.diagnostics


@pytest.mark.parametrize("names", [("moments", "interval"), ("mean", "recorded")])
def test_combinations_by_smc(tmp_path, names):
    kinds = [KINDS[name] for name in names]
    method = SMC(particles=2_000)
    run = fit(Pair(), as_property(*kinds), method, seed=1, out=tmp_path / "run")
    check_answer(run, kinds)
    assert run.trusted, run.diagnostics
    again = load_run(tmp_path / "run")
    assert again.prop == run.prop
    np.testing.assert_array_equal(again.diagnostics.value, run.diagnostics.value)
    assert "uniform draws" in again.verdict


def test_interval_by_smc_in_turn_is_rare(tmp_path):
    """A share of 1e-4 of the box, which is annealed through the distance from it."""
    prop = EmergentProperty([None, None], within=[(2, 2.1), (6, 6.1)])
    run = fit(Pair(), prop, SMC(particles=2_000, order="in turn"), seed=1, out=tmp_path / "run")
    assert run.entropy.value == pytest.approx(2 * np.log(0.1), abs=student(run) * run.entropy.se)
    assert run.entropy.se < 0.1
    for name, low in (("a", 2), ("b", 6)):
        values = run.samples[name].values
        assert ((values >= low) & (values <= low + 0.1)).all()
    assert (run.data.eta == 0).all()


@pytest.mark.parametrize("method", [Uniform(samples=DRAWS), SMC(particles=2_000)])
def test_condition_between_parameters(tmp_path, method):
    run = fit(Ordered(), EmergentProperty([3.0, None]), method, seed=2, out=tmp_path / "run")
    a, p, _ = quadrature({"mean": 3.0}, weight=lambda a: 10 - a)
    values = run.samples["a"].values
    assert (run.samples["a"] < run.samples["b"]).all()
    distance = stats.kstest(values.ravel(), lambda x: np.interp(x, a, np.cumsum(p))).statistic
    assert distance < stats.kstwobign.ppf(0.9999) / np.sqrt(values.size / 2)
    # H(a) + E[log(10 - a)], b being uniform above a
    held = p > 0
    inner = -(p[held] * np.log(p[held] / (10 / len(a)))).sum() + (p * np.log(10 - a)).sum()
    assert run.entropy.value == pytest.approx(inner, abs=student(run) * run.entropy.se)
    assert run.data.failed.sum() == 0  # what is not allowed has not failed
    assert np.isneginf(run.log_prob([[5.0, 4.0]])).all()
    assert np.isfinite(run.log_prob([[4.0, 5.0]])).all()


def test_statistic_that_is_hardly_ever_defined(tmp_path):
    """As a target it leaves a tenth of the box; recorded only it changes nothing."""
    targeted = EmergentProperty([None, 4.0])
    run = fit(Undefined(), targeted, SMC(particles=2_000), seed=3, out=tmp_path / "one")
    _, _, entropy = quadrature({"mean": 4.0})
    assert run.entropy.value == pytest.approx(
        entropy + np.log(1), abs=student(run) * run.entropy.se
    )
    assert (run.samples["a"] < 1).all()
    recorded = EmergentProperty([4.0, None])
    run = fit(Undefined(), recorded, Uniform(samples=DRAWS), seed=3, out=tmp_path / "two")
    _, _, entropy = quadrature({"mean": 4.0})
    assert run.entropy.value == pytest.approx(
        entropy + np.log(10), abs=student(run) * run.entropy.se
    )
    assert run.data.failed.sum() == 0
    assert np.isnan(run.samples["b"].mean(skipna=False))


def test_logarithmic_scale(tmp_path):
    """The entropy is that of ln g, so that of the decade and ln ln 10."""
    prop = EmergentProperty([1.0, None], [0.3, None], [None, (-1, 1)])
    run = fit(Decades(), prop, Uniform(samples=DRAWS), seed=4, out=tmp_path / "run")
    decades = {"mean": 1.0, "sd": 0.3}
    a, p, entropy = quadrature(decades, low=-3, high=3)
    expected = entropy + np.log(np.log(10)) + np.log(2)
    assert run.entropy.value == pytest.approx(expected, abs=student(run) * run.entropy.se)
    g = run.samples["g"].values
    distance = stats.kstest(np.log10(g).ravel(), lambda x: np.interp(x, a, np.cumsum(p))).statistic
    assert distance < stats.kstwobign.ppf(0.9999) / np.sqrt(g.size / 2)
    # The density is one of ln g: it integrates to 1 over the box.
    ln_g = np.linspace(np.log(1e-3), np.log(1e3), 4_001)
    along = np.exp(run.log_prob(np.stack([np.exp(ln_g).clip(1e-3, 1e3), 0 * ln_g], axis=1)))
    assert 2 * np.trapezoid(along, ln_g) == pytest.approx(1, abs=0.02)


def test_single_trials_do_not_favour_lucky_draws(tmp_path):
    """The answer's own spread is what the noise leaves over: sd^2 less the noise's variance."""
    circuit, sd = Noisy(trials=50), 1.5
    prop = EmergentProperty([5.0], [sd])
    run = fit(circuit, prop, Uniform(samples=DRAWS), seed=5, out=tmp_path / "run")
    mean, variance = np.asarray(circuit.statistics([[5.0]]))[0].astype(float)
    assert variance == pytest.approx(1, abs=4 * np.sqrt(2 / 50))
    a = run.samples["a"].values.ravel()
    expected = np.sqrt(sd**2 - variance)
    assert a.mean() == pytest.approx(10 - mean, abs=4 * expected / np.sqrt(a.size))
    assert a.std() == pytest.approx(expected, abs=4 * expected / np.sqrt(2 * a.size))
    assert run.samples.sizes.keys() == {"island", "sample"}
    assert "variance of rate" in run.data.statistic.values
    smc = fit(circuit, prop, SMC(particles=1_000), seed=5, out=tmp_path / "smc")
    assert smc.samples["a"].values.std() == pytest.approx(expected, rel=0.05)
    narrow = EmergentProperty([5.0], [0.5])
    with pytest.raises(PropertyError, match=r"sd\[0\] \(rate\) must lie between [01]\.\d* and"):
        fit(circuit, narrow, Uniform(samples=4_000), seed=5, out=tmp_path / "low")


@pytest.mark.parametrize(
    ("prop", "message"),
    [
        (
            EmergentProperty([3.0, 11.0], [1.0, 1.0]),
            r"mean\[1\] \(b\) must be among what the circuit produces, got 11: .* to 1?\d",
        ),
        (
            EmergentProperty([3.0, 4.0], [1.0, 6.0]),
            r"sd\[1\] \(b\) must lie between .* and 4\.\d+ nS, .* at a mean of 4, got 6",
        ),
        (
            EmergentProperty([3.0, None], within=[None, (10.5, 11)]),
            r"within\[1\] \(b\) must be met somewhere .* got \(10.5, 11\)",
        ),
    ],
)
def test_property_out_of_reach(tmp_path, prop, message):
    with pytest.raises(PropertyError, match=message):
        fit(Pair(), prop, Uniform(samples=20_000), seed=1, out=tmp_path / "run")


@dataclasses.dataclass(frozen=True)
class Twice(Pair):
    """The same number twice, so that both cannot have targets of their own."""

    def evaluate(self, z: jax.Array) -> jax.Array:
        return jnp.stack([z[:, 0], z[:, 0]], axis=1)


def test_targets_that_exclude_each_other(tmp_path):
    prop = EmergentProperty([3.0, 4.0], [1.0, 1.0])
    with pytest.raises(PropertyError, match=r"must be met together .*, got mean=\[3.0, 4.0\]"):
        fit(Twice(), prop, Uniform(samples=20_000), seed=1, out=tmp_path / "run")
    with pytest.warns(UserWarning, match="not to be trusted") as told:
        run = fit(Twice(), prop, SMC(particles=200), seed=1, out=tmp_path / "smc")
    assert not run.trusted
    assert "b (nS): 4 ± 1 was asked for; uniform draws produce 0.0" in str(told[0].message)
    assert run.data.sizes["stage"] < 30  # it ends where no relaxation can fall


def test_smc_ends_where_the_property_is_out_of_reach(tmp_path):
    """Its particles pile up at the wall; the verdict says what was asked for and what there is."""
    prop = EmergentProperty([None, None], within=[(11, 12), None])
    with pytest.warns(UserWarning, match="not to be trusted") as told:
        run = fit(Pair(), prop, SMC(particles=100), seed=1, out=tmp_path / "run")
    assert not run.trusted
    assert f"a (mV): {prop.asked(0)} was asked for; uniform draws" in str(told[0].message)
    assert run.data.sizes["stage"] < 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], None, [(0, 1)]), r"mean\[0\] must be None where within\[0\] is given, got 1"),
        (([None], [1.0]), r"mean\[0\] must be a number where sd\[0\] is 1; pass it"),
        (([None],), "mean or within must ask for something of at least one statistic"),
        (([None], None, [(2, 1)]), r"within\[0\] must be an interval .* got \(2, 1\); swap"),
        (([None], None, [(1, np.inf)]), r"within\[0\] must be finite, got inf"),
        (([None], None, [3]), r"within\[0\] must be an interval \(low, high\) or None, got 3"),
        (([None], None, "x"), r"within must be a list with an interval"),
        (([1.0], None, [None, None]), "mean and within must have one entry for each statistic"),
    ],
)
def test_bad_properties(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        EmergentProperty(*arguments)


def test_methods_that_need_moments_say_so(tmp_path):
    interval = EmergentProperty([None], within=[(0.5, 0.6)])
    with pytest.raises(ValueError, match=r"must be numbers for dsnlib.AugmentedLagrangian, got"):
        fit(STG(), interval, AugmentedLagrangian(), seed=1, out=tmp_path / "run")
    with pytest.raises(ValueError, match=r"must be numbers for dsnlib.exact_maxent"):
        exact_maxent(STG(), interval)
    moments = EmergentProperty([1.0, 0.0], [0.5, 1.0])
    with pytest.raises(ValueError, match="scale of parameter g must be linear for"):
        fit(Decades(), moments, AugmentedLagrangian(), seed=1, out=tmp_path / "run")
    with pytest.raises(ValueError, match="circuit must allow all parameters within its bounds"):
        exact_maxent(Ordered(), moments)
    with pytest.raises(ValueError, match="within of f_hub must overlap"):
        fit(STG(), EmergentProperty([None], within=[(2, 3)]), SMC(), seed=1, out=tmp_path / "run")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"low": 0, "scale": "log"}, "low of parameter g, whose scale is log, must be .* above 0"),
        ({"scale": "cubic"}, "scale of parameter g must be one of 'linear', 'log', got 'cubic'"),
    ],
)
def test_bad_scales(arguments, message):
    with pytest.raises(ValueError, match=message):
        Parameter(**{"name": "g", "unit": "nS", "low": 1, "high": 10} | arguments)


def test_fixed_parameters(tmp_path):
    """Held parameters have their value; what is left is a circuit like any other."""
    whole = Linear2D()
    part = whole.fix(a12=-3.0, a21=3.0)
    assert [p.name for p in part.parameters] == ["a11", "a22"]
    z = np.random.default_rng(0).uniform(-10, 10, (50, 2))
    all_four = np.stack([z[:, 0], np.full(50, -3.0), np.full(50, 3.0), z[:, 1]], axis=1)
    np.testing.assert_array_equal(part.statistics(z), whole.statistics(all_four))
    prop = EmergentProperty([0.0, None], [0.5, None])
    run = fit(part, prop, Uniform(samples=DRAWS), seed=1, out=tmp_path / "run")
    assert run.samples.growth.values.mean() == pytest.approx(0, abs=4 * 0.5 / np.sqrt(2_000))
    assert part.configuration()["fixed"] == {"a12": -3.0, "a21": 3.0}
    with pytest.raises(ValueError, match=r"fixed: .* there, .* asked for"):
        fit(
            whole.fix(a12=-3.0, a21=2.0), prop, Uniform(samples=DRAWS), seed=1, out=tmp_path / "run"
        )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"g": 1.0}, r"fix must name parameters of Linear2D \(a11, a12, a21, a22\), got 'g'"),
        ({"a11": 11.0}, r"a11 must lie in \[-10, 10\] 1/s, got 11; choose"),
        ({"a11": "1"}, "a11 must be a number, got '1'"),
        ({}, "fix must hold some parameters of Linear2D .* got none"),
        (dict.fromkeys(("a11", "a12", "a21", "a22"), 1.0), "leave others free"),
    ],
)
def test_bad_fixes(values, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Linear2D().fix(**values)


@dataclasses.dataclass(frozen=True)
class Weights(Pair):
    """A circuit whose constant is an array."""

    weights: object = ()

    def evaluate(self, z: jax.Array) -> jax.Array:
        return z @ jnp.asarray(self.weights, z.dtype)


def test_array_constants(tmp_path):
    matrix = np.array([[1.0, 0.5], [0.0, 1.0]])
    circuit = Weights(matrix)
    assert circuit == Weights(matrix.tolist())
    assert circuit.configuration()["weights"] == ((1.0, 0.5), (0.0, 1.0))
    z = np.array([[1.0, 2.0]])
    np.testing.assert_allclose(circuit.statistics(z), z @ matrix)
    prop = EmergentProperty([3.0, None], [1.0, None])
    fit(circuit, prop, Uniform(samples=4_000), seed=1, out=tmp_path / "run")
    with pytest.raises(ValueError, match="weights: "):
        fit(Weights(2 * matrix), prop, Uniform(samples=4_000), seed=1, out=tmp_path / "run")


def test_judge_takes_uniform_draws_as_reference(tmp_path):
    """In any dimension: KL and entropy gap of a run of SMC are 0 within their errors."""
    prop = EmergentProperty([3.0, None], [1.5, None], [None, (5, 7)])
    truth = fit(Pair(), prop, Uniform(samples=DRAWS), seed=1, out=tmp_path / "truth")
    fit(Pair(), prop, SMC(particles=1_000), seed=2, out=tmp_path / "run")
    judged = dsnlib.judge(tmp_path / "run", truth).isel(snapshot=-1)
    assert abs(judged.kl) < 0.02
    assert abs(judged.forward_kl) < 0.02
    assert judged.c2st == pytest.approx(0.5, abs=4 * float(judged.c2st_se))
    assert judged.sizes["mode"] == 0
    again = dsnlib.judge(tmp_path / "run", load_run(tmp_path / "truth")).isel(snapshot=-1)
    assert again.kl == judged.kl
    assert again.c2st == judged.c2st
    other = fit(Ordered(), prop, Uniform(samples=4_000), seed=1, out=tmp_path / "other")
    with pytest.raises(ValueError, match="exact must be the answer for the run's circuit"):
        dsnlib.judge(tmp_path / "run", other)
