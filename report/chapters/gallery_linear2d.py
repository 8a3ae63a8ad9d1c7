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
# # A linear system in the plane
#
# **{term}`Weighted uniform draws` are the simpler and cheaper method here ({doc}`gallery`).
# {term}`SMC` finds both halves of the answer too: boosted trees tell its samples from exact ones in a
# share of {glue:text}`gallery_linear2d-c2st` ({term}`C2ST`; 0.5 is chance), and its {term}`entropy`
# is {glue:text}`gallery_linear2d-entropy` {term}`nat`, by quadrature
# {glue:text}`gallery_linear2d-known`.**
#
# The system is dx/dt = A x with all four entries of A free, the first example of {term}`EPI`
# {cite:p}`bittner2021interrogating`.
#
# **The property.** The leading eigenvalues oscillate at 1 Hz (standard deviation 0.1 Hz) and
# neither grow nor decay (0, standard deviation 0.5 per s).

# %% tags=["remove-cell"]
NAME = "linear2d"

# %%
# include: shared/gallery_answer.py

# %%
# include: shared/gallery_directions.py

# %% [markdown]
# ## Activity
#
# The two regions rotate in opposite senses.

# %%
# include: shared/gallery_trust.py

# %% tags=["remove-cell"]
import numpy as np

from report.studies.truths import linear2d

glue_text("known", f"{linear2d(np.array(run.prop.mean), np.array(run.prop.sd)):.3f}")

# %% [markdown]
# ## What is known, and what is new
#
# EPI shows the two halves with a12 > 0 > a21 and the reverse; by symmetry each has half of the
# mass. A flow has to split its mass between two separate halves, particles do not.

# %% tags=["remove-cell"]
print("complete")
