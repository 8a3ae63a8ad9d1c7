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
# # Does any setting hold both modes?
#
# The note sought a setting of the augmented Lagrangian that yields both modes, and found none.
# **With the note's architecture, neither do we**: of {glue:text}`phase-note-runs` small trainings at
# {glue:text}`phase-note-points` settings of penalty, learning rate and length,
# {glue:text}`phase-note-pass` pass the note's test of convergence in some epoch, and
# {glue:text}`phase-note-both-first` of these hold both modes there. **Another network does, where
# the penalty grows slowly**: with spline coupling layers, the gradient by the score function, a
# learning rate that falls, c0 = {glue:text}`phase-coupling-c0` and beta =
# {glue:text}`phase-coupling-beta`, {glue:text}`phase-coupling-pass` seeds pass the test, and
# {glue:text}`phase-coupling-first-0.1` hold both modes where they first pass. There they are still
# {glue:text}`phase-coupling-kl-first` nat from the exact answer; trained on, they come nearer and
# lose the lower mode in the end. [SMC](answer.ipynb) has neither trouble, and weighted uniform
# draws answer this two-dimensional question at once ([comparison](comparison.ipynb)).
#
# A mode is *held* where the network has at least a tenth of its exact mass, unless another
# threshold is given. *Passing* is the note's test at an epoch's end; a run of the note would stop
# at the first epoch that passes, so networks are shown there as well as at the end.

# %% tags=["hide-input"]
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr

from dsnlib.plots import use_style
from report.experiment import exact_answer
from report.figures import draw_cells, plot_courses, plot_networks_of, plot_trade
from report.gluing import gluer
from report.judged import HELD
from report.outcomes import THRESHOLDS, at, first_pass, holds
from report.rates import wilson
from report.studies.design import read_phase
from report.text import spread

use_style()
glue_text = gluer("phase")
design = read_phase()
files = {name: Path(f"report/studies/results/phase_{name}.nc") for name in design}
points = {name: xr.load_dataset(file) for name, file in files.items() if file.exists()}
GRADIENTS = ("pathwise", "score")
note = {name: points[name] for name in points if name.startswith(GRADIENTS)}
settings = {name: design[name].settings for name in points}


def rate(hits):
    """How many of n, with its Wilson 95 % interval."""
    hits = np.asarray(hits)
    low, high = wilson(int(hits.sum()), len(hits))
    return f"{int(hits.sum())} of {len(hits)} ({100 * low:.0f} to {100 * high:.0f} %)"


def over(data, test):
    """(runs) a test of every point's seeds, one after another."""
    return np.concatenate([np.asarray(test(point)) for point in data.values()])


glue_text("note-runs", sum(point.sizes["seed"] for point in note.values()))
glue_text("note-points", len(note))
passing = over(note, lambda point: first_pass(point).notnull())
glue_text("note-pass", int(passing.sum()))
glue_text("note-both-first", int(over(note, lambda point: holds(point, "first", HELD)).sum()))
glue_text("note-both-end", int(over(note, lambda point: holds(point, "end", HELD)).sum()))
glue_text("missing", len(files) - len(points))

# %% [markdown]
# ## The note's architecture
#
# Ten planar layers in small trainings: batches of 500 (half of the public code's), 10,000 iterations
# in all unless said otherwise, four seeds a setting, the same initial networks and noise in all.
# From a base ({glue:text}`phase-base`) one setting is varied, or a pair, for both estimators of the
# constraints' gradient: **pathwise**, through the simulator as in the public code, and **score**,
# from the simulator's values only ([cause](cause.ipynb)).


# %% tags=["hide-input"] mystnb={"image": {"alt": "Four maps of starting penalty c0 against beta. Colour and numbers say in how many of four seeds the network holds both modes: at the first epoch that passes the note's test above, at the end below; pathwise gradient left, score right. Nearly all cells say 0 or 1 of 4."}, "figure": {"caption": "Ten planar layers: in how many of four seeds it holds both modes (at least a tenth of the exact mass of each), and the median KL(q || p*) in nat, by starting penalty c0 and growth beta. Above at the first epoch that passes the note's test, below at the end. Grey: not tried.", "name": "fig-phase-penalty"}}
def cells(gradient, names):
    """Points that differ from the base only in two settings, by their values of these."""
    base = settings[f"{gradient}_base"]
    others = [name for name in base if name not in (*names, "epochs")]
    return {
        tuple(settings[point][name] for name in names): note[point]
        for point in note
        if all(settings[point][name] == base[name] for name in others)
    }


base = settings["score_base"]
glue_text(
    "base",
    ", ".join(
        f"{name} = {base[name]:g}"
        for name in ("c0", "beta", "gamma", "epochs", "iterations", "learning_rate")
    ),
)
figure, axes = plt.subplots(2, 2, figsize=(7.5, 5.6), sharex=True, sharey=True)
for row, when, words in zip(
    axes, ("first", "end"), ("first epoch that passes", "end"), strict=True
):
    for ax, gradient in zip(row, GRADIENTS, strict=True):
        draw_cells(ax, cells(gradient, ("c0", "beta")), when, HELD, ("c0", "beta"))
        ax.set_title(f"{gradient} gradient, {words}", fontsize=9)
        ax.label_outer()
