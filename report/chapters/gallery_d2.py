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
# The five-neuron stomatogastric circuit of {cite:p}`gutierrez2013multiple`, as the note has it: the
# conductances of the electrical synapses (g_el) and of the inhibitory synapses onto the hub
# (g_synA) are free. It is the case that the rest of this book is about; here it stands first among
# the others.
#
# **The property.** The hub oscillates at 0.525 Hz, with a standard deviation of 0.025 Hz.

# %% tags=["remove-cell"]
NAME = "d2"

# %%
# include: shared/gallery_answer.py

# %%
# include: shared/gallery_directions.py

# %% [markdown]
# ## Activity
#
# The hub's voltage. In every region it oscillates at the same frequency.

# %%
# include: shared/gallery_trust.py

# %% [markdown]
# ## What is known, and what is new
#
# The note, and EPI after it {cite:p}`bittner2021interrogating`, know two regions. The grid of
# {doc}`exact` knows four that hold a thousandth or more. In two dimensions SMC is not needed: the
# grid and weighted uniform draws are simpler ({doc}`answer`).

# %% tags=["remove-cell"]
print("complete")
