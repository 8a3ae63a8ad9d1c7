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
# # Does any setting of the penalty hold both modes?
#
# The note asked which parameterisation of the augmented Lagrangian keeps both modes. This is a
# designed study of that question, with the note's network of ten planar layers:
# {glue:text}`phase-runs` short runs at {glue:text}`phase-points` points, {glue:text}`phase-seeds`
# seeds a point. From a base ({glue:text}`phase-base`) one setting is varied at a time, then pairs
# of settings, for two estimators of the gradient of the constraints: **pathwise**, through the
# simulator as in the note, and **score**, $\mathbb{E}[(T - b)\,\nabla\log q]$, which needs only the
# simulator's values. All points share their seeds: the same initial networks and the same noise.
# The design is in `config/phase.yaml`; `make phase` trains what is missing of it; the data are in
# `report/studies/results/`.
#
# The runs are small: half the note's batch, and {glue:text}`phase-iterations` iterations where the
# note has 80,000; two settings are also trained for {glue:text}`phase-long-iterations`. What they
# show is where training goes in that time; the eight runs of [the synthesis](synthesis.ipynb) are
# of the note's size.

# %% tags=["hide-input"]
import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
import yaml
from IPython.display import Markdown, display

from dsnlib.plots import use_style
from report.figures import plot_phase
from report.gluing import gluer
from report.judged import HELD
from report.rates import wilson
from report.studies.design import DESIGN, read_points
from report.text import spread

use_style()
glue_text = gluer("phase")
design = yaml.safe_load(DESIGN.read_text())
files = {point: Path(f"report/studies/results/phase_{point}.nc") for point in read_points()}
varied = list(dict.fromkeys(point.split("_", 1)[1] for point in files))
complete = [
    name
    for name in varied
    if all(files[f"{gradient}_{name}"].exists() for gradient in design["gradient"])
]


def label(name):
    return ", ".join(part.replace("-", " = ") for part in re.split(r"(?<=\d)_", name))


points = {
    g: {label(name): xr.load_dataset(files[f"{g}_{name}"]) for name in complete}
    for g in design["gradient"]
}
base = {k: v for k, v in design["base"].items() if k not in ("epochs", "clip")}


def iterations(point):
    settings = json.loads(point.settings)
    return settings["epochs"] * settings["iterations"]


everything = [point for settings in points.values() for point in settings.values()]
total = sum(point.sizes["seed"] for point in everything)
glue_text("runs", total)
glue_text("points", len(everything))
glue_text("seeds", len(design["seeds"]))
glue_text("base", ", ".join(f"{name} = {value:g}" for name, value in base.items()))
glue_text("iterations", f"{design['base']['epochs'] * design['base']['iterations']:,}")
glue_text("long-iterations", f"{max(map(iterations, everything)):,}")
missing = len(varied) - len(complete)
if missing:
    display(Markdown(f"{missing} of {len(varied)} settings are not complete and are left out."))

# %% [markdown]
# ## Where the runs end
#
# A dot is a run, a bar the median of a point. First the distance to the exact answer, then the mass
# of the lower mode (its exact mass is {glue:text}`phase-exact-lower` %) and of the upper one
# ({glue:text}`phase-exact-upper` %).

# %% mystnb={"image": {"alt": "Dots of the distance KL to the exact answer at the end of each run of the phase study, on a logarithmic axis, one row a setting, in two colours for the pathwise and the score-function gradient. Numbers are in the table below."}} tags=["hide-input"]
figure = plot_phase(points, "kl", "KL(q || p*) at the end (nat)")
figure.axes[0].set_xscale("log")
ticks = [2, 5, 10, 20, 50, 100]
figure.axes[0].set_xticks(ticks, ticks)
plt.show()

# %% mystnb={"image": {"alt": "Dots of the mass of the lower mode at the end of each run of the phase study, one row a setting, in two colours for the two gradients; a dotted line marks its exact mass. Rates of holding both modes are in the table below."}} tags=["hide-input"]
for point in everything:
    for name in ("lower", "upper"):
        point[name] = 100 * point.mode_mass.sel(mode=name)
