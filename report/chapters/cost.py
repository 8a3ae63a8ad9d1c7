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
# # What a run costs
#
# The note reports 30 hours a run. The runs of this book, of
# {glue:text}`cost-iterations` iterations, took {glue:text}`cost-minutes` minutes each, on
# {glue:text}`cost-run-device`. A training step takes {glue:text}`cost-step` ms,
# {glue:text}`cost-times-faster` times less than the naive one, and its cost grows in proportion to
# the batch and to the number of Euler steps.
#
# Every figure comes from the JSON files that `make bench` writes to `benchmarks/results/`:
# alternatives take turns in one process, and medians are given with quartiles in brackets where
# these differ. All was measured on {glue:text}`cost-devices`, the processor's name as the machine
# gives it. No GPU was at hand, so nothing on this page says how fast a GPU is.

# %% tags=["hide-input"]
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import Markdown

import dsnlib
from dsnlib.plots import run_name, use_style
from report.gluing import gluer
from report.text import bracketed, from_to

use_style()
glue_text = gluer("cost")
results = {
    path.stem: json.loads(path.read_text()) for path in Path("benchmarks/results").glob("*.json")
}
results = {name: results[name] for name in ("step", "processes", "scaling", "exact")}
step, processes, scaling = results["step"], results["processes"], results["scaling"]


def show(row, digits=1):
    """Median and quartiles."""
    return bracketed(*(f"{row[name]:.{digits}f}" for name in ("median", "low", "high")))


def devices(names):
    return " and ".join(sorted({name.removeprefix("cpu: ") for name in names}))


glue_text("devices", devices(record["device"] for record in results.values()))
glue_text("step", show(step["step_ms"]["one step"]))
glue_text("times-faster", f"{step['naive_over_step']:.1f}")

# %% tags=["hide-input"] caption="When and with what the files were measured from which the other tables and the figures come." name="tab-cost-files"
rows = {
    f"{name}.json": [record["measured"][:10], record["versions"]["jax"], record["git_commit"][:7]]
    for name, record in results.items()
}
pd.DataFrame(rows, ["measured", "JAX", "commit"]).T

# %% [markdown]
# ## Then and now
#
# The note names neither the hardware nor the batch nor how many iterations a run had. (An epoch has
# 10,000, and one of its runs converges in epoch 10, so that one had at least 100,000.) So a run can
# be set beside a run, and nothing more: the ratio of the two times is no measure of this library.

# %% tags=["hide-input"] caption="Time of the augmented-Lagrangian runs of this book beside what the note reports. An iteration is 1,000 simulations of 200 Euler steps. The time includes the initial fit, the tests at the epochs' ends, and whatever else the machine did meanwhile." name="tab-cost-runs"
rows, used = {}, []
runs = [dsnlib.load_run(path.parent) for path in Path("runs").glob("c0-*/run.nc")]
for run in sorted(runs, key=lambda run: (run.method.c0, run.seed)):
    total = run.method.epochs * run.method.iterations
    seconds = run.data.seconds
    rows[run_name(run)] = [f"{total:,}", f"{seconds / 60:.1f}", f"{1e3 * seconds / total:.1f}"]
    used.append(run.data.device)
rows["the note (2019)"] = ["not stated", "1,800 (30 hours)", "not stated"]
glue_text("run-device", devices(used))
glue_text("minutes", from_to([run.data.seconds / 60 for run in runs], 0))
glue_text("iterations", f"{runs[0].method.epochs * runs[0].method.iterations:,}")
pd.DataFrame(rows, ["iterations", "time (min)", "ms an iteration"]).T

# %% [markdown]
# [SMC](answer.ipynb) is another method; its chapter says what it costs.
#
# ## A step against the naive one

# %% tags=["hide-input"] caption="Time of a training step with 1,000 samples on one thread: median, and quartiles in brackets. The naive step writes the circuit on arrays of five neurons and sends jax.value_and_grad straight through the lax.scan; it gives the same loss, with the same options of the compiler." name="tab-cost-step"
ms = step["step_ms"]
pd.DataFrame(
    {
        "time of a step (ms)": [show(ms["one naive step"]), show(ms["one step"])],
        "times faster": ["1", f"{step['naive_over_step']:.1f}"],
    },
    ["naive", "dsnlib"],
)

