"""The experiment once more, in NumPy and SciPy alone: what tests recompute the book's numbers with.

Nothing here comes from dsnlib or from the report. The equations are written down again from the
paper, the networks from their weights, the regions from a grid of its own.
"""

import dataclasses
import functools
import json
from pathlib import Path
from typing import NamedTuple

import nbformat
import numpy as np
import xarray as xr
from scipy import ndimage, optimize

ROOT = Path(__file__).parent.parent
BOOK = ROOT / "book"
TARGET, SD = 0.525, 0.025  # Hz
MU = np.array([TARGET, TARGET**2 + SD**2])
SIDE = 20.0  # nS, of the square of conductances
DT, WINDOW = 0.025, 20
CHUNK = 1_000

START = np.array(
    [
        [-0.04169771, -0.04319491, 0.00883992, -0.06879824, 0.03048103],
        [0.00151316, 0.19784773, 0.56514935, 0.12214069, 0.35290397],
        [0.08614699, 0.04938177, 0.05568701, 0.07007949, 0.05790969],
    ]
)  # V (volt), N, H of f1, f2, hub, s1, s2
G_CA = 1e-9 * np.array([19, 19, 17, 8.5, 8.5])[:, None]
G_K = 1e-9 * np.array([39, 39, 19, 15, 15])[:, None]
G_H = 1e-9 * np.array([25, 25, 8, 10, 10])[:, None]
G_LEAK, G_SYN_B, C = 1e-10, 5e-9, 1e-9


def _voltages(z, T):
    """(T + 1, n) hub voltage, by Euler steps from the one initial state; z (n, 2) in nS."""
    g_el, g_syn_a = 1e-9 * z.T
    V, N, H = (np.repeat(x[:, None], len(z), axis=1) for x in START)
    hub = np.empty((T + 1, len(z)))
    hub[0] = V[2]
    for step in range(T):
        # (1 + tanh x) / 2 is 1 / (1 + exp(-2 x)); powers of e, products of it, spare exponentials.
        e = np.exp(V / -0.030)
        e_squared = e * e
        M = 1 / (1 + e * e_squared)
        N_inf = 1 / (1 + e_squared * e_squared)
        N_rate = e + 1 / e  # 2 cosh(V / (2 v4)): phi_N is 2 / s
        H_inf = 1 / (1 + np.exp((V + 0.0783) / 0.0105))
        H_tau = 0.272 + 1.499 / (1 + np.exp((-0.0422 - V) / 0.0873))
        S = 1 / (1 + np.exp((-0.025 - V) / 0.005))
        current = (
            G_LEAK * (V + 0.040)
            + G_CA * M * (V - 0.100)
            + G_K * N * (V + 0.080)
            + G_H * H * (V + 0.020)
        )
        current[1] += g_el * (V[1] - V[2])
        current[2] += g_el * (2 * V[2] - V[1] - V[4])
        current[4] += g_el * (V[4] - V[2])
        drive = V + 0.075
        current[0] += G_SYN_B * S[1] * drive[0]
        current[1] += G_SYN_B * S[0] * drive[1]
        current[2] += g_syn_a * (S[0] + S[3]) * drive[2]
        current[3] += G_SYN_B * S[4] * drive[3]
        current[4] += G_SYN_B * S[3] * drive[4]
        V, N, H = (
            V - DT / C * current,
            N + DT * N_rate * (N_inf - N),
            H + DT * (H_inf - H) / H_tau,
        )
        hub[step + 1] = V[2]
    return hub


def frequencies(z, T):
    """(n,) frequency of the hub in Hz at conductances z (n, 2) in nS."""
    z = np.asarray(z, float)
    tones = np.arange(101) / 100
    found = np.empty(len(z))
    kernel = np.ones(WINDOW) / WINDOW
    samples = T + 1 - (WINDOW - 1)
    waves = np.exp(-2j * np.pi * np.outer(tones, np.arange(samples) * DT))
    # The moving average acts on the signal, so its adjoint may act on the waves once for all.
    waves = np.array([np.convolve(w, kernel) for w in waves])
    for start in range(0, len(z), CHUNK):
        hub = _voltages(z[start : start + CHUNK], T)
        rectified = np.maximum(hub + 0.01, 0) - 0.01
        log_a = 100 * np.log(np.hypot(waves.real @ rectified, waves.imag @ rectified))
        weight = np.exp(log_a - log_a.max(axis=0))
        found[start : start + CHUNK] = tones @ weight / weight.sum(axis=0)
    return found


class Region(NamedTuple):
    """A connected region of the band."""

    area: float
    mass: float
    g_el: float
    near: np.ndarray  # (cells, cells) whether a cell is of the region or next to one that is


