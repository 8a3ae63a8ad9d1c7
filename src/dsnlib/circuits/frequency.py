"""The frequency of a voltage signal, as a differentiable readout (a filter bank)."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib.circuits.differentiation import shared_gradient

FREQUENCIES = np.arange(101) / 100  # Hz
_SHARPNESS = 100  # power of the moduli: near a maximum over the bank, yet smooth


# Singular values of the filter bank below this share of the largest are rounding.
_RANK_TOLERANCE = 1e-12


@cache
def _filter_bank(samples: int, dt: float, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Moving average, then complex exponentials: real parts, imaginary parts; as two factors.

    Signals of duration D within 1 Hz have about 2 D degrees of freedom, so the 202 filters are
    combinations of few: 26 at 200 steps of 0.025 s, 62 at 800.

    Returns:
        (202, rank) and (rank, samples), whose product is the bank.
    """
    kept = samples - (window - 1)
    waves = np.exp(-2j * np.pi * np.outer(FREQUENCIES, np.arange(kept) * dt))
    bank = np.zeros((len(FREQUENCIES), samples), complex)
    for lag in range(window):
        bank[:, lag : lag + kept] += waves / window
    left, size, right = np.linalg.svd(np.concatenate([bank.real, bank.imag]), full_matrices=False)
    rank = int((size > _RANK_TOLERANCE * size[0]).sum())
    return left[:, :rank] * size[:rank], right[:rank]


def dominant_frequency(voltage: jax.Array, dt: float, window: int) -> jax.Array:
    """Frequency at which a rectified, smoothed voltage has its largest Fourier modulus.

    The voltage is rectified at -10 mV, averaged over `window` samples (valid part only) and
    projected on complex exponentials of 0, 0.01, .. 1 Hz with moduli A_k; the frequency is
    sum_k f_k A_k^100 / sum_k A_k^100. The mean is not removed, so where it outweighs the rhythm, as
    it does a slow one, the frequency reads as about 0 Hz although the neuron fires.

    Args:
        voltage: (samples, n), in V.
        dt: sampling step, in s.
        window: length of the moving average, in samples; at most `samples`.

    Returns:
        (n,) frequencies, in Hz.

    Source: Gutierrez, O'Leary and Marder (2013) for the quantity; Bittner (2019) for the readout.
    """

    @shared_gradient
    def readout(voltage: jax.Array) -> jax.Array:
        power = jnp.maximum(_power(voltage, dt, window), jnp.finfo(voltage.dtype).tiny)
        weights = jax.nn.softmax(0.5 * _SHARPNESS * jnp.log(power), axis=0)
        return jnp.asarray(FREQUENCIES, voltage.dtype) @ weights

    return readout(voltage)


def spectrum(voltage: jax.Array, dt: float, window: int) -> jax.Array:
    """Fourier moduli A_k of a rectified, smoothed voltage, see `dominant_frequency`.

    Args:
        voltage: (samples, n), in V.
        dt: sampling step, in s.
        window: length of the moving average, in samples; at most `samples`.

    Returns:
        (101, n) moduli at `FREQUENCIES`, in V.
    """
    return jnp.sqrt(_power(voltage, dt, window))


def _power(voltage: jax.Array, dt: float, window: int) -> jax.Array:
    """(101, n) squared moduli of the rectified voltages (samples, n)."""
    rectified = jnp.maximum(voltage + 0.01, 0) - 0.01
    real, imaginary = jnp.split(_filtered(rectified, dt, window), 2)
    return real**2 + imaginary**2


def _filtered(signal: jax.Array, dt: float, window: int) -> jax.Array:
    """(202, n) outputs of the filter bank for signals (samples, n)."""
    for factor in reversed(_filter_bank(len(signal), dt, window)):
        # A power of 100 needs every digit: never the accelerator's reduced-precision products.
        signal = jnp.matmul(
            jnp.asarray(factor, signal.dtype), signal, precision=jax.lax.Precision.HIGHEST
        )
    return signal
