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
# # A gallery of systems, with references
#
# Seven systems of the field, each on a page of its own: what is asked, what answers, what the
# circuit cares about, what it does at samples of the answer, and how far all that is from a
# reference that was made without SMC. Five of them are those of EPI {cite:p}`bittner2021interrogating`,
# the method that followed the note's: the stomatogastric circuit, the linear system, the network of
# rank two, visual cortex and superior colliculus. We know of no published reference answers.

# %% tags=["hide-input"] caption="Seven systems of the field. C2ST: share of samples that boosted trees assign rightly to run or reference (0.5 is chance); limit: the same for two halves of the reference, plus two standard errors, which exact samples would score. Uniform draws: how many million of them are worth as much as SMC's samples. Trusted: what the run says of itself." name="tab-gallery-systems"
import json
import math
from pathlib import Path

import pandas as pd

from dsnlib.plots import use_style
from report.figures import plot_scaling
from report.gallery import tables
from report.gluing import gluer
from report.studies.problems import CASES, OTHER_ORDER
from report.text import fixed, plus_minus

use_style()
glue_text = gluer("gallery")
table = tables.overview()
cheaper = table[tables.UNIFORM].astype(float) < table[tables.SIMULATIONS].astype(float)
glue_text("uniform-wins", "; ".join(table.index[cheaper]))
glue_text("uniform-most", fixed(table[tables.UNIFORM].astype(float).max(), 0))
table

# %% [markdown]
# **Weighted uniform draws are the simplest rival.** How many of them are worth as much as SMC's
# samples follows from the effective share that the reference says and the run's smallest effective
# sample size. Where that is below SMC's simulations, uniform draws are simpler and
# cheaper. They win here: {glue:text}`gallery-uniform-wins`. At the other end it would take
# {glue:text}`gallery-uniform-most` million of them.
#
# ## Use the references for your own method
#
# Each reference is one file of at most 1 MB, `report/studies/references/NAME.npz`, with samples of
# the answer (`z`), their statistics, the natural parameters (`eta`), the entropy with its error
# where it is known, and how it was made. The same folder has the scripts. Score samples of your own
# by
#
# ```python
# import numpy as np
# from report.studies.score import score
#
# score("v1", np.load("my_samples.npy"))  # (n, P), in the units of the circuit's parameters
# ```

# %% tags=["hide-input"] caption="The reference answers: their samples, entropy with its error where it is known, and how they were made, never by SMC." name="tab-gallery-references"
tables.references_table()

# %% [markdown]
# ## How the cost grows with the number of parameters
#
# EPI's authors compared it with SNPE on the network of rank two, N = 2 to 250 neurons, so 8 to
# 1,000 parameters, and called a run converged whose means of both statistics were within 0.5 of
# the targets. What they report of SNPE is shown as they report it; we ran neither. The figure
# holds ours to the same criterion; the table says which pass all diagnostics, among them an
# equivalence test of means and variances. The costs are not those of one machine: theirs had 32 cores or a V100.
#
# **With all relaxations falling together SMC fails at 200 parameters; with the statistics in turn
# it meets both targets.** Together, the growth of every particle ends up
# {glue:text}`gallery-stuck`, and the run says that it failed. The amplification begins much farther
# from its target and rules the early stages. A likely cause of the failure is a shortcut:
# amplification is most easily had small where V points against U, both eigenvalues that U and V
# make are negative there, and the leading one is 0, that of the directions which the network does
# not touch, without a gradient. In turn (`order="in turn"`) growth is met first and holds while
# amplification falls; by its own checks that run is {glue:text}`gallery-turn`. Both runs have
# {glue:text}`gallery-turn-particles` particles. Uniform draws are no rival here: by the run's
# entropy the answer fills a share of {glue:text}`gallery-volume` of the box. At 100 parameters the
# entropy is {glue:text}`gallery-turn-25` nat in turn and {glue:text}`gallery-together-25` nat
# together. In turn is no better everywhere: at twelve conductances of the circuit trees tell its
# samples from exact ones in {glue:text}`gallery-turn-d12` % of cases, those of the default in
# {glue:text}`gallery-together-d12` %.
#
# **At 400 parameters, with the same settings, the targets are met and the islands do not agree**, as
# the run says: {glue:text}`gallery-turn-100`. So its samples have the property, but they are not
# shown to be all the networks that have it. **At 1,000 parameters the run did not get there**: after
# {glue:text}`gallery-turn-250-stages` stages, the most that it was allowed, the mean amplification is
# {glue:text}`gallery-turn-250-off` sd off. From 200 parameters on there is one seed and no reference, and more than 4,000 particles were
# not tried. EPI's authors report that it converges up to N = 250.