plt.show()

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two maps of the iterations in an epoch against the learning rate, like those of the penalty, at the first epoch that passes the note's test. Nearly all cells say 0 or 1 of 4."}, "figure": {"caption": "The same by iterations in an epoch and learning rate of Adam, at the first epoch that passes the note's test. Grey: not tried.", "name": "fig-phase-length"}}
figure, axes = plt.subplots(1, 2, figsize=(7.5, 3.2), sharex=True, sharey=True)
for ax, gradient in zip(axes, GRADIENTS, strict=True):
    pair = ("iterations", "learning_rate")
    draw_cells(ax, cells(gradient, pair), "first", HELD, ("iterations an epoch", "learning rate"))
    ax.set_title(f"{gradient} gradient", fontsize=9)
    ax.label_outer()
plt.show()

# %% [markdown]
# No cell reaches all four seeds where a run would stop. Passing is not being near: the networks
# that pass first lie {glue:text}`phase-first-kl` nat from the exact answer, since a mean of $f^2$
# says next to nothing about the spread of $f$ ([method](method.md)). Networks that hold both modes
# at the end mostly do so because they have hardly begun to concentrate: they end
# {glue:text}`phase-both-end-kl` nat away.

# %% tags=["hide-input"] caption="Runs of the note's architecture that hold both modes, over all settings, by the share of each mode's exact mass from which on it counts as held. In parentheses the 95 % interval (Wilson); runs share seeds and differ in settings, so it is a guide. The masses come from 1,000 samples of a network, where a hundredth of the lower mode is less than one sample." name="tab-phase-thresholds"
kl_first = over(note, lambda point: at(point, "first").kl)
glue_text("first-kl", spread(kl_first, 0))
held_end = over(note, lambda point: holds(point, "end", HELD))
glue_text("both-end-kl", spread(over(note, lambda point: at(point, "end").kl)[held_end], 0))
pd.DataFrame(
    {
        f"{gradient}, {words}": {
            f"{100 * threshold:g} % of each mode": rate(
                over(
                    {name: note[name] for name in note if name.startswith(gradient)},
                    lambda point, when=when, threshold=threshold: holds(point, when, threshold),
                )
            )
            for threshold in THRESHOLDS
        }
        for gradient in GRADIENTS
        for when, words in (("first", "first pass"), ("end", "end"))
    }
)

# %% [markdown]
# ## Another network
#
# Three things are changed together. The **flow** has four spline coupling layers, which can cut
# modes apart. The **gradient** of the whole Lagrangian comes from the score function
# {cite:p}`richter2020vargrad`, so the noise of entropy and constraints cancels near the solution.
# The **learning rate** falls along a half cosine in each epoch, of
# {glue:text}`phase-coupling-iterations` iterations. The penalty starts at
# {glue:text}`phase-coupling-c0` and grows by {glue:text}`phase-coupling-beta` at a time; beside it
# stands the same network under the note's c0 = 1 and beta = 4. The changes were found by hand with
# seed 1, and the slower penalty after the results of the note's; so seed 1 is no test.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Three line plots against epochs done, a line a seed: the share of samples in the lower mode, in the upper mode, and KL to the exact answer on a logarithmic axis. The lower mode's share rises to about two per cent, stays there while the first epochs pass the test, and falls as KL falls to a few nats."}, "figure": {"caption": "Eight seeds of the coupling flow under a penalty that doubles: share of 20,000 samples in each mode (dashed: exact), and distance from the exact answer. Discs: the first epoch that passes the note's test.", "name": "fig-phase-coupling"}}
SLOW = "coupling_c0-10_beta-2"
coupling = points[SLOW]
for name in ("iterations", "c0", "beta"):
    glue_text(f"coupling-{name}", f"{settings[SLOW][name]:g}")
glue_text("exact-lower", f"{100 * float(coupling.exact_mass.sel(mode='lower')):.1f}")


def glue_outcomes(key, point):
    """What a point's seeds came to, at their first pass and at the end."""
    n = point.sizes["seed"]
    glue_text(f"{key}-pass", f"{int(first_pass(point).notnull().sum())} of {n}")
    for when in ("first", "end"):
        for threshold in THRESHOLDS:
            both = int(holds(point, when, threshold).sum())
            glue_text(f"{key}-{when}-{threshold:g}", f"{both} of {n}")
        there = at(point, when)
        glue_text(f"{key}-kl-{when}", spread(there.kl, 1))
        glue_text(f"{key}-lower-{when}", spread(100 * there.mode_mass.sel(mode="lower"), 1))
        glue_text(f"{key}-band-{when}", spread(100 * there.band_share, 0))
    glue_text(f"{key}-minutes", f"{float(point.seconds) / 60 / n:.1f}")


