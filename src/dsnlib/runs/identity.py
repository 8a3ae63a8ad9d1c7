"""What makes two runs the same run: what was asked for, and what the circuit computes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from dsnlib._xla import numerics
from dsnlib.circuits import Circuit
from dsnlib.methods import Problem, Run

_PROBES = 4  # points at which a simulator outside JAX is recorded
# Samples of a run that are computed anew; of how many, and how nearly, the statistics must agree.
# Rounding differs between machines, and a circuit with cliffs may turn it into another value.
_RECOMPUTED, _AGREE, _NEAR = 200, 0.9, 0.01


def identity(problem: Problem) -> dict[str, Any]:
    """Method, circuit, property, settings, seed and program: what determines a run's numbers."""
    return {
        "method": problem.method.name,
        "circuit": problem.circuit.configuration(),
        "parameters": [p.described() for p in problem.circuit.parameters],
        "observables": [{"name": o.name, "unit": o.unit} for o in problem.circuit.observables],
        "property": dataclasses.asdict(problem.prop),
        "settings": dataclasses.asdict(problem.method),  # type: ignore[call-overload]
        "seed": problem.seed,
        "program": program(problem.circuit, problem.method.precision),
    }


def program(circuit: Circuit, precision: str) -> dict[str, Any]:
    """What a circuit computes: a digest of its compiled program.

    Where the program calls a simulator outside JAX, which the digest cannot see, the statistics at
    a few points stand for it.

    Args:
        circuit: whose `evaluate` is meant.
        precision: "float32" or "float64".
    """
    P = len(circuit.parameters)
    with numerics(precision):
        shape = jax.ShapeDtypeStruct((2, P), precision)
        text = jax.jit(circuit.evaluate).lower(shape).as_text()
        found: dict[str, Any] = {
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "jax": jax.__version__,
            "platform": jax.devices()[0].platform,
        }
        if "callback" in text:
            unit = np.random.default_rng(0).random((_PROBES, P))
            z = np.asarray(circuit.box.from_unit(unit))
            found["probes"] = np.asarray(circuit.statistics(z), float).tolist()
    return found


def recomputes(problem: Problem, run: Run[Any]) -> bool:
    """Whether today's circuit gives the statistics that a run recorded, at some of its samples.

    Args:
        problem: whose circuit is meant.
        run: complete, of the same parameters and statistics.

    Returns:
        True where nine in ten agree within a hundredth of the spread of each statistic.
    """
    z = run.z.reshape(-1, run.z.shape[-1])
    chosen = np.linspace(0, len(z) - 1, min(_RECOMPUTED, len(z))).astype(int)
    names = [o.name for o in problem.circuit.observables]
    recorded = np.stack([run.samples[name].values.ravel() for name in names], axis=-1)
    with numerics(problem.method.precision):
        now = np.asarray(problem.circuit.statistics(z[chosen]), float)
    near = np.abs(now - recorded[chosen]) <= _NEAR * recorded.std(axis=0)
    return bool(near.all(axis=1).mean() >= _AGREE)


def differences(
    wanted: dict[str, Any],
    found: dict[str, Any],
    recomputed: Callable[[], bool] = lambda: False,
) -> list[str]:
    """A line "name: .. there, .. asked for" for each entry in which two identities differ.

    Args:
        wanted, found: as `identity` gives them. A run of an earlier version has no program, and
            settings that came later had their default value.
        recomputed: whether today's circuit gives what the run recorded; asked where the programs
            differ, as they may by the last digits of their constants on another machine.
    """
    wanted, found = json.loads(json.dumps(wanted)), json.loads(json.dumps(found))
    mine, theirs = wanted.pop("program"), found.pop("program", None)
    lines: list[str] = []
    for group in wanted.keys() | found.keys():
        asked, there = wanted.get(group), found.get(group)
        if isinstance(asked, dict) and isinstance(there, dict):
            for name in sorted(asked.keys() | there.keys()):
                if asked.get(name) != there.get(name):
                    lines.append(f"{name}: {there.get(name)} there, {asked.get(name)} asked for")
        elif asked != there:
            lines.append(f"{group}: {there} there, {asked} asked for")
    if theirs and not lines:  # else they are programs of other problems
        lines = _program_differences(mine, theirs, recomputed)
    return sorted(lines)


def _program_differences(
    mine: dict[str, Any], theirs: dict[str, Any], recomputed: Callable[[], bool]
) -> list[str]:
    """Whether the circuit computes something else now.

    Programs can be compared within one version of JAX, since each words them in its own way.
    """
    comparable = all(mine[key] == theirs[key] for key in ("jax", "platform"))
    if comparable and mine["sha256"] != theirs["sha256"] and not recomputed():
        return ["evaluate: another program there, edited since"]
    now, then = (np.array(each.get("probes", []), float) for each in (mine, theirs))
    if now.shape != then.shape or not np.allclose(now, then, rtol=1e-3, equal_nan=True):
        return ["evaluate: other statistics there, the simulator was edited since"]
    return []