exact_mass = dict(zip(everything[0].mode.values, everything[0].exact_mass.values, strict=True))
for name, mass in exact_mass.items():
    glue_text(f"exact-{name}", f"{100 * mass:.1f}")
figure = plot_phase(points, "lower", "mass of the lower mode (%)")
figure.axes[0].axvline(100 * exact_mass["lower"], color="0.2", linestyle=":")
figure.axes[0].set_xscale("symlog", linthresh=1)
figure.axes[0].set_xlim(left=-0.1)
plt.show()

# %% mystnb={"image": {"alt": "Dots of the mass of the upper mode at the end of each run of the phase study, one row a setting, in two colours for the two gradients; a dotted line marks its exact mass."}} tags=["hide-input"]
figure = plot_phase(points, "upper", "mass of the upper mode (%)")
figure.axes[0].axvline(100 * exact_mass["upper"], color="0.2", linestyle=":")
plt.show()

# %% [markdown]
# ## How often
#
# A mode is *held* where the network has at least a tenth of its exact mass at the end, as
# everywhere in this book. *Converged* is the note's test at the end of the last epoch; *near* is
# KL(q || p\*) below {glue:text}`phase-near` nat. The tables give the median of KL with its range,
# and counts of the {glue:text}`phase-seeds` seeds of a point. Their Wilson 95 % intervals are wide
# ({glue:text}`phase-intervals`), which is why the sums over all points stand below.

# %% tags=["hide-input"]
NEAR = 1.0  # nat


def outcome(point):
    end = point.isel(snapshot=-1)
    held = (end.mode_mass >= HELD * end.exact_mass).sel(mode=["lower", "upper"]).values
    converged = point.not_rejected.isel(epoch=-1).values > 0
    both = held.all(axis=1)
    return {
        "both": both,
        "upper alone": held[:, 1] & ~held[:, 0],
        "lower alone": held[:, 0] & ~held[:, 1],
        "neither": ~held.any(axis=1),
        "converged": converged,
        "both, converged": both & converged,
        "near": end.kl.values < NEAR,
    }


seeds = len(design["seeds"])
intervals = {k: [100 * end for end in wilson(k, seeds)] for k in range(seeds + 1)}
glue_text(
    "intervals",
    ", ".join(f"{k} of {seeds}: {low:.0f} to {high:.0f} %" for k, (low, high) in intervals.items()),
)
glue_text("near", f"{NEAR:g}")
for gradient, settings in points.items():
    rows = {}
    for name, point in settings.items():
        end = point.isel(snapshot=-1)
        rows[name] = {
            "KL (nat)": f"{float(end.kl.median()):.1f}",
            "from": f"{float(end.kl.min()):.1f}",
            "to": f"{float(end.kl.max()):.1f}",
            "in the band (%)": f"{100 * float(end.band_share.median()):.0f}",
            **{
                key.replace("converged", "conv."): int(hits.sum())
                for key, hits in outcome(point).items()
                if key != "near"
            },
        }
    display(Markdown(f"**{gradient} gradient**"), pd.DataFrame(rows).T)


# %% tags=["hide-input"]
def rate(hits):
    low, high = wilson(int(hits.sum()), len(hits))
    interval = f"{100 * low:.0f} to {100 * high:.0f} %"
    return f"{int(hits.sum())} of {len(hits)} ({100 * hits.mean():.0f} %, {interval})"


sums = {}
for gradient, settings in points.items():
    outcomes = [outcome(point) for point in settings.values()]
    sums[gradient] = {key: np.concatenate([one[key] for one in outcomes]) for key in outcomes[0]}
    for key, hits in sums[gradient].items():
        glue_text(f"{gradient}-{key.replace(', ', '-').replace(' ', '-')}", rate(hits))
    holding = np.concatenate(
        [
            point.kl.isel(snapshot=-1).values[one["both"]]
            for point, one in zip(settings.values(), outcomes, strict=True)
        ]
    )
    glue_text(f"{gradient}-both-kl", f"{holding.min():.0f}" if len(holding) else "no")
    best = min(float(point.kl.isel(snapshot=-1).min()) for point in settings.values())
    glue_text(f"{gradient}-best-kl", f"{best:.1f}")
