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
# **In two dimensions the simplest methods win.** Two need no training, no Markov chain and no
# setting but a number of points, and they find the {term}`natural parameters` η of the
# {term}`exact answer` p\* by themselves:
#
# - **{term}`Weighted uniform draws`.** Simulate uniform draws, weight each by exp(η·T), and solve
#   for η on the same draws. With {glue:text}`comparison-uniform-n` draws
#   ({glue:text}`comparison-uniform-seconds` s of processor time) the
#   {term}`divergence <KL divergence>` from p\* is {glue:text}`comparison-uniform-kl` {term}`nat` at
#   most; with {glue:text}`comparison-most-n` it is {glue:text}`comparison-most-kl` nat at most, and
#   boosted trees tell the samples from exact ones in {glue:text}`comparison-most-c2st` % of cases
#   ({term}`C2ST`; 50 % is chance). {glue:text}`comparison-few-n` draws are too few:
#   {glue:text}`comparison-few-trusted` of these runs pass dsnlib's own checks.
# - **A grid.** With {glue:text}`comparison-grid-cells` cells along each conductance
#   ({glue:text}`comparison-grid-n` simulations, {glue:text}`comparison-grid-seconds` s) the
#   divergence is {glue:text}`comparison-grid-kl` nat, and the lower {term}`mode` gets
#   {glue:text}`comparison-grid-lower` % of the mass. The exact answer, on a grid of
#   {glue:text}`comparison-exact-cells` cells along each, gives it
#   {glue:text}`comparison-exact-lower` %.
#
# {term}`SMC`, the [main method](answer.ipynb) of dsnlib, is as close and no cheaper here:
# {glue:text}`comparison-ours-simulations` million simulations for samples that are worth
# {glue:text}`comparison-ours-effective` independent ones. It is made for more parameters and rarer
# properties, where a grid is out of reach and few uniform draws count: see
# [other systems](gallery.ipynb) and [other problems](systems.ipynb).
#
# ## How they are compared
#
# Once η is known, p\*, the {term}`maximum-entropy distribution` proportional to exp(η·T), is a
# posterior: a uniform prior times a Gaussian likelihood of the frequency, with mean
# {glue:text}`comparison-likelihood-mean` Hz and standard deviation
# {glue:text}`comparison-likelihood-sd` Hz. So every method of simulation-based or Bayesian inference
# can be asked for it.
#
# **Most others are handed η** from the exact answer; what it costs to find η is not added to their
# figures. The tables mark them. The methods of dsnlib know only the property's mean and standard
# deviation. The scripts are in `benchmarks/comparison/`, with a pinned environment for sbi
# {cite:p}`tejerocantero2020sbi` and particles. Each run has the size that fitted into the time at
# hand, which is not the best that its method can do.
#
# - *{term}`NPE`* trains a network on simulations from the prior, *TSNPE* and *SNPE-C* in rounds,
#   *FMPE* by flow matching. Data of *clipped* runs are cut off {glue:text}`comparison-clip` noise
#   sds from what was observed, and sbi's own rule ended {glue:text}`comparison-clipped-ended` of
#   these trainings. The others have raw data, of which sbi warns that they have extreme outliers,
#   and a limit of epochs cut most of them off.
# - *Weighted*: each draw of a network with density q is simulated and weighted by p\*/q.
# - *Retrained networks* are those of this book ({term}`DSN`), trained by the note's method for
#   several c0.

# %% tags=["hide-input"]
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from dsnlib.plots import use_style
from report.figures import METHOD_COLOURS
from report.gluing import gluer
from report.text import fixed, from_to, plus_minus, rough, spread