# %% tags=["hide-input"]
difference = max(step["largest_difference_from_naive"].values())
jacobian, loop = (step["parts_ms"][name] for name in ("statistics and Jacobian", "C loop"))
Markdown(
    f"Entropy, loss and moments of the two differ by {difference:.0e} at most. "
    f"`statistics_and_jacobian` takes {show(jacobian)} ms for 1,008 points; a fused loop in C, "
    f"written by hand with vector registers, takes {show(loop)} ms on the same core: a ratio of "
    f"{step['jacobian_over_c_loop']:.2f}. The two steps take turns, and the naive one leaves behind "
    "memory whose return to the "
    "system falls into the other's time, so the advantage is, if anything, larger."
)

# %% [markdown]
# What makes the difference, in the order of its weight:
#
# - Tangents travel forward beside the simulation, since there are two parameters and 200 steps.
# - The gates of a neuron share an exponential, $\exp(-V/30\,\mathrm{mV})$, whose powers they are,
#   and have derivatives without a division.
# - The 202 filters of the readout are combinations of 26, because a signal of 5 s within 1 Hz has few
#   degrees of freedom.
# - The loop is compiled as one function.
#
# The equations are written once, and JAX derives the sensitivities from them.
#
# ## Where the time goes

# %% mystnb={"image": {"alt": "Horizontal bars of the time in milliseconds of the parts of a training step: simulation, simulation with two tangents, readout with gradient, flow with gradient, and optimiser. The simulation with its tangents takes most."}, "figure": {"caption": "Time of the parts of a training step with 1,000 samples, each compiled and timed by itself, so that they need not add up to a step. Bars: medians; lines: quartiles. Simulation with its tangents takes most.", "name": "fig-cost-parts"}} tags=["hide-input"]
names = [
    "simulation",
    "simulation with two tangents",
    "readout and its gradient",
    "flow and its gradient",
    "optimiser",
]
figure, ax = plt.subplots(figsize=(7.5, 2.4))
parts = [step["parts_ms"][name] for name in names]
median = np.array([part["median"] for part in parts])
reach = np.abs(np.array([[part["low"], part["high"]] for part in parts]).T - median)
ax.barh(names[::-1], median[::-1], xerr=reach[:, ::-1], color="0.6", ecolor="0.1")
ax.set_xlabel("time (ms) for 1,000 samples")
plt.show()


# %% [markdown]
# ## Processes
#
# A process uses one thread. Two runs side by side then use two cores; handing both to one run gains
# nothing, or loses.


# %% tags=["hide-input"] caption="Cost of a process by how many runs and threads it has: time of a step, of the imports and of the first 20 steps (median, and quartiles in brackets), and peak memory." name="tab-cost-processes"
def row(p):
    return [
        show(p["step_ms"]),
        show(p["import_s"]),
        show(p["first_step_s"]),
        show(p["peak_GiB"], 2),
    ]


columns = ["step (ms)", "import (s)", "first 20 steps with compilation (s)", "peak memory (GiB)"]
pd.DataFrame({name: row(p) for name, p in processes["processes"].items()}, columns).T

# %% tags=["hide-input"]
Markdown(
    "Two runs side by side do "
    + " and ".join(
        f"{gain:.2f} times the work of {name}"
        for name, gain in processes["side_by_side_gain_over"].items()
    )
    + ". Set JAX's own `JAX_COMPILATION_CACHE_DIR` to a folder, and a second process starts faster."
)

# %% [markdown]
# ## How cost grows
#
# Cost grows about in proportion to the batch and to the number of Euler steps. Batches of more than
# 1,000 samples are simulated in blocks of 1,000, whose state and tangents stay in the processor's
# cache. A step has a fixed cost besides, which shows in the small batches and takes the fitted
# exponents below 1.

# %% mystnb={"image": {"alt": "Two log-log plots of the time of a training step in milliseconds: against the batch from 250 to 8,000 samples and against the number of Euler steps from 100 to 1,600. Both rise nearly as straight lines; the fitted exponents stand above."}, "figure": {"caption": "Time of a training step against the batch (left) and against the number of Euler steps (right), on logarithmic axes. Above: exponents of fitted power laws ± standard errors. Points: medians; bars: quartiles. Cost grows about in proportion.", "name": "fig-cost-growth"}} tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(7.5, 2.8), sharey=True)
for ax, name, label in zip(axes, ("batch", "T"), ("batch (samples)", "Euler steps T"), strict=True):
    grown = scaling[name]
    times = [grown["ms_two_steps"][str(size)] for size in grown["sizes"]]
    median = np.array([t["median"] for t in times]) / 2
    reach = np.abs(np.array([[t["low"], t["high"]] for t in times]).T / 2 - median)
    ax.errorbar(grown["sizes"], median, reach, marker="o", color="0.2", capsize=2)
    ax.set(xscale="log", yscale="log", xlabel=label)
    ax.minorticks_off()
    ax.set_xticks(grown["sizes"], [f"{size:,}" for size in grown["sizes"]], rotation=45)
    ax.set_yticks([2, 5, 10, 20, 50], [2, 5, 10, 20, 50])
    ax.set_title(f"exponent {grown['exponent']:.2f} ± {grown['se']:.2f}")
