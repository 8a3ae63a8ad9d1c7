"""The frequency of a voltage signal, as a differentiable readout (a filter bank)."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib.differentiation import shared_gradient

FREQUENCIES = np.arange(101) / 100  # Hz
_SHARPNESS = 100  # power of the moduli: near a maximum over the bank, yet smooth


@cache
def _filter_bank(samples: int, dt: float, window: int) -> np.ndarray:
    """(202, samples) moving average, then complex exponentials: real parts, imaginary parts."""
    kept = samples - (window - 1)
    waves = np.exp(-2j * np.pi * np.outer(FREQUENCIES, np.arange(kept) * dt))
    bank = np.zeros((len(FREQUENCIES), samples), complex)
    for lag in range(window):
        bank[:, lag : lag + kept] += waves / window
    return np.concatenate([bank.real, bank.imag])


def dominant_frequency(voltage: jax.Array, dt: float, window: int) -> jax.Array:
    """Frequency at which a rectified, smoothed voltage has its largest Fourier modulus.

    The voltage is rectified at -10 mV, averaged over `window` samples (valid part only) and
    projected on complex exponentials of 0, 0.01, .. 1 Hz with moduli A_k; the frequency is
    sum_k f_k A_k^100 / sum_k A_k^100. The mean is not removed, so silence reads as about 0 Hz.

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
        rectified = jnp.maximum(voltage + 0.01, 0) - 0.01
        bank = jnp.asarray(_filter_bank(len(voltage), dt, window), voltage.dtype)
        # A power of 100 needs every digit: never the accelerator's reduced-precision products.
        filtered = jnp.matmul(bank, rectified, precision=jax.lax.Precision.HIGHEST)
        real, imaginary = jnp.split(filtered, 2)
        power = jnp.maximum(real**2 + imaginary**2, jnp.finfo(voltage.dtype).tiny)
        weights = jax.nn.softmax(0.5 * _SHARPNESS * jnp.log(power), axis=0)
        return jnp.asarray(FREQUENCIES, voltage.dtype) @ weights

    return readout(voltage)
