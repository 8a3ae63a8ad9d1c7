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
# # Against what people use today
#
# Once the natural parameters η are known, the maximum-entropy distribution exp(η·T) is a posterior:
# a uniform prior times a Gaussian likelihood of the frequency, with mean
# {glue:text}`comparison-likelihood-mean` Hz and standard deviation
# {glue:text}`comparison-likelihood-sd` Hz. Every method of simulation-based or Bayesian inference
# can be asked for it. This page puts those in use today beside the note's networks and
# [SMC](answer.ipynb), on the same simulator and the same target.
#
# **The others are handed η**, which comes from the exact answer. The networks of this book must
# find it by themselves, and know only the property's mean and standard deviation; no cost of
# finding η is added to the others' figures. The scripts, with their pinned environment for sbi
# {cite:p}`tejerocantero2020sbi` and particles, are in `benchmarks/comparison/`; its README says how
# simulations are counted. The sizes are those that fitted into the time at hand, not the best that
# each method can do.

# %% tags=["hide-input"]
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display

from dsnlib.plots import use_style
from report.figures import METHOD_COLOURS
from report.gluing import gluer
from report.text import spread

use_style()
glue_text = gluer("comparison")
record = json.loads(Path("benchmarks/results/comparison.json").read_text())
exact, results = record["exact"], record["results"]
DENSITY = "density"
NAMES = {
    "rejection": "rejection from the prior",
    "smc-10k": "SMC (particles), 10,000",
    "smc-100k": "SMC (particles), 100,000",
    "aies": "affine-invariant ensemble (numpyro)",
    "nuts": "NUTS (numpyro)",
    "sa": "sample adaptive MCMC (numpyro)",
    "npe-maf-20k": "NPE, affine flow (sbi), 20,000",
    "npe-nsf-20k": "NPE, spline flow (sbi), 20,000",
    "npe-nsf-200k": "NPE, spline flow (sbi), 200,000",
    "tsnpe-nsf-20k": "TSNPE, spline flow (sbi), 5 rounds",
    "snpe-c-maf-10k": "SNPE-C, affine flow (sbi), 5 rounds",
    "c0-1": "the note's DSN, c0 = 1",
    "c0-100": "the note's DSN, c0 = 100",
    "smc": "SMC (dsnlib)",
}
methods = [name for name in NAMES if any(run["method"] == name for run in results)]
others = sorted({run["method"] for run in results} - set(NAMES))
methods += others  # none is left out
groups = {name: [run for run in results if run["method"] == name] for name in methods}
eta = np.array(exact["eta"])
glue_text("likelihood-mean", f"{-eta[0] / 2 / eta[1]:.3f}")
glue_text("likelihood-sd", f"{np.sqrt(-0.5 / eta[1]):.3f}")


# %% [markdown]
# ## Two tables
#
# Medians over the seeds, with the range in brackets. *KL* is KL(q || p\*), for methods that have a
# density; *KL, at least* is the divergence of the modes' masses: a lower bound that needs only
# samples. *C2ST* tells {glue:text}`comparison-c2st-samples` samples from exact ones (0.5: it
# cannot). Wall times were taken on a machine that did other work, so they say orders of magnitude.

# %% tags=["hide-input"]
quality, masses = {}, {}
for name, runs in groups.items():
    with_density = [run["kl"]["value"] for run in runs if run["kl"]]
    quality[NAMES.get(name, name)] = {
        "seeds": len(runs),
        "simulations": f"{int(np.median([run['simulations'] for run in runs])):,}",
        "wall time (s)": spread([run["wall_s"] for run in runs], 0),
        "KL (nat)": spread(with_density, 2) if with_density else "no density",
        "KL, at least (nat)": spread([run["kl_at_least"] for run in runs], 3),
        "C2ST": spread([run["c2st"]["value"] for run in runs], 2),
    }
    masses[NAMES.get(name, name)] = {
        **{
            f"{mode} (%), exact {100 * mass['value']:.1f}": spread(
                [100 * run["mode_mass"][mode]["value"] for run in runs], 1
            )
            for mode, mass in exact["modes"].items()
        },
        "in the band (%)": spread([100 * run["band_share"]["value"] for run in runs], 0),
    }
glue_text("c2st-samples", f"{exact['c2st_samples']:,}")
display(pd.DataFrame(quality).T, pd.DataFrame(masses).T)

# %% [markdown]
# ## One figure

