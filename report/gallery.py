"""The gallery's runs, one a system, and tables of what they found.

A run lies in report/gallery/SYSTEM/run.nc; one that is there is loaded, another is made.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import dsnlib
from dsnlib.answer import Regions
from dsnlib.methods.smc import SMCRun
from dsnlib.storage.dataset import attribute
from report.studies.problems import CASES
from report.studies.score import score
from report.text import fixed, plus_minus

FOLDER = Path("report/gallery")
#: What the pages are about: the system's name among `CASES`, and what the page is called.
SYSTEMS = {
    "d2": "The note's circuit, two conductances",
    "d8": "The circuit, eight conductances",
    "d12": "The circuit, twelve conductances",
    "linear2d": "A linear system in the plane",
    "rnn10": "A recurrent network of rank two",
    "v1": "Visual cortex",
    "sc": "Superior colliculus",
}
SEED = 1


def run_of(name: str) -> SMCRun:
    """The run of a system; made where it is not there."""
    case = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the page shows the diagnostics
        run = dsnlib.fit(case.circuit, case.prop, case.method, seed=SEED, out=FOLDER / name)
    assert isinstance(run, SMCRun)
    return run


def summary(run: SMCRun) -> pd.DataFrame:
    """What was asked, what it cost, and what came out, a row each."""
    data, method = run.data, run.method
    versions = attribute(data, "versions")
    observed = attribute(data, "observables")
    targets = {
        f"target of {o['name']}": f"{mean:g} ± {sd:g}"
        + ("" if o["unit"] == "1" else f" {o['unit']}")
        for o, mean, sd in zip(observed, run.prop.mean, run.prop.sd, strict=True)
    }
    rows = {
        "free parameters": str(data.sizes["parameter"]),
        **targets,
        "particles": f"{method.particles:,} on each of {method.islands} islands",
        "moves": method.moves,
        "simulations": f"{fixed(run.simulations / 1e6, 2)} million",
        "time": f"{fixed(data.attrs['seconds'], 0)} s on {data.attrs['device']}",
        "versions": ", ".join(f"{name} {versions[name]}" for name in ("jax", "dsnlib")),
        "entropy": f"{plus_minus(*run.entropy)} nat",
        "trusted": "yes" if run.trusted else "no",
    }
    return pd.DataFrame({"": rows})


def reached(run: SMCRun) -> pd.DataFrame:
    """Mean and sd of each statistic beside its target."""
    observed = attribute(run.data, "observables")
    values = [run.samples[o["name"]].values.ravel() for o in observed]
    columns = {
        "mean": [each.mean() for each in values],
        "target mean": run.prop.mean,
        "sd": [each.std() for each in values],
        "target sd": run.prop.sd,
    }
    table = pd.DataFrame(columns, index=[o["name"] for o in observed])
    return table.map(lambda value: fixed(value, 4))


def intervals(run: SMCRun) -> pd.DataFrame:
    """Mean, sd and 90 % interval of each parameter."""
    described = attribute(run.data, "parameters")
    rows = {}
    for p in described:
        values = run.samples[p["name"]].values.ravel()
        low, high = np.quantile(values, [0.05, 0.95])
        unit = "" if p["unit"] == "1" else f" ({p['unit']})"
        rows[p["name"] + unit] = {
            "mean": values.mean(),
            "sd": values.std(),
            "5 %": low,
            "95 %": high,
            "low bound": p["low"],
            "high bound": p["high"],
        }
    return pd.DataFrame(rows).T.map(lambda value: fixed(value, 3))


def shares(regions: Regions) -> pd.DataFrame:
    """Share and place of every region, a column each."""
    means = regions.table.drop(columns=["share", "se"])
    table = means.map(lambda value: fixed(value, 2))
    shares = zip(regions.table.share, regions.table.se, strict=True)
    table.insert(0, "share (%)", [plus_minus(100 * share, 100 * se, 1) for share, se in shares])
    return table.T


def checks(run: SMCRun) -> pd.DataFrame:
    """The run's diagnostics."""
    table = run.diagnostics.drop(columns="remedy")
    table["value"] = [f"{value:.3g}" for value in table["value"]]
    table["passed"] = np.where(table.passed, "yes", "no")
    return table


def _samples(run: SMCRun, most: int = 10_000) -> np.ndarray:
    """Some of the samples, at random, in the order of the circuit's parameters."""
    names = [p["name"] for p in attribute(run.data, "parameters")]
    z = np.stack([run.samples[name].values.ravel() for name in names], axis=1)
    low, high = run.data.bounds.values.T
    return np.clip(np.random.default_rng(run.seed).permutation(z)[:most], low, high)


def distance_row(name: str, run: SMCRun) -> dict[str, str]:
    """C2ST with its limit, and the entropy of the reference."""
    found, exact = score(name, _samples(run)), CASES[name].exact()
    c2st, limit = found["c2st"], found["of_exact"]["c2st"]
    entropy = exact.get("entropy")
    return {
        "C2ST": plus_minus(c2st.value, c2st.se, 3),
        "limit": fixed(limit.value + 2 * limit.se, 3),
        "entropy of the reference (nat)": ""
        if entropy is None
        else plus_minus(float(entropy), float(exact["entropy_se"])),
    }


def distance(name: str, run: SMCRun) -> pd.DataFrame:
    """The run beside the reference, and what exact samples of the same number would score."""
    found, exact = score(name, _samples(run)), CASES[name].exact()
    rows = {}
    for label, what in (("run", found), ("exact samples", found["of_exact"])):
        mean, sd = what["mean"], what["sd"]
        rows[label] = {
            "C2ST": plus_minus(what["c2st"].value, what["c2st"].se, 3),
            "mean furthest off (sd)": f"{mean[0]}: {plus_minus(mean[1].value, mean[1].se, 3)}",
            "sd furthest off (ratio)": f"{sd[0]}: {plus_minus(sd[1].value, sd[1].se, 3)}",
        }
    entropy = exact.get("entropy")
    rows["run"]["entropy (nat)"] = plus_minus(*run.entropy)
    rows["exact samples"]["entropy (nat)"] = (
        "" if entropy is None else plus_minus(float(entropy), float(exact["entropy_se"]))
    )
    return pd.DataFrame(rows)


def references_table() -> pd.DataFrame:
    """The references: how many samples, of which simulations, and their errors."""
    rows = {}
    for name, case in CASES.items():
        if case.reference is None:
            continue
        exact = case.exact()
        rows[name] = {
            "parameters": len(case.circuit.parameters),
            "samples": f"{len(exact['z']):,}",
            "draws": f"{int(exact['draws']):,}" if "draws" in exact else "",
            "effective": f"{float(exact['ess']):,.0f}" if "ess" in exact else "",
            "entropy (nat)": plus_minus(float(exact["entropy"]), float(exact["entropy_se"]))
            if "entropy" in exact
            else "",
        }
    return pd.DataFrame(rows).T
