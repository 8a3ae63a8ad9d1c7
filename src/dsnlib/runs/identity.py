"""What makes two runs the same run: what was asked for, and what the circuit computes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import jax
import numpy as np

from dsnlib._xla import numerics
from dsnlib.circuits import Circuit
from dsnlib.methods import Problem

_PROBES = 4  # points at which a simulator outside JAX is recorded


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


def differences(wanted: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """A line "name: .. there, .. asked for" for each entry in which two identities differ.

    Args:
        wanted, found: as `identity` gives them. A run of an earlier version has no program, and
            settings that came later had their default value.
    """
    wanted, found = json.loads(json.dumps(wanted)), json.loads(json.dumps(found))
    mine, theirs = wanted.pop("program"), found.pop("program", None)
    lines = _program_differences(mine, theirs) if theirs else []
    for group in wanted.keys() | found.keys():
        asked, there = wanted.get(group), found.get(group)
        if isinstance(asked, dict) and isinstance(there, dict):
            for name in sorted(asked.keys() | there.keys()):
                if asked.get(name) != there.get(name):
                    lines.append(f"{name}: {there.get(name)} there, {asked.get(name)} asked for")
        elif asked != there:
            lines.append(f"{group}: {there} there, {asked} asked for")
    return sorted(lines)


def _program_differences(mine: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """Whether the circuit computes something else now.

    Programs can be compared within one version of JAX, since each words them in its own way.
    """
    comparable = all(mine[key] == theirs[key] for key in ("jax", "platform"))
    if comparable and mine["sha256"] != theirs["sha256"]:
        return ["evaluate: another program there, edited since"]
    now, then = (np.array(each.get("probes", []), float) for each in (mine, theirs))
    if now.shape != then.shape or not np.allclose(now, then, rtol=1e-3, equal_nan=True):
        return ["evaluate: other statistics there, the simulator was edited since"]
    return []