most = max(everything, key=lambda point: outcome(point)["both"].sum())
glue_text("most-both", int(outcome(most)["both"].sum()))
glue_text(
    "most-both-name",
    next(
        f"{gradient} gradient, {name}"
        for gradient, settings in points.items()
        for name in settings
        if settings[name] is most
    ),
)
glue_text("most-both-band", f"{100 * float(most.band_share.isel(snapshot=-1).median()):.0f}")
glue_text("most-both-point-kl", f"{float(most.kl.isel(snapshot=-1).median()):.0f}")
glue_text(
    "most-both-converged", max(int(outcome(point)["both, converged"].sum()) for point in everything)
)
pd.DataFrame(
    {gradient: {key: rate(hits) for key, hits in each.items()} for gradient, each in sums.items()}
)


# %% [markdown]
# ## Does patience help?
#
# The same seeds after five times as many iterations, which brings networks nearer to the answer but
# not the other mode. At the end of the longer runs {glue:text}`phase-pathwise-long-both` hold both
# modes with the pathwise gradient, and {glue:text}`phase-score-long-both` with the score-function
# gradient.

# %% tags=["hide-input"]
longest = {}
for gradient, settings in points.items():
    longer = {
        name: point
        for name, point in settings.items()
        if iterations(point) > 2 * iterations(settings["base"])
    }
    for name, point in longer.items():
        short = settings[
            ", ".join(part for part in name.split(", ") if not part.startswith("iterations"))
            or "base"
        ]
        longest[gradient, name] = {
            f"KL after {iterations(one):,} (nat)": spread(one.kl.isel(snapshot=-1), 1)
            for one in (short, point)
        } | {"hold both": f"{int(outcome(point)['both'].sum())} of {point.sizes['seed']}"}
    both = [hit for point in longer.values() for hit in outcome(point)["both"]]
    glue_text(f"{gradient}-long-both", f"{sum(both)} of {len(both)}")
pd.DataFrame({f"{gradient}: {name}": row for (gradient, name), row in longest.items()}).T

# %% [markdown]
# ## The answer to the note's question
#
# **No setting of the penalty keeps both modes at convergence.** None holds both and passes the
# note's test in more than {glue:text}`phase-most-both-converged` of {glue:text}`phase-seeds` seeds.
# The point that holds both most often ({glue:text}`phase-most-both-name`:
# {glue:text}`phase-most-both` of {glue:text}`phase-seeds`) does so because training has hardly
# begun to concentrate: {glue:text}`phase-most-both-band` % of its samples lie in the band, and KL
# is {glue:text}`phase-most-both-point-kl` nat. Over all settings, {glue:text}`phase-pathwise-both`
# of the runs with the note's pathwise gradient hold both at the end, and
# {glue:text}`phase-pathwise-both-converged` hold both and pass the test; with the score-function
# gradient these are {glue:text}`phase-score-both` and {glue:text}`phase-score-both-converged`. (In
# brackets the share with its 95 % interval; the runs share seeds and differ in settings, so the
# intervals are a guide.) Nor is a network that holds both thereby near the answer: those that do
# end {glue:text}`phase-pathwise-both-kl` nat or more away from it with the pathwise gradient, and
# {glue:text}`phase-score-both-kl` nat or more with the other. Within {glue:text}`phase-near` nat of
# it end {glue:text}`phase-pathwise-near` and {glue:text}`phase-score-near`; the smallest KL of any
# run is {glue:text}`phase-pathwise-best-kl` nat with the pathwise and
# {glue:text}`phase-score-best-kl` nat with the score-function gradient. Samples of
# [SMC](answer.ipynb) can hardly be told from exact ones (C2ST
# {glue:text}`answer.ipynb::answer-c2st:s`).
#
# The score-function gradient makes training reliable, and what it reliably finds is only the upper
# mode, as the objective has it: the lower mode is worth little entropy ([the cause](cause.ipynb)).
#
# What the study cannot say: what would come of all combinations (some pairs are tried, no triples),
# of more than {glue:text}`phase-long-iterations` iterations, and anything about other networks;
# [the chapter on causes](cause.ipynb) asks what planar layers can represent at all.

# %% tags=["remove-cell"]
plt.close("all")
print("complete")
