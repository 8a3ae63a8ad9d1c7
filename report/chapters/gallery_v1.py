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
# # Visual cortex
#
# Four populations of mouse visual cortex, excitatory (E) and parvalbumin, somatostatin and VIP (P,
# S, V), as a stochastic stabilised supralinear network. Its parameters are the levels of noise in
# the four populations {cite:p}`bittner2021interrogating`.
#
# **The property.** The excitatory rate fluctuates with a standard deviation of 5 Hz (over noise
# levels: 1 Hz).

# %% tags=["remove-cell"]
NAME = "v1"

# %%
# include: shared/gallery_answer.py

# %%
# include: shared/gallery_directions.py

# %% [markdown]
# ## Activity
#
# One trial each: rates of the four populations.

# %%
# include: shared/gallery_trust.py

# %% [markdown]
# ## What is known, and what is new
#
# EPI finds that the variability of E depends on the noise in E and P, along an arc on which one
# makes up for the other, and hardly on that in S and V. So do we; the free directions say how
# little.

# %% tags=["remove-cell"]
print("complete")
