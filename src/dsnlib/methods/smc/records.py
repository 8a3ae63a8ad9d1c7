"""What a run of SMC records."""

from __future__ import annotations

import numpy as np

from dsnlib.methods.base import Records, Variable

MOST_STAGES = 200
#: What uniform draws produce: quantiles of every statistic in stage 0, recorded as an attribute.
PRODUCED = "produced"
QUANTILES = (0, 0.01, 0.5, 0.99, 1)
_PICTURED = 5_000  # numbers that stand for a stage's particles in pictures

VARIABLES = {
    "z": Variable(("island", "sample", "parameter"), "samples of the answer"),
    "statistics": Variable(("island", "sample", "statistic"), "their statistics"),
    "theta": Variable(
        ("island", "moment"), "natural parameters of x and x^2 - 1, x = (f - mean) / sd"
    ),
    "eta": Variable(("island", "moment"), "natural parameters of the moments"),
    "log_z": Variable(("island",), "log of the integral of exp(eta.T) over the box, nats"),
    "entropy": Variable(("island",), "entropy of the answer, nats"),
    "accepted_moves": Variable(("island",), "accepted moves of a particle at rho = 0"),
    "rho": Variable(("stage",), "relaxation, the largest of all statistics"),
    "effective_share": Variable(("stage", "island"), "of the particles before resampling"),
    "acceptance": Variable(("stage", "island"), "share of proposals that were accepted"),
    "sweeps": Variable(("stage",), "moves of each particle"),
    "simulations": Variable(("stage",), "of all islands"),
    "failed": Variable(("stage",), "of these, simulations that were not finite"),
    "stage_theta": Variable(("stage", "island", "moment"), "natural parameters, as theta"),
    "stage_log_z": Variable(("stage", "island"), "log of the mean of exp(theta.x) over the box"),
    "stage_z": Variable(("stage", "particle", "parameter"), "some particles at the stage's end"),
    "noise_share": Variable(
        ("noise",), "effective share of the samples under other random numbers; none without noise"
    ),
    "noise_shift": Variable(
        ("noise", "parameter"), "of the parameters' means under these, in standard deviations"
    ),
    "weights": Variable(
        ("weight",), "weights of the density, flattened; none where none is fitted"
    ),
    "density_report": Variable(("figure",), "how good the density is on samples it never saw"),
}
#: Those that are taken stage by stage.
STAGED = tuple(name for name, variable in VARIABLES.items() if variable.dims[0] == "stage")


def pictured(P: int) -> int:
    """Number of particles that are kept of each stage."""
    return max(1, min(500, _PICTURED // P))


def empty_records(islands: int, moments: int, P: int, columns: int) -> Records:
    """Arrays for what is taken stage by stage, and for what uniform draws produce: all NaN."""
    sizes = {
        "stage": MOST_STAGES + 1,
        "island": islands,
        "moment": moments,
        "particle": pictured(P),
        "parameter": P,
    }
    staged = {
        name: np.full([sizes[dim] for dim in VARIABLES[name].dims], np.nan) for name in STAGED
    }
    return staged | {PRODUCED: np.full((columns, len(QUANTILES)), np.nan)}