# %% mystnb={"figure": {"caption": "Cost on the network of rank two against its number of parameters, of runs whose means are within 0.5 of the targets. Left: simulations, for SMC those of all four islands, for SNPE those of one round, as EPI's authors report; at 1,000 parameters they report that it never converged. Right: SMC's processor time on one thread, with compiling; dashed: the time after which EPI's authors stopped SNPE.", "name": "fig-gallery-scaling"}, "image": {"alt": "Two log-log panels against 8 to 1,000 parameters. Left: SMC's simulations rise from 20 to 36 million, SNPE's simulations a round rise from a thousand to a quarter of a million at 400 parameters, where it converged once. Right: SMC's processor seconds rise from tens to hundreds, far below a dashed line at 1.5 days."}} tags=["hide-input"]
found = [
    json.loads(path.read_text())
    for path in sorted(Path("report/studies/results").glob("systems_*.json"))
]
records = [r for r in found if r["case"].startswith("rnn")]


def of(name):
    return [r for r in found if r["case"] == name]


(large,), (turn,) = of("rnn50-together"), of("rnn50")
growth = CASES["rnn50"].prop.mean[0] + CASES["rnn50"].prop.sd[0] * large["mean_sd"][0][0]
glue_text("stuck", f"at {growth:.3f}, with a variance of {large['variance'][0][0]:.3f} sd\u00b2")
log_volume = turn["parameters"] * math.log(2)  # of the box (-1, 1)^P
glue_text("volume", f"{math.exp(turn['entropy'][0] - log_volume):.0e}")
glue_text("turn-particles", f"4 x {turn['settings']['particles']:,}")
glue_text(
    "turn", "trusted" if turn["trusted"] else f"not trusted ({', '.join(turn['failed_checks'])})"
)


def told(name):
    """How far a run's means are off, its entropy, and the checks that fail."""
    (r,) = of(name)
    miss = max(abs(value) for value, _ in r["mean_sd"])
    return (
        f"means within {miss:.3f} sd, entropy {plus_minus(*r['entropy'])} nat, "
        f"{len(r['failed_checks'])} of {len(r['checks'])} checks fail"
    )


glue_text("turn-100", told("rnn100"))
(largest,) = of("rnn250")
glue_text("turn-250-stages", largest["stages"] - 1)
glue_text("turn-250-off", f"{largest['mean_sd'][1][0]:.1f}")


def each(name, value, digits):
    return ", ".join(fixed(value(r), digits) for r in of(name))


for name, case in (("turn-25", "rnn25-in-turn"), ("together-25", "rnn25")):
    glue_text(name, each(case, lambda r: r["entropy"][0], 2))
for name, case in (("turn-d12", "d12-in-turn"), ("together-d12", "d12")):
    glue_text(name, each(case, lambda r: 100 * r["c2st"][0], 0))


def converged(record):
    """EPI's criterion: both means within 0.5 of their targets."""
    prop = (CASES | OTHER_ORDER)[record["case"]].prop
    return all(abs(m) * sd < 0.5 for (m, _), sd in zip(record["mean_sd"], prop.sd, strict=True))


figure = plot_scaling([r for r in records if converged(r)])

# %% tags=["hide-input"] caption="All runs on the network of rank two. Entropy ± standard error between islands, blank where the run is not to be trusted; the largest miss of a mean in sds of the target; in turn: one statistic is relaxed after the other." name="tab-gallery-scaling"
table = [
    {
        "parameters": r["parameters"],
        "seed": r["seed"],
        "moves": r["settings"]["moves"],
        "order": r["settings"].get("order", "together"),
        "particles": f"4 x {r['settings']['particles']:,}",
        "simulations (million)": fixed(r["simulations"] / 1e6, 1),
        "CPU (s)": fixed(r["cpu_s"], 0),
        "entropy (nat)": plus_minus(*r["entropy"]) if r["trusted"] else "",
        "largest miss of a mean (sd)": fixed(max(abs(value) for value, _ in r["mean_sd"]), 3),
        "trusted": "yes" if r["trusted"] else f"no, {len(r['failed_checks'])} checks fail",
    }
    for r in sorted(records, key=lambda r: (r["parameters"], r["case"], r["seed"]))
]
pd.DataFrame(table).set_index(["parameters", "seed"])

# %% tags=["remove-cell"]
print("complete")
