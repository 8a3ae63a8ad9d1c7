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

# %% mystnb={"figure": {"caption": "Activity against time at samples of the answer, drawn at random. Each row is a region, the largest first, each panel a sample.", "name": "traces"}, "image": {"alt": "Panels with the activity against time at samples of each region."}} tags=["hide-input"]
from report.figures import plot_traces

figure = plot_traces(run, found)

# %% [markdown]
# ## Can it be trusted?

# %% tags=["hide-input"] caption="The run's own checks, each with its value and its limit. They need no reference, and none of them can see a region that was never found." name="checks"
tables.checks(run)

# %% tags=["hide-input"] caption="Distance from a reference that was made without SMC (± standard error): of the run, and of exact samples, half of the reference against its other half. C2ST: share of samples that boosted trees assign to the right side; 0.5 is chance. Furthest off: the parameter whose mean or standard deviation differs most from the reference's. Entropy: of the run, and of the reference." name="distance"
from report.gluing import gluer

apart = tables.distance(NAME, run)
glue_text = gluer(f"gallery_{NAME}")
glue_text("regions", len(found.table))
glue_text("c2st", apart.loc["C2ST", "run"])
glue_text("c2st-exact", apart.loc["C2ST", "exact samples"])
glue_text("entropy", apart.loc["entropy (nat)", "run"])
glue_text("entropy-exact", apart.loc["entropy (nat)", "exact samples"])
apart
