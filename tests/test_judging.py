"""Judging: distances against closed forms, what is stored, verdicts on made-up histories."""

import dataclasses
import json
from pathlib import Path

import jax
import numpy as np
import pytest
import xarray as xr
import yaml
from scipy import stats

from dsnlib import (
    STG,
    AugmentedLagrangian,
    EmergentProperty,
    exact_maxent,
    fit,
    judge,
    load_run,
)
from dsnlib.estimate import mean_of, share_of
from dsnlib.judging import networks
from dsnlib.judging.distances import c2st, kl_divergence
from dsnlib.methods.lagrangian import LagrangianRun
from dsnlib.storage.dataset import write_dataset
from report import Judged, Trainings, as_json, judge_claims
from report.rules import regions
from report.rules.verdict import counted
from report.trainings import Emission, trainings
from test_exact import Identity

ROOT = Path(__file__).parent.parent
PROPERTY = EmergentProperty([4.0], [1.0])
SMALL = AugmentedLagrangian(epochs=2, iterations=200, batch=200, layers=2, learning_rate=1e-2)


def test_kl_of_two_gaussians():
    x = np.random.default_rng(0).normal(0, 1, 50_000)
    found = kl_divergence(stats.norm(0, 1).logpdf(x), stats.norm(1, 2).logpdf(x))
    assert abs(found.value - (np.log(2) + 2 / 8 - 1 / 2)) < 4 * found.se
    assert found.se < 0.01


def test_estimates_at_the_edge():
    assert mean_of(np.array([1.0, np.inf])).value == np.inf
    assert share_of(np.zeros(100, bool)).value == 0
    # None of 100: the error is that of the estimate (0 + 2) / (100 + 4).
    assert abs(share_of(np.zeros(100, bool)).se - np.sqrt(2 / 104 * 102 / 104 / 104)) < 1e-12


@pytest.mark.parametrize("distance", [0.0, 1.0, 3.0])
def test_c2st_of_two_gaussians_nears_the_best_classifier(distance):
    rng = np.random.default_rng(1)
    one = rng.normal(0, 1, (2_000, 2))
    other = rng.normal([distance, 0], 1, (2_000, 2))
    best = stats.norm.cdf(distance / 2)
    found = c2st(one, other)
    # Twenty neighbours vote with noise, which costs up to 3 % of accuracy; never a gain.
    assert best - 0.03 - 4 * found.se < found.value < best + 4 * found.se


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judging")
    exact = exact_maxent(Identity(1), PROPERTY, cells=1_000)
    fit(Identity(1), PROPERTY, SMALL, seed=1, out=folder / "run")
    return folder / "run", exact, judge(folder / "run", exact)


def test_judged_numbers_against_quadrature(small, x64):
    path, exact, judged = small
    run = load_run(path)
    points = exact.grid.a0.values[:, None]
    log_p = np.log(exact.density.values)
    for snapshot in (0, 2):
        log_q = np.asarray(run.network(snapshot).log_prob(points))
        q, width = np.exp(log_q), 0.01
        row = judged.sel(snapshot=snapshot)
        kl = (q * (log_q - log_p)).sum() * width
        forward = (np.exp(log_p) * (log_p - log_q)).sum() * width
        entropy = -(q * log_q).sum() * width
        inside = abs(points[:, 0] - 4) < 2
        for name, truth in {
            "kl": kl,
            "forward_kl": forward,
            "entropy": entropy,
            "entropy_gap": exact.entropy - entropy,
            "band_share": (q * inside).sum() * width,
        }.items():
            assert abs(row[name] - truth) < 5 * row[f"{name}_se"] + 1e-3, name
        assert row.mode_mass.sel(mode="upper") == row.band_share  # the band is one region
    assert (judged.kl > -4 * judged.kl_se).all()
    assert judged.kl[2] < judged.kl[0]
    assert judged.attrs["exact_entropy"] == exact.entropy


