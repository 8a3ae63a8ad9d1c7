"""Execute a page or a chapter, whole or not at all.

python -m workflow.execute SOURCE SCRATCH TARGET PARAMETERS, the last in JSON.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
from pathlib import Path

import papermill
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

from workflow.notebooks import defects
from workflow.processes import follow_head, handle_signals
from workflow.sources import read

# A notebook's bars ignore TQDM_DISABLE, and would stay in the page where something is computed.
_NO_BARS = "import tqdm, tqdm.auto; tqdm.auto.tqdm = tqdm.tqdm"


class OwnKernel(AsyncKernelManager):
    """Starts kernels of this very Python, whatever is registered as `python3` on the machine.

    They are spoken to by files in the profile's folder: of ports, two kernels that start at once
    may choose the same.
    """

    @default("transport")
    def _transport(self) -> str:
        return "ipc"

    @default("connection_file")
    def _connection_file(self) -> str:
        return str(Path(os.environ["IPYTHONDIR"], "kernel.json"))

    @property
    def kernel_spec(self) -> KernelSpec:
        """Of this Python."""
        return KernelSpec(**get_kernel_dict())


def main(source: str, scratch: str, target: str, parameters: str) -> None:
    """Execute a notebook in the working directory, and move it to its place where it is complete.

    Its outputs are logged on standard error. A signal ends the kernel with this process.

    Args:
        source: path of a page or a chapter.
        scratch: path of the executed notebook, which stays where a cell fails.
        target: where it goes.
        parameters: of the notebook, in JSON.

    Raises:
        papermill.PapermillExecutionError: a cell failed.
        KeyboardInterrupt: a signal came.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    handle_signals()
    follow_head()
    executed = Path(scratch)
    executed.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        os.environ["IPYTHONDIR"] = profile  # a user's profile may change what a page shows
        startup = Path(profile, "profile_default", "startup")
        startup.mkdir(parents=True)
        (startup / "no_bars.py").write_text(_NO_BARS)
        papermill.execute_notebook(
            read(Path(source)),
            str(executed),
            json.loads(parameters),
            kernel_name="python3",
            language="python",
            progress_bar=False,
            log_output=True,
            kernel_manager_class=OwnKernel,
        )
    if found := defects(executed):
        sys.exit(f"{source} did not execute completely: {'; '.join(found)}; see {scratch}")
    with executed.open("rb+") as file:
        os.fsync(file.fileno())
    executed.replace(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
