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

# %% tags=["hide-input"] caption="The run in short. ± is the standard error between its islands." name="tab-summary"
from dsnlib.answer import regions
from dsnlib.plots import plot_pairs, plot_statistics, use_style
from report.figures import plot_circuit
from report.gallery import tables
from report.gallery.systems import SYSTEMS, run_of

use_style()
system, run = SYSTEMS[NAME], run_of(NAME)
found = regions(run)
tables.summary(run)

# %% mystnb={"figure": {"caption": "The circuit. Green excites, blue inhibits, grey may do either; a zigzag is an electrical synapse.", "name": "circuit"}, "image": {"alt": "Drawing of the circuit: its cells and the connections between them."}} tags=["hide-input"]
figure = plot_circuit(system.picture)

# %% [markdown]
# ## The answer

# %% mystnb={"figure": {"caption": "The statistics of the samples, an outline an island; dashed: the Gaussian with the target's moments.", "name": "statistics"}, "image": {"alt": "Histograms of the statistics on the four islands, which lie on each other, with the target's Gaussian as a dashed curve."}} tags=["hide-input"]
figure = plot_statistics(run)

# %% tags=["hide-input"] caption="Means and standard deviations of the statistics over all samples, beside their targets." name="tab-reached"
tables.reached(run)

# %% mystnb={"figure": {"caption": "Samples of the answer, parameter against parameter, with marginals on the diagonal; of many parameters the first ones of each kind. Axes span the samples. A colour is a region, blue the largest.", "name": "pairs"}, "image": {"alt": "Scatter plots of each pair of the parameters, with a histogram of each on the diagonal."}} tags=["hide-input"]
figure = plot_pairs(run, found, system.shown)

# %% tags=["hide-input"] caption="The regions of the answer, a column each, the largest first: share of the samples ± standard error between islands, and means of the parameters there." name="tab-shares"
tables.shares(found, system.shown)

# %% tags=["hide-input"] caption="Where the samples lie: mean, standard deviation and central 90 % of each parameter, and the bounds of the box." name="tab-intervals"
tables.intervals(run, system.shown)