def test_what_is_judged_is_kept_until_something_changes(small, monkeypatch):
    path, exact, judged = small
    work = []
    original = networks._judged
    monkeypatch.setattr(networks, "_judged", lambda *a: work.append(1) or original(*a))
    stored = judge(path, exact)
    assert stored.equals(judged)
    assert stored.attrs["exact_entropy"] == judged.attrs["exact_entropy"]
    assert not work
    file = path / "judged.nc"
    whole = file.read_bytes()
    file.write_bytes(whole[:200])  # damaged
    assert judge(path, exact).equals(judged)
    assert len(work) == 1
    run = path / "run.nc"
    with xr.open_dataset(run) as data:  # another run
        changed = data.load().assign_attrs(seconds=1.0)
    write_dataset(run, changed)
    judge(path, exact)
    assert len(work) == 2


def test_bad_input(small, tmp_path):
    path, exact, _ = small
    with pytest.raises(FileNotFoundError, match="path must be the folder of a complete run"):
        judge(tmp_path, exact)
    with pytest.raises(
        TypeError, match=r"exact must be a dsnlib.ExactMaxEnt or a run of dsnlib.Uniform, got 0.5"
    ):
        judge(path, 0.5)
    other = exact_maxent(Identity(1), EmergentProperty([5.0], [1.0]), cells=100)
    with pytest.raises(ValueError, match="exact must be the answer for the run's property, got"):
        judge(path, other)


EPOCHS, RECORDS = 10, 30


def history(c0, seed, entropy, moments, mass, p_value):
    """A run and its judgement, made up: values after each epoch, the entropy in between."""
    ends = np.linspace(0, EPOCHS, EPOCHS * RECORDS + 1)
    mean, second = np.array(moments, float).T
    rng = np.random.default_rng(seed)
    samples = rng.uniform(0, 20, (EPOCHS + 1, 400, 2))
    noise = rng.normal(0, 1e-3, (EPOCHS + 1, 400))
    data = xr.Dataset(
        {
            "entropy": ("step", np.interp(ends, *np.transpose(entropy))),
            "loss": ("step", -np.interp(ends, *np.transpose(entropy))),
            "moments": (
                ("snapshot", "sample", "moment"),
                np.stack([mean[:, None] + noise, second[:, None] + noise], axis=-1),
            ),
            "p_value": (("epoch", "moment"), np.repeat(p_value, 2).reshape(EPOCHS, 2)),
            "z": (("snapshot", "sample", "parameter"), samples),
            "bounds": (("parameter", "bound"), [[0.0, 20.0], [0.0, 20.0]]),
        },
        {
            "step": np.arange(EPOCHS * RECORDS + 1) * 100,
            "epoch": np.arange(1, EPOCHS + 1),
            "snapshot": np.arange(EPOCHS + 1),
        },
        {
            "seed": seed,
            "method": "lagrangian",
            "settings": f'{{"c0": {c0}, "epochs": {EPOCHS}, "iterations": {100 * RECORDS}}}',
            "property": '{"mean": [0.525], "sd": [0.025]}',
            "seconds": 600.0 * seed,
            "device": "cpu: made up",
        },
    )
    judged = xr.Dataset(
        {
            "entropy": ("snapshot", np.full(EPOCHS + 1, 5.5)),
            "mode_mass": (("snapshot", "mode"), np.tile(mass, (EPOCHS + 1, 1))),
            "exact_mass": ("mode", [0.86, 0.04]),
        },
        {"snapshot": data.snapshot, "mode": ["upper", "lower"]},
    )
    return Judged(LagrangianRun(data), judged)


MU = (0.525, 0.525**2 + 0.025**2)
RISES = [(0, 4.6), (1.5, 5.9), (3.2, 5.9), (4, 3.0), (10, 2.0)]  # falls in the fourth epoch
FALLS = [(0, 4.6), (10, 2.0)]
STEPS = [(e + d, 5 - e) for e in range(EPOCHS) for d in (0.1, 0.999)]  # still at each epoch's end
LOW_HIGH = [(MU[0] - 0.01, MU[1] + 0.01)] * (EPOCHS + 1)
HIGH_LOW = [(MU[0] + 0.01, MU[1] - 0.01)] * (EPOCHS + 1)
ON_TARGET = [(MU[0], MU[1] + 0.01)] * (EPOCHS + 1)
FAR = [(MU[0] - 0.1, MU[1] + 0.1)] * (EPOCHS + 1)
NEVER = [0.0] * EPOCHS
BOTH, UPPER, LOWER, NONE = (0.8, 0.03), (0.8, 0.0), (0.0, 0.9), (0.0005, 0.0003)


GREEN = ("upper", "lower")


