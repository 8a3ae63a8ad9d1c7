"""Tables of the gallery's pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from dsnlib.answer import Regions
from dsnlib.methods.smc import SMCRun
from dsnlib.storage.dataset import attribute
from report.gallery.systems import SYSTEMS, run_of
from report.studies.problems import CASES
from report.studies.score import score
from report.text import fixed, plus_minus

_SCORED = 10_000  # samples
SIMULATIONS, UNIFORM = "simulations (million)", "uniform draws worth as much (million)"
#: The diagnostic that says what a run's samples are worth.
EFFECTIVE = "smallest effective sample size of a parameter or statistic"


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


def intervals(run: SMCRun, names: Sequence[str] | None) -> pd.DataFrame:
    """Mean, sd and 90 % interval of the parameters; names: of which, None: of all."""
    rows = {}
    for p in attribute(run.data, "parameters"):
        if names is not None and p["name"] not in names:
            continue
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


def shares(regions: Regions, names: Sequence[str] | None) -> pd.DataFrame:
    """Share and place of every region, a column each; names: as in `intervals`."""
    means = regions.table.drop(columns=["share", "se"])
    if names is not None:
        means = means[[f"mean of {name}" for name in names]]
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


def _scored(name: str, run: SMCRun) -> dict[str, Any]:
    """The score of some of the samples, at random."""
    low, high = run.data.bounds.values.T
    z = np.clip(run.z.reshape(-1, len(low)), low, high)
    return score(name, np.random.default_rng(run.seed).permutation(z)[:_SCORED])


def _entropy(exact: dict[str, Any]) -> str:
    return plus_minus(float(exact["entropy"]), float(exact["entropy_se"]))


def uniform_share(name: str) -> float:
    """Share of uniform draws of the box that is effective once they are weighted to the answer.

    Kish's effective size over the number of draws, (E_u[w])^2 / E_u[w^2] with w = p V for the
    uniform u on a box of volume V, is 1 / (V E_p[p]); the mean is over the reference's samples.
    """
    case = CASES[name]
    exact = case.exact()
    moments = case.prop.moments(exact["statistics"].astype(float))
    log_p = moments @ exact["eta"] - float(exact["log_z"])
    log_volume = np.log(np.diff(case.circuit.bounds, axis=1)).sum()
    return float(np.exp(-(log_volume + logsumexp(log_p) - np.log(len(log_p)))))


def overview() -> pd.DataFrame:
    """Every system, a row each: cost, answer, distance from the reference, the simplest rival."""
    rows = {}
    for name, system in SYSTEMS.items():
        run, exact = run_of(name), CASES[name].exact()
        found = _scored(name, run)
        limit = found["of_exact"]["c2st"]
        effective = run.diagnostics.value[EFFECTIVE]
        rows[system.title] = {
            "parameters": run.data.sizes["parameter"],
            "statistics": run.data.sizes["statistic"],
            SIMULATIONS: f"{run.simulations / 1e6:.1f}",
            UNIFORM: f"{effective / uniform_share(name) / 1e6:.1f}",
            "C2ST": plus_minus(found["c2st"].value, found["c2st"].se, 3),
            "limit": fixed(limit.value + 2 * limit.se, 3),
            "entropy (nat)": plus_minus(*run.entropy),
            "of the reference": _entropy(exact),
            "trusted": "yes" if run.trusted else "no",
        }
    return pd.DataFrame(rows).T


def distance(name: str, run: SMCRun) -> pd.DataFrame:
    """The run beside the reference, and what exact samples of the same number would score."""
    found = _scored(name, run)
    rows = {}
    for label, what in (("run", found), ("exact samples", found["of_exact"])):
        mean, sd = what["mean"], what["sd"]
        rows[label] = {
            "C2ST": plus_minus(what["c2st"].value, what["c2st"].se, 3),
            "mean furthest off (sd)": f"{mean[0]}: {plus_minus(mean[1].value, mean[1].se, 3)}",
            "sd furthest off (ratio)": f"{sd[0]}: {plus_minus(sd[1].value, sd[1].se, 3)}",
        }
    rows["run"]["entropy (nat)"] = plus_minus(*run.entropy)
    rows["exact samples"]["entropy (nat)"] = _entropy(CASES[name].exact())
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
            "entropy (nat)": _entropy(exact),
        }
    return pd.DataFrame(rows).T
