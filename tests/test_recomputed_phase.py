"""Headlines of the phase diagram and of the cause, recomputed without the report's code."""

import csv
import io
import itertools
import json
import re
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import yaml

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "report" / "studies" / "results"


def glued(page):
    """What a page's notebook keeps under its keys, as numbers where it is one."""
    found = {}
    for cell in json.loads((ROOT / "book" / f"{page}.ipynb").read_text())["cells"]:
        for output in cell.get("outputs", []):
            key = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if key:
                text = output["data"]["application/papermill.record/text/plain"]
                found[key] = "".join(text).strip("'")
    return found


class Study:
    """One file of the phase study."""

    def __init__(self, path):
        with netCDF4.Dataset(path) as data:
            data.set_auto_mask(False)
            modes = list(data["mode"][:])
            wanted = [modes.index(name) for name in ("lower", "upper")]
            self.share = data["mode_mass"][:][..., wanted] / data["exact_mass"][:][wanted]
            self.kl, self.passed = data["kl"][:], data["not_rejected"][:] > 0
            self.lower = 100 * data["mode_mass"][:][..., wanted[0]]
            self.band = 100 * data["band_share"][:]

    def rows(self, when):
        """For each seed the snapshot that is looked at, None where there is none."""
        if when == "end":
            return [self.share.shape[1] - 1] * len(self.share)
        return [1 + int(np.argmax(row)) if row.any() else None for row in self.passed]

    def both(self, when, threshold=0.1):
        """For each seed whether it has this share of both modes there."""
        return [
            k is not None and bool((self.share[seed, k] >= threshold).all())
            for seed, k in enumerate(self.rows(when))
        ]


def median_and_range(values, decimals):
    low, middle, high = (
        f"{round(float(f(values)), decimals) + 0.0:,.{decimals}f}"
        for f in (np.min, np.median, np.max)
    )
    return middle if low == high else f"{middle} [{low}, {high}]"


@pytest.fixture(scope="module")
def note():
    return [
        Study(path) for kind in ("pathwise", "score") for path in RESULTS.glob(f"phase_{kind}_*")
    ]


def test_the_notes_network(note):
    page = glued("phase")
    assert page["phase-note-points"] == str(len(note))
    assert page["phase-note-runs"] == str(sum(len(study.kl) for study in note))
    passing = [k is not None for study in note for k in study.rows("first")]
    assert page["phase-note-pass"] == str(sum(passing))
    for when in ("first", "end"):
        both = [hit for study in note for hit in study.both(when)]
        assert page[f"phase-note-both-{when}"] == str(sum(both))
    first = [
        study.kl[seed, k]
        for study in note
        for seed, k in enumerate(study.rows("first"))
        if k is not None
    ]
    assert page["phase-first-kl"] == median_and_range(first, 0)


OTHERS = [
    ("slow", "penalty_base"),
    ("large", "penalty_c0-100_beta-2"),
    ("long", "pace_iterations-1000"),
    ("successor", "successor_base"),
]
COUPLING = [("coupling", "coupling_c0-10_beta-2"), ("steep", "coupling_base")]


@pytest.mark.parametrize(("key", "point"), [*COUPLING, *OTHERS])
def test_the_coupling_flow(key, point):
    page, study = glued("phase"), Study(RESULTS / f"phase_{point}.nc")
    n = len(study.kl)
    for when in ("first", "end"):
        rows = [(seed, k) for seed, k in enumerate(study.rows(when)) if k is not None]
        for threshold in (0.01, 0.02, 0.05, 0.1, 0.25):
            expected = f"{sum(study.both(when, threshold))} of {n}"
            assert page[f"phase-{key}-{when}-{threshold:g}"] == expected
        for name, values, decimals in (
            ("kl", study.kl, 1),
            ("lower", study.lower, 1),
            ("band", study.band, 0),
        ):
            expected = median_and_range([values[row] for row in rows], decimals)
            assert page[f"phase-{key}-{name}-{when}"] == expected
    assert page[f"phase-{key}-pass"] == f"{int(study.passed.any(axis=1).sum())} of {n}"