use_style()
pd.set_option("display.max_colwidth", None)
glue_text = gluer("comparison")
record = json.loads(Path("benchmarks/results/comparison.json").read_text())
exact, results = record["exact"], record["results"]
NAMES = {
    "uniform-20k": "weighted uniform draws, 20,000",
    "uniform-200k": "weighted uniform draws, 200,000",
    "uniform-2000k": "weighted uniform draws, 2,000,000",
    "grid-100": "grid, 100 x 100 cells",
    "grid-200": "grid, 200 x 200 cells",
    "grid-400": "grid, 400 x 400 cells",
    "smc": "SMC (dsnlib)",
    "c0-1": "retrained network, c0 = 1",
    "c0-100": "retrained network, c0 = 100",
    "rejection": "rejection from the prior",
    "smc-10k": "waste-free SMC (particles), 10,000",
    "smc-100k": "waste-free SMC (particles), 100,000",
    "aies": "affine-invariant ensemble (numpyro)",
    "nuts": "NUTS (numpyro)",
    "sa": "sample adaptive MCMC (numpyro)",
    "npe-maf-20k": "NPE, affine flow",
    "npe-nsf-20k": "NPE, spline flow",
    "npe-nsf-200k": "NPE, spline flow, 200,000",
    "tsnpe-nsf-20k": "TSNPE, spline flow, 5 rounds",
    "snpe-c-maf-10k": "SNPE-C, affine flow, 5 rounds",
    "npe-clipped-20k": "NPE, spline flow, clipped",
    "tsnpe-clipped-20k": "TSNPE, spline flow, clipped, 5 rounds",
    "fmpe-clipped-20k": "FMPE, clipped",
}
WEIGHTED = ", weighted"
found = {run["method"] for run in results}
ordered = [name + end for end in ("", WEIGHTED) for name in NAMES if name + end in found]
ordered += sorted(found - set(ordered))  # none is left out
groups = {name: [run for run in results if run["method"] == name] for name in ordered}


def named(method):
    """A method as the tables write it."""
    name = method.removesuffix(WEIGHTED)
    cut = sum(run.get("stopped_by_limit", 0) for run in groups[method])
    end = f", {cut} of {len(groups[method])} cut off" if cut else ""
    return NAMES.get(name, name) + end + method[len(name) :]


def values(method, key):
    """A number of all runs of a method, without its error; none where there is none."""
    numbers = [run[key] for run in groups[method] if run[key] is not None]
    return [each["value"] if isinstance(each, dict) else each for each in numbers]


def cell(method, key, decimals, factor=1):
    """Median and range over the seeds, or nothing."""
    numbers = [factor * value for value in values(method, key)]
    return spread(numbers, decimals) if numbers else ""


def simulated(method):
    """Simulations of a method, and those that samples of a grid cost on top."""
    runs = groups[method]
    text = f"{np.median([run['simulations'] for run in runs]):,.0f}"
    more = [run["sampling_simulations"] for run in runs if "sampling_simulations" in run]
    return f"{text} (samples: {np.median(more):,.0f} more)" if more else text


# %% [markdown]
# ## How close
#
# The trees can miss half of a small mode, so the masses below must be read too. They see z, √z and
# f, and tell exact samples from exact ones in a share of {glue:text}`comparison-check-same` (± se);
# from samples in which the lower mode has double its mass {glue:text}`comparison-check-doubled`,
# half of it {glue:text}`comparison-check-halved`, none {glue:text}`comparison-check-lost`. Where
# fewer than {glue:text}`comparison-smallest` samples are left there is no test. A KL may come out
# slightly below 0 where q is exp(η·T - log Z), since log Z has an error.

# %% tags=["hide-input"] caption="How close each method comes to the exact answer p*: medians over the seeds, with the range in brackets. η: found by the method, or handed to it. Seconds: of the processor, or of the wall (†), on a machine that did other work. q: the method's density, where it has one. KL(q ‖ p*) grows where q puts mass that p* has not, KL(p* ‖ q) where q lacks mass. Starved: share of p* where q is below a tenth of it. Share: effective share of q's samples, were they weighted. Effective: how many independent samples they are worth, by weights and repeats. C2ST: share of samples that boosted trees assign rightly, of as many exact ones on the other side (a side); 0.5 is chance. Uniform draws, grids and SMC are close, and are not handed η." name="tab-comparison-close"
quality = {}
for name, runs in groups.items():
    wall = "†" if runs[0]["seconds_of"] == "wall" else ""
    quality[named(name)] = {
        "η": "handed" if runs[0]["handed_eta"] else "found",
        "seeds": len(runs),
        "simulations": simulated(name),
        "seconds": cell(name, "seconds", 0) + wall,
        "KL(q ‖ p*) (nat)": cell(name, "kl", 2),
        "KL(p* ‖ q) (nat)": cell(name, "forward_kl", 2),
        "starved (%)": cell(name, "starved", 1, 100),
        "share (%)": cell(name, "effective_share", 1, 100) if runs[0]["kl"] else "",
        "effective": cell(name, "effective", 0),
        "C2ST": cell(name, "c2st", 3),
        "a side": cell(name, "c2st_samples", 0) if values(name, "c2st") else "",
    }
