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
# **The variability of the excitatory rate depends on the noise in E and P, and hardly on that in S
# and V. Boosted trees cannot tell {term}`SMC`'s samples from exact ones: they are right in a share of
# {glue:text}`gallery_v1-c2st` ({term}`C2ST`; exact samples {glue:text}`gallery_v1-c2st-exact`).**
#
# Four populations of mouse visual cortex, excitatory (E) and parvalbumin, somatostatin and VIP (P,
# S, V), form a stochastic stabilised supralinear network. The parameters are the levels of noise in
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
# Shown are the rates of the four populations in one trial each.

# %%
# include: shared/gallery_trust.py

# %% [markdown]
# ## What is known, and what is new
#
# {term}`EPI` finds the same: noise in E and in P make up for each other along an arc, and that in S
# and V hardly matters. The free directions say how little.

# %% tags=["remove-cell"]
print("complete")
