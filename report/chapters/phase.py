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
# **With the note's architecture, hardly one**: of {glue:text}`phase-note-runs` small trainings at
# {glue:text}`phase-note-points` settings of penalty, learning rate and length,
# {glue:text}`phase-note-pass` pass the note's test of convergence, and
# {glue:text}`phase-note-both-first` of these hold both modes where they first pass. **Another
# network does, where the penalty grows slowly**: with beta = 2 and c0 = 1, 10 and 100,
# {glue:text}`phase-slow-first-0.1`, {glue:text}`phase-coupling-first-0.1` and
# {glue:text}`phase-large-first-0.1` seeds hold both modes where they first pass, with c0 = 1
# {glue:text}`phase-slow-kl-first` nat from the exact answer. Trained on, they come nearer and lose
# the lower mode, the later the slower the penalty grows. **With c0 = 1 and
# {glue:text}`phase-long-iterations` iterations an epoch, {glue:text}`phase-long-end-0.1` seeds still
# hold both after {glue:text}`phase-long-epochs` epochs, {glue:text}`phase-long-end-pass` pass, and
# they are {glue:text}`phase-long-kl-end` nat away**; the lower mode has
# {glue:text}`phase-long-lower-end` % by then (exact {glue:text}`phase-exact-lower` %) and is
# falling. [SMC](answer.ipynb) has no such trouble, nor have weighted uniform draws in two
# dimensions ([comparison](comparison.ipynb)).
#
# *Held* means with at least a tenth of a mode's exact mass; *passing*, the note's test at an epoch's
# end, where a run of the note would stop.

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
glue_text("trained", len(points))
glue_text("design", len(design))

# %% [markdown]
# ## The note's architecture
#
# Ten planar layers, batches of 500, 10,000 iterations unless said otherwise, four seeds a setting.
# From a base ({glue:text}`phase-base`) one setting is varied, or a pair. The constraints' gradient
# is **pathwise**, through the simulator as in the public code, or **score**, from its values only.