pd.DataFrame(quality).T

# %% [markdown]
# ## Masses of the modes
#
# The errors take samples as independent; those of NUTS, SA and dsnlib's SMC are between chains or
# {term}`islands <island>`. Samples of waste-free SMC and of the ensemble depend on each other, so
# there the range over the seeds says more. A grid's own sums over its cells need no samples. Their
# regions are those that the grid itself finds; the two coarser grids part the third mode otherwise.

# %% tags=["hide-input"] caption="Masses of the modes by each method, beside the exact ones: median over the seeds ± the median of the single runs' standard errors, with the range over the seeds in brackets. Band: within two standard deviations of the target frequency. η: found by the method, or handed to it. Sums: of a grid over its own cells; its other rows are samples. Raw draws of networks and chains that follow gradients have wrong masses." name="tab-comparison-masses"


def with_error(estimates):
    """Median and error in per cent, and the range where there are several."""
    value, se = (100 * np.array([each[key] for each in estimates]) for key in ("value", "se"))
    text = plus_minus(np.median(value), np.median(se), 1)
    return text if len(value) == 1 else f"{text} [{fixed(value.min(), 1)}, {fixed(value.max(), 1)}]"


columns = {
    name: f"{name} (%), exact {plus_minus(100 * mode['value'], 100 * mode['se'], 1)}"
    for name, mode in exact["modes"].items()
}
masses = {}
for name, runs in groups.items():
    masses[named(name)] = {
        "η": "handed" if runs[0]["handed_eta"] else "found",
        **{
            column: with_error([run["mode_mass"][mode] for run in runs])
            for mode, column in columns.items()
        },
        "in the band (%)": with_error([run["band_share"] for run in runs]),
    }
sums = {name: runs[0]["own_masses"] for name, runs in groups.items() if "own_masses" in runs[0]}
for name, own in sums.items():
    masses[f"{named(name)}, sums"] = {"η": "found"} | {
        column: plus_minus(*(100 * np.array(own[mode])), 1)
        for mode, column in columns.items()
        if mode in own
    }
pd.DataFrame(masses).T.fillna("")

# %% mystnb={"image": {"alt": "Two plots against the number of simulations on a logarithmic axis, a marker a run. Left the accuracy of a classifier against exact samples: weighted uniform draws, the grids, dsnlib's SMC and rejection lie at one half; raw draws of sbi's networks lie between 0.6 and 0.8, their weighted draws near one half; the retrained networks lie highest. Right the mass of the lower mode: the same methods lie at the line of the exact mass, raw draws of networks below it, the retrained networks at zero or far above."}, "figure": {"caption": "C2ST, the share of samples that boosted trees assign rightly to method or exact answer (left; dotted: chance), and mass of the lower mode (right; dotted: exact; linear below 1 %), against the number of simulations. Each marker is a run. A grid stands on the left with its samples, on the right with sums over its cells, which need none. The first four groups find the natural parameters η, the others are handed them. Uniform draws, grids and SMC are right on both sides.", "name": "fig-comparison-simulations"}} tags=["hide-input"]
LOOKS = {  # Tol's colours, distinguishable with any colour vision; markers tell the groups apart too
    "weighted uniform draws": ("#DDCC77", "s"),
    "grid": ("#117733", "D"),
    "SMC (dsnlib)": (METHOD_COLOURS["smc"], "o"),
    "retrained networks": (METHOD_COLOURS["note"], "X"),
    "samplers": ("0.35", "P"),
    "networks of sbi": ("#CC6677", "v"),
    "networks of sbi, weighted": ("#88CCEE", "^"),
}


def group_of(run):
    """The group of a run in the figure."""
    method = run["method"]
    if "npe" in method or "fmpe" in method:
        return "networks of sbi" + (WEIGHTED if method.endswith(WEIGHTED) else "")
    starts = {"uniform": "weighted uniform draws", "grid": "grid", "c0-": "retrained networks"}
    starts |= {"smc-": "samplers", "smc": "SMC (dsnlib)"}
    return next((name for start, name in starts.items() if method.startswith(start)), "samplers")


figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 3.8), sharex=True)
for name, (colour, marker) in LOOKS.items():
    runs = [run for run in results if group_of(run) == name]
    style = {"color": colour, "marker": marker, "linestyle": "", "markersize": 5, "alpha": 0.8}
    known = [run for run in runs if run["c2st"]]
    sampled = [run["simulations"] + run.get("sampling_simulations", 0) for run in known]
    left.plot(sampled, [run["c2st"]["value"] for run in known], label=name, **style)
    mass = [
        run["own_masses"]["lower"][0] if name == "grid" else run["mode_mass"]["lower"]["value"]
        for run in runs
    ]
    right.plot([run["simulations"] for run in runs], 100 * np.array(mass), **style)
left.axhline(0.5, color="0.25", linestyle=":", linewidth=1, zorder=0)
right.axhline(
    100 * exact["modes"]["lower"]["value"], color="0.25", linestyle=":", linewidth=1, zorder=0
)
left.set(xscale="log", xlabel="simulations", ylabel="C2ST (share told right)")
right.set_yscale("symlog", linthresh=1)
right.set(xlabel="simulations", ylabel="mass of the lower mode (%)", ylim=(-0.1, 120))
right.set_yticks([0, 1, 10, 100], ["0", "1", "10", "100"])
figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
plt.show()

# %% tags=["hide-input"]
few, middle, most, grid = "uniform-20k", "uniform-200k", "uniform-2000k", "grid-400"
raw = [name for name in groups if "npe" in name or "fmpe" in name]
weighted = [name for name in raw if name.endswith(WEIGHTED)]
raw = [name for name in raw if name not in weighted]
clipped = [name for name in raw if "clipped" in name]


def largest(name, key):
    """The largest size of a number over the runs."""
    return rough(max(np.abs(values(name, key))))


def over(names, key, decimals, factor=1):
    """The range of a number over all runs of several methods."""
    return from_to([factor * value for name in names for value in values(name, key)], decimals)


def lower(names):
    """The range of the lower mode's mass, in per cent, over all runs of several methods."""
    runs = [run for name in names for run in groups[name]]
    return from_to([100 * run["mode_mass"]["lower"]["value"] for run in runs], 1)


eta = np.array(exact["eta"])
glue_text("likelihood-mean", f"{-eta[0] / 2 / eta[1]:.3f}")
glue_text("likelihood-sd", f"{np.sqrt(-0.5 / eta[1]):.3f}")
for key, name in (("few", few), ("uniform", middle), ("most", most)):
    glue_text(f"{key}-n", f"{groups[name][0]['simulations']:,}")
glue_text("few-trusted", f"{sum(run['trusted'] for run in groups[few])} of {len(groups[few])}")
glue_text("uniform-seconds", over([middle], "seconds", 0))
glue_text("uniform-kl", largest(middle, "kl"))
glue_text("most-kl", largest(most, "kl"))
glue_text("most-c2st", over([most], "c2st", 1, 100))
glue_text("grid-cells", groups[grid][0]["settings"]["size"])
glue_text("grid-n", f"{groups[grid][0]['simulations']:,}")
glue_text("grid-seconds", f"{groups[grid][0]['answer_cpu_s']:.0f}")
glue_text("grid-kl", largest(grid, "kl"))
glue_text("grid-lower", plus_minus(*(100 * np.array(sums[grid]["lower"])), 1))
glue_text("exact-cells", f"{exact['cells']:,}")
glue_text(
    "exact-lower", plus_minus(*(100 * exact["modes"]["lower"][key] for key in ("value", "se")), 1)
)
glue_text("ours-simulations", f"{np.median(values('smc', 'simulations')) / 1e6:.2f}")
glue_text("ours-kl", cell("smc", "kl", 3))
glue_text("ours-effective", over(["smc"], "effective", -3))
glue_text("ours-c2st", over(["smc"], "c2st", 3))
glue_text("smallest", record["c2st_smallest"])
for key, name in (
    ("same", "same distribution"),
    ("doubled", "lower mode doubled"),
    ("halved", "lower mode halved"),
    ("lost", "lower mode lost"),
):
    glue_text(f"check-{key}", plus_minus(*record["c2st_check"][name], 3))
