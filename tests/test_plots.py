"""Figures show what the data say; what moves holds every frame."""

import base64
import io
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.collections import QuadMesh
from PIL import Image

import dsnlib
from dsnlib.circuits.frequency import FREQUENCIES, spectrum
from dsnlib.circuits.stg import NEURONS
from dsnlib.methods.lagrangian import LagrangianRun
from dsnlib.plots import (
    MODE_COLOURS,
    density_map,
    embedded,
    epoch_scrubber,
    plot_multipliers,
    plot_snapshots,
    small_png,
    snapshot_frames,
)
from dsnlib.plots.plane import draw_plane, widen_small, zoom_in
from report import Judged, mode_losses
from report.figures import (
    circuit_explorer,
    clouds_table,
    explorer_table,
    live_explorer,
    plot_activity,
    plot_capture,
    plot_convergence,
    plot_divergences,
    plot_entropies,
    plot_epoch,
    plot_losses,
    plot_moments,
    plot_overview,
    plot_place,
    side_by_side,
)
from report.figures.side_by_side import plot_cloud, stage_clouds

ROOT = Path(__file__).parent.parent
NAMES = ("c0-1_seed-1", "c0-100_seed-1")


@pytest.fixture(scope="module")
def exact():
    return dsnlib.exact_maxent(dsnlib.STG(), dsnlib.EmergentProperty([0.525], [0.025]), cells=200)


@pytest.fixture(scope="module")
def runs():
    return [dsnlib.load_run(ROOT / "runs" / name) for name in NAMES]


def judged_by(run, exact, mass):
    """A run whose networks have given masses in the lower and the upper mode."""
    epochs = run.method.epochs
    return Judged(
        run,
        xr.Dataset(
            {
                "mode_mass": (("snapshot", "mode"), mass),
                "exact_mass": ("mode", [0.04, 0.86]),
                "entropy": ("snapshot", np.linspace(5, 1, epochs + 1)),
                "kl": ("snapshot", np.linspace(90, 7, epochs + 1)),
                "kl_se": ("snapshot", np.ones(epochs + 1)),
                "forward_kl": ("snapshot", np.append(np.linspace(9, 2, epochs), np.inf)),
                "forward_kl_se": ("snapshot", np.ones(epochs + 1)),
            },
            {"snapshot": range(epochs + 1), "mode": ["lower", "upper"]},
        ),
    )


@pytest.fixture(scope="module")
def judged(runs, exact):
    """Lower: held after epochs 2 and 5 of the first run, never of the second. Upper: lost, kept."""
    mass = np.zeros((2, 13, 2))
    mass[0, [2, 5], 0] = 0.004
    mass[0, :4, 1] = 0.5
    mass[1, 3:, 1] = 0.09
    return [judged_by(run, exact, m) for run, m in zip(runs, mass, strict=True)]


def test_losses(judged):
    table = mode_losses(judged).set_index(["c0", "mode"])
    lower, upper = table.loc[(1, "lower")], table.loc[(1, "upper")]
    assert (lower["first"], lower["last"], lower["lost"]) == (2, 5, 6)
    assert (upper["first"], upper["last"], upper["lost"]) == (0, 3, 4)
    data = judged[0].run.data
    assert lower["c"] == data.c.values[5]
    assert lower["c_next"] == data.c.values[6]
    assert lower["lam"] == pytest.approx(np.hypot(*data.lam.values[5]))
    assert lower["violation_end"] == pytest.approx(data.violation_end.values[5].mean())
    assert (lower["entropy_start"], lower["entropy_end"]) == pytest.approx((5 - 20 / 12, 3))
    assert pd.isna(table.loc[(100, "lower")]["first"])
    kept = table.loc[(100, "upper")]
    assert (kept["first"], kept["last"]) == (3, 12)
    assert pd.isna(kept["lost"])


def test_entropies_are_running_means(runs):
    (ax,) = plot_entropies(runs, 1.9).axes
    for line, run in zip(ax.lines, runs, strict=False):
        expected = pd.Series(run.data.entropy.values).rolling(10).mean().dropna()
        np.testing.assert_allclose(line.get_ydata(), expected)
        middle = pd.Series(run.data.step.values / 1_000).rolling(10).mean().dropna()
        np.testing.assert_allclose(line.get_xdata(), middle)
    assert any(list(line.get_ydata()) == [1.9, 1.9] for line in ax.lines)


