"""The five-neuron circuit against reference numbers and a second implementation."""

from pathlib import Path

import jax
import numpy as np
import pytest

from dsnlib import STG

REFERENCE = np.loadtxt(
    Path(__file__).parent / "data" / "hub_frequency_T200.csv", delimiter=",", skiprows=1
)
Z, FREQUENCY, JACOBIAN = REFERENCE[:, :2], REFERENCE[:, 2], REFERENCE[:, 3:]


MEMBRANE = {
    "Ca": [19, 19, 17, 8.5, 8.5],
    "K": [39, 39, 19, 15, 15],
    "H": [25, 25, 8, 10, 10],
}
NEURONS = ["f1", "f2", "hub", "s1", "s2"]


def plain_voltage(
    z: np.ndarray, T: int, dt: float, g_synB: float, free=("g_el", "g_synA")
) -> np.ndarray:
    """All voltages (T + 1, 5, n), written from the specification with tanh and SI units."""
    column = lambda values: np.array(values)[:, None] * np.ones(len(z))  # noqa: E731
    synapses = {"g_el": 4.0, "g_synA": 4.0, "g_synB": g_synB}
    membrane = {current: column(values) for current, values in MEMBRANE.items()}
    for name, values in zip(free, z.T, strict=True):
        if name in synapses:
            synapses[name] = values
        else:
            _, current, neuron = name.split("_")
            membrane[current][NEURONS.index(neuron)] = values
    g_el, g_synA, g_synB = (1e-9 * synapses[name] for name in ("g_el", "g_synA", "g_synB"))
    g_Ca, g_K, g_H = (1e-9 * membrane[current] for current in ("Ca", "K", "H"))
    V = column([-0.04169771, -0.04319491, 0.00883992, -0.06879824, 0.03048103])
    N = column([0.00151316, 0.19784773, 0.56514935, 0.12214069, 0.35290397])
    H = column([0.08614699, 0.04938177, 0.05568701, 0.07007949, 0.05790969])
    f1, f2, hub, s1, s2 = range(5)
    trace = [V]
    for _ in range(T):
        M_inf = (1 + np.tanh(V / 0.020)) / 2
        N_inf = (1 + np.tanh(V / 0.015)) / 2
        H_inf = 1 / (1 + np.exp((V + 0.0783) / 0.0105))
        S = 1 / (1 + np.exp((-0.025 - V) / 0.005))
        rate_N = 2 * np.cosh(V / 0.030)
        tau_H = 0.272 + 1.499 / (1 + np.exp((-0.0422 - V) / 0.0873))
        I_elec = np.zeros_like(V)
        I_elec[f2] = g_el * (V[f2] - V[hub])
        I_elec[hub] = g_el * (2 * V[hub] - V[f2] - V[s2])
        I_elec[s2] = g_el * (V[s2] - V[hub])
        g_syn = np.stack(
            [
                g_synB * S[f2],
                g_synB * S[f1],
                g_synA * (S[f1] + S[s1]),
                g_synB * S[s2],
                g_synB * S[s1],
            ]
        )
        current = (
            0.1e-9 * (V + 0.040)
            + g_Ca * M_inf * (V - 0.100)
            + g_K * N * (V + 0.080)
            + g_H * H * (V + 0.020)
            + I_elec
            + g_syn * (V + 0.075)
        )
        V, N, H = (
            V - dt * current / 1e-9,
            N + dt * rate_N * (N_inf - N),
            H + dt * (H_inf - H) / tau_H,
        )
        trace.append(V)
    return np.stack(trace)


def plain_frequency(voltage: np.ndarray, dt: float, window: int) -> np.ndarray:
    """Hub frequencies (n,) of voltages (T + 1, n), step by step as the specification says."""
    frequencies = []
    for v in voltage.T:
        rectified = np.maximum(v + 0.01, 0) - 0.01
        smooth = np.convolve(rectified, np.ones(window) / window, mode="valid")
        bank = np.arange(101) * 0.01
        moduli = np.abs(np.exp(-2j * np.pi * np.outer(bank, np.arange(len(smooth)) * dt)) @ smooth)
        weights = np.exp(100 * (np.log(moduli) - np.log(moduli).max()))
        frequencies.append((bank * weights).sum() / weights.sum())
    return np.array(frequencies)