# %% tags=["hide-input"] mystnb={"image": {"alt": "Four maps of starting penalty c0 against beta. Colour and numbers say in how many of four seeds the network holds both modes: at the first epoch that passes the note's test above, at the end below; pathwise gradient left, score right. Nearly all cells say 0 or 1 of 4."}, "figure": {"caption": "Ten planar layers: in how many of four seeds it holds both modes (at least a tenth of the exact mass of each), and the median KL(q || p*) in nat, by starting penalty c0 and growth beta. Above at the first epoch that passes the note's test, below at the end. Grey: not tried.", "name": "fig-phase-penalty"}}
def cells(data, start, names):
    """Points that differ from one of them only in two settings, by their values of these."""
    base = settings[start]
    others = [name for name in base if name not in (*names, "epochs")]
    return {
        tuple(settings[point][name] for name in names): data[point]
        for point in data
        if all(settings[point].get(name) == base[name] for name in others)
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
        draw_cells(ax, cells(note, f"{gradient}_base", ("c0", "beta")), when, HELD, ("c0", "beta"))
        ax.set_title(f"{gradient} gradient, {words}", fontsize=9)
        ax.label_outer()
plt.show()

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two maps of the iterations in an epoch against the learning rate, like those of the penalty, at the first epoch that passes the note's test. Nearly all cells say 0 or 1 of 4."}, "figure": {"caption": "The same by iterations in an epoch and learning rate of Adam, at the first epoch that passes the note's test. Grey: not tried.", "name": "fig-phase-length"}}
figure, axes = plt.subplots(1, 2, figsize=(7.5, 3.2), sharex=True, sharey=True)
for ax, gradient in zip(axes, GRADIENTS, strict=True):
    pair = ("iterations", "learning_rate")
    draw_cells(
        ax,
        cells(note, f"{gradient}_base", pair),
        "first",
        HELD,
        ("iterations an epoch", "learning rate"),
    )
    ax.set_title(f"{gradient} gradient", fontsize=9)
    ax.label_outer()
plt.show()

# %% [markdown]
# Passing is not being near: networks that pass first are {glue:text}`phase-first-kl` nat from the
# exact answer, since a mean of $f^2$ says little about the spread of $f$ ([method](method.md)). Those
# that hold both modes at the end have mostly hardly begun to concentrate
# ({glue:text}`phase-both-end-kl` nat).

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
# Three changes: four spline coupling layers, which can cut modes apart; the whole Lagrangian's
# gradient by the score function {cite:p}`richter2020vargrad`, whose noise cancels near the
# solution; a learning rate that falls in each epoch of {glue:text}`phase-coupling-iterations`
# iterations. They were found by hand with seed 1, which is no test, the slower penalty after the
# results of c0 = 1, beta = 4, and more iterations after those of the maps.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two maps of starting penalty c0 against beta for the coupling flow, like those of the planar one: at the first epoch that passes the note's test on the left, at the end on the right."}, "figure": {"caption": "The coupling flow by starting penalty c0 and growth beta: in how many seeds it holds both modes (at least a tenth of the exact mass of each), and the median KL(q || p*) in nat. Left: at the first epoch that passes the note's test; right: at the end. Grey: not tried.", "name": "fig-phase-other"}}
SLOW = "coupling_c0-10_beta-2"
WORDS = {"first": "first epoch that passes", "end": "end"}


def maps_of_the_other(start, names, labels):
    """The points about one of them, by two settings, where they first pass and at the end."""
    _, axes = plt.subplots(1, 2, figsize=(7.5, 2.9), sharex=True, sharey=True)
    for ax, (when, words) in zip(axes, WORDS.items(), strict=True):
        draw_cells(ax, cells(points, start, names), when, HELD, labels)
        ax.set_title(words, fontsize=9)
        ax.label_outer()
    plt.show()


maps_of_the_other(SLOW, ("c0", "beta"), ("c0", "beta"))

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two maps of the iterations in an epoch against the learning rate for the coupling flow under a penalty that doubles, like those of the penalty: at the first epoch that passes the note's test on the left, at the end on the right."}, "figure": {"caption": "The same by iterations in an epoch and learning rate of Adam, with c0 = 1 and beta = 2. Grey: not tried.", "name": "fig-phase-pace"}}
maps_of_the_other(
    "penalty_base", ("iterations", "learning_rate"), ("iterations an epoch", "learning rate")
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Three line plots against epochs done, a line a seed: the share of samples in the lower mode, in the upper mode, and KL to the exact answer on a logarithmic axis. The lower mode's share rises to about two per cent, stays there while the first epochs pass the test, and falls as KL falls to a few nats."}, "figure": {"caption": "Eight seeds of the coupling flow under a penalty that doubles: share of 20,000 samples in each mode (dashed: exact), and distance from the exact answer. Discs: the first epoch that passes the note's test.", "name": "fig-phase-coupling"}}
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
glue_outcomes("slow", points["penalty_base"])
glue_outcomes("large", points["penalty_c0-100_beta-2"])
glue_outcomes("long", points["pace_iterations-1000"])
for name in ("iterations", "epochs"):
    glue_text(f"long-{name}", f"{settings['pace_iterations-1000'][name]:,}")
passing = points["pace_iterations-1000"].not_rejected.isel(epoch=-1) > 0
glue_text("long-end-pass", f"{int(passing.sum())} of {passing.sizes['seed']}")
glue_outcomes("successor", points["successor_base"])
plot_courses(coupling)
plt.show()

# %% tags=["hide-input"] mystnb={"image": {"alt": "Eight scatter plots of samples over the plane of g_el and g_synA on square-root axes, with the outlines of the exact modes: samples lie in and about the upper mode, some in the lower one, many outside both."}, "figure": {"caption": "1,000 samples of each seed's network at the first epoch that passes the note's test, and the outlines of the exact modes, on square-root axes.", "name": "fig-phase-samples"}}
plot_networks_of(coupling, exact_answer(), "first")
plt.show()

# %% [markdown]
# Where they first pass, {glue:text}`phase-coupling-first-0.25` seeds have a quarter of both modes'
# exact mass, with {glue:text}`phase-coupling-lower-first` % of the samples in the lower one (exact
# {glue:text}`phase-exact-lower` %) and {glue:text}`phase-coupling-band-first` % in the band. At the
# end {glue:text}`phase-coupling-end-0.1` seeds hold both, at {glue:text}`phase-coupling-kl-end`
# nat. A seed takes {glue:text}`phase-coupling-minutes` minutes on one core. {term}`EPI`'s own setting
# with this flow (pathwise gradient, batches of 400, c0 = $10^5$) passes in {glue:text}`phase-successor-pass` seeds
# and holds both in {glue:text}`phase-successor-first-0.1`.
#
# ## Near, or with both modes
#
# Nearness is paid for with the lower mode, the dearer the faster the penalty grows.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Lines from epoch to epoch of the lower mode's share of its exact mass against KL to the exact answer, which falls to the right. All lines fall to the right; those of the planar flow are near zero below ten nats, those of the coupling flow fall later the slower the penalty grows, and one with violations in target sds stays above half down to half a nat."}, "figure": {"caption": "What is left of the lower mode as networks come nearer to the exact answer: a line a seed, a dot an epoch, up to the seed's nearest network; training goes from left to right. Dashed: a tenth of the exact mass, from which on the mode counts as held.", "name": "fig-phase-trade"}}
UNDRAWN = ("coupling flow, c0 = 10, beta = 2", "EPI's setting")  # one line too many, and far away
tried = {
    "planar flow, score gradient, c0 = 1, beta = 4": points["score_base"],
    "coupling flow, c0 = 1, beta = 4": points["coupling_base"],
    "coupling flow, c0 = 10, beta = 2": coupling,
    "coupling flow, c0 = 1, beta = 2": points["penalty_base"],
    "the same, 1,000 iterations an epoch": points["pace_iterations-1000"],
    "violations in target sds, c0 = 0.001, beta = 2": points["gentle_base"],
    "EPI's setting": points["successor_base"],
}
plot_trade({name: tried[name] for name in list(tried) if name not in UNDRAWN})
plt.show()


# %% tags=["hide-input"] caption="What the settings of the figure above and two others came to. KL: median over the seeds that have such a network, with least and largest. The nearest network with both modes, and of those that pass as well, is chosen by the exact answer, which a user of the method does not have." name="tab-phase-nearest"
def nearest(point, passing=False):
    """The nearest network of each seed that holds both modes: its KL, nan where there is none."""
    share = (point.mode_mass / point.exact_mass).sel(mode=["lower", "upper"])
    chosen = (share >= HELD).all("mode")
    if passing:
        passed = (point.not_rejected > 0).rename(epoch="snapshot")
        chosen &= passed.reindex(snapshot=point.snapshot, fill_value=False)
    return point.kl.where(chosen).min("snapshot")


def least(kl):
    """Median and range of the distances that there are."""
    return spread(kl, 1) if kl.notnull().any() else "none"


for key, name in (("coupling", SLOW), ("steep", "coupling_base"), ("gentle", "gentle_base")):
    glue_text(f"{key}-nearest", spread(nearest(points[name]), 2))
pd.DataFrame(
    {
        words: {
            "seeds": point.sizes["seed"],
            "pass": int(first_pass(point).notnull().sum()),
            "both at the first pass": int(holds(point, "first", HELD).sum()),
            "both at the end": int(holds(point, "end", HELD).sum()),
            "KL at the end (nat)": spread(at(point, "end").kl, 1),
            "KL of the nearest with both (nat)": least(nearest(point)),
            "and passing": least(nearest(point, passing=True)),
        }
        for words, point in tried.items()
    }
).T

# %% [markdown]
# The note's $|R|^2$ adds Hz² to Hz⁴, so the spread of $f$ moves only at a penalty of some $10^6$, where
# a batch's noise throws the network about. With *violations in target sds*, those of
# $x = (f - m)/s$ and $x^2$, one below 1 is enough: the one seed tried comes within
# {glue:text}`phase-gentle-nearest` nat with both modes, but does not pass before it falls apart.
#
# ## What the study cannot say
#
# {glue:text}`phase-trained` of the design's {glue:text}`phase-design` points (`config/phase.yaml`) are
# trained. The planar network is trained less than in [the eight runs](synthesis.ipynb). Whether the
# other setting holds the modes of another circuit is unknown: it was tuned on this one, knowing the
# answer. That of {glue:text}`phase-long-iterations` iterations is the best of the cells in both maps;
# it was not tried again with new seeds, nor for more epochs.

# %% tags=["remove-cell"]
plt.close("all")
print("complete")
