"""The gallery: every system has its page, run and reference, and tables say what the data say."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import yaml
from bs4 import BeautifulSoup

from report.gallery import tables
from report.gallery.systems import SYSTEMS, run_of
from report.studies.problems import CASES
from test_book import outputs

ROOT = Path(__file__).parent.parent


def run_data(name):
    return xr.load_dataset(ROOT / "report" / "gallery" / name / "run.nc")


def test_every_system_has_its_page_in_the_book():
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]
    pages = [chapter["file"] for part in parts for chapter in part["chapters"]]
    expected = ["gallery", *(f"gallery_{name}" for name in SYSTEMS)]
    assert [page for page in pages if page.startswith("gallery")] == expected
    sources = sorted(p.stem for p in (ROOT / "report" / "chapters").glob("gallery*.py"))
    assert sources == sorted(expected)


@pytest.mark.parametrize("name", SYSTEMS)
def test_runs_are_those_of_the_cases(name):
    data, case = run_data(name), CASES[name]
    assert data.sizes["parameter"] == len(case.circuit.parameters)
    np.testing.assert_array_equal(data.bounds, case.circuit.bounds)
    np.testing.assert_allclose(data.mu[: len(case.prop.mean)], case.prop.mean)
    assert case.reference == f"{name}.npz"


@pytest.mark.parametrize("name", SYSTEMS)
def test_statistics_of_the_samples_are_those_of_the_circuit(name):
    """A few samples, simulated again; where one is about to diverge its last bit decides."""
    data, circuit = run_data(name), CASES[name].circuit
    z = data.z.values.reshape(-1, data.sizes["parameter"])[:40]
    f = data.statistics.values.reshape(-1, data.sizes["statistic"])[:40]
    again = np.asarray(circuit.statistics(z))
    assert np.isclose(again, f, rtol=2e-3, atol=2e-3).mean() > 0.95


@pytest.mark.parametrize("name", SYSTEMS)
def test_what_a_page_says(name):
    data = run_data(name)
    page = f"gallery_{name}.ipynb"
    summary = next(html for html in outputs(page, "text/html") if "free parameters" in html)
    rows = [
        row.find_all(["th", "td"]) for row in BeautifulSoup(summary, "html.parser").find_all("tr")
    ]
    said = {row[0].get_text(): row[-1].get_text() for row in rows}
    assert said["free parameters"] == str(data.sizes["parameter"])
    assert said["simulations"] == f"{float(data.simulations.sum()) / 1e6:.2f} million"
    assert said["time"].startswith(f"{data.attrs['seconds']:,.0f} s on ")
    value, se = (float(each) for each in said["entropy"].removesuffix(" nat").split(" ± "))
    islands = data.entropy.values
    assert value == pytest.approx(islands.mean(), abs=0.1 * se + 1e-3)
    assert se == pytest.approx(islands.std(ddof=1) / np.sqrt(len(islands)), rel=0.06)


def case_log_p(exact):
    f = exact["statistics"].astype(float)
    return f @ exact["eta"][: f.shape[1]] + f**2 @ exact["eta"][f.shape[1] :]


@pytest.mark.parametrize("name", ["d3", "d5", "d8", "d12", "linear2d", "rnn5", "rnn10"])
def test_share_of_uniform_draws_that_is_effective(name):
    """These references come from uniform draws, so their own effective size says the same."""
    exact = CASES[name].exact()
    p = np.exp(case_log_p(exact) - case_log_p(exact).max())
    error = p.std() / p.mean() * np.sqrt(1 / len(p) + 1 / float(exact["ess"]))
    expected = float(exact["ess"]) / float(exact["draws"])
    assert tables.uniform_share(name) == pytest.approx(expected, rel=4 * error)


def test_tables_of_a_run():
    run = run_of("linear2d")
    data = run_data("linear2d")
    f = data.statistics.values.reshape(-1, 2).astype(float)
    table = tables.reached(run)
    assert list(table["mean"]) == [f"{value:.4f}" for value in f.mean(axis=0) + 0.0]
    assert list(table["sd"]) == [f"{value:.4f}" for value in f.std(axis=0)]
    z = data.z.values.reshape(-1, 4).astype(float)
    table = tables.intervals(run, None)
    assert list(table["5 %"]) == [f"{value:.3f}" for value in np.quantile(z, 0.05, axis=0)]
    assert list(tables.intervals(run, ["a12"]).index) == ["a12 (1/s)"]
    assert list(table.index) == ["a11 (1/s)", "a12 (1/s)", "a21 (1/s)", "a22 (1/s)"]