def test_reference_points_in_double_precision(x64):
    t, J = STG().statistics_and_jacobian(Z)
    assert np.abs(t[:, 0] - FREQUENCY).max() < 1e-9
    np.testing.assert_allclose(J[:, 0], JACOBIAN, rtol=1e-6)


def test_reference_points_in_single_precision():
    f = STG().hub_frequency(Z.astype(np.float32))
    assert f.dtype == np.float32
    assert (np.abs(f - FREQUENCY) < 2e-3).mean() >= 0.98


@pytest.mark.parametrize(
    ("T", "dt", "window", "g_synB"),
    [(200, 0.025, 20, 5.0), (280, 0.025, 20, 5.0), (800, 0.025, 20, 5.0), (200, 0.0125, 40, 5.0),
     (200, 0.025, 20, 2.0), (200, 0.025, 7, 9.0)],
)  # fmt: skip
def test_against_a_second_implementation(x64, T, dt, window, g_synB):
    z = np.random.default_rng(T).uniform(0, [12, 4], (40, 2))  # where the hub oscillates
    circuit = STG(T=T, dt=dt, window=window, g_synB=g_synB)
    expected = plain_voltage(z, T, dt, g_synB)
    f = plain_frequency(expected[:, 2], dt, window)
    assert (f > 0.1).sum() > 10, "the points must test oscillations, not silence"
    # Rounding grows along a trajectory near a cliff, so a few points may differ by more.
    assert np.quantile(np.abs(circuit.simulate(z) - expected[:, 2].T).max(axis=1), 0.95) < 1e-8
    assert np.quantile(np.abs(circuit.hub_frequency(z) - f), 0.95) < 1e-9


ALL_CONDUCTANCES = ["g_el", "g_synA", "g_synB"] + [
    f"g_{current}_{neuron}" for current in MEMBRANE for neuron in NEURONS
]
HIGHEST = dict.fromkeys(ALL_CONDUCTANCES[:3], 20.0) | {
    f"g_{current}_{neuron}": 2 * value
    for current, values in MEMBRANE.items()
    for neuron, value in zip(NEURONS, values, strict=True)
}


@pytest.mark.parametrize("name", ALL_CONDUCTANCES)
def test_each_conductance_against_the_second_implementation(x64, name):
    observe = ("f_s2", "f_f1", "f_hub")
    circuit = STG(T=120, free=(name,), observe=observe)
    np.testing.assert_array_equal(circuit.bounds, [[0, HIGHEST[name]]])
    z = np.linspace(0, HIGHEST[name], 12)[:, None]
    expected = plain_voltage(z, 120, 0.025, 5.0, free=(name,))
    assert np.ptp(expected[-1], axis=-1).max() > 1e-4, "the conductance must matter"
    np.testing.assert_allclose(circuit.voltages(z), np.moveaxis(expected, 2, 0).swapaxes(1, 2),
                               atol=1e-9)  # fmt: skip
    statistics = circuit.statistics(z)
    for column, neuron in enumerate((4, 0, 2)):
        f = plain_frequency(expected[:, neuron], 0.025, 20)
        np.testing.assert_allclose(statistics[:, column], f, atol=1e-9)


def test_all_conductances_and_neurons_at_once_in_any_order(x64):
    free = tuple(reversed(ALL_CONDUCTANCES))
    circuit = STG(free=free, observe=tuple(f"f_{neuron}" for neuron in NEURONS))
    assert tuple(p.name for p in circuit.parameters) == free
    assert [o.name for o in circuit.observables] == ["f_f1", "f_f2", "f_hub", "f_s1", "f_s2"]
    z = np.random.default_rng(1).uniform(*circuit.bounds.T, (40, 18))
    expected = plain_voltage(z, 200, 0.025, 5.0, free)
    f = np.stack([plain_frequency(expected[:, i], 0.025, 20) for i in range(5)], axis=1)
    assert (f > 0.1).sum() > 10, "the points must test oscillations, not silence"
    assert np.quantile(np.abs(circuit.statistics(z) - f), 0.95) < 1e-9
    f1 = STG(free=free, observe=("f_f1",))
    np.testing.assert_allclose(f1.hub_frequency(z), circuit.hub_frequency(z))
    assert np.quantile(np.abs(f1.hub_frequency(z) - f[:, 2]), 0.95) < 1e-9


