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
# # The circuit, twelve conductances
#
# **The hardest system of the gallery is nearly solved. Boosted trees tell {term}`SMC`'s samples from
# exact ones in a share of {glue:text}`gallery_d12-c2st` ({term}`C2ST`; 0.5 is chance), and the
# {term}`entropy` is {glue:text}`gallery_d12-entropy` {term}`nat` where the reference has
# {glue:text}`gallery_d12-entropy-exact`; no check sees it. {term}`Weighted uniform draws` are no way
# out: {glue:text}`systems.ipynb::systems-uniform-d12-n:s` million of them are worth
# {glue:text}`systems.ipynb::systems-uniform-d12-effective:s` samples ({doc}`systems`).**
#
# Twelve conductances are free and three neurons observed. Of ten million uniform draws, rejection
# accepts {glue:text}`gallery_d12-accepted`.
#
# **The property.** f1 oscillates at 0.6 Hz, the hub at 0.525 Hz, s1 at 0.35 Hz, each with a
# standard deviation of 0.025 Hz.

# %% tags=["remove-cell"]
NAME = "d12"

# %%
# include: shared/gallery_answer.py

# %%
# include: shared/gallery_directions.py

# %% [markdown]
# ## Activity
#
# Shown are the voltages of the three neurons that have targets.

# %%
# include: shared/gallery_trust.py

# %% tags=["remove-cell"]
from report.studies.problems import CASES
from report.text import fixed

glue_text("accepted", fixed(1e7 * float(CASES[NAME].exact()["acceptance"]), 0))

# %% [markdown]
# ## What is known, and what is new
#
# {term}`EPI` was not run on this problem. Whether small and large {term}`g_el` are joined here was
# tried as well ({doc}`gallery_d8`).

# %% tags=["remove-cell"]
print("complete")
