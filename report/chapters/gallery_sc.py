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
# # Superior colliculus
#
# Four units of the superior colliculus, left and right, Pro and Anti, that switch between turning
# to a light and turning away from it {cite:p}`bittner2021interrogating`. Its parameters are the
# four weights between them.
#
# **The property.** Three quarters of the trials are correct in both tasks (accuracy 0.75, standard
# deviation 0.075).

# %% tags=["hide-input"]
from dsnlib.answer import directions, regions
from dsnlib.plots import plot_directions, plot_pairs, plot_statistics, use_style
from report import gallery
from report.figures import plot_circuit, plot_traces
from report.gluing import gluer
from report.text import fixed, plus_minus

NAME = "sc"
use_style()
glue_text = gluer(f"gallery_{NAME}")
run = gallery.run_of(NAME)
found = regions(run)
glue_text("entropy", plus_minus(*run.entropy))
glue_text("simulations", fixed(run.simulations / 1e6, 2))
glue_text("seconds", fixed(run.data.attrs["seconds"], 0))
glue_text("regions", len(found.table))
gallery.summary(run)

# %% mystnb={"figure": {"caption": "The circuit. Green arrows excite, blue ends inhibit, grey arrows may do either.", "name": "fig-gallery-sc-circuit"}, "image": {"alt": "Drawing of the circuit of the page Superior colliculus."}} tags=["hide-input"]
figure = plot_circuit("sc")

# %% [markdown]
# ## The answer

# %% mystnb={"figure": {"caption": "The statistics of the samples, an outline an island; dashed: the Gaussian with the target's moments.", "name": "fig-gallery-sc-statistics"}, "image": {"alt": "Histograms of the statistics on the four islands, which lie on each other, with the target's Gaussian as a dashed curve."}} tags=["hide-input"]
figure = plot_statistics(run)

# %% tags=["hide-input"]
gallery.reached(run)

# %% mystnb={"figure": {"caption": "Samples of the answer, parameter against parameter, with marginals on the diagonal. Axes span the samples. A colour is a region, blue the largest.", "name": "fig-gallery-sc-pairs"}, "image": {"alt": "Four by four panels of the weights sW, vW, dW and hW; the samples fill a small part of the bounds and several pairs are correlated."}} tags=["hide-input"]
figure = plot_pairs(run, found)

# %% tags=["hide-input"]
gallery.shares(found)

# %% tags=["hide-input"]
gallery.intervals(run)

# %% [markdown]
# ## What the circuit cares about, and what not
#
# The curvature of the log-density at its densest sample: a direction with a small standard
# deviation is *stiff*, one with a large one *free*.

# %% mystnb={"figure": {"caption": "Directions at the densest sample. Left: how far the answer reaches along each, as the standard deviation of the Gaussian with the same curvature, in shares of the box. Right: the direction's composition, with parameters scaled to the box.", "name": "fig-gallery-sc-directions"}, "image": {"alt": "Bars of the reach of each direction, the first much shorter than the last, beside a matrix of the weights of the parameters in each direction."}} tags=["hide-input"]
stiff = directions(run)
glue_text("stiffest", f"{stiff.sd[0]:.3f}")
figure = plot_directions(stiff, [p.name for p in run.circuit.parameters])

# %% [markdown]
# ## Activity
#
# Mean rates over the trials, solid in Pro and dotted in Anti trials; grey: the light.

# %% mystnb={"figure": {"caption": "Activity at samples of the answer, drawn at random; a row is a region, the largest first.", "name": "fig-gallery-sc-traces"}, "image": {"alt": "Panels with the activity against time at samples of each region."}} tags=["hide-input"]
figure = plot_traces(run, found)

# %% [markdown]
# ## Can it be trusted?
#
# What the run says of itself:

# %% tags=["hide-input"]
gallery.checks(run)

# %% [markdown]
# Its distance from the reference, which was made without SMC (see {doc}`gallery`):

# %% tags=["hide-input"]
gallery.distance(NAME, run)

# %% [markdown]
# ## What is known, and what is new
#
# EPI uses the same circuit to ask which connectivities survive when the delay period is silenced;
# that analysis is not repeated here.
#
# Two things stand out. With 200 trials an accuracy of 0.75 has a standard error of 0.03, not small
# beside the target's 0.075, so other random numbers give a somewhat different answer: the check of
# the noise measures how different. And a thin scatter of samples over the whole box is part of the
# answer. Over most of the box no unit wins and both accuracies are 0.5; that is 3.3 standard
# deviations from the target, but so large a volume holds some mass even there. Islands of 2,000
# particles do not agree well on how much, and their entropy differs from the reference's by several
# of its errors. More particles would help, at a cost in proportion.

# %% tags=["remove-cell"]
print("complete")
