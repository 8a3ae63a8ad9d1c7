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
# # To look at
#
# An explorer of the circuit and a film of two trainings. Both work in this page without a Python
# kernel and without a network; by mouse, or by keyboard (Tab to a control, arrow keys to move a
# slider, Space to play).

# %% tags=["parameters"]
runs = "runs"  # folder with the folders of complete runs
contrasted = ["c0-1_seed-1", "c0-100_seed-2"]  # the film's runs
live = False  # True where a kernel runs: the explorer then simulates any point

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

import dsnlib
from dsnlib.plots import use_style
from report.experiment import exact_answer
from report.figures import circuit_explorer, live_explorer, training_film

use_style()
exact = exact_answer()
circuit = exact.circuit

# %% [markdown]
# ## The circuit at any point
#
# Choose the two conductances. On the left are the voltages of the five neurons over the 5 s of a
# simulation; the spectrum of the hub is on the right, and its largest modulus, dotted, is the
# frequency. The sliders start at $g_{el}$ = 8 nS and $g_{synA}$ = 1 nS, in the upper mode; move
# $g_{el}$ left from there and see the frequency change.
#
# In this page each slider offers the values for which the circuit was simulated beforehand. In
# Jupyter, set `live = True` in the cell above (or call `report.figures.live_explorer(circuit)`),
# and the sliders move freely over the plane.

# %% tags=["hide-input"]
VALUES = [0.1, 0.3, 1, 2, 4, 6, 8, 12]  # nS
live_explorer(circuit) if live else circuit_explorer(circuit, VALUES)

# %% [markdown]
# ## A film of two trainings
#
# The density of the network after each epoch, a second an epoch, above the entropy up to then, for
# two contrasting runs. The outlines are the modes of the exact answer (lower in orange, upper in
# blue, the third region in purple), the dashed line is the exact entropy. Networks were stored once
# an epoch, and nothing is interpolated between them. The axes of the maps are scaled as square
# roots.

# %% tags=["hide-input"]
chosen = [dsnlib.load_run(f"{runs}/{name}") for name in contrasted]
training_film(
    chosen,
    exact,
    "Film of two maps of density over g_el and g_synA, one for each run, with one second for each "
    "epoch. From one epoch to the next the grey clouds move and shrink toward regions of the target "
    "frequency. The entropy against iteration grows below.",
)

# %% tags=["remove-cell"]
plt.close("all")
print("complete")