def passes_in(epoch):
    return [0.0] * (epoch - 1) + [0.5] + [0.0] * (EPOCHS - epoch)


AS_THE_NOTE_SAYS = [
    history(1, 1, RISES, LOW_HIGH, BOTH, NEVER),
    history(1, 2, RISES, LOW_HIGH, UPPER, NEVER),
    history(1, 3, RISES, LOW_HIGH, UPPER, NEVER),
    history(1, 4, RISES, LOW_HIGH, BOTH, NEVER),
    history(100, 1, FALLS, LOW_HIGH, LOWER, passes_in(6)),
    history(100, 2, FALLS, LOW_HIGH, UPPER, NEVER),
    history(100, 3, FALLS, LOW_HIGH, UPPER, passes_in(10)),
    history(100, 4, FALLS, LOW_HIGH, UPPER, NEVER),
]


@pytest.fixture(scope="module")
def durations():
    """The exact answers at both durations, on a coarse grid."""
    prop = EmergentProperty([0.525], [0.025])
    return [exact_maxent(STG(T=T), prop, cells=200) for T in (200, 800)]


def group(runs, exact, samples=10**9):
    """Made-up runs whose networks emit what they hold, with next to no noise."""
    emitted = tuple(
        Emission(samples, {m: float(r.judged.mode_mass.sel(snapshot=8, mode=m)) for m in GREEN})
        for r in runs
    )
    return Trainings(exact, tuple(runs), emitted, emitted)


def verdicts(runs, durations, long=()):
    """Verdicts by claim; `long` are runs at T = 800."""
    found = judge_claims(group(runs, durations[0]), group(long, durations[1]))
    return {verdict.claim: verdict for verdict in found}


def outcomes(runs, durations, long=()):
    return {claim: v.outcome for claim, v in verdicts(runs, durations, long).items()}


def test_outcomes_of_counts():
    assert [counted(k, 2) for k in (2, 1, 0)] == ["holds", "holds in 1 of 2 seeds", "fails"]


def test_all_claims_about_runs_hold_where_the_runs_are_as_the_note_says(durations):
    found = verdicts(AS_THE_NOTE_SAYS, durations)
    assert list(found) == [
        "C1", "C2", "C3a", "C3b", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12",
    ]  # fmt: skip
    held = ("C1", "C2", "C3a", "C3b", "C4", "C5", "C6", "C7", "C8")
    assert {found[claim].outcome for claim in held} == {"holds"}
    assert found["C9"].outcome == found["C11"].outcome == "not tested"
    assert found["C12"].outcome == "undecided"  # 2 of 4 against 0 of 4: p = 0.21
    for verdict in found.values():
        assert verdict.statement
        assert verdict.rule
        assert verdict.numbers
        assert verdict.otherwise or verdict.outcome == "not tested"
    stored = json.loads(as_json(list(found.values())))
    assert stored["C6"] == {
        "outcome": "holds",
        "otherwise": found["C6"].otherwise,
        "values": {
            seed: {"rise": pytest.approx(one["rise"])} for seed, one in found["C6"].values.items()
        },
    }


@pytest.mark.parametrize(
    ("index", "changed", "claim", "outcome"),
    [
        (0, history(1, 1, FALLS, LOW_HIGH, BOTH, NEVER), "C1", "holds in 3 of 4 seeds"),
        (0, history(1, 1, RISES, LOW_HIGH, BOTH, passes_in(8)), "C3a", "holds in 3 of 4 seeds"),
        (0, history(1, 1, RISES, LOW_HIGH, BOTH, passes_in(9)), "C3a", "holds"),
        (1, history(1, 2, RISES, FAR, UPPER, NEVER), "C3b", "holds in 3 of 4 seeds"),
        (1, history(1, 2, RISES, HIGH_LOW, UPPER, NEVER), "C4", "holds in 3 of 4 seeds"),
        (1, history(1, 2, RISES, ON_TARGET, UPPER, NEVER), "C4", "holds in 3 of 4 seeds"),
        (0, history(1, 1, RISES, LOW_HIGH, UPPER, NEVER), "C5", "fails"),
        (1, history(1, 2, RISES, LOW_HIGH, LOWER, NEVER), "C5", "fails"),
        (1, history(1, 2, RISES, LOW_HIGH, NONE, NEVER), "C5", "fails"),
        (5, history(100, 2, RISES, LOW_HIGH, UPPER, NEVER), "C6", "holds in 3 of 4 seeds"),
        (5, history(100, 2, FALLS, LOW_HIGH, UPPER, passes_in(3)), "C7", "fails"),
        (4, history(100, 1, FALLS, LOW_HIGH, BOTH, passes_in(6)), "C7", "fails"),
        (4, history(100, 1, FALLS, LOW_HIGH, UPPER, passes_in(6)), "C7", "fails"),
        (4, history(100, 1, FALLS, LOW_HIGH, LOWER, NEVER), "C7", "fails"),
    ],
)
def test_each_rule_can_fail(durations, index, changed, claim, outcome):
    runs = [*AS_THE_NOTE_SAYS]
    runs[index] = changed
    found = outcomes(runs, durations)
    assert found[claim] == outcome
    others = {"C1", "C2", "C6"} - {claim}
    assert all(found[name] == "holds" for name in others)