axes[0].set_ylabel("time of a step (ms)")
plt.show()

# %% tags=["hide-input"]
alone = processes["processes"]["one run"]["step_ms"]["median"]
turns = step["step_ms"]["one step"]["median"]
two = scaling["batch"]["ms_two_steps"]["1000"]["median"] / 2
Markdown(
    f"The same step, of one run with 1,000 samples, takes {alone:.1f} ms in a process of its own, "
    f"{two:.1f} ms in the figure and {turns:.1f} ms in turns with the naive one. What surrounds it "
    "differs: the fewer steps a call makes, the more its start weighs (twenty in the process, ten "
    "beside the naive one, else two), and the naive step hands its memory back at the other's cost. "
    "Compare within a table, not across."
)

# %% [markdown]
# ## Forward or reverse mode
#
# With few parameters tangents travel forward beside the simulation; with many the reverse mode is
# cheaper. Where the two cross depends on the circuit: reverse mode stores what each step needs for
# the way back, and once that no longer fits into the processor's cache its cost multiplies. So the
# library asks JAX how much a reverse pass would store. Below 32 MiB it goes forward up to 3
# parameters a statistic, above that up to 16.


# %% tags=["hide-input"] caption="Time of one statistic's derivatives in either mode, with 1,000 samples and 200 steps (median, and quartiles in brackets), and which mode the library chooses. Chain: units with one free coupling each; STG: the five-neuron circuit of the runs." name="tab-cost-modes"
def circuit(name):
    return (
        "STG, 2 parameters"
        if name == "STG"
        else f"chain, {name} parameter{'' if name == '1' else 's'}"
    )


rows, slower = {}, []
for name, row in scaling["parameters"].items():
    ms, picked, faster = row["ms"], row["picked"], row["faster"]
    wrong = picked != faster
    rows[circuit(name)] = [
        show(ms["forward"], 2),
        show(ms["reverse"], 2),
        faster,
        f"{picked}, the slower" if wrong else picked,
    ]
    if wrong:
        overlap = ms[picked]["low"] < ms[faster]["high"]
        loss = 100 * (ms[picked]["median"] / ms[faster]["median"] - 1)
        slower.append(
            f"{circuit(name)} ({loss:.0f} %, quartiles {'overlap' if overlap else 'apart'})"
        )
pd.DataFrame(rows, ["forward (ms)", "reverse (ms)", "faster", "the library's choice"]).T

# %% tags=["hide-input"]
forward = scaling["parameters"]["STG"]["ms"]["forward"]
Markdown(
    f"The choice is the slower one in {len(slower)} of {len(rows)} rows"
    f"{': ' if slower else ''}{', '.join(slower)}. The STG's forward mode takes {show(forward)} ms "
    f"here and {show(step['parts_ms']['statistics and Jacobian'])} ms as `statistics_and_jacobian` "
    "above, the same computation: here each call follows one in reverse mode, and waits while the "
    "system takes back what that one stored. With a pause between the two the difference all but "
    "goes away."
)

# %% [markdown]
# ## Single or double precision

# %% tags=["hide-input"]
precise = scaling["precision"]
single, double = precise["ms"]["float32"], precise["ms"]["float64"]
Markdown(
    f"`statistics_and_jacobian` of 1,000 points takes {show(single)} ms in single and "
    f"{show(double)} ms in double precision. Between the two, "
    f"{precise['share_moved_by_more_than_1_mHz'] * precise['grid_points']:.0f} of "
    f"{precise['grid_points']:,} grid points over the plane "
    "changes by more than 1 mHz, as a point on a cliff of the frequency map may."
)

# %% [markdown]
# ## The exact answer
#
# `dsnlib.exact_maxent` simulates a whole grid and solves the dual, for the grid and for the 16
# coarser ones that tell its error.

# %% tags=["hide-input"] caption="Cost of the exact answer in a process that found no grid in the cache; with a grid there most of the time is saved." name="tab-cost-exact"
pd.DataFrame(
    {
        f"T = {case['T']}, {case['cells']:,} x {case['cells']:,} points": [
            show(case["seconds"]),
            show(case["peak_GiB"], 2),
        ]
        for case in results["exact"]["cases"]
    },
    ["time (s)", "peak memory (GiB)"],
).T

# %% tags=["remove-cell"]
print("complete")
