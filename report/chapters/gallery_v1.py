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
# # Visual cortex
#
# Four populations of mouse visual cortex, excitatory (E) and parvalbumin, somatostatin and VIP (P,
# S, V), as a stochastic stabilised supralinear network. Its parameters are the levels of noise in
# the four populations {cite:p}`bittner2021interrogating`.
#
# **The property.** The excitatory rate fluctuates with a standard deviation of 5 Hz (over noise
# levels: 1 Hz).

# %% tags=["hide-input"]
from dsnlib.answer import directions, regions
from dsnlib.plots import plot_directions, plot_pairs, plot_statistics, use_style
from report import gallery
from report.figures import plot_circuit, plot_traces
from report.gluing import gluer
from report.text import fixed, plus_minus

NAME = "v1"
use_style()
glue_text = gluer(f"gallery_{NAME}")
run = gallery.run_of(NAME)
found = regions(run)
glue_text("entropy", plus_minus(*run.entropy))
glue_text("simulations", fixed(run.simulations / 1e6, 2))
glue_text("seconds", fixed(run.data.attrs["seconds"], 0))
glue_text("regions", len(found.table))
gallery.summary(run)

# %% mystnb={"figure": {"caption": "The circuit. Green arrows excite, blue ends inhibit, grey arrows may do either.", "name": "fig-gallery-v1-circuit"}, "image": {"alt": "Drawing of the circuit of the page Visual cortex."}} tags=["hide-input"]
figure = plot_circuit("v1")

# %% [markdown]
# ## The answer

# %% mystnb={"figure": {"caption": "The statistics of the samples, an outline an island; dashed: the Gaussian with the target's moments.", "name": "fig-gallery-v1-statistics"}, "image": {"alt": "Histograms of the statistics on the four islands, which lie on each other, with the target's Gaussian as a dashed curve."}} tags=["hide-input"]
figure = plot_statistics(run)

# %% tags=["hide-input"]
gallery.reached(run)

# %% mystnb={"figure": {"caption": "Samples of the answer, parameter against parameter, with marginals on the diagonal. Axes span the samples. A colour is a region, blue the largest.", "name": "fig-gallery-v1-pairs"}, "image": {"alt": "Four by four panels; sigma_E against sigma_P is a thin quarter circle near 0, sigma_S and sigma_V are spread over their bounds."}} tags=["hide-input"]
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

# %% mystnb={"figure": {"caption": "Directions at the densest sample. Left: how far the answer reaches along each, as the standard deviation of the Gaussian with the same curvature, in shares of the box. Right: the direction's composition, with parameters scaled to the box.", "name": "fig-gallery-v1-directions"}, "image": {"alt": "Bars of the reach of each direction, the first much shorter than the last, beside a matrix of the weights of the parameters in each direction."}} tags=["hide-input"]
stiff = directions(run)
glue_text("stiffest", f"{stiff.sd[0]:.3f}")
figure = plot_directions(stiff, [p.name for p in run.circuit.parameters])

# %% [markdown]
# ## Activity
#
# One trial each: rates of the four populations.

# %% mystnb={"figure": {"caption": "Activity at samples of the answer, drawn at random; a row is a region, the largest first.", "name": "fig-gallery-v1-traces"}, "image": {"alt": "Panels with the activity against time at samples of each region."}} tags=["hide-input"]
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
# EPI finds that the variability of E depends on the noise in E and P, along an arc on which one
# makes up for the other, and hardly on that in S and V. So do we; the free directions say how
# little.

# %% tags=["remove-cell"]
print("complete")