glue_text("sbi-kl", over(raw, "kl", 0))
glue_text("sbi-forward", over(raw, "forward_kl", 1))
glue_text("sbi-starved", over(raw, "starved", 0, 100))
glue_text("sbi-lower", lower(raw))
clipped_runs = [run for name in clipped for run in groups[name]]
(clip,) = {run["settings"]["clip"] for run in clipped_runs}
glue_text("clip", f"{clip:g}")
ended = sum(not run["stopped_by_limit"] for run in clipped_runs)
glue_text("clipped-ended", f"{ended} of {len(clipped_runs)}")
for key, name in (
    ("npe", "npe-nsf-20k"),
    ("npe-clipped", "npe-clipped-20k"),
    ("tsnpe", "tsnpe-nsf-20k"),
    ("tsnpe-clipped", "tsnpe-clipped-20k"),
    ("fmpe-clipped", "fmpe-clipped-20k"),
):
    glue_text(f"{key}-kl", cell(name, "kl", 1))
glue_text("weighted-effective", over(weighted, "effective", 0))
away = [
    abs(run["mode_mass"][mode]["value"] - mass["value"])
    / np.hypot(run["mode_mass"][mode]["se"], mass["se"])
    for name in weighted
    for run in groups[name]
    for mode, mass in exact["modes"].items()
]
glue_text("weighted-right", f"{sum(np.array(away) < 2)} of {len(away)}")
glue_text("weighted-lower", lower(weighted))
glue_text("weighted-c2st", over(weighted, "c2st", 2))
glue_text("particles-simulations", f"{np.median(values('smc-100k', 'simulations')):,.0f}")
glue_text("particles-effective", over(["smc-100k"], "effective", 0))
glue_text("particles-lower", lower(["smc-100k"]))
glue_text("nuts-lower", lower(["nuts"]))
glue_text("sa-simulations", f"{np.median(values('sa', 'simulations')):,.0f}")
glue_text("sa-lower", lower(["sa"]))
glue_text("retrained-c2st", over(["c0-1", "c0-100"], "c2st", 2))
glue_text("retrained-starved", over(["c0-1", "c0-100"], "starved", 0, 100))

# %% [markdown]
# ## What it says
#
# - **What finds η by itself and is simple is close**: uniform draws, grids, and dsnlib's SMC
#   (KL {glue:text}`comparison-ours-kl` nat, C2ST {glue:text}`comparison-ours-c2st`). All three give
#   the same kind of density, exp(η·T - log Z), which costs one simulation at any point.
# - **A network's draws must be weighted.** A smooth density leaks over the cliffs: raw draws of
#   sbi's networks are {glue:text}`comparison-sbi-kl` nat away by KL(q ‖ p\*) and give the lower mode
#   {glue:text}`comparison-sbi-lower` %. They do cover most of the answer: KL(p\* ‖ q) is only
#   {glue:text}`comparison-sbi-forward` nat, and {glue:text}`comparison-sbi-starved` % of p\* is
#   starved. Clipping brings KL(q ‖ p\*) of NPE from {glue:text}`comparison-npe-kl` to
#   {glue:text}`comparison-npe-clipped-kl` nat and that of TSNPE from
#   {glue:text}`comparison-tsnpe-kl` to {glue:text}`comparison-tsnpe-clipped-kl` nat; FMPE has
#   {glue:text}`comparison-fmpe-clipped-kl` nat. Once weighted, 10,000 draws are worth {glue:text}`comparison-weighted-effective`
#   independent ones ({term}`effective sample size`), and C2ST is
#   {glue:text}`comparison-weighted-c2st`. Of their masses {glue:text}`comparison-weighted-right` lie
#   within two standard errors of the exact ones; the lower mode gets
#   {glue:text}`comparison-weighted-lower` %.
# - **Waste-free SMC** with η in hand gives right masses (lower mode
#   {glue:text}`comparison-particles-lower` %) with {glue:text}`comparison-particles-simulations`
#   simulations; its 10,000 samples repeat each other and are worth
#   {glue:text}`comparison-particles-effective`. Uniform draws do about as well for as many
#   simulations, without η.
# - **Chains that follow gradients do not cross between the modes**: each chain of NUTS keeps the
#   mode in which it started, and the lower mode gets {glue:text}`comparison-nuts-lower` %. Sample
#   adaptive MCMC needs {glue:text}`comparison-sa-simulations` simulations but gives the lower mode
#   {glue:text}`comparison-sa-lower` %.
# - **The retrained networks** are farthest away: C2ST {glue:text}`comparison-retrained-c2st`, and
#   {glue:text}`comparison-retrained-starved` % of p\* starved.
#
# None of this carries over to more parameters. There a grid is out of reach, and what uniform draws
# are worth depends on how rare the property is: see [other problems](systems.ipynb).

# %% tags=["remove-cell"]
plt.close("all")
print("complete")