def test_every_figure_of_many_runs_names_its_axes(runs, judged):
    figures = [
        plot_entropies(runs, 1.9), plot_moments(runs), plot_divergences(judged),
        plot_losses(judged, mode_losses(judged)),
    ]  # fmt: skip
    for figure in figures:
        for ax in figure.axes:
            assert ax.get_xlabel() or ax.get_subplotspec().is_last_row() is False
            assert ax.get_ylabel() or ax.get_subplotspec().is_first_col() is False
    plt.close("all")


def test_epochs_are_whole_numbers(runs):
    for ax in plot_multipliers(runs[0]).axes:
        np.testing.assert_array_equal(ax.get_xticks() % 1, 0)
    plt.close("all")


def test_divergence_that_is_infinite_is_left_out(judged):
    forward = plot_divergences(judged).axes[1]
    drawn = np.asarray(forward.lines[0].get_ydata(), float)
    assert np.isnan(drawn[-1])
    assert np.isfinite(drawn[:-1]).all()


def test_capture_shows_the_masses(judged):
    lower, upper = plot_capture(judged, ["lower", "upper"]).axes
    shown = [t.get_text() for t in lower.texts]
    assert shown == ["0", "0", "0.4", "0", "0", "0.4", *["0"] * 7, *["0"] * 13]
    assert [t.get_text() for t in upper.texts][13 + 3] == "9.0"
    assert [t.get_text() for t in lower.get_yticklabels()] == ["c0 = 1, seed 1", "c0 = 100, seed 1"]


def test_convergence_marks_what_passes(runs):
    (ax,) = plot_convergence(runs).axes
    rings = {
        (int(x), int(y))
        for line in ax.lines
        if line.get_markersize() == 11
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    }
    passed = {
        (int(epoch), row)
        for row, run in enumerate(runs)
        for epoch in run.data.epoch[(run.data.p_value > 0.025).all("moment")]
    }
    assert rings == passed


def test_marks_of_losses_stand_at_their_epochs(judged):
    axes = plot_losses(judged, mode_losses(judged)).axes
    marks = [
        (ln.get_color(), *(float(np.squeeze(v)) for v in ln.get_data()))
        for ln in axes[0].lines
        if ln.get_marker() == "v"
    ]
    assert [(colour, epoch) for colour, epoch, _ in marks] == [("#D55E00", 6.0), ("#0072B2", 4.0)]
    assert marks[0][2] == pytest.approx(3)


def test_an_epoch_is_shown_with_what_changes_at_its_end(runs):
    run = runs[0]
    violation, multipliers, penalty = plot_epoch(run, first=2, count=3).axes
    ends = [np.ravel(ln.get_ydata())[-1] for ln in violation.lines if ln.get_marker() == "o"]
    np.testing.assert_allclose(ends, run.data.violation_end.values[1:4].mean(axis=1))
    for k, steps in enumerate(multipliers.patches):
        np.testing.assert_array_equal(steps.get_data().values, run.data.lam.values[1:5, k])
    np.testing.assert_array_equal(penalty.patches[0].get_data().values, run.data.c.values[1:5])
    said = [text.get_text() for text in penalty.texts]
    for k, words in enumerate(said, 1):  # at the ends of epochs 2 and 3
        assert ("grows" in words) == (run.data.c.values[k + 1] > run.data.c.values[k])
    assert len(said) == 2
    plt.close("all")
    with pytest.raises(ValueError, match="more than 12 epochs, got 12"):
        plot_epoch(run, first=10)


@pytest.mark.parametrize("epoch", [0, -1])
def test_density_of_a_network_is_normalised(runs, epoch):
    density = density_map(runs[0], epoch, cells=300)
    edges = 20 * (np.arange(301) / 300) ** 2
    assert (density.values * np.outer(np.diff(edges), np.diff(edges))).sum() == pytest.approx(
        1, abs=0.02
    )
    z = runs[0].data.z.isel(snapshot=epoch).values
    mean = sum(density.g_el.values * (density.values @ np.diff(edges)) * np.diff(edges))
    assert mean == pytest.approx(z[:, 0].mean(), abs=4 * z[:, 0].std() / np.sqrt(len(z)) + 0.05)


