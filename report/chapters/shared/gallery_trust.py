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

# %% mystnb={"figure": {"caption": "Activity at samples of the answer, drawn at random; a row is a region, the largest first.", "name": "traces"}, "image": {"alt": "Panels with the activity against time at samples of each region."}} tags=["hide-input"]
from report.figures import plot_traces

figure = plot_traces(run, found)

# %% [markdown]
# ## Can it be trusted?

# %% tags=["hide-input"] caption="What the run says of itself: each check, its value and limit." name="tab-checks"
tables.checks(run)

# %% tags=["hide-input"] caption="Distance from the reference, which was made without SMC. C2ST: accuracy of boosted trees (0.5: they cannot tell the two apart); ± are standard errors." name="tab-distance"
tables.distance(NAME, run)
