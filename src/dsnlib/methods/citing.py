"""What a methods section says of a run."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

from dsnlib.storage.dataset import attribute

if TYPE_CHECKING:
    from dsnlib.methods.run import Run


def methods_paragraph(run: Run[Any]) -> str:
    """How the samples of a run were made, and what to cite.

    Args:
        run: of any method.

    Returns:
        Two paragraphs of plain text.
    """
    data, checks = run.data, run.diagnostics
    commit = data.attrs["git_commit"]
    code = "" if commit == "unknown" else f", git commit {commit}"
    version = attribute(data, "versions")["dsnlib"]
    # only some methods know the entropy of their answer
    entropy = getattr(run, "entropy", None)
    failed = checks.index[~checks.passed]
    sentences = [
        f"Parameters of {_circuit(run)} were sampled with {run.method!r} of dsnlib {version}"
        f"{code}, seed {run.seed}, such that {_targets(run)}.",
        f"The run took {run.simulations:,} simulations and gave {run.z[..., 0].size:,} equally "
        "weighted samples.",
        f"Their distribution has an entropy of {entropy.value:.3f} ± {entropy.se:.3f} nat "
        "(± standard error)."
        if entropy is not None
        else "",
        f"All {len(checks)} checks of the run passed."
        if failed.empty
        else f"The run is not to be trusted: {len(failed)} of {len(checks)} checks failed "
        f"({'; '.join(failed)}).",
    ]
    return (
        " ".join(sentence for sentence in sentences if sentence)
        + "\n\nThe dsnlib authors. dsnlib: degenerate solution networks for neural circuits, "
        f"version {importlib.metadata.version('dsnlib')}.\n"
    )


def _circuit(run: Run[Any]) -> str:
    """The circuit's name with its constants."""
    constants = attribute(run.data, "circuit")
    name = constants.pop("name")
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in constants.items())})"


def _targets(run: Run[Any]) -> str:
    """What was asked of each statistic."""
    prop, observed = run.prop, attribute(run.data, "observables")
    phrases = []
    for o, mean, sd, interval in zip(observed, prop.mean, prop.sds, prop.intervals, strict=True):
        unit = "" if o["unit"] == "1" else f" {o['unit']}"
        if interval is not None:
            phrases.append(f"{o['name']} lies between {interval[0]:g} and {interval[1]:g}{unit}")
        elif sd is not None:
            phrases.append(f"{o['name']} is {mean:g} ± {sd:g}{unit} (mean ± sd)")
        elif mean is not None:
            phrases.append(f"{o['name']} has a mean of {mean:g}{unit}")
    return ", ".join(phrases)
