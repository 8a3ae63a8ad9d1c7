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
# # The circuit, eight conductances
#
# The same circuit with eight of its conductances free: the three synaptic ones and five of the
# hub's and s1's own. Nobody can draw a grid of eight dimensions.
#
# **The property.** As in two dimensions: the hub oscillates at 0.525 Hz, with a standard deviation
# of 0.025 Hz.

# %% tags=["hide-input"]
from dsnlib.answer import directions, regions
from dsnlib.plots import plot_directions, plot_pairs, plot_statistics, use_style
from report import gallery
from report.figures import plot_circuit, plot_traces
from report.gluing import gluer
from report.text import fixed, plus_minus

NAME = "d8"
use_style()
glue_text = gluer(f"gallery_{NAME}")
run = gallery.run_of(NAME)
found = regions(run)
glue_text("entropy", plus_minus(*run.entropy))
glue_text("simulations", fixed(run.simulations / 1e6, 2))
glue_text("seconds", fixed(run.data.attrs["seconds"], 0))
glue_text("regions", len(found.table))
gallery.summary(run)

# %% mystnb={"figure": {"caption": "The circuit. A filled circle ends an inhibitory synapse, a zigzag is an electrical one.", "name": "fig-gallery-d8-circuit"}, "image": {"alt": "Drawing of the circuit of the page The circuit, eight conductances."}} tags=["hide-input"]
figure = plot_circuit("stg")

# %% [markdown]
# ## The answer

# %% mystnb={"figure": {"caption": "The statistics of the samples, an outline an island; dashed: the Gaussian with the target's moments.", "name": "fig-gallery-d8-statistics"}, "image": {"alt": "Histograms of the statistics on the four islands, which lie on each other, with the target's Gaussian as a dashed curve."}} tags=["hide-input"]
figure = plot_statistics(run)

# %% tags=["hide-input"]
gallery.reached(run).style.format("{:.4f}")

# %% mystnb={"figure": {"caption": "Samples of the answer, parameter against parameter, with marginals on the diagonal. Axes span the samples. A colour is a region, blue the largest.", "name": "fig-gallery-d8-pairs"}, "image": {"alt": "Eight by eight panels of samples; single parameters are spread over most of their bounds, g_el and g_synB are correlated."}} tags=["hide-input"]
figure = plot_pairs(run, found)

# %% tags=["hide-input"]
gallery.shares(found)

# %% tags=["hide-input"]
gallery.intervals(run).style.format("{:.3f}")

# %% [markdown]
# ## What the circuit cares about, and what not
#
# The curvature of the log-density at its densest sample: a direction with a small standard
# deviation is *stiff*, one with a large one *free*.

# %% mystnb={"figure": {"caption": "Directions at the densest sample. Left: how far the answer reaches along each, as the standard deviation of the Gaussian with the same curvature, in shares of the box. Right: the direction's composition, with parameters scaled to the box.", "name": "fig-gallery-d8-directions"}, "image": {"alt": "Bars of the reach of each direction, the first much shorter than the last, beside a matrix of the weights of the parameters in each direction."}} tags=["hide-input"]
stiff = directions(run)
glue_text("stiffest", f"{stiff.sd[0]:.3f}")
figure = plot_directions(stiff, [p.name for p in run.circuit.parameters])

# %% [markdown]
# ## Activity
#
# The hub's voltage.

# %% mystnb={"figure": {"caption": "Activity at samples of the answer, drawn at random; a row is a region, the largest first.", "name": "fig-gallery-d8-traces"}, "image": {"alt": "Panels with the activity against time at samples of each region."}} tags=["hide-input"]
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
# EPI calls a pyloric network with 31 parameters prohibitive {cite:p}`bittner2021interrogating` and
# was not run on this problem. Two million weighted uniform draws solve it as well, in a sixth of
# the time ({doc}`systems`): at eight conductances the property is not rare.

# %% tags=["remove-cell"]
print("complete")
