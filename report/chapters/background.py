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
# # The circuit and its frequency
#
# **Separate regions of the plane of two conductances make the hub neuron run at a medium frequency:
# an *upper* mode, a *lower* one and a small third one.** The upper mode covers
# {glue:text}`background-ratio-200` times the area of the lower one in the map of the note's runs,
# and on {glue:text}`background-near-zero-200` % of that map the frequency reads about 0 Hz.
#
# Five neurons of the crab's stomatogastric ganglion make the rhythms by which it chews and filters
# food. In the model of {cite:t}`gutierrez2013multiple` a fast pair (f1, f2) and a slow pair (s1,
# s2) inhibit one another within the pair. Both pairs act on a fifth neuron, the hub, which can
# follow either or run at a frequency between theirs. Which of the three it does depends on two
# kinds of conductance:
#
# - $g_{el}$, the electrical synapses that couple the hub to f2 and to s2;
# - $g_{synA}$, the inhibitory synapses from f1 and s1 onto the hub.
#
# Both are free here, each between 0 and 20 nS. The inhibition within the pairs, $g_{synB}$, stays
# at 5 nS.

# %% tags=["remove-cell"]
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from dsnlib.plots import draw_plane, mode_colour, use_style, zoom_in
from report.experiment import LONG, SHORT, exact_answer
from report.figures import draw_circuit, plot_voltages
from report.gluing import gluer

use_style()
glue_text = gluer("background")
exact_short, exact_long = exact_answer(SHORT), exact_answer(LONG)
long = exact_long.circuit

# %% mystnb={"figure": {"caption": "The five neurons of the circuit: a fast pair (f1, f2), a slow pair (s1, s2) and the hub. Lines that end in a filled circle are inhibitory synapses, zigzags electrical ones. The conductances $g_{el}$ and $g_{synA}$ are free.", "name": "fig-background-circuit"}, "image": {"alt": "Diagram of five neurons. f1 and f2 on the left inhibit each other with conductance g_synB, s1 and s2 on the right likewise. f1 and s1 inhibit the hub in the middle with conductance g_synA. f2 and s2 are joined to the hub by electrical synapses of conductance g_el."}} tags=["hide-input"]
figure, ax = plt.subplots(figsize=(6, 3.2))
draw_circuit(ax)

# %% [markdown]
# Each neuron has a membrane potential $V$, a gate $N$ of its potassium current and a gate $H$ of
# its h-current:
#
# $$
# C \frac{dV}{dt} &= -\bigl[ g_{leak} (V - V_{leak}) + g_{Ca} M_\infty(V) (V - V_{Ca}) \\
# &\qquad + g_K N (V - V_K) + g_H H (V - V_H) + I_{elec} + I_{syn} \bigr] \\
# \frac{dN}{dt} &= \lambda_N(V) \left( N_\infty(V) - N \right), \qquad
# \frac{dH}{dt} = \frac{H_\infty(V) - H}{\tau_H(V)}
# $$
#
# The fast and slow neurons differ only in $g_{Ca}$, $g_K$ and $g_H$. All constants are in one
# place, the module `dsnlib.circuits.stg`. The equations are integrated by forward Euler with a step
# of 25 ms from one fixed state, for $T$ steps: $T = 200$ in the note's runs, $T = 800$ for its full
# resolution. The note does not name the step; with that of [the public code](method.md) these are
# 5 s and 20 s.
#
# ## What the neurons do
#
# At $(g_{el}, g_{synA})$ = ({glue:text}`background-point`) nS, in the upper mode, the hub's
# frequency is {glue:text}`background-frequency` Hz over $T = 800$ steps.


# %% mystnb={"figure": {"caption": "Membrane potentials of f1, f2, hub, s1 and s2 (from top to bottom) against time, over $T = 800$ steps, at one point of the upper mode. All five run at one common, medium frequency.", "name": "fig-background-voltages"}, "image": {"alt": "Voltage of the five neurons against 20 s of time, one panel each. All five oscillate at one common rhythm, each pair in antiphase."}} tags=["hide-input"]
def inner_point(exact, name):
    """The grid point of a mode that is nearest to its centre."""
    k = next(k for k, mode in enumerate(exact.modes) if mode.name == name)
    x, y = exact.labels.dims
    rows, columns = np.nonzero(exact.labels.values == k)
    points = np.stack([exact.labels[x].values[rows], exact.labels[y].values[columns]], axis=1)
    return points[np.argmin(np.linalg.norm(points - exact.modes[k].centre, axis=1))]


point = inner_point(exact_long, "upper")
frequency = float(long.hub_frequency(point[None])[0])
glue_text("point", f"{point[0]:.1f}, {point[1]:.1f}")
glue_text("frequency", f"{frequency:.3f}")
figure = plot_voltages(long, point)

