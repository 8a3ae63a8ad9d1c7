"""The twelve-parameter reference from uniform draws alone, as many as a GPU makes in minutes.

    python gpu_uniform.py draw OUT --seconds 250 --seed 3      # where JAX has a GPU
    python gpu_uniform.py solve OUT                            # anywhere

Draws are simulated by the library's own circuit and kept within six sd of their targets, as in
`uniform_references.py`. Of those whose weight is below e^-8 of the largest possible, under the
natural parameters of the reference at hand, a random thirtieth is kept and counts thirty times.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import dsnlib
from dsnlib.circuits.stg import equations
from report.studies.references.uniform_references import (
    CONDUCTANCES,
    PROBLEMS,
    REACH,
    UPPER,
    natural,
    save,
    solve,
    standardised,
    summit,
)

PROBLEM = PROBLEMS["d12"]
CIRCUIT = dsnlib.STG(
    T=200, free=PROBLEM.free, observe=tuple(f"f_{name}" for name in PROBLEM.neurons)
)
LIMITS = np.array([UPPER[CONDUCTANCES.index(name)] for name in PROBLEM.free], np.float32)  # nS
REFERENCE = Path(__file__).with_name("d12.npz")
CHUNK = 1_000_000  # draws
MOST_KEPT = 4_000  # of them
DEPTH = 8  # of the weights that are all kept
LIGHT_SHARE = 1 / 30  # of the others
ROWS = 260_000  # in a file
SAMPLES = 10_000
FUSE = "let XLA fuse the exponentials with what uses them, which the library does not"


@partial(jax.jit, static_argnums=0)
def chunk(n: int, key: jax.Array, theta: jax.Array, least: jax.Array) -> dict[str, jax.Array]:
    """n uniform draws, and of those near the targets all heavy ones and some of the light.

    Args:
        n: number of draws.
        key: random key.
        theta: (2 S,) natural parameters that say which are heavy.
        least: () least theta.moments of a heavy one.

    Returns:
        rows (MOST_KEPT, d + S), the first `kept` of them filled; light, those that count
        1 / LIGHT_SHARE times; kept; near, the number near the targets; failed, the number not
        finite.
    """
    keys = jax.random.split(key)
    z = jax.random.uniform(keys[0], (n, len(LIMITS)), jnp.float32) * LIMITS
    f = CIRCUIT.evaluate(z)
    u = (f - jnp.array(PROBLEM.mean, f.dtype)) / jnp.array(PROBLEM.sd, f.dtype)
    near = (jnp.abs(u) < REACH).all(axis=1)
    exponent = (jnp.concatenate([u, u**2 - 1], axis=1) * theta).sum(axis=1)
    light = exponent < least
    take = near & (~light | (jax.random.uniform(keys[1], (n,)) < LIGHT_SHARE))
    rows = jnp.flatnonzero(take, size=MOST_KEPT, fill_value=0)
    return {
        "rows": jnp.concatenate([z[rows], f[rows]], axis=1),
        "light": light[rows],
        "kept": take.sum(),
        "near": near.sum(),
        "failed": (~jnp.isfinite(f).all(axis=1)).sum(),
    }


def draw(out: Path, seconds: float, seed: int, n: int, files: int) -> None:
    """Draw chunks until the time is up or the files are full; the first holds a check as well."""
    theta = np.load(REFERENCE)["theta"]
    arguments = jnp.asarray(theta, jnp.float32), jnp.float32(summit(theta) - DEPTH)
    key = jax.random.key(seed)
    z = jax.random.uniform(jax.random.fold_in(key, 2**31), (1_000, len(LIMITS))) * LIMITS
    f = jax.jit(CIRCUIT.evaluate)(z)
    save(out / "check.npz", {"z": np.asarray(z), "statistics": np.asarray(f)})
    call = partial(chunk, n)
    jax.block_until_ready(call(jax.random.fold_in(key, 2**31 + 1), *arguments))  # compiles
    began, number, file = time.monotonic(), 0, 0
    totals = np.zeros(2, np.int64)
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    counts: list[int] = []
    pending = call(jax.random.fold_in(key, 0), *arguments)
    while True:
        last = time.monotonic() - began > seconds
        found, number = pending, number + 1
        if not last:
            pending = call(jax.random.fold_in(key, number), *arguments)  # while this one is read
        kept = int(found["kept"])
        if kept > MOST_KEPT:
            raise ValueError(f"MOST_KEPT must be at least {kept}, got {MOST_KEPT}; raise it")
        parts.append((np.asarray(found["rows"])[:kept], np.asarray(found["light"])[:kept]))
        counts.append(kept)
        totals += int(found["near"]), int(found["failed"])
        if last or sum(counts) > ROWS - MOST_KEPT:
            rows, light = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
            content = {"rows": rows, "light": np.packbits(light), "counts": np.array(counts)}
            save(out / f"draws_{file}.npz", content | {"chunk": np.asarray(n), "theta": theta})
            file, parts, counts = file + 1, [], []
            print(f"{number * n:.3g} draws in {time.monotonic() - began:.1f} s", flush=True)
        if last or file == files:
            break
    passed = time.monotonic() - began
    print(
        f"draws={number * n} seconds={passed:.1f} near={totals[0]} failed={totals[1]}", flush=True
    )


def answer(folder: Path, seed: int) -> dict[str, np.ndarray]:
    """The maximum-entropy distribution from the files that `draw` left.

    Returns:
        as `uniform_references.answer`.
    """
    files = [np.load(path) for path in sorted(folder.glob("draws_*.npz"))]
    rows = np.concatenate([file["rows"] for file in files])
    light = np.concatenate([np.unpackbits(f["light"], count=len(f["rows"])) for f in files])
    counts = np.concatenate([file["counts"] for file in files])
    n = int(files[0]["chunk"])
    draws = n * len(counts)
    z, statistics = np.split(rows, [len(LIMITS)], axis=1)
    moments = standardised(PROBLEM, statistics)
    measure = light * -np.log(LIGHT_SHARE)
    theta = solve(moments, measure)
    exponent = moments @ theta
    weight = np.exp(exponent + measure)
    log_mean = float(np.log(weight.sum() / draws))
    owner = np.repeat(np.arange(len(counts)), counts)
    batches = np.bincount(owner, weight, len(counts)) / n
    error = batches.std(ddof=1) / np.sqrt(len(counts)) / batches.mean()
    uniform = np.random.default_rng(seed).random(len(rows))
    accepted = np.flatnonzero(np.log(uniform) < exponent + measure - summit(theta))
    beyond = (np.abs(moments[:, : len(PROBLEM.mean)]) > REACH - 1).any(axis=1)
    chosen = accepted[:SAMPLES]
    print(f"largest weight {np.exp((exponent + measure).max() - summit(theta)):.3g} of the largest")
    return {
        "z": z[chosen],
        "statistics": statistics[chosen],
        **natural(PROBLEM, theta, log_mean),
        "entropy_se": np.asarray(error),
        "draws": np.asarray(draws),
        "ess": np.asarray(weight.sum() ** 2 / (weight**2).sum()),
        "acceptance": np.asarray(len(accepted) / draws),
        "edge": np.asarray(weight[beyond].sum() / weight.sum()),
    }


def compared(path: Path) -> dict[str, float]:
    """How far this device's statistics of the check's points are from those that were stored."""
    check = np.load(path)
    off = np.abs(np.asarray(CIRCUIT.statistics(check["z"])) - check["statistics"])
    return {"within 2e-3 Hz": float((off < 2e-3).mean()), "largest": float(off.max())}


def main() -> None:
    """Draw, or solve."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("what", choices=("draw", "solve"))
    parser.add_argument("out", type=Path, help="folder of the draws")
    parser.add_argument("--seconds", type=float, default=250)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--chunk", type=int, default=CHUNK)
    parser.add_argument("--files", type=int, default=4, help="the most to write")
    parser.add_argument("--fuse", action="store_true", help=FUSE)
    arguments = parser.parse_args()
    if arguments.fuse:
        vars(equations)["exponential"] = jnp.exp
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.what == "draw":
        a = arguments
        draw(a.out, a.seconds, a.seed, a.chunk, a.files)
        return
    print(compared(arguments.out / "check.npz"))
    result = answer(arguments.out, arguments.seed)
    print(len(result["z"]), {k: v for k, v in result.items() if np.size(v) < 10})
    save(arguments.out / "d12.npz", result)


if __name__ == "__main__":
    main()
