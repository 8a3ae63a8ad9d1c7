# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Circuits that people bring
#
# Five circuits of the kind that a user brings, each solved from the shell by one command,
# `papermill circuit.ipynb`, once by {term}`SMC` and once by {term}`weighted uniform draws`, which
# share nothing but the circuit. How to bring your own stands in {doc}`extend`; the circuits are in
# `examples/`.
#
# - **Where both runs are to be {term}`trusted`** ({glue:text}`trials-both`) they agree: their
#   {term}`entropies <entropy>` differ by at most {glue:text}`trials-apart` standard errors of the
#   difference, and boosted trees tell samples of one from those of the other in
#   {glue:text}`trials-c2st` % of cases ({term}`C2ST`; 50 % is chance).
# - **From the shell to the page it takes {glue:text}`trials-minutes` minutes**, on one core of a
#   machine that did other work besides.
# - **The cheaper method**, by simulations for as many
#   {term}`effective samples <effective sample size>`, where SMC met the property:
#   {glue:text}`trials-winner`. Each run says so in its verdict.
# - **Runs that are not to be trusted, as they say themselves**: {glue:text}`trials-untrusted`.
#   A circuit of which neither run is trusted is not solved at the size that these minutes allow.

# %% tags=["hide-input"] caption="Five circuits of the kind that users bring, each by SMC and by weighted uniform draws. Failed: share of the simulations without statistics, which SMC learns to avoid. Entropy: ± standard error. Run: seconds to compile and to simulate; page: seconds of the command as a whole, with Python's start and every figure. Trusted: what the run says of itself." name="tab-trials-runs"
import json
from pathlib import Path

import numpy as np
import pandas as pd

from report.gluing import gluer
from report.text import count, fixed, plus_minus

glue_text = gluer("trials")
NAMES = {
    "hodgkin_huxley": "Hodgkin-Huxley neuron, JAX",
    "fitzhugh_nagumo": "FitzHugh-Nagumo with noise, NumPy",
    "brittle": "simulator that raises exceptions, NumPy",
    "silent": "statistic that is mostly undefined, JAX",
    "jaxley_cell": "Jaxley's cell",
}
METHODS = {"smc": "SMC", "uniform": "uniform draws"}
RESULTS = Path("report/studies/results")
records = {name: json.loads((RESULTS / f"own_{name}.json").read_text()) for name in NAMES}


def apart(record):
    """How many standard errors of their difference lie between the entropies."""
    (a, a_se), (b, b_se) = (record["methods"][m]["entropy"] for m in METHODS)
    return abs(a - b) / np.hypot(a_se, b_se)


each = [(name, m, r["methods"][m]) for name, r in records.items() for m in METHODS]
both = {name: r for name, r in records.items() if all(r["methods"][m]["trusted"] for m in METHODS)}
glue_text("both", "; ".join(NAMES[name] for name in both))
glue_text("apart", f"{max(map(apart, both.values())):.1f}")
told = [100 * r["c2st"][0] for r in both.values()]
glue_text("c2st", f"{min(told):.0f} to {max(told):.0f}")
minutes = [run["page_seconds"] / 60 for _, _, run in each]
glue_text("minutes", f"{min(minutes):.1f} to {max(minutes):.1f}")
cheaper = {
    name: "uniform draws" if "simpler and cheaper" in r["methods"]["smc"]["verdict"] else "SMC"
    for name, r in records.items()
    if "uniform draws:" in r["methods"]["smc"]["verdict"]  # where the property is met
}
glue_text("winner", "; ".join(f"{NAMES[name]}: {method}" for name, method in cheaper.items()))
untrusted = [
    f"{NAMES[name]} by {METHODS[m]} ({count(len(run['failed_checks']), 'check')} failed)"
    for name, m, run in each
    if not run["trusted"]
]
glue_text("untrusted", "; ".join(untrusted) or "none")
pd.DataFrame(
    [
        {
            "circuit": NAMES[name],
            "method": METHODS[m],
            "simulations": fixed(run["simulations"], -3),
            "failed (%)": fixed(100 * run["failed_share"], 1),
            "samples": fixed(run["samples"], 0),
            "entropy (nat)": plus_minus(*run["entropy"], 3),
            "run (s)": fixed(run["seconds"], 0),
            "page (s)": fixed(run["page_seconds"], 0),
            "trusted": "yes" if run["trusted"] else "no",
        }
        for name, m, run in each
    ]
).set_index(["circuit", "method"])

# %% tags=["hide-input"] caption="Whether the two methods agree. C2ST (± standard error): share of samples that boosted trees assign to the right method, of as many samples of each; 0.5 is chance. Lines: what dsnlib asks for beside the model's own equations, that is class, parameters, statistics, property and call." name="tab-trials-agree"
pd.DataFrame(
    [
        {
            "circuit": NAMES[name],
            "C2ST": plus_minus(*r["c2st"], 3),
            "samples of each": fixed(r["c2st_n"], 0),
            "lines": r["lines"],
        }
        for name, r in records.items()
    ]
).set_index("circuit")

# %% tags=["remove-cell"]
print("complete")
