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
# # The note's circuit, two conductances
#
# The five-neuron stomatogastric circuit of {cite:p}`gutierrez2013multiple`, as the note has it: the
# conductances of the electrical synapses (g_el) and of the inhibitory synapses onto the hub
# (g_synA) are free. It is the case that the rest of this book is about; here it stands first among
# the others.
#
# **The property.** The hub oscillates at 0.525 Hz, with a standard deviation of 0.025 Hz.

# %% tags=["hide-input"]
from dsnlib.answer import directions, regions
from dsnlib.plots import plot_directions, plot_pairs, plot_statistics, use_style
from report import gallery
from report.figures import plot_circuit, plot_traces
from report.gluing import gluer
from report.text import fixed, plus_minus

NAME = "d2"
use_style()
glue_text = gluer(f"gallery_{NAME}")
run = gallery.run_of(NAME)
found = regions(run)
glue_text("entropy", plus_minus(*run.entropy))
glue_text("simulations", fixed(run.simulations / 1e6, 2))
glue_text("seconds", fixed(run.data.attrs["seconds"], 0))
glue_text("regions", len(found.table))
gallery.summary(run)

# %% mystnb={"figure": {"caption": "The circuit. A filled circle ends an inhibitory synapse, a zigzag is an electrical one.", "name": "fig-gallery-d2-circuit"}, "image": {"alt": "Drawing of the circuit of the page The note's circuit, two conductances."}} tags=["hide-input"]
figure = plot_circuit("stg")

# %% [markdown]
# ## The answer

# %% mystnb={"figure": {"caption": "The statistics of the samples, an outline an island; dashed: the Gaussian with the target's moments.", "name": "fig-gallery-d2-statistics"}, "image": {"alt": "Histograms of the statistics on the four islands, which lie on each other, with the target's Gaussian as a dashed curve."}} tags=["hide-input"]
figure = plot_statistics(run)

# %% tags=["hide-input"]
gallery.reached(run)

# %% mystnb={"figure": {"caption": "Samples of the answer, parameter against parameter, with marginals on the diagonal. Axes span the samples. A colour is a region, blue the largest.", "name": "fig-gallery-d2-pairs"}, "image": {"alt": "Scatter plot of g_synA against g_el with a broad curved band and small patches left of it, in colours by region, and the two marginals."}} tags=["hide-input"]
figure = plot_pairs(run, found)

# %% tags=["hide-input"]
gallery.shares(found)

# %% tags=["hide-input"]
gallery.intervals(run)

# %% [markdown]
# ## What the circuit cares about, and what not
#
# The curvature of the log-density at its densest sample: a direction with a small standard
# deviation is *stiff*, one with a large one *free*. Along the band the hub's frequency hardly
# changes; across it, it changes soon.

# %% mystnb={"figure": {"caption": "Directions at the densest sample. Left: how far the answer reaches along each, as the standard deviation of the Gaussian with the same curvature, in shares of the box. Right: the direction's composition, with parameters scaled to the box.", "name": "fig-gallery-d2-directions"}, "image": {"alt": "Bars of the reach of each direction, the first much shorter than the last, beside a matrix of the weights of the parameters in each direction."}} tags=["hide-input"]
stiff = directions(run)
glue_text("stiffest", f"{stiff.sd[0]:.3f}")
figure = plot_directions(stiff, [p.name for p in run.circuit.parameters])

# %% [markdown]
# ## Activity
#
# The hub's voltage. In every region it oscillates at the same frequency.

# %% mystnb={"figure": {"caption": "Activity at samples of the answer, drawn at random; a row is a region, the largest first.", "name": "fig-gallery-d2-traces"}, "image": {"alt": "Panels with the activity against time at samples of each region."}} tags=["hide-input"]
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
# The note, and EPI after it {cite:p}`bittner2021interrogating`, know two regions. The grid of
# {doc}`exact` knows four that hold a thousandth or more. In two dimensions SMC is not needed: the
# grid and weighted uniform draws are simpler ({doc}`answer`).

# %% tags=["remove-cell"]
print("complete")
