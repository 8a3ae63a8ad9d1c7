"""How many threads JAX's CPU client uses; to be imported before anything is computed.

XLA splits the small loop body of a simulation over all the cores that a process may use and waits
for them in every step. That costs more than it gains where several runs go side by side, and it
makes rounding depend on the number of cores. With one thread a process, a run gives the same bits
however many cores it is granted. A user who sets PJRT_NPROC decides otherwise.
"""

import os
from pathlib import Path

os.environ.setdefault("PJRT_NPROC", "1")


def cpu_threads() -> int | None:
    """Number of XLA's worker threads in this process, or None where the system does not tell."""
    names = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]
    return sum(name.startswith("tf_XLAEigen") for name in names) or None