@pytest.mark.parametrize(("key", "point"), COUPLING)
def test_nearest_networks_with_both_modes(key, point):
    page, study = glued("phase"), Study(RESULTS / f"phase_{point}.nc")
    nearest = [
        min(kl for kl, share in zip(*each, strict=True) if (share >= 0.1).all())
        for each in zip(study.kl, study.share, strict=True)
    ]
    assert page[f"phase-{key}-nearest"] == median_and_range(nearest, 2)


def test_networks_that_pass_and_hold_both_modes_at_the_end():
    page, study = glued("phase"), Study(RESULTS / "phase_pace_iterations-1000.nc")
    assert page["phase-long-end-pass"] == f"{study.passed[:, -1].sum()} of {len(study.kl)}"
    assert int(page["phase-long-epochs"]) == study.passed.shape[1]


PENALTY_MAP = {
    (1, 4): "coupling_base", (10, 2): "coupling_c0-10_beta-2", (100, 4): "coupling_c0-100",
    (1, 2): "penalty_base", (10, 4): "penalty_c0-10_beta-4", (100, 2): "penalty_c0-100_beta-2",
}  # fmt: skip
PACE_MAP = {
    (250, 0.001): "pace_base", (500, 0.001): "penalty_base", (1000, 0.001): "pace_iterations-1000",
} | {
    (iterations, rate): "_".join(["pace", *words, f"learning_rate-{rate}"])
    for iterations, words in ((250, []), (500, ["iterations-500"]), (1000, ["iterations-1000"]))
    for rate in (0.0003, 0.003)
}  # fmt: skip


@pytest.mark.parametrize(
    ("figure", "names"), [("fig-phase-other", PENALTY_MAP), ("fig-phase-pace", PACE_MAP)]
)
def test_maps_of_the_coupling_flow(figure, names):
    """Every point, at its place on the map, with its share of seeds that hold both modes."""
    (table,) = (
        "".join(output["data"]["text/csv"])
        for cell in json.loads((ROOT / "book" / "phase.ipynb").read_text())["cells"]
        if cell["metadata"].get("mystnb", {}).get("figure", {}).get("name") == figure
        for output in cell["outputs"]
    )
    rows, columns = (sorted({key[k] for key in names}) for k in (0, 1))
    head, _, body = table.partition("panel,kind,label,x,y,value,low,high\n")
    for letter, values in (("y", rows), ("x", columns)):
        ticks = ", ".join(f"{place} = {value:g}" for place, value in enumerate(values))
        assert f"ticks of {letter} are {ticks}\n" in head
    shown = {}
    for row in csv.reader(io.StringIO(body)):
        panel, kind, _, x, y, value, *_ = row
        if kind == "map":
            shown[panel, rows[int(float(y))], columns[int(float(x))]] = float(value)
    for key, name in names.items():
        study = Study(RESULTS / f"phase_{name}.nc")
        for panel, when in (("first epoch that passes", "first"), ("end", "end")):
            assert shown[(panel, *key)] == pytest.approx(np.mean(study.both(when)))
    assert len(shown) == 2 * len(names)


def test_flows_under_the_exact_density():
    page = glued("cause")
    with netCDF4.Dataset(RESULTS / "representation.nc") as data:
        data.set_auto_mask(False)
        flows, stages, modes = (list(data[name][:]) for name in ("flow", "stage", "mode"))
        mass, exact = data["mode_mass"], data["exact_mass"][:]
        at = {name: mass.dimensions.index(name) for name in ("flow", "stage", "seed", "mode")}
        values = np.moveaxis(mass[:], [at[n] for n in ("stage", "flow", "seed", "mode")], range(4))
    k = modes.index("lower")
    lower = values[stages.index("score"), :, :, k] >= 0.1 * exact[k]
    for name, members in (("planar", ["planar"]), ("splines", ["coupling", "spline"])):
        hits = lower[[flows.index(flow) for flow in members]]
        assert page[f"cause-kept-lower-{name}"] == f"{hits.sum()} of {hits.size}"
    assert page["cause-price-lower"] == f"{-np.log1p(-exact[k]):.3f}"


