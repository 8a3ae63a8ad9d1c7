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
# # The note's circuit, two conductances
#
# **In two dimensions {term}`SMC` is not needed: a grid and {term}`weighted uniform draws` are
# simpler ({doc}`comparison`). It finds {glue:text}`gallery_d2-regions` regions; boosted trees tell
# its samples from exact ones in a share of {glue:text}`gallery_d2-c2st`, one half of the exact ones
# from the other in {glue:text}`gallery_d2-c2st-exact` ({term}`C2ST`).**
#
# The circuit is the five-neuron stomatogastric one ({term}`STG`) of
# {cite:p}`gutierrez2013multiple`. As in the note, the conductances of the electrical synapses
# ({term}`g_el`) and of the inhibitory synapses onto the hub ({term}`g_synA`) are free.
#
# **The property.** The {term}`hub` oscillates at 0.525 Hz, with a standard deviation of 0.025 Hz.

# %% tags=["remove-cell"]
NAME = "d2"

# %%
# include: shared/gallery_answer.py

# %%
# include: shared/gallery_directions.py

# %% [markdown]
# ## Activity
#
# Shown is the hub's voltage. In every region it oscillates at the same frequency.

# %%
# include: shared/gallery_trust.py

# %% [markdown]
# ## What is known, and what is new
#
# The note, and EPI after it {cite:p}`bittner2021interrogating`, know two regions. The grid of
# {doc}`exact` knows four that hold a thousandth or more.

# %% tags=["remove-cell"]
print("complete")