def test_axes_of_square_roots_span_the_bounds():
    _, ax = plt.subplots()
    widen_small(ax, np.array([[0.0, 20.0], [-1.0, 1.0]]))
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.2", "1", "2", "5", "10", "20"]
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 20), (-1, 1))
    middle = ax.transAxes.transform((0.5, 0.5))  # a quarter of the way
    np.testing.assert_allclose(ax.transData.inverted().transform(middle), [5, -0.5])
    plt.close("all")


def test_overview_has_a_panel_for_every_network(judged, exact):
    figure = plot_overview(judged, exact)
    titles = [ax.get_title() for ax in figure.axes]
    assert "c0 = 1, seed 1\nlower 0 %, upper 0 %" in titles
    assert "c0 = 100, seed 1\nlower 0 %, upper 9.0 %" in titles
    upper = {mode.name: mode.mass for mode in exact.modes}["upper"]
    (title,) = [title for title in titles if title.startswith("the exact answer")]
    assert f"upper {100 * upper:.0f} %" in title


def test_snapshots_lie_over_the_map(runs, exact):
    figure = plot_snapshots(LagrangianRun(runs[0].data.isel(snapshot=slice(2))), exact)
    drawn = [ax for ax in figure.axes if ax.get_title()]
    assert [ax.get_title() for ax in drawn] == ["start of 1", "end of 1"]
    for ax, z in zip(drawn, runs[0].data.z.values, strict=False):
        np.testing.assert_allclose(ax.collections[-1].get_offsets(), z)
        assert (ax.get_xlim(), ax.get_ylim()) == ((0, 20), (0, 20))
    plt.close("all")


def test_plane_shows_the_band_where_the_frequency_is_the_target(exact):
    _, ax = plt.subplots()
    draw_plane(ax, exact)
    _, band = (mesh for mesh in ax.collections if isinstance(mesh, QuadMesh))
    corners = band.get_coordinates()
    centres = (corners[:-1, :-1] + corners[1:, 1:]).reshape(-1, 2) / 2
    green = np.isfinite(np.ma.filled(band.get_array().astype(float), np.nan)).ravel()
    some = np.random.default_rng(0).permutation(len(centres))[:5_000]
    grid = exact.grid.isel(statistic=0)
    f = grid.sel(
        g_el=xr.DataArray(centres[some, 0]), g_synA=xr.DataArray(centres[some, 1]), method="nearest"
    )
    # Corners of unequal cells lie beside their midpoints, so the nearest point may be another.
    agree = green[some] == (abs(f.values - 0.525) < 0.025)
    assert agree.mean() > 0.99
    assert green[some].any()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("g_el (nS)", "g_synA (nS)")
    plt.close("all")


def test_zoom_shows_all_of_a_region_on_linear_axes(exact):
    _, ax = plt.subplots()
    draw_plane(ax, exact)
    for k, mode in enumerate(exact.modes):
        zoom_in(ax, exact, mode.name)
        assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "linear")
        cells = np.argwhere(exact.labels.values == k)
        for dim, index, (low, high) in zip(
            exact.labels.dims, cells.T, (ax.get_xlim(), ax.get_ylim()), strict=True
        ):
            inside = exact.labels[dim].values[index]
            assert max(low, 0) == low <= inside.min() <= inside.max() <= high <= 20
            assert np.ptp(inside) + 20 / exact.cells > 0.5 * (high - low)
    plt.close("all")


@pytest.mark.parametrize("crop", [None, "tight"])
def test_small_png_has_few_colours_and_the_figure_s_size(crop):
    plt.rcParams["savefig.bbox"] = crop
    figure, _ = plt.subplots(figsize=(4, 3))
    image = Image.open(io.BytesIO(small_png(figure, dpi=50)))
    assert (image.mode, image.size) == ("P", (200, 150))
    assert not plt.fignum_exists(figure.number)


def test_embedded_escapes_the_text():
    tag = embedded(b"png", 'a "b" <c>')
    assert 'alt="a &quot;b&quot; &lt;c&gt;"' in tag
    assert base64.b64encode(b"png").decode() in tag


@pytest.mark.parametrize("count", [1, 2])
def test_a_frame_for_every_snapshot(runs, exact, count):
    short = [LagrangianRun(run.data.isel(snapshot=slice(2))) for run in runs[:count]]
    frames = snapshot_frames(short, exact)
    assert len(frames) == 2
    assert len(set(frames)) == 2
    assert all(Image.open(io.BytesIO(frame)).width == 750 for frame in frames)


