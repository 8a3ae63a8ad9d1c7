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
# # SMC and a network, stage by stage
#
# SMC loses no region while its relaxation falls. A network of the augmented Lagrangian, which is
# the note's method, loses the lower mode while its epochs pass. Move both sliders to see it, by
# mouse, touch or keyboard (Tab, then the arrow keys). The page needs no Python kernel and no
# network connection.

# %% tags=["parameters"]
runs = "runs"  # folder with the folders of complete runs
stages, epochs = "smc_seed-1", "c0-1_seed-1"  # the runs side by side
live = False  # True where a kernel runs: the explorer then simulates any point

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np

import dsnlib
from dsnlib.plots import use_style
from report.experiment import exact_answer
from report.figures import (
    circuit_explorer,
    clouds_table,
    explorer_table,
    live_explorer,
    show_data,
    side_by_side,
)
from report.figures.side_by_side import epoch_clouds, stage_clouds
from report.gluing import gluer
from report.judged import Judged
from report.names import varied
from report.text import per_cent

use_style()
glue_text = gluer("explore")
exact = exact_answer()
circuit = exact.circuit
smc, network = (dsnlib.load_run(f"{runs}/{name}") for name in (stages, epochs))

# %% tags=["hide-input"] kind="figure" caption="SMC (left) and a network of the augmented Lagrangian (right) on the plane of the two conductances. Black dots: 500 of the particles at the end of each stage, all 1,000 stored samples of the network after each epoch. Map: the hub's frequency in grey, the target band in green, outlines of the lower (orange), upper (blue) and third region (purple); axes are scaled as square roots. Bars: share of the dots in each region and in none, also on a square-root axis; black ticks: exact masses. At the last stage every region has about its exact mass; after the last epoch the network has only the upper region, and most samples are in none." name="fig-explore-stages"
show_data(clouds_table(smc, network, exact))
side_by_side(smc, network, exact)

# %% tags=["hide-input"]
names = [*(mode.name for mode in exact.modes), "none"]
masses = [mode.mass for mode in exact.modes]
of_exact = dict(zip(names, [*masses, 1 - sum(masses)], strict=True))
of_smc, of_network = (
    dict(zip(names, np.transpose([cloud.shares for cloud in clouds]), strict=True))
    for clouds in (stage_clouds(smc, exact), epoch_clouds(network, exact))
)
met = int(np.flatnonzero(smc.data.rho.values == 0)[0])
empty = np.flatnonzero(np.any([of_smc[mode.name] == 0 for mode in exact.modes], axis=0))
judged = Judged(network, dsnlib.judge(f"{runs}/{epochs}", exact))
done = network.data.snapshot.values.tolist()
held = {name: [e for e in done if name in judged.held(e)] for name in ("lower", "upper")}


def listed(numbers):
    """4, 7 and 9; none where there are no numbers."""
    *most, last = map(str, numbers) if numbers else ["none"]
    return f"{', '.join(most)} and {last}" if most else last


glue_text("smc-seed", f"{varied(stages)['seed']:g}")
glue_text("kept", smc.data.sizes["particle"])
glue_text("particles", f"{smc.data.sizes['island'] * smc.data.sizes['sample']:,}")
glue_text("all-from", empty.max(initial=-1) + 1)
glue_text("first-met", met)
for key, stage in (("start", 0), ("met", met), ("end", -1)):
    glue_text(f"lower-{key}", per_cent(of_smc["lower"][stage]))
glue_text("network", f"c0 = {network.method.c0:g}, seed {network.seed}")
for name in ("lower", "upper"):
    glue_text(f"held-{name}", listed(held[name]))
glue_text("held-both", listed(sorted({*held["lower"]} & {*held["upper"]})))
for name in ("lower", "upper", "none"):
    glue_text(f"network-{name}", per_cent(of_network[name][-1]))
    glue_text(f"exact-{name}", per_cent(of_exact[name]))

# %% [markdown]
# **On the left, SMC** ({term}`sequential Monte Carlo`, seed {glue:text}`explore-smc-seed`) moves
# particles, which are points of the plane, from the uniform distribution to the wanted one. The
# relaxation ρ says how cheaply the targets may be missed: at infinite ρ any point will do, at ρ = 0
# the targets must be met. From stage {glue:text}`explore-all-from` on there are particles in all
# three regions. The lower one has {glue:text}`explore-lower-start` % of them at first,
# {glue:text}`explore-lower-met` % at stage {glue:text}`explore-first-met`, where ρ is 0 for the
# first time, and {glue:text}`explore-lower-end` % at the end (exact
# {glue:text}`explore-exact-lower` %). The run kept {glue:text}`explore-kept` of its
# {glue:text}`explore-particles` particles at each stage, so a share of a few per cent is uncertain
# by about one point.
#
# **On the right, a network** ({glue:text}`explore-network`) is trained for one epoch of the
# augmented Lagrangian (AL) after another, each with a larger penalty or the same. It
# {term}`holds <held>` the lower mode, with a tenth of its exact mass or more, after
# {glue:text}`explore-held-lower` epochs, the upper one after {glue:text}`explore-held-upper`, and
# both after {glue:text}`explore-held-both`. It ends with {glue:text}`explore-network-lower` % of
# its samples in the lower mode, {glue:text}`explore-network-upper` % in the upper one (exact
# {glue:text}`explore-exact-upper` %) and {glue:text}`explore-network-none` % in no region (exact
# {glue:text}`explore-exact-none` %). Other seeds end elsewhere: see
# [the eight runs](synthesis.ipynb), and [why modes are lost](cause.ipynb).

# %% [markdown]
# ## The circuit at any point
#
# Choose the two conductances. The marker on the map shows where you are. The voltages of the five
# neurons over the 5 s of a simulation follow, and the spectrum of the hub (black), whose largest
# modulus, dotted, is its frequency. The sliders start at $g_{el}$ = 8 nS and $g_{synA}$ = 1 nS, in
# the upper mode; move $g_{el}$ left from there and see the frequency change.
#
# In this page each slider offers the values for which the circuit was simulated beforehand. In
# Jupyter, set `live = True` in the second cell (or call
# `report.figures.live_explorer(circuit, exact)`), and the sliders move freely over the plane.

# %% tags=["hide-input"] kind="figure" caption="The circuit at chosen conductances. Left: voltages of the five neurons against time, the hub in black, the others in grey. Right: where the point lies (black marker) on the map of the hub's frequency (grey), the target band (green) and the regions (orange: lower, blue: upper, purple: third), with axes scaled as square roots; below it the spectrum of the hub, with its frequency dotted." name="fig-explore-circuit"
VALUES = [0.1, 0.3, 1, 2, 4, 6, 8, 12]  # nS
show_data(explorer_table(circuit, VALUES))
live_explorer(circuit, exact) if live else circuit_explorer(circuit, exact, VALUES)

# %% tags=["remove-cell"]
plt.close("all")
print("complete")
