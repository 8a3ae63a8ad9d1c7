"""One training step against the naive one, its parts, and the Jacobian against a loop in C."""

from __future__ import annotations

import ctypes
import dataclasses
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from measure import paired, ratio, write

import dsnlib
from dsnlib.circuits.differentiation import value_and_jacobian
from dsnlib.circuits.frequency import dominant_frequency
from dsnlib.circuits.stg import equations
from dsnlib.methods.lagrangian.objective import Objective
from dsnlib.methods.lagrangian.programs import block, optimiser_of

BATCH, STEPS = 1_000, 10
STG = dsnlib.STG(T=200)
HUB = ("hub",)
SETTINGS = dsnlib.AugmentedLagrangian(batch=BATCH).compiled()
OBJECTIVE = Objective(STG, dsnlib.EmergentProperty([0.525], [0.025]), SETTINGS)
KEY, LAM, C = jax.random.key(1), jnp.zeros(2), jnp.float32(1)


def textbook_field(V, N, H, g_el, g_synA, g_synB):  # type: ignore[no-untyped-def]
    """The circuit's equations as the paper writes them, on arrays (5, n)."""
    column = lambda *values: jnp.array(values)[:, None]  # noqa: E731
    M_inf = (1 + jnp.tanh(V / 0.020)) / 2
    N_inf = (1 + jnp.tanh(V / 0.015)) / 2
    H_inf = 1 / (1 + jnp.exp((V + 0.0783) / 0.0105))
    S = 1 / (1 + jnp.exp((-0.025 - V) / 0.005))
    tau_H = 0.272 + 1.499 / (1 + jnp.exp((-0.0422 - V) / 0.0873))
    zero = jnp.zeros_like(g_el)
    electrical = jnp.stack(
        [zero, V[1] - V[2], 2 * V[2] - V[1] - V[4], zero, V[4] - V[2]]
    ) * g_el  # fmt: skip
    drive = jnp.stack(
        [g_synB * S[1], g_synB * S[0], g_synA * (S[0] + S[3]), g_synB * S[4], g_synB * S[3]]
    )
    current = (
        0.1 * (V + 0.040)
        + column(19, 19, 17, 8.5, 8.5) * M_inf * (V - 0.100)
        + column(39, 39, 19, 15, 15) * N * (V + 0.080)
        + column(25, 25, 8, 10, 10) * H * (V + 0.020)
        + electrical
        + drive * (V + 0.075)
    )
    return -current, 2 * jnp.cosh(V / 0.030) * (N_inf - N), (H_inf - H) / tau_H


def naive_frequency(z: jax.Array) -> jax.Array:
    """Hub frequency by a plain scan and the filter bank written out."""
    first = tuple(
        jnp.broadcast_to(jnp.array(values)[:, None], (5, len(z)))
        for values in (equations._INITIAL_V, equations._INITIAL_N, equations._INITIAL_H)
    )

    def step(state, _):  # type: ignore[no-untyped-def]
        V, N, H = state
        slope = textbook_field(V, N, H, z[:, 0], z[:, 1], STG.g_synB)
        state = tuple(x + STG.dt * dx for x, dx in zip(state, slope, strict=True))
        return state, state[0][2]

    _, voltage = jax.lax.scan(step, first, length=STG.T)
    voltage = jnp.concatenate([first[0][2][None], voltage])
    rectified = jnp.maximum(voltage + 0.01, 0) - 0.01
    total = jnp.cumsum(jnp.pad(rectified, ((1, 0), (0, 0))), axis=0)
    smooth = (total[STG.window :] - total[: -STG.window]) / STG.window
    frequencies = np.arange(101) / 100
    waves = np.exp(-2j * np.pi * np.outer(frequencies, np.arange(len(smooth)) * STG.dt))
    power = (jnp.asarray(waves.real, "f4") @ smooth) ** 2
    power += (jnp.asarray(waves.imag, "f4") @ smooth) ** 2
    return jax.nn.softmax(50 * jnp.log(power), axis=0).T @ jnp.asarray(frequencies, "f4")


@dataclasses.dataclass(frozen=True)
class Naive(dsnlib.STG):
    """The same circuit without any of the library's ways to be fast."""

    def evaluate(self, z: jax.Array) -> jax.Array:
        """The hub's frequency, by the naive way."""
        return naive_frequency(z)[:, None]


def naive_step(weights, optimiser, key):  # type: ignore[no-untyped-def]
    """A step of Adam on the same loss, by `jax.value_and_grad` straight through the scan."""

    def loss(weights):  # type: ignore[no-untyped-def]
        network = OBJECTIVE.network(weights)
        z, intermediates = network.sample_with_intermediates(key, (BATCH,))
        f = naive_frequency(z)
        residual = jnp.stack([f, f**2], axis=1) - jnp.asarray(OBJECTIVE.prop.mu, "f4")
        R = residual.mean(axis=0)
        R_1, R_2 = residual.reshape(2, -1, 2).mean(axis=1)
        linear = network.log_prob(z, intermediates).mean() + LAM @ R
        return linear + C * R_1 @ jax.lax.stop_gradient(R_2)

    value, gradient = jax.value_and_grad(loss)(weights)
    updates, optimiser = optax.adam(1e-3).update(gradient, optimiser)
    return optax.apply_updates(weights, updates), optimiser, value


