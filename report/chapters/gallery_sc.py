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
# # Superior colliculus
#
# **This run is not to be trusted, as it says itself. Boosted trees tell {term}`SMC`'s samples from
# exact ones in a share of {glue:text}`gallery_sc-c2st` ({term}`C2ST`; 0.5 is chance), and its
# {term}`entropy` is {glue:text}`gallery_sc-entropy` {term}`nat`, that of the reference
# {glue:text}`gallery_sc-entropy-exact`.**
#
# Four units of the superior colliculus, left and right, Pro and Anti, switch between turning to a
# light and turning away from it {cite:p}`bittner2021interrogating`. The parameters are the four
# weights between them.
#
# **The property.** Three quarters of the trials are correct in both tasks (accuracy 0.75, standard
# deviation 0.075).

# %% tags=["remove-cell"]
NAME = "sc"

# %%
# include: shared/gallery_answer.py

# %%
# include: shared/gallery_directions.py

# %% [markdown]
# ## Activity
#
# Shown are mean rates over the trials, solid in Pro and dotted in Anti trials; grey: the light.

# %%
# include: shared/gallery_trust.py

# %% [markdown]
# ## What is known, and what is new
#
# {term}`EPI` uses the same circuit to ask which connectivities survive when the delay period is
# silenced; that analysis is not repeated here.
#
# Two things make this system hard:
#
# - **Noise.** With 200 trials an accuracy of 0.75 has a standard error of 0.03, not small beside the
#   target's 0.075. So other random numbers give a somewhat different answer; the check of the noise
#   measures how different.
# - **A thin scatter of samples over the whole box** is part of the answer. Over most of the box no
#   unit wins and both accuracies are 0.5. That is 3.3 standard deviations from the target, but so
#   large a volume holds some mass even there. {term}`Islands <island>` of 2,000 particles do not
#   agree well on how much. More particles would help, at a cost in proportion.

# %% tags=["remove-cell"]
print("complete")