def factor_cells():
    """Levels of the five factors, as -1 and 1, and the data of every cell that has a file."""
    factors = yaml.safe_load((ROOT / "config" / "factors.yaml").read_text())["factors"]
    rows = []
    for chosen in itertools.product((0, 1), repeat=5):
        names = [str(levels[k]) for levels, k in zip(factors.values(), chosen, strict=True)]
        file = RESULTS / f"phase_factors_{'_'.join(names)}.nc"
        if file.exists():
            rows.append(([2 * k - 1 for k in chosen], Study(file)))
    return np.array([levels for levels, _ in rows]), [study for _, study in rows]


def test_effects_of_the_factors():
    """Each effect is a contrast of the cells, for every seed; seeds are blocks."""
    page = glued("cause")
    signs, studies = factor_cells()
    assert len(studies) == 16 == int(page["cause-cells"])
    assert (signs.prod(axis=1) == signs[0].prod()).all()  # the half fraction
    n = len(studies[0].kl)
    assert {len(study.kl) for study in studies} == {n} == {int(page["cause-seeds"])}
    responses = {
        "lower": np.array([np.minimum(100 * s.share[:, -1, 0], 100) for s in studies]),
        "upper": np.array([np.minimum(100 * s.share[:, -1, 1], 100) for s in studies]),
        "kl": np.array([np.log10(s.kl[:, -1]) for s in studies]),
    }
    quantile = {4: 3.182446305284263, 8: 2.364624251592785}[n]  # of Student's t at 97.5 %
    names = ("gradient", "flow", "batch", "start", "multipliers")
    for response, values in responses.items():
        decimals = 2 if response == "kl" else 0
        for factor, column in zip(names, signs.T, strict=True):
            each = values[column > 0].mean(axis=0) - values[column < 0].mean(axis=0)
            half = quantile * each.std(ddof=1) / np.sqrt(n)
            low, middle, high = (
                f"{x:+.{decimals}f}" for x in (each.mean() - half, each.mean(), each.mean() + half)
            )
            assert page[f"cause-effect-{response}-{factor}"] == f"{middle} [{low}, {high}]"
    both = sum(sum(study.both("end")) for study in studies)
    assert page["cause-both"] == str(both)
    assert page["cause-trainings"] == str(16 * n)
    near = [bool(s.kl[seed, -1] < 3) for s in studies for seed in range(n)]
    hold = [s.both("end")[seed] for s in studies for seed in range(n)]
    assert (page["cause-near"], page["cause-near-kl"]) == (str(sum(near)), "3")
    assert page["cause-near-both"] == str(sum(a and b for a, b in zip(near, hold, strict=True)))


def test_signal_of_the_gradients():
    """Length of the true gradient over the noise of a batch of 1,000; the tail index."""
    page = glued("cause")
    with netCDF4.Dataset(RESULTS / "gradients.nc") as data:
        data.set_auto_mask(False)
        estimators = list(data["estimator"][:])
        length = data["focus_mean_norm"][:, estimators.index("score")]
        variance = data["focus_variance"][:]
        alpha = data["focus_alpha"][:, 0]
    for key, estimator in (("cause-signal", "pathwise"), ("cause-signal-score", "score")):
        signal = length / np.sqrt(variance[:, estimators.index(estimator)] / 1_000)
        middle, low, high = map(float, re.findall(r"[\d.]+", page[key]))
        shown = np.quantile(signal, [0, 0.5, 1])
        np.testing.assert_allclose([low, middle, high], shown, rtol=0.06)
    tail = re.findall(r"[\d.]+", page["cause-alpha"])
    middle, low, high = (f"{f(alpha):.2f}" for f in (np.median, np.min, np.max))
    assert tail == [middle, low, high]