def c_loop(z: np.ndarray) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    """The loop in C on the same points (their number is a multiple of its 16 lanes)."""
    library = Path(tempfile.mkdtemp()) / "stg_loop.so"
    source = Path(__file__).with_name("stg_loop.c")
    flags = ["-O3", "-march=native", "-shared", "-fPIC"]
    command = ["gcc", *flags, "-o", str(library), str(source), "-lm"]
    subprocess.run(command, check=True)
    call = ctypes.CDLL(str(library)).stg_loop
    times = np.arange(STG.T + 2 - STG.window) * STG.dt
    waves = np.exp(-2j * np.pi * np.outer(np.arange(101) / 100, times)) / STG.window
    bank = sum(np.pad(waves, ((0, 0), (lag, STG.window - 1 - lag))) for lag in range(STG.window))
    bank = np.concatenate([bank.real, bank.imag]).astype("f4")
    f, J = np.empty(len(z), "f4"), np.empty(z.shape, "f4")
    pointer = [ctypes.c_void_p(a.ctypes.data) for a in (z, bank, f, J)]
    size = [ctypes.c_ssize_t(len(z)), ctypes.c_ssize_t(STG.T + 1)]
    scalars = [ctypes.c_float(STG.dt), ctypes.c_float(STG.g_synB)]

    def run() -> tuple[np.ndarray, np.ndarray]:
        call(*pointer[:2], *size, *scalars, *pointer[2:])
        return f, J

    vars(run)["keep"] = bank  # C holds only its address
    return run


def main() -> None:
    """Measure and write."""
    weights = OBJECTIVE.random_weights(jax.random.key(0))
    optimiser = optimiser_of(SETTINGS).init(weights)
    plain = jax.jit(naive_step)
    adam = optax.adam(1e-3).init(weights)
    gradient, naive = (
        jax.jit(lambda w, p=p: p.gradient(w, KEY, LAM, C)[1])
        for p in (OBJECTIVE, dataclasses.replace(OBJECTIVE, circuit=Naive(T=200)))
    )
    same = jax.tree.map(lambda a, b: float(jnp.abs(a - b).max()), gradient(weights), naive(weights))
    step = paired(
        {
            "ten steps": lambda: block(OBJECTIVE, STEPS, weights, optimiser, LAM, C, KEY, 0),
            "one naive step": lambda: plain(weights, adam, KEY),
        },
        seconds=40,
    )
    step["one step"] = {k: v / STEPS if k != "repeats" else v for k, v in step["ten steps"].items()}

    # Points that repeat none of training, in a number that suits the lanes of the C loop.
    z = np.random.default_rng(0).uniform(0, 20, (1_008, 2)).astype("f4")
    points, voltage = jnp.asarray(z), STG._trajectory(jnp.asarray(z), HUB)[:, 0]
    loop = c_loop(z)
    t, J = STG.statistics_and_jacobian(z)
    f, derivative = loop()
    agree = {
        "frequency_Hz_99%": float(np.quantile(np.abs(t[:, 0] - f), 0.99)),
        "jacobian_Hz_per_nS_90%": float(np.quantile(np.abs(J[:, 0] - derivative), 0.9)),
    }

    def readout(v):  # type: ignore[no-untyped-def]
        return dominant_frequency(v, STG.dt, STG.window)

    def flow(weights):  # type: ignore[no-untyped-def]
        network = OBJECTIVE.network(weights)
        sample, intermediates = network.sample_with_intermediates(KEY, (BATCH,))
        return network.log_prob(sample, intermediates).mean() + sample.mean()

    simulate = jax.jit(lambda z: value_and_jacobian(lambda z: STG._trajectory(z, HUB)[:, 0].T, z))
    read = jax.jit(lambda v: jax.vjp(readout, v)[1](jnp.ones(v.shape[1])))
    flows = jax.jit(jax.value_and_grad(flow))
    adam_step = jax.jit(lambda w, s: optax.adam(1e-3).update(w, s))
    evaluated = jax.jit(lambda z: value_and_jacobian(STG.evaluate, z))
    parts = paired(
        {
            "statistics and Jacobian": lambda: evaluated(points),
            "C loop": loop,
            "simulation": lambda: STG._trajectory(points, HUB),
            "simulation with two tangents": lambda: simulate(points),
            "readout and its gradient": lambda: read(voltage),
            "flow and its gradient": lambda: flows(weights),
            "optimiser": lambda: adam_step(weights, adam),
        },
        seconds=20,
    )
    write(
        "step",
        {
            "settings": {"batch": BATCH, "T": STG.T, "layers": 10, "precision": "float32"},
            "step_ms": step,
            "naive_over_step": ratio(step, "one naive step", "one step"),
            "largest_difference_from_naive": {
                name: float(np.max(value)) for name, value in same._asdict().items()
            },
            "parts_ms": parts,
            "jacobian_over_c_loop": ratio(parts, "statistics and Jacobian", "C loop"),
            "difference_from_c_loop": agree,
        },
    )


if __name__ == "__main__":
    main()