# %% [markdown]
# ## One number: the hub's frequency
#
# The frequency is a differentiable function of the conductances. The hub's voltage is rectified at
# -10 mV, smoothed by a moving average of 20 samples (0.5 s), and projected on complex exponentials
# of $0, 0.01, \dots, 1$ Hz with moduli $A_k$. Then
#
# $$ f = \frac{\sum_k f_k A_k^{100}}{\sum_k A_k^{100}} , $$
#
# a smooth version of the frequency with the largest modulus. The mean is not removed, so $f$ is
# about 0 Hz wherever the mean ($k = 0$) outweighs the rhythm, as it does for nearly all slow
# rhythms, although the hub still fires there.
#
# The **emergent property** is a medium frequency: $f = 0.525 \pm 0.025$ Hz, as mean and standard
# deviation.
#
# ## Where the frequency is medium
#
# The map of $f$ over the plane has plateaus, cliffs between them, and a wide expanse at about 0 Hz.
# The **band** $|f - 0.525| < 0.05$ Hz, two standard deviations about the target, falls into
# connected regions. (Points of the grid that share an edge or a corner are connected.) A region that
# holds at least 1 % of the [exact answer](exact.ipynb)'s mass is a **mode**. The heaviest is called
# **upper**, the heaviest at smaller $g_{el}$ **lower**, as in the note; the names mean large and
# small $g_{el}$, which our maps draw from left to right, so that the upper mode lies on their right
# and the lower one on their left.

# %% mystnb={"figure": {"caption": "The hub's frequency over the plane of the two free conductances, for $T = 200$ (above) and $T = 800$ (below). Grey: the frequency, the darker, the faster; green: within one standard deviation of the target; outlines: the lower mode (orange), the upper one (blue) and a small third one (purple). Left: the whole plane, with both axes scaled as square roots; middle and right: close-ups on linear axes. The lower mode is a sliver, the upper one a broad curved band.", "name": "fig-background-map"}, "image": {"alt": "Six maps of the hub frequency over g_el and g_synA: T = 200 above and T = 800 below; the whole plane on the left, close-ups of the lower and the upper mode beside it. Over most of the plane the frequency reads about 0 Hz. The upper mode lies around g_el = 6 to 8 nS and g_synA = 1 to 2 nS; the lower one is a sliver below g_el = 1 nS; a third, small one lies between them."}} tags=["hide-input"]
figure, axes = plt.subplots(2, 3, figsize=(7.5, 4.8))
for row, exact in zip(axes, (exact_short, exact_long), strict=True):
    for ax, name in zip(row, (None, "lower", "upper"), strict=True):
        draw_plane(ax, exact)
        if name:
            zoom_in(ax, exact, name)
            ax.set_title(f"{name} mode", color=mode_colour(name))
    row[0].set_title(f"T = {exact.circuit.T}")
plt.show()

# %% tags=["hide-input"] caption="Size and place of the modes, for both numbers of Euler steps T. A mode is a connected region of the band that holds at least 1 % of the exact answer's mass; its centre is weighted by that mass." name="tab-background-modes"
pd.DataFrame(
    {
        f"T = {exact.circuit.T}, {mode.name}": {
            "share of the plane (%)": f"{100 * mode.area:.3f}",
            "centre of mass (g_el, g_synA) (nS)": f"({mode.centre[0]:.2f}, {mode.centre[1]:.2f})",
        }
        for exact in (exact_short, exact_long)
        for mode in exact.modes
    }
).T

# %% tags=["hide-input"]
for exact in (exact_short, exact_long):
    area = {mode.name: mode.area for mode in exact.modes}
    near_zero = float((exact.grid < 0.1).mean())
    glue_text(f"ratio-{exact.circuit.T}", f"{area['upper'] / area['lower']:.0f}")
    glue_text(f"near-zero-{exact.circuit.T}", f"{100 * near_zero:.0f}")


def firings(circuit, z):
    """Steps at which the hub's voltage rises through -10 mV, for each point."""
    above = np.asarray(circuit.simulate(z)) > -0.010
    return [np.flatnonzero(~trace[:-1] & trace[1:]) for trace in above]


side = 50
axis = 20 * (np.arange(side) + 0.5) / side
z = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
z = z[np.asarray(long.hub_frequency(z)) < 0.1]
glue_text("slow-points", f"{len(z):,}")
glue_text("slow-least", min(len(times) for times in firings(long, z)))
slow = np.array([[8.0, 8.0]])
interval = long.dt * np.diff(firings(long, slow)[0]).mean()
glue_text("slow-point", f"{slow[0, 0]:g}, {slow[0, 1]:g}")
glue_text("slow-interval", f"{interval:.1f}")
glue_text("slow-rate", f"{1 / interval:.2f}")
glue_text("slow-reads", f"{float(long.hub_frequency(slow)[0]):.6f}")

# %% [markdown]
# The upper mode covers {glue:text}`background-ratio-200` times the area of the lower one at
# $T = 200$ and {glue:text}`background-ratio-800` times at $T = 800$. The frequency reads below
# 0.1 Hz on {glue:text}`background-near-zero-200` % of the plane at $T = 200$ and on
# {glue:text}`background-near-zero-800` % at $T = 800$. The hub is not silent there. At
# {glue:text}`background-slow-points` such points, out of a grid of 50 x 50, its voltage rises
# through -10 mV at least {glue:text}`background-slow-least` times in the 20 s of $T = 800$. At
# ({glue:text}`background-slow-point`) nS, for one, it fires every
# {glue:text}`background-slow-interval` s, at {glue:text}`background-slow-rate` Hz, but the readout
# says {glue:text}`background-slow-reads` Hz: the mean of the smoothed voltage has a larger modulus
# than so slow a rhythm. So the readout tells medium frequencies from others; below them it does not
# measure the firing rate.
#
# Forward Euler with 25 ms is coarse for these neurons. The modes' borders depend on the
# discretisation and on the duration as much as on the neurons: [the exact answer](exact) shows how
# much. The experiment is therefore about a *map*, the circuit with its Euler step of 25 ms, and
# every statement in this book is about that map.

# %% tags=["remove-cell"]
print("complete")
