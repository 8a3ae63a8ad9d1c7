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
gallery.reached(run)

# %% mystnb={"figure": {"caption": "Samples of the answer, parameter against parameter, with marginals on the diagonal. Axes span the samples. A colour is a region, blue the largest.", "name": "fig-gallery-d8-pairs"}, "image": {"alt": "Eight by eight panels of samples; single parameters are spread over most of their bounds, g_el and g_synB are correlated."}} tags=["hide-input"]
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
# ## What becomes of the note's two modes?
#
# In the plane of g_el and g_synA the note's two modes are separate. Are they still, when more
# conductances are free? A planner looked for paths from {glue:text}`gallery_d8-pairs` points of the
# lower mode to as many of the upper one, with the other conductances at their published values at
# both ends and free in between. Along a path the hub's frequency must stay within two standard
# deviations of the target everywhere; a bound on its slope between points proves that, in double
# precision. A path is a proof. That none was found is none.
#
# - **Joined by one more conductance**: {glue:text}`gallery_d8-single-joined`.
# - **Joined with {glue:text}`gallery_d8-joined-sets` conductances free**:
#   {glue:text}`gallery_d8-joined-pairs`.
# - **Not shown to be joined by one more conductance**: {glue:text}`gallery_d8-single-open`. On a grid
#   of the three parameters cells of the band touch for {glue:text}`gallery_d8-maybe`, where the
#   question stays open; for the others they do not. Not tried: {glue:text}`gallery_d8-untried`.
# - **Twelve conductances and three frequencies**, between samples with small and with large g_el:
#   {glue:text}`gallery_d8-twelve`. The band is so thin there that the planner proved only short
#   paths, so this says little.
#
# So the two modes of the note belong to one region as soon as the right conductances may change:
# two regions are a property of the slice that the note looked at.
# {glue:text}`gallery_d8-way`

# %% mystnb={"figure": {"caption": "A path between the note's two modes. Left: conductances along the shortest of the paths that were found with eight conductances free, those beside g_el and g_synA in per cent of their published values, and the hub's frequency with the target's band. Right: share of the pairs of points that proven paths join, with 95 % intervals, by what is free beside g_el and g_synA.", "name": "fig-gallery-d8-paths"}, "image": {"alt": "Left: three stacked panels of conductances and of the hub's frequency along a path, the frequency staying in a green band. Right: for each set a dot at 0 or at 100 %, with its interval."}} tags=["hide-input"]
import json
from pathlib import Path

from dsnlib import EmergentProperty
from report.figures import plot_paths
from report.studies.joined import NOMINAL

sets = json.loads(Path("report/studies/results/joined.json").read_text())["sets"]
many = {name: one for name, one in sets.items() if len(one["free"]) > 3 and name != "d12"}
single = {name: one for name, one in sets.items() if len(one["free"]) == 3}


def pairs(one):
    low, high = one["joined_interval"]
    return f"{one['joined']} of {one['pairs']} pairs (95 % interval {100 * low:.0f} to {100 * high:.0f} %)"


glue_text("pairs", sets["d2"]["pairs"])
glue_text("joined-sets", " and with ".join(f"{len(one['free'])}" for one in many.values()))
glue_text("joined-pairs", "; ".join(pairs(one) for one in many.values()))
joined = {name: one for name, one in single.items() if one["joined"]}
apart = [name for name in single if name not in joined]
touching = [name for name in apart if single[name]["grid"]["corners"]]
untried = [name for name in NOMINAL if name not in single]
glue_text("single-joined", "; ".join(f"{n}, {pairs(one)}" for n, one in joined.items()) or "none")
glue_text("single-open", ", ".join(apart))
glue_text("maybe", ", ".join(touching) or "none of them")
glue_text("untried", ", ".join(untried) or "none")
glue_text("twelve", pairs(sets["d12"]))
moved = {
    name: (
        min(each[name] for each in sets["d5"]["shortened"]["least_per_cent"]),
        max(each[name] for each in sets["d5"]["shortened"]["most_per_cent"]),
    )
    for name in sets["d5"]["free"][2:]
}
glue_text(
    "way",
    "The way is long: with five conductances free, shortened paths lead "
    + ", ".join(f"{name} from {low:+.0f} to {high:+.0f} %" for name, (low, high) in moved.items())
    + " of its published value.",
)
figure = plot_paths(list(sets.values()), "d8", EmergentProperty([0.525], [0.025]), NOMINAL)

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
