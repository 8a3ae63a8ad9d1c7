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
# # A linear system in the plane
#
# dx/dt = A x with all four entries of A free: EPI's first example
# {cite:p}`bittner2021interrogating`.
#
# **The property.** The leading eigenvalues oscillate at 1 Hz (standard deviation 0.1 Hz) and
# neither grow nor decay (0, standard deviation 0.5 per s).

# %% tags=["hide-input"]
from dsnlib.answer import directions, regions
from dsnlib.plots import plot_directions, plot_pairs, plot_statistics, use_style
from report import gallery
from report.figures import plot_circuit, plot_traces
from report.gluing import gluer
from report.text import fixed, plus_minus

NAME = "linear2d"
use_style()
glue_text = gluer(f"gallery_{NAME}")
run = gallery.run_of(NAME)
found = regions(run)
glue_text("entropy", plus_minus(*run.entropy))
glue_text("simulations", fixed(run.simulations / 1e6, 2))
glue_text("seconds", fixed(run.data.attrs["seconds"], 0))
glue_text("regions", len(found.table))
gallery.summary(run)

# %% mystnb={"figure": {"caption": "The circuit. Green arrows excite, blue ends inhibit, grey arrows may do either.", "name": "fig-gallery-linear2d-circuit"}, "image": {"alt": "Drawing of the circuit of the page A linear system in the plane."}} tags=["hide-input"]
figure = plot_circuit("linear2d")

# %% [markdown]
# ## The answer

# %% mystnb={"figure": {"caption": "The statistics of the samples, an outline an island; dashed: the Gaussian with the target's moments.", "name": "fig-gallery-linear2d-statistics"}, "image": {"alt": "Histograms of the statistics on the four islands, which lie on each other, with the target's Gaussian as a dashed curve."}} tags=["hide-input"]
figure = plot_statistics(run)

# %% tags=["hide-input"]
gallery.reached(run)

# %% mystnb={"figure": {"caption": "Samples of the answer, parameter against parameter, with marginals on the diagonal. Axes span the samples. A colour is a region, blue the largest.", "name": "fig-gallery-linear2d-pairs"}, "image": {"alt": "Four by four panels; a12 against a21 shows two separate hyperbola-like clouds in opposite corners, in two colours."}} tags=["hide-input"]
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

# %% mystnb={"figure": {"caption": "Directions at the densest sample. Left: how far the answer reaches along each, as the standard deviation of the Gaussian with the same curvature, in shares of the box. Right: the direction's composition, with parameters scaled to the box.", "name": "fig-gallery-linear2d-directions"}, "image": {"alt": "Bars of the reach of each direction, the first much shorter than the last, beside a matrix of the weights of the parameters in each direction."}} tags=["hide-input"]
stiff = directions(run)
glue_text("stiffest", f"{stiff.sd[0]:.3f}")
figure = plot_directions(stiff, [p.name for p in run.circuit.parameters])

# %% [markdown]
# ## Activity
#
# Rotation in opposite senses.

# %% mystnb={"figure": {"caption": "Activity at samples of the answer, drawn at random; a row is a region, the largest first.", "name": "fig-gallery-linear2d-traces"}, "image": {"alt": "Panels with the activity against time at samples of each region."}} tags=["hide-input"]
figure = plot_traces(run, found)

# %% tags=["hide-input"]
import numpy as np

from report.studies.truths import linear2d

glue_text("known", f"{linear2d(np.array(run.prop.mean), np.array(run.prop.sd)):.3f}")

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
# EPI shows the two halves with a12 > 0 > a21 and the reverse; by symmetry each has half of the
# mass. A flow has to split its mass between two separate halves, particles do not. Quadrature gives
# the entropy: {glue:text}`gallery_linear2d-known` nat.

# %% tags=["remove-cell"]
print("complete")
