"""The report in one picture shows what its data say."""

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import dsnlib
from report import Judged
from report.figures import landing_panels, typical_loss

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def exact():
    return dsnlib.exact_maxent(
        dsnlib.STG(), dsnlib.EmergentProperty(mean=[0.525], sd=[0.025]), cells=200
    )


def judged(name, kl, lower, upper, exact):
    """A run as if its last network were this far away and had these shares of both modes."""
    run = dsnlib.load_run(ROOT / "runs" / name)
    masses = {mode.name: mode.mass for mode in exact.modes}
    shares = {"lower": lower, "upper": upper}
    rows = [[shares.get(mode, 0.0) * mass for mode, mass in masses.items()]]
    data = {
        "kl": ("snapshot", [kl]),
        "mode_mass": (("snapshot", "mode"), rows),
        "exact_mass": ("mode", list(masses.values())),
    }
    coordinates = {"snapshot": run.data.snapshot.values[-1:], "mode": list(masses)}
    return Judged(run, xr.Dataset(data, coordinates))


def test_typical_is_the_middle_of_those_that_lost_a_mode(exact):
    ends = [(9.0, 0.0, 1.0), (1.0, 1.0, 1.0), (5.0, 1.0, 0.09), (7.0, 0.0, 0.0)]
    runs = [judged(f"c0-1_seed-{i}", *end, exact) for i, end in enumerate(ends, start=1)]
    assert typical_loss(runs, 1.0).seed == 4  # of 5, 7 and 9 nat; the second holds both
    with pytest.raises(ValueError, match="c0 = 100 that lost a mode, got none"):
        typical_loss(runs, 100.0)


def test_panels_say_what_they_show(exact):
    smc = dsnlib.load_run(ROOT / "runs" / "smc_seed-1")
    networks = [judged(f"c0-{c0}_seed-1", 5.0, 0.0, 0.5, exact) for c0 in (1, 100)]
    page = landing_panels({200: exact}, {200: networks}, {200: smc}).data
    alts = re.findall('alt="([^"]*)"', page)
    assert len(alts) == 6
    labels = exact.assign(
        smc.data.z.values.reshape(-1, 2).astype(float),
        smc.data.statistics.values.reshape(-1, 1).astype(float),
    )
    k = [mode.name for mode in exact.modes].index("upper")
    (shown,) = [alt for alt in alts if alt.startswith("Samples of the SMC")]
    assert f"upper {100 * np.mean(labels == k):.0f} %" in shown
    assert "both modes held" in shown
    assert sum("lost: " in alt for alt in alts) == 2
    assert "T = 200 Euler steps, 5 s" in page
