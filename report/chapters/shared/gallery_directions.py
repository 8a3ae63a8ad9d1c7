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
# ## What the circuit cares about, and what not
#
# Along a {term}`stiff direction` the answer is narrow, along a free one it is broad.

# %% mystnb={"figure": {"caption": "Stiff directions (above) and free ones (below) at the sample of highest density. Left: how far the answer reaches along each, as the standard deviation of the Gaussian with the same curvature, in shares of the box. Right: what the direction is made of, with parameters scaled to the box.", "name": "directions"}, "image": {"alt": "Bars of the reach of each direction, the first much shorter than the last, beside a matrix of the weights of the parameters in each direction."}} tags=["hide-input"]
from dsnlib.answer import directions
from dsnlib.plots import plot_directions

figure = plot_directions(directions(run), [p.name for p in run.circuit.parameters])