@dataclasses.dataclass(frozen=True)
class Exact:
    """The distribution of maximum entropy on the square."""

    frequency: np.ndarray  # (cells, cells), g_el along the first axis
    probability: np.ndarray  # (cells, cells)
    entropy: float  # nat

    def regions(self, half_width=2.0):
        """The three largest connected regions of the band, by area."""
        band = np.abs(self.frequency - TARGET) < half_width * SD
        labels, count = ndimage.label(band, np.ones((3, 3)))
        sizes = ndimage.sum_labels(band, labels, range(1, count + 1))
        g_el = (np.arange(len(band)) + 0.5)[:, None] * SIDE / len(band) + 0 * self.frequency
        found = []
        for label in 1 + np.argsort(-sizes, kind="stable")[:3]:
            inside = labels == label
            found.append(
                Region(
                    float(inside.mean()),
                    float(self.probability[inside].sum()),
                    float(g_el[inside].mean()),
                    ndimage.binary_dilation(inside, np.ones((3, 3))),
                )
            )
        return found

    @functools.cached_property
    def green(self):
        """The two regions of which the note speaks, by name."""
        one, other = self.regions()[:2]
        lower, upper = sorted((one, other), key=lambda region: region.g_el)
        return {"lower": lower, "upper": upper}


def exact_answer(T, coarse, fine=1_000):
    """The exact answer on a grid that is fine only where the frequency may be near its target.

    Args:
        T: Euler steps.
        coarse: cells along either axis, everywhere.
        fine: cells along either axis, a multiple of `coarse`, where the frequency of a cell or of
            its neighbours lies within 8 sd of the target, or on both sides of it.
    """
    block = fine // coarse
    f = _on_grid(np.indices((coarse, coarse)).reshape(2, -1), coarse, T).reshape(coarse, coarse)
    low, high = ndimage.minimum_filter(f, 3), ndimage.maximum_filter(f, 3)
    near = (low < TARGET + 8 * SD) & (high > TARGET - 8 * SD)
    frequency, refine = (np.kron(each, np.ones((block, block), each.dtype)) for each in (f, near))
    cells = np.array(np.nonzero(refine))
    frequency[tuple(cells)] = _on_grid(cells, fine, T)
    x = (frequency - TARGET) / SD  # of mean 0 and variance 1
    features = np.stack([x.ravel(), x.ravel() ** 2])

    def dual(eta):
        exponent = eta @ features
        largest = exponent.max()
        p = np.exp(exponent - largest)
        log_z = largest + np.log(p.mean())
        return log_z - eta[1], features @ p / p.sum() - [0, 1]

    eta = optimize.minimize(dual, [0.0, -0.5], jac=True, method="BFGS", tol=1e-9).x
    p = np.exp(eta @ features - (eta @ features).max())
    p /= p.sum()
    entropy = -(p[p > 0] * np.log(p[p > 0])).sum() + np.log((SIDE / fine) ** 2)
    return Exact(frequency, p.reshape(fine, fine), float(entropy))


def _on_grid(cells, along, T):
    """(n,) frequencies at the midpoints of cells (2, n) of a grid."""
    return frequencies((cells.T + 0.5) * SIDE / along, T)


def shares(exact, z, frequency):
    """Shares of samples in the green regions: in the band, and in one of a region's cells."""
    band = np.abs(frequency - TARGET) < 2 * SD
    cells = len(exact.frequency)
    cell = tuple(np.clip(np.floor(z / SIDE * cells).astype(int), 0, cells - 1).T)
    return {name: float((band & each.near[cell]).mean()) for name, each in exact.green.items()}


def runs(prefix):
    """Data of the runs whose names begin so, by (c0, seed)."""
    found = {}
    for file in sorted((ROOT / "runs").glob(f"{prefix}*/run.nc")):
        with xr.open_dataset(file) as opened:
            data = opened.load()
        c0 = json.loads(data.attrs["settings"])["c0"]
        found[c0, int(data.attrs["seed"])] = data
    return dict(sorted(found.items()))


def network_samples(weights, n, rng, layers=10):
    """(n, 2) samples of a planar flow with a snapshot's weights, in nS."""
    a, b, u, log_scale, shift = np.split(
        np.asarray(weights, float), np.cumsum([2 * layers, layers, 2 * layers, 2])
    )
    x = rng.standard_normal((n, 2))
    for a_k, b_k, u_k in zip(a.reshape(layers, 2), b, u.reshape(layers, 2), strict=True):
        along = a_k @ u_k
        u_hat = u_k + (np.logaddexp(0, along) - 1 - along) * a_k / (a_k @ a_k)
        x = x + np.tanh(x @ a_k + b_k)[:, None] * u_hat
    return SIDE / 2 * (1 + np.tanh(x * np.exp(log_scale) + shift))


def page(name):
    """An executed page of the book."""
    return nbformat.read(BOOK / name, as_version=4)


def printed(notebook, tag):
    """The JSON object that the cell with a tag prints."""
    cells = [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]
    assert cells, f"no cell has the tag {tag}: execute the page again"
    (output,) = cells[0].outputs
    return json.loads(output["text"])


def html_of(notebook):
    """All HTML that a page shows, as one text."""
    return "\n".join(
        output["data"]["text/html"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    )
