"""The comparison's numbers, recomputed from its records with nothing of the project's code."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.special import logsumexp

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
TABLE = json.loads((RESULTS / "comparison.json").read_text())
JUDGED = {(run["method"], run["seed"]): run for run in TABLE["results"]}
FILES = sorted((RESULTS / "comparison").glob("*_seed-*.nc"))
MEAN, SD = 0.525, 0.025  # Hz, of the property
BOX = 20.0**2  # nS^2
# Boxes (nS) that hold a mode each and little else of the band, read off a map of exact samples:
# least and largest g_el, least and largest g_synA, and how far the rule may be off. The lower mode
# ends at a straight line, on which g_synA / g_el has the least value that it takes there.
BOXES = {
    "upper": ((4.2, 12.6, 0.0, 2.4), 0.01),
    "lower": ((0.0, 0.8, 0.0, 1.42), 0.003),
    "third": ((3.2, 4.3, 2.59, 2.88), 0.003),
}
LEAST_RATIO = {"upper": 0.0, "lower": 1.6, "third": 0.0}


@pytest.fixture(scope="module")
def target():
    return xr.load_dataset(RESULTS / "comparison" / "target.nc")


def exponent(f, eta):
    f = np.asarray(f, float)
    return eta[0] * f + eta[1] * f**2


def in_mode(z, f, name):
    (left, right, low, high), _ = BOXES[name]
    g_el, g_synA = np.asarray(z, float).T
    band = np.abs(np.asarray(f, float) - MEAN) < 2 * SD
    band &= g_synA > LEAST_RATIO[name] * g_el
    return band & (g_el > left) & (g_el < right) & (g_synA > low) & (g_synA < high)


def check_masses(run, z, f, p):
    for name, (_, off) in BOXES.items():
        assert p @ in_mode(z, f, name) == pytest.approx(run["mode_mass"][name]["value"], abs=off)
    band = p @ (np.abs(np.asarray(f, float) - MEAN) < 2 * SD)
    assert band == pytest.approx(run["band_share"]["value"], abs=1e-9)


def test_every_record_is_in_the_table():
    recorded = set()
    for file in FILES:
        data = xr.open_dataset(file)
        name, seed = data.attrs["method"], int(data.attrs["seed"])
        recorded.add((name, seed))
        if "log_q" in data and "eta" not in data.attrs:
            recorded.add((f"{name}, weighted", seed))
    dsnlib = {key for key in JUDGED if key[0] in {"smc", "c0-1", "c0-100"}}
    assert recorded | dsnlib == set(JUDGED)
    assert not recorded & dsnlib


def test_exact_answer(target):
    eta, log_z = TABLE["exact"]["eta"], TABLE["exact"]["log_z"]
    np.testing.assert_allclose(target.attrs["eta"], eta, rtol=1e-9)
    # Rejection accepts the mean of exp(eta.T) over its largest value, -eta_1^2 / (4 eta_2).
    files = [file for file in FILES if file.name.startswith("rejection")]
    shares = [xr.open_dataset(file).attrs["acceptance"] for file in files]
    draws = sum(int(xr.open_dataset(file).attrs["simulations"]) for file in files)
    log_mean = np.log(np.mean(shares)) - eta[0] ** 2 / (4 * eta[1])
    assert log_mean + np.log(BOX) == pytest.approx(log_z, abs=4 / np.sqrt(np.mean(shares) * draws))
    # The exact samples have the property, and the modes' masses.
    f = target.f.values
    assert abs(f.mean() - MEAN) < 4 * SD / np.sqrt(len(f))
    assert f.std() == pytest.approx(SD, rel=0.05)
    for name, mode in TABLE["exact"]["modes"].items():
        share = in_mode(target.z.values, f, name).mean()
        error = np.hypot(np.sqrt(share * (1 - share) / len(f)), mode["se"])
        assert abs(share - mode["value"]) < 4 * error


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_record(file, target):
    data = xr.load_dataset(file)
    name, seed = data.attrs["method"], int(data.attrs["seed"])
    run = JUDGED[name, seed]
    z, f, n = data.z.values, data.f.values.astype(float), data.sizes["sample"]
    assert run["samples"] == n
    assert run["simulations"] == data.attrs["simulations"]
    assert run["handed_eta"] == ("eta" not in data.attrs)
    seconds = data.attrs["cpu_s"] + data.attrs.get("simulation_s", 0)
    assert run["seconds"] == pytest.approx(seconds)
    check_masses(run, z, f, np.full(n, 1 / n))
    if "log_q" not in data:
        assert run["kl"] is run["forward_kl"] is run["starved"] is None
        return
    eta, log_z = TABLE["exact"]["eta"], TABLE["exact"]["log_z"]
    log_q, log_p = data.log_q.values, exponent(f, eta) - log_z
    assert (log_q - log_p).mean() == pytest.approx(run["kl"]["value"], rel=1e-6, abs=1e-6)
    log_weight = log_p - log_q
    share = np.exp(2 * logsumexp(log_weight) - logsumexp(2 * log_weight)) / n
    assert share == pytest.approx(run["effective_share"], rel=1e-6)
    log_p_exact, log_q_exact = exponent(target.f, eta) - log_z, data.log_q_exact.values
    forward = np.mean(log_p_exact - log_q_exact)
    assert forward == pytest.approx(run["forward_kl"]["value"], rel=1e-6, abs=1e-6)
    starved = np.mean(log_q_exact < log_p_exact - np.log(10))
    assert starved == pytest.approx(run["starved"]["value"], abs=1.5 / len(log_q_exact))
    weighted = JUDGED.get((f"{name}, weighted", seed))
    if weighted is not None:
        log_weight = exponent(f, eta) - log_q
        p = np.exp(log_weight - logsumexp(log_weight))
        assert 1 / (p**2).sum() == pytest.approx(weighted["effective"], rel=1e-4)
        assert weighted["simulations"] == data.attrs["simulations"] + n
        check_masses(weighted, z, f, p)


def test_the_classifier_was_calibrated():
    check = TABLE["c2st_check"]
    same, error = check["same distribution"]
    assert abs(same - 0.5) < 3 * error
    for wrong in ("lower mode doubled", "lower mode lost"):
        accuracy, error = check[wrong]
        assert accuracy - 0.5 > 3 * error


def test_the_chapter_says_how_far_the_networks_of_sbi_are():
    cells = json.loads((ROOT / "book" / "comparison.ipynb").read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    said = {
        output["metadata"]["scrapbook"]["name"]: "".join(
            output["data"]["application/papermill.record/text/plain"]
        ).strip("'")
        for output in outputs
        if "scrapbook" in output.get("metadata", {})
    }
    for key, name in (
        ("npe", "npe-nsf-20k"),
        ("npe-clipped", "npe-clipped-20k"),
        ("tsnpe", "tsnpe-nsf-20k"),
        ("tsnpe-clipped", "tsnpe-clipped-20k"),
        ("fmpe-clipped", "fmpe-clipped-20k"),
    ):
        found = []
        for file in FILES:
            data = xr.load_dataset(file)
            if data.attrs["method"] == name:
                log_p = exponent(data.f, TABLE["exact"]["eta"]) - TABLE["exact"]["log_z"]
                found.append((data.log_q.values - log_p).mean())
        assert len(found) == 3
        low, middle, high = np.sort(found)
        assert said[f"comparison-{key}-kl"] == f"{middle:.1f} [{low:.1f}, {high:.1f}]"
    clipped = [xr.open_dataset(file) for file in FILES if "-clipped-" in file.name]
    ended = sum(not data.attrs["stopped_by_limit"] for data in clipped)
    assert said["comparison-clipped-ended"] == f"{ended} of {len(clipped)}"