glue_outcomes("coupling", coupling)
glue_outcomes("steep", points["coupling_base"])
plot_courses(coupling)
plt.show()

# %% tags=["hide-input"] mystnb={"image": {"alt": "Eight scatter plots of samples over the plane of g_el and g_synA on square-root axes, with the outlines of the exact modes: samples lie in and about the upper mode, some in the lower one, many outside both."}, "figure": {"caption": "1,000 samples of each seed's network at the first epoch that passes the note's test, and the outlines of the exact modes, on square-root axes.", "name": "fig-phase-samples"}}
plot_networks_of(coupling, exact_answer(), "first")
plt.show()

# %% [markdown]
# At the first pass {glue:text}`phase-coupling-first-0.1` seeds have at least a tenth of the exact
# mass of both modes, {glue:text}`phase-coupling-first-0.25` a quarter. The lower mode has
# {glue:text}`phase-coupling-lower-first` % of the samples (exact {glue:text}`phase-exact-lower` %),
# and {glue:text}`phase-coupling-band-first` % lie in the band. At the end these are
# {glue:text}`phase-coupling-end-0.1` seeds, {glue:text}`phase-coupling-lower-end` % and
# {glue:text}`phase-coupling-band-end` %, at a KL of {glue:text}`phase-coupling-kl-end` nat. A seed
# takes {glue:text}`phase-coupling-minutes` minutes on one core. Under the note's c0 = 1 and beta = 4
# the same network holds both at the first pass in {glue:text}`phase-steep-first-0.1` seeds.
#
# ## Near, or with both modes
#
# Nearness is paid for with the lower mode, and how dearly depends on how fast the penalty grows.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Lines from epoch to epoch of the lower mode's share of its exact mass against KL to the exact answer, which falls to the right. All lines fall to the right; those of the planar flow are near zero below ten nats, those of the coupling flow fall later the slower the penalty grows, and one with violations in target sds stays above half down to half a nat."}, "figure": {"caption": "What is left of the lower mode as networks come nearer to the exact answer: a line a seed, a dot an epoch, up to the seed's nearest network; training goes from left to right. Dashed: a tenth of the exact mass, from which on the mode counts as held.", "name": "fig-phase-trade"}}
tried = {
    "planar flow, score gradient, c0 = 1, beta = 4": points["score_base"],
    "coupling flow, c0 = 1, beta = 4": points["coupling_base"],
    "coupling flow, c0 = 10, beta = 2": coupling,
}
if "gentle_base" in points:
    tried["the same, violations in target sds, c0 = 0.001, beta = 2"] = points["gentle_base"]
if "successor_base" in points:
    tried["the successor's setting"] = points["successor_base"]
plot_trade({name: tried[name] for name in list(tried)[:4]})
plt.show()


# %% tags=["hide-input"] caption="What the settings of the figure above came to. KL: median over the seeds, with least and largest. The nearest network with both modes is chosen by the exact answer, which a user of the method does not have." name="tab-phase-nearest"
def nearest(point):
    """The nearest network of each seed that holds both modes: its KL, nan where there is none."""
    share = (point.mode_mass / point.exact_mass).sel(mode=["lower", "upper"])
    return point.kl.where((share >= HELD).all("mode")).min("snapshot")


for key, name in (("coupling", SLOW), ("steep", "coupling_base"), ("gentle", "gentle_base")):
    if name in points:
        glue_text(f"{key}-nearest", spread(nearest(points[name]), 2))
pd.DataFrame(
    {
        words: {
            "seeds": point.sizes["seed"],
            "pass": int(first_pass(point).notnull().sum()),
            "both at the first pass": int(holds(point, "first", HELD).sum()),
            "both at the end": int(holds(point, "end", HELD).sum()),
            "KL at the end (nat)": spread(at(point, "end").kl, 1),
            "KL of the nearest with both (nat)": spread(nearest(point), 1),
        }
        for words, point in tried.items()
    }
).T

# %% [markdown]
# *Violations in target sds* are those of $x = (f - m)/s$ and $x^2$: the note's $|R|^2$ adds Hz² to
# Hz⁴, and so asks for a penalty of some $10^6$ to move the spread of $f$, at which the noise of a
# batch throws the network about. In these units a penalty below 1 is enough. The one seed that was
# tried comes within {glue:text}`phase-gentle-nearest` nat while it holds both modes, but its mean of
# $f$ stays too high to pass the test, until the penalty is so large that the network falls apart.
#
# ## What the study cannot say
#
# {glue:text}`phase-missing` points of the design (`config/phase.yaml`) are not trained yet; `make
# phase` trains them. The planar network was given 10,000 iterations of half its batch, two settings
# five times as many; the eight runs of [the synthesis](synthesis.ipynb) are of its full size. Some
# pairs of settings were tried, no triples. Whether a setting that holds both modes here would hold
# those of another circuit is not known: it was tuned on this one, knowing the answer.

# %% tags=["remove-cell"]
plt.close("all")
print("complete")
