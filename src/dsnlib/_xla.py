"""How XLA uses the processor; to be imported before JAX computes anything.

- One thread a process. XLA splits the small loop body of a simulation over all the cores that a
  process may use and waits for them in every step. That costs more than it gains where several runs
  go side by side, and it makes rounding depend on the number of cores.
- A loop of whatever size is compiled as one function. By default each operation of its body is a
  kernel of its own, and starting a hundred of them in every Euler step takes a tenth of the time.
- The widest vector registers, which LLVM does not use unless it is asked.

`benchmarks/processes.py` measures all three. What a user sets in the environment is not overridden.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import jax

_FLAGS = {
    "--xla_backend_extra_options": "xla_cpu_small_while_loop_byte_threshold=1000000000",
    "--xla_cpu_prefer_vector_width": "512",
}


def _set_environment() -> None:
    os.environ.setdefault("PJRT_NPROC", "1")
    flags = os.environ.get("XLA_FLAGS", "").split()
    given = {flag.partition("=")[0] for flag in flags}
    flags += [f"{name}={value}" for name, value in _FLAGS.items() if name not in given]
    os.environ["XLA_FLAGS"] = " ".join(flags)


_set_environment()


@contextlib.contextmanager
def numerics(precision: str) -> Iterator[None]:
    """Compute with these settings of JAX, whatever the user's environment says of them.

    Each of them changes numbers: random ones, or the last bits.

    Args:
        precision: "float32" or "float64".

    Raises:
        ValueError: JAX shifts all seeds, which no context can undo.
    """
    if offset := jax.config.values["jax_random_seed_offset"]:
        raise ValueError(
            f"JAX_RANDOM_SEED_OFFSET must be 0, got {offset}: it would change the meaning of every "
            "seed; unset it"
        )
    with (
        jax.enable_x64(precision == "float64"),
        jax.threefry_partitionable(True),
        jax.default_prng_impl("threefry2x32"),
        jax.default_matmul_precision(None),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        yield


def cpu_threads() -> int | None:
    """Number of XLA's worker threads in this process, or None where the system does not tell."""
    names = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]
    return sum(name.startswith("tf_XLAEigen") for name in names) or None
