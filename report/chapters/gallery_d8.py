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
# **{term}`Weighted uniform draws` solve this as well as {term}`SMC`, in less time ({doc}`systems`):
# at eight conductances the property is not rare. Boosted trees tell SMC's samples from exact ones in
# a share of {glue:text}`gallery_d8-c2st` ({term}`C2ST`; 0.5 is chance). The note's two
# {term}`modes <mode>` belong to one region here: with {glue:text}`gallery_d8-joined-sets`
# conductances free, paths join {glue:text}`gallery_d8-joined-pairs`.**
#
# Free are the three synaptic conductances and five of the {term}`hub`'s and s1's own. Nobody can
# draw a grid of eight dimensions.
#
# **The property.** As in two dimensions: the hub oscillates at 0.525 Hz, with a standard deviation
# of 0.025 Hz.

# %% tags=["remove-cell"]
NAME = "d8"

# %%
# include: shared/gallery_answer.py

# %%
# include: shared/gallery_directions.py

# %% [markdown]
# ## Activity
#
# Shown is the hub's voltage.

# %%
# include: shared/gallery_trust.py

# %% [markdown]
# ## What becomes of the note's two modes?
#
# In the plane of {term}`g_el` and {term}`g_synA` the note's two modes are separate. Are they still,
# when more conductances are free? A planner looked for paths from {glue:text}`gallery_d8-pairs` points of the
# lower mode to as many of the upper one, with the other conductances at their published values at
# both ends and free in between. Along a path the hub's frequency must stay within two standard
# deviations of the target. This was simulated in double precision at steps of at most
# 10{superscript}`-4` of each parameter's range. It is evidence at that resolution, no proof: the
# frequency can change within a step, see below. That no path was found says less.
#
# - **Joined by one more conductance**, of {glue:text}`gallery_d8-single` that were tried:
#   {glue:text}`gallery_d8-single-joined`.
# - **Joined with {glue:text}`gallery_d8-joined-sets` conductances free**, see above.
# - **Not shown to be joined by one more conductance**: {glue:text}`gallery_d8-single-open`. On a grid
#   of the three parameters cells of the band touch for {glue:text}`gallery_d8-maybe`, where the
#   question stays open; for the others they do not.
# - **Twelve conductances and three frequencies**, between samples with small and with large g_el:
#   {glue:text}`gallery_d8-twelve`. The band is so thin there that the planner linked hardly any
#   points, so this says little.
#
# So, at this resolution, the two modes of the note belong to one region as soon as the right
# conductances may change: two regions are a property of the slice that the note looked at.
# {glue:text}`gallery_d8-way` The pairs of a set share most of their way, so an interval is about
# points of the two modes, not about independent paths.
#
# Between neighbouring points of shortened paths the frequency changes by up to
# {glue:text}`gallery_d8-change` sd at steps of 10{superscript}`-4` of a range, and by up to
# {glue:text}`gallery_d8-change-finer` sd at steps ten times finer.

# %% mystnb={"figure": {"caption": "Paths between the note's two modes. Left: conductances along the shortest path that was found with eight conductances free, those beside g_el and g_synA in per cent of their published values, and the hub's frequency, which stays in the target's band (green). Right: share of the pairs of points that paths join, with 95 % intervals, by what is free beside g_el and g_synA. All pairs are joined once the right conductances may change.", "name": "fig-gallery-d8-paths"}, "image": {"alt": "Left: three stacked panels of conductances and of the hub's frequency along a path, the frequency staying in a green band. Right: for each set a dot at 0 or at 100 %, with its interval."}} tags=["hide-input"]
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
glue_text("single", len(single))
glue_text("single-joined", "; ".join(f"{n}, {pairs(one)}" for n, one in joined.items()) or "none")
glue_text("single-open", ", ".join(apart))
glue_text("maybe", ", ".join(touching) or "none of them")
glue_text("twelve", pairs(sets["d12"]))
shortened = [one["shortened"] for one in sets.values() if one["joined"]]
glue_text("change", f"{max(each['finely'][1] for each in shortened):.1f}")
glue_text("change-finer", f"{max(each['finest'][1] for each in shortened):.1f}")
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
# ## What is known, and what is new
#
# EPI calls a pyloric network with 31 parameters prohibitive {cite:p}`bittner2021interrogating` and
# was not run on this problem.

# %% tags=["remove-cell"]
print("complete")
