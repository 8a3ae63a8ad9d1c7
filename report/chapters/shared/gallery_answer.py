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

# %% tags=["hide-input"] caption="What was asked of this run of SMC, what it cost, and what came out. Targets and entropy: mean ± sd, and entropy ± standard error between islands. Trusted: whether the run passes all its own checks." name="summary"
from dsnlib.answer import regions
from dsnlib.plots import plot_pairs, plot_statistics, use_style
from report.figures import plot_circuit
from report.gallery import tables
from report.gallery.systems import SYSTEMS, run_of

use_style()
system, run = SYSTEMS[NAME], run_of(NAME)
found = regions(run)
tables.summary(run)

# %% mystnb={"figure": {"caption": "The circuit: cells and their connections. Green excites, blue inhibits, grey may do either; a zigzag is an electrical synapse.", "name": "circuit"}, "image": {"alt": "Drawing of the circuit: its cells and the connections between them."}} tags=["hide-input"]
figure = plot_circuit(system.picture)

# %% [markdown]
# ## The answer

# %% mystnb={"figure": {"caption": "The statistics of the samples, as histograms; each outline is one of the four islands. Dashed: the Gaussian with the target's moments. Islands that lie on each other agree.", "name": "statistics"}, "image": {"alt": "Histograms of the statistics on the four islands, which lie on each other, with the target's Gaussian as a dashed curve."}} tags=["hide-input"]
figure = plot_statistics(run)

# %% tags=["hide-input"] caption="Mean and standard deviation of each statistic over all samples, beside their targets, in the statistic's unit." name="reached"
tables.reached(run)

# %% mystnb={"figure": {"caption": "Samples of the answer, parameter against parameter, with histograms of each parameter on the diagonal. Where there are very many parameters, the first of each kind are shown. Axes span the samples. A colour is a region, blue the largest.", "name": "pairs"}, "image": {"alt": "Scatter plots of each pair of the parameters, with a histogram of each on the diagonal."}} tags=["hide-input"]
figure = plot_pairs(run, found, system.shown)

# %% tags=["hide-input"] caption="The answer's regions, the largest first: share of the samples (± standard error between islands), and mean of each parameter in its unit." name="shares"
tables.shares(found, system.shown)

# %% tags=["hide-input"] caption="Mean, standard deviation and 90 % interval of each parameter over all samples, beside the bounds of the box." name="intervals"
tables.intervals(run, system.shown)