def test_scrubber_links_player_slider_and_frames():
    controls, stack = epoch_scrubber([b"a", b"b", b"c"], "Samples.").children
    player, slider = controls.children
    assert (player.max, slider.max, len(stack.children)) == (2, 2, 3)
    assert 'alt="Samples. After 1 epochs."' in stack.children[1].value
    with pytest.raises(ValueError, match="frames must hold at least one image, got none; pass"):
        epoch_scrubber([], "Samples.")


def alts(html):
    """Alternative texts of the images in a widget."""
    return re.findall('alt="([^"]*)"', html.value)


def test_explorer_shows_each_point(exact):
    controls, stack = circuit_explorer(exact.circuit, exact, [0.5, 8.0]).children
    assert [slider.options for slider in controls.children] == [("0.5 nS", "8 nS")] * 2
    assert [slider.index for slider in controls.children] == [1, 0]
    voltages, place = alts(stack.children[1].children[0])
    frequency = float(exact.circuit.hub_frequency([[8.0, 0.5]])[0])
    assert "g_el = 8 nS and g_synA = 0.5 nS" in voltages
    assert "g_el = 8 nS and g_synA = 0.5 nS" in place
    assert f"{frequency:.3f} Hz" in place
    assert len({alt for row in stack.children for html in row.children for alt in alts(html)}) == 8


def test_explorer_says_in_which_region_a_point_lies(exact):
    low, high = circuit_explorer(exact.circuit, exact, [1.0, 8.0]).children[1].children
    said = [alts(html)[1] for row in (low, high) for html in row.children]
    labels = exact.assign([[1.0, 1.0], [1.0, 8.0], [8.0, 1.0], [8.0, 8.0]])
    names = [mode.name for mode in exact.modes]
    for text, k in zip(said, labels, strict=True):
        assert ("in no region" if k < 0 else f"in the {names[k]} region") in text
    assert "upper" in said[2]


def test_explorer_marks_the_point_on_the_map(exact):
    figure = plot_place(exact.circuit, exact, np.array([8.0, 1.0]))
    above, below = figure.axes
    (marker,) = above.lines
    np.testing.assert_allclose(np.ravel(marker.get_data()), [8, 1])
    frequency = float(exact.circuit.hub_frequency([[8.0, 1.0]])[0])
    assert below.lines[1].get_xdata()[0] == pytest.approx(frequency)
    plt.close("all")


def test_the_hub_has_no_colour_of_a_mode(exact):
    figure = plot_activity(exact.circuit, np.array([8.0, 1.0]))
    colours = {ax.get_ylabel(): ax.lines[0].get_color() for ax in figure.axes}
    hub = colours.pop("hub\n(mV)")
    assert hub not in {*colours.values(), *MODE_COLOURS.values()}
    plt.close("all")