# %% mystnb={"image": {"alt": "Two plots against the number of simulations on a logarithmic axis, a marker a run, grey for the other methods, orange for the note's networks, blue for dsnlib's SMC. Left the accuracy of a classifier against exact samples: rejection, sequential Monte Carlo, the ensemble sampler and dsnlib's SMC lie near 0.5, neural posterior estimation and NUTS higher, the note's networks highest. Right the divergence KL in nats of the methods with a density."}} tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(7.5, 3.4), sharex=True)
markers = "osv^<>DPX*hpd8"
for k, (name, runs) in enumerate(groups.items()):
    ours = name == "smc"
    note = name.startswith("c0-")
    colour = METHOD_COLOURS["smc" if ours else "note"] if ours or note else "0.35"
    x = [run["simulations"] for run in runs]
    style = {"color": colour, "marker": markers[k % len(markers)], "linestyle": "", "markersize": 5}
    axes[0].plot(x, [run["c2st"]["value"] for run in runs], label=NAMES.get(name, name), **style)
    known = [(run["simulations"], run["kl"]["value"]) for run in runs if run["kl"]]
    if known:
        axes[1].plot(*zip(*known, strict=True), **style)
axes[0].axhline(0.5, color="0.7", linewidth=0.8, zorder=0)
axes[0].set(xscale="log", xlabel="simulations", ylabel="C2ST against exact samples")
axes[1].set(xscale="log", yscale="log", xlabel="simulations", ylabel="KL(q || p*) (nat)")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=7)
plt.show()


# %% tags=["hide-input"]
def best(name, key):
    return [
        run[key]["value"] if isinstance(run[key], dict) else run[key]
        for run in groups.get(name, [])
    ]


glue_text("smc-simulations", f"{np.median(best('smc-100k', 'simulations')) / 1e6:.2f}")
glue_text("smc-c2st", spread(best("smc-100k", "c2st"), 2))
glue_text("rejection-simulations", f"{np.median(best('rejection', 'simulations')) / 1e6:.2f}")
glue_text("ours-simulations", f"{np.median(best('smc', 'simulations')) / 1e6:.2f}")
glue_text("ours-kl", spread(best("smc", "kl"), 3))
glue_text("ours-c2st", spread(best("smc", "c2st"), 2))
sbi = [run for name, runs in groups.items() if "npe" in name for run in runs]
glue_text("sbi-kl", f"{min(run['kl']['value'] for run in sbi):.0f}")
most = max(run["simulations"] for run in sbi)
glue_text("sbi-simulations", f"{most:,}")
glue_text("sbi-band", f"{100 * max(run['band_share']['value'] for run in sbi):.0f}")
glue_text("sa-simulations", f"{np.median(best('sa', 'simulations')):,.0f}")
glue_text("sa-c2st", spread(best("sa", "c2st"), 2))
glue_text("sa-lower", spread([100 * run["mode_mass"]["lower"]["value"] for run in groups["sa"]], 1))
glue_text("exact-lower", f"{100 * exact['modes']['lower']['value']:.1f}")
glue_text(
    "nuts-lower",
    f"{100 * np.median([run['mode_mass']['lower']['value'] for run in groups['nuts']]):.0f}",
)

# %% [markdown]
# ## What it says
#
# - **Where η is given and samples are enough, sequential Monte Carlo wins**:
#   {glue:text}`comparison-smc-simulations` million simulations and seconds, C2ST
#   {glue:text}`comparison-smc-c2st`. In two dimensions even rejection from the prior is exact with
#   {glue:text}`comparison-rejection-simulations` million.
# - **SMC finds η by itself** and is as close: C2ST {glue:text}`comparison-ours-c2st` with
#   {glue:text}`comparison-ours-simulations` million simulations. Its density is
#   exp(η·T(z) - log Z), which one simulation gives at any point: KL
#   {glue:text}`comparison-ours-kl` nat.
# - **A smooth density leaks over the cliffs.** The best of sbi's runs here is
#   {glue:text}`comparison-sbi-kl` nat away, with at most {glue:text}`comparison-sbi-band` % of its
#   samples in the band. They used {glue:text}`comparison-sbi-simulations` simulations at most, and
#   their draws were not weighted to the target afterwards, which would have helped them.
# - **Chains with gradients do not cross between the modes**: NUTS gives the lower mode
#   {glue:text}`comparison-nuts-lower` % of its samples, since each chain keeps the mode it started
#   in.
# - **Chains that learn from their past need fewest simulations**: sample adaptive MCMC comes to a
#   C2ST of {glue:text}`comparison-sa-c2st` with {glue:text}`comparison-sa-simulations`, but gives
#   the lower mode {glue:text}`comparison-sa-lower` % (exact {glue:text}`comparison-exact-lower` %).

# %% tags=["remove-cell"]
plt.close("all")
print("complete")