def test_moments_within_their_errors_are_undecided_and_reversed_ones_fail(durations):
    def with_moments(moments):
        runs = [history(1, seed, RISES, moments, BOTH, NEVER) for seed in (1, 2)]
        return verdicts([*runs, *AS_THE_NOTE_SAYS[4:]], durations)["C4"]

    assert with_moments(ON_TARGET).outcome == "undecided"
    assert with_moments(HIGH_LOW).outcome == "fails"
    assert with_moments(LOW_HIGH).otherwise["beyond 4 standard errors"] == "holds"


def test_what_is_emitted_near_a_threshold_is_undecided(durations):
    """Where chance may turn one seed's answer, and with it the claim's, none is given."""
    few = history(1, 1, RISES, LOW_HIGH, (0.8, 0.00101), NEVER)
    runs = [few, *AS_THE_NOTE_SAYS[1:]]
    for samples, outcome in ((10**9, "holds"), (10**4, "undecided")):
        short = group(runs, durations[0], samples)
        verdict = judge_claims(short, group((), durations[1]))[5]
        assert (verdict.claim, verdict.outcome) == ("C5", outcome)
    assert verdict.otherwise["10 % of the exact mass (1 both, 3 upper only)"] == "fails"


def test_epochs_settle_where_the_entropy_stands_still(durations):
    still = [history(c0, seed, STEPS, LOW_HIGH, BOTH, NEVER) for c0 in (1, 100) for seed in (1, 2)]
    assert outcomes(still, durations)["C10"] == "holds"
    assert outcomes([*still[:3], AS_THE_NOTE_SAYS[-1]], durations)["C10"] == "holds in 3 of 4 runs"


def test_durations_are_compared_claim_by_claim(durations):
    long = [history(c0, 1, STEPS, FAR, NONE, NEVER) for c0 in (1, 100)]
    for runs, outcome in ((AS_THE_NOTE_SAYS, "holds"), (long, "fails"), (long[:1], "not tested")):
        assert outcomes(AS_THE_NOTE_SAYS, durations, runs)["C11"] == outcome


@pytest.mark.parametrize(
    ("small", "large", "outcome"),
    [(BOTH, NONE, "holds"), (NONE, BOTH, "fails"), (BOTH, BOTH, "undecided")],
)
def test_bimodality_is_compared_by_fishers_test(durations, small, large, outcome):
    runs = [
        history(c0, seed, RISES, LOW_HIGH, mass, NEVER)
        for c0, mass in ((1, small), (100, large))
        for seed in (1, 2, 3, 4)
    ]
    verdict = verdicts(runs, durations)["C12"]
    assert verdict.outcome == outcome
    assert (
        "at most 0 of the second emit both (p = 0.014)" in verdict.numbers["what the test can show"]
    )


def test_regions_are_ranked_by_area(durations):
    short, long = durations
    mirrored = dataclasses.replace(short, grid=short.grid.copy(data=short.grid.values[::-1]))
    one = dataclasses.replace(short, grid=short.grid.where(short.grid.g_el > 1, 0.0))
    assert outcomes(AS_THE_NOTE_SAYS, (short, long))["C8"] == "holds"
    assert outcomes(AS_THE_NOTE_SAYS, (mirrored, long))["C8"] == "fails"
    found = regions.regions(short)
    assert len(found) == 3
    assert found[0].area > found[1].area > found[2].area
    assert found[0].area == pytest.approx({m.name: m.area for m in short.modes}["upper"])
    assert regions.regions(one)[0] == pytest.approx(found[0])
    assert min(region.g_el for region in regions.regions(one)) > 1