def test_jacobian_of_other_conductances_and_neurons(x64):
    free = ("g_K_hub", "g_synB", "g_H_s1")
    circuit = STG(free=free, observe=("f_f1", "f_hub"))
    z = np.random.default_rng(2).uniform(0.1, 0.9, (30, 3)) * circuit.bounds[:, 1]
    _, J = circuit.statistics_and_jacobian(z)
    step = 1e-6
    for k in range(3):
        up, down = (circuit.statistics(z + sign * step * np.eye(3)[k]) for sign in (1, -1))
        slope = (up - down) / (2 * step)
        close = np.isclose(J[:, :, k], slope, rtol=1e-3, atol=1e-6)
        assert close.mean() > 0.95  # a point beside a cliff may differ
    assert np.abs(J).max(axis=(0, 1)).min() > 1e-3, "each conductance must matter"


def test_configuration_names_what_differs_from_the_runs_of_old():
    assert STG(T=300).configuration() == {
        "name": "STG", "T": 300, "dt": 0.025, "window": 20, "g_synB": 5.0,
    }  # fmt: skip
    other = STG(free=["g_el", "g_synB"], observe=["f_s1"]).configuration()
    assert other["free"] == ("g_el", "g_synB")
    assert other["observe"] == ("f_s1",)
    assert "free" not in STG(observe=("f_s1",)).configuration()


def test_initial_distribution():
    g_el, g_K = STG(free=("g_el", "g_K_hub")).parameters
    assert (g_el.initial_mean, g_el.initial_sd) == (4, 3)
    assert (g_K.initial_mean, g_K.initial_sd) == (19, 9.5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"free": ("g_el", "g_Na_hub")}, ValueError, "free must hold names among .*'g_Na_hub'"),
        ({"free": ("g_el", "g_el")}, ValueError, "free must name each once, got 'g_el' twice"),
        ({"free": ()}, ValueError, "free must hold at least one name"),
        ({"free": "g_el"}, TypeError, "free must be a tuple of names, got 'g_el'"),
        ({"free": 2}, TypeError, "free must be a tuple of names, got 2"),
        ({"observe": ("hub",)}, ValueError, "observe must hold names among f_f1, .*got 'hub'"),
        ({"observe": ("f_f1", "f_f1")}, ValueError, "observe must name each once"),
        ({"observe": ()}, ValueError, "observe must hold at least one name"),
    ],
)
def test_names_that_are_wrong(arguments, error, message):
    with pytest.raises(error, match=message):
        STG(**arguments)


def test_shapes_and_the_fixed_start(x64):
    circuit = STG(T=30, window=10)
    z = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert circuit.simulate(z).shape == (3, 31)
    assert circuit.voltages(z).shape == (3, 5, 31)
    np.testing.assert_array_equal(circuit.voltages(z)[:, 2], circuit.simulate(z))
    np.testing.assert_allclose(circuit.voltages(z)[1], plain_voltage(z, 30, 0.025, 5.0)[:, :, 1].T)
    assert circuit.statistics(z).shape == (3, 1)


def test_jacobian_against_finite_differences_and_reverse_mode(x64):
    circuit = STG()
    z = Z[:20]
    _, J = circuit.statistics_and_jacobian(z)
    reverse = jax.grad(lambda z: circuit.evaluate(z).sum())(jax.numpy.asarray(z))
    np.testing.assert_allclose(J[:, 0], reverse, rtol=1e-7, atol=1e-12)
    step = 1e-6
    for k in range(2):
        up, down = (circuit.hub_frequency(z + sign * step * np.eye(2)[k]) for sign in (1, -1))
        np.testing.assert_allclose(J[:, 0, k], (up - down) / (2 * step), rtol=1e-3, atol=1e-7)


def test_rows_are_independent(x64):
    circuit = STG()
    together = circuit.statistics_and_jacobian(Z)
    alone = circuit.statistics_and_jacobian(Z[7:8])
    for one, many in zip(alone, together, strict=True):
        np.testing.assert_allclose(one[0], many[7], rtol=1e-9)


def test_statistics_inside_another_program():
    z = jax.numpy.asarray(Z[:3], "float32")
    inner = jax.jit(lambda z: STG().statistics(z))(z)
    np.testing.assert_allclose(inner, STG().statistics(z), rtol=1e-5)