def test_live_explorer_has_the_bounds_of_the_circuit(exact):
    sliders = live_explorer(exact.circuit, exact).children[:2]
    assert [(s.description, s.min, s.max) for s in sliders] == [
        ("g_el (nS)", 0, 20), ("g_synA (nS)", 0, 20)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def smc():
    return dsnlib.load_run(ROOT / "runs" / "smc_seed-1")


@pytest.fixture(scope="module")
def beside(exact, smc, runs):
    return side_by_side(smc, runs[0], exact)


def test_side_by_side_has_a_frame_for_every_stage_and_epoch(beside, smc):
    left, right = beside.children
    for column, name, count in ((left, "SMC stage", 8), (right, "AL epochs done", 13)):
        slider, stack = column.children
        assert (slider.description, slider.index, stack.selected_index) == (name, 0, 0)
        assert len(slider.options) == len(stack.children) == count
        assert len({alt for frame in stack.children for alt in alts(frame)}) == count
    readouts = left.children[0].options
    assert readouts[0] == "0: uniform"
    relaxed = [float(text.split("= ")[1].replace(",", "")) for text in readouts[1:]]
    np.testing.assert_allclose(relaxed, smc.data.rho.values[1:], rtol=0.05)
    assert right.children[0].options == tuple(str(done) for done in range(13))


def counted(exact, z):
    """Share of points in each mode and in none, by the nearest cell and the simulated frequency."""
    off = np.abs(np.asarray(exact.circuit.evaluate(np.asarray(z, np.float32)))[:, 0] - 0.525)
    cell = np.minimum((z / 20 * exact.cells).astype(int), exact.cells - 1)
    around = np.pad(exact.labels.values, 1, constant_values=-1)
    shares = np.zeros(len(exact.modes) + 1)
    for (i, j), missed in zip(cell, off, strict=True):
        near = around[i : i + 3, j : j + 3]
        faces = np.array([near[0, 1], near[1, 0], near[1, 2], near[2, 1]])
        nearest = next((k for k in (near[1, 1], faces.max(), near.max()) if k >= 0), -1)
        shares[nearest if missed < 0.05 else -1] += 1 / len(z)
    return shares


def test_side_by_side_tells_the_masses(beside, exact, smc, runs):
    left, right = beside.children
    names = [*(mode.name for mode in exact.modes), "none"]
    masses = [mode.mass for mode in exact.modes]
    for column, points in ((left, smc.data.stage_z.values), (right, runs[0].data.z.values)):
        for frame, z in zip(column.children[1].children, points, strict=True):
            (alt,) = alts(frame)
            expected = ", ".join(
                f"{name} {100 * share:.1f} % (exact {100 * mass:.1f} %)"
                for name, share, mass in zip(
                    names, counted(exact, z), [*masses, 1 - sum(masses)], strict=True
                )
            )
            assert f"{len(z):,} points" in alt
            assert alt.endswith(f"Share in each region: {expected}.")


def test_table_of_clouds_has_every_point(exact, smc, runs):
    table = clouds_table(smc, runs[0], exact)
    stages, epochs = smc.data.stage_z.values, runs[0].data.z.values
    points = np.concatenate([*stages, *epochs])
    np.testing.assert_array_equal(table[["g_el (nS)", "g_synA (nS)"]], points)
    names = [mode.name for mode in exact.modes]
    last = table[table.moment == f"network, AL epochs done: {len(epochs) - 1}"]
    shares = [(last.region == name).mean() for name in (*names, "none")]
    np.testing.assert_allclose(shares, counted(exact, epochs[-1]))


def test_table_of_the_explorer_is_the_circuit_at_its_points():
    stg = dsnlib.STG(T=60)
    table = explorer_table(stg, [1, 7.5])
    assert len(table) == 4 * 61
    there = table[(table["g_el (nS)"] == 7.5) & (table["g_synA (nS)"] == 1)]
    voltages = 1e3 * np.asarray(stg.voltages([[7.5, 1.0]])[0])
    assert there["time (s)"].iloc[-1] == pytest.approx(60 * stg.dt)
    found = there[[f"{name} (mV)" for name in NEURONS]]
    np.testing.assert_allclose(found, voltages.T, rtol=1e-5)
    frequency = float(stg.hub_frequency([[7.5, 1.0]])[0])
    np.testing.assert_allclose(there["frequency of the hub (Hz)"], frequency, rtol=1e-5)


def test_bars_are_the_shares_and_ticks_the_masses(exact, smc):
    cloud = list(stage_clouds(smc, exact))[3]
    above, below = plot_cloud(cloud, exact).axes
    np.testing.assert_allclose(np.transpose(above.lines[-1].get_data()), smc.data.stage_z.values[3])
    np.testing.assert_allclose([bar.get_width() for bar in below.patches], 100 * cloud.shares)
    assert cloud.shares.sum() == pytest.approx(1)
    masses = [100 * mode.mass for mode in exact.modes]
    ticks = [line.get_xdata()[0] for line in below.lines]
    np.testing.assert_allclose(ticks, [*masses, 100 - sum(masses)])
    plt.close("all")


def test_spectrum_by_direct_summation():
    stg = dsnlib.STG(T=60)
    voltage = np.asarray(stg.simulate([[7.5, 1.0]]), float).T
    rectified = np.maximum(voltage[:, 0] + 0.01, 0) - 0.01
    smooth = np.convolve(rectified, np.ones(20) / 20, mode="valid")
    times = np.arange(len(smooth)) * stg.dt
    expected = [abs((smooth * np.exp(-2j * np.pi * f * times)).sum()) for f in FREQUENCIES]
    np.testing.assert_allclose(spectrum(voltage, stg.dt, 20)[:, 0], expected, rtol=1e-3, atol=1e-4)