def test_fresh_samples_are_those_of_the_network(durations):
    """As many lie in a mode as of the samples that the run recorded, but for chance."""
    run = load_run(ROOT / "runs" / "c0-1_seed-2")
    exact = durations[0]
    judged = Judged(run, xr.Dataset())
    found = trainings([judged], exact, samples=10_000)
    for emission, epoch in ((found.emitted[0], 8), (found.at_end[0], 12)):
        data = run.data.sel(snapshot=epoch)
        labels = exact.assign(data.z.values.astype(float), data.moments.values[:, :1])
        for k, mode in enumerate(exact.modes):
            share = (labels == k).mean()
            assert abs(emission.shares[mode.name] - share) < 5 * np.sqrt(share / 1_000) + 1e-3
    assert found.of(100.0).runs == ()
    assert trainings([judged], exact, samples=10_000).emitted == found.emitted


def test_narrow_samples_are_not_spread(durations):
    run, judged = AS_THE_NOTE_SAYS[0].run, AS_THE_NOTE_SAYS[0].judged
    corner = LagrangianRun(run.data.assign(z=run.data.z / 3))
    dense = judged.assign(entropy=judged.entropy - 1)
    for changed in (Judged(corner, judged), Judged(run, dense)):
        found = outcomes([changed, *AS_THE_NOTE_SAYS[1:]], durations)
        assert found["C2"] == "holds in 3 of 4 seeds"


def of_size(judged, c0, epochs, iterations):
    """The run with other settings."""
    settings = json.dumps({"c0": c0, "epochs": epochs, "iterations": iterations})
    return Judged(LagrangianRun(judged.run.data.assign_attrs(settings=settings)), judged.judged)


def test_claims_need_runs_of_both_kinds_and_long_enough(durations):
    with pytest.raises(ValueError, match="runs must hold one with c0 = 100, got none; train"):
        outcomes(AS_THE_NOTE_SAYS[:4], durations)
    for size, message in (
        ((9, 2_000), "at least 10 epochs, got 9 for c0 = 1, seed 1; train"),
        ((10, 1_000), "at least 1,001 iterations an epoch, got 1000 for c0 = 1, seed 1; train"),
    ):
        short = of_size(AS_THE_NOTE_SAYS[0], 1, *size)
        for runs, long in (([short, *AS_THE_NOTE_SAYS], ()), (AS_THE_NOTE_SAYS, [short])):
            with pytest.raises(ValueError, match=f"runs must have {message}"):
                outcomes(runs, durations, long)


def test_the_smoke_sweep_is_large_enough_for_the_claims(durations):
    sweep = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())
    size = sweep["fixed"]["epochs"], sweep["fixed"]["iterations"]
    runs = [of_size(AS_THE_NOTE_SAYS[0], c0, *size) for c0 in sweep["grid"]["c0"]]
    outcomes(runs, durations)


def test_the_committed_networks_are_never_better_than_the_exact_answer():
    prop = EmergentProperty([0.525], [0.025])
    exact = exact_maxent(STG(T=200), prop, cells=1_000)
    paths = sorted((ROOT / "runs").glob("c0-*_seed-*/judged.nc"))
    assert len(paths) == 8
    for path in paths:
        before = path.read_bytes()
        judged = judge(path.parent, exact)
        assert path.read_bytes() == before  # what is committed is up to date
        assert (judged.kl > -4 * judged.kl_se).all()
        last = load_run(path.parent).data.isel(snapshot=-1)
        z = last.z.values.astype(float)
        labels = exact.assign(z, last.moments.values[:, :1])
        shares = [(labels == k).mean() for k in range(len(exact.modes))]
        np.testing.assert_allclose(judged.mode_mass[-1], shares)
        log_q = last.log_q.values.astype(float)
        with jax.enable_x64(True):
            f = np.asarray(STG(T=200).hub_frequency(z))
        kl = (log_q - exact.eta @ [f, f**2] + exact.log_z).mean()
        assert abs(kl - judged.kl[-1]) < 0.02 * abs(kl) + 0.05  # cliffs: float32 against float64
