"""The verdict table, recomputed from the committed data without dsnlib and without the report."""

import json
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

import recomputing as own

GREEN = ("lower", "upper")
EMITTED = {200: 5_000, 800: 2_000}  # samples of each network
EMITS = {  # least shares, as a function of the mode's exact mass
    "1 % of the exact mass": lambda mass: 0.01 * mass,
    "one of 1,000 samples": lambda mass: 0.001,
    "2 % of the exact mass": lambda mass: 0.02 * mass,
    "5 % of the exact mass": lambda mass: 0.05 * mass,
    "10 % of the exact mass": lambda mass: 0.10 * mass,
    "25 % of the exact mass": lambda mass: 0.25 * mass,
}
ONE = "one of 1,000 samples"


@pytest.fixture(scope="module")
def notebook():
    return own.page("synthesis.ipynb")


@pytest.fixture(scope="module")
def stated(notebook):
    """What the page's verdicts say, for programs."""
    return own.printed(notebook, "verdicts-json")


@pytest.fixture(scope="module")
def html(notebook):
    return own.html_of(notebook)


@pytest.fixture(scope="module")
def exact():
    return {200: own.exact_answer(200, coarse=125), 800: own.exact_answer(800, 100, fine=500)}


@pytest.fixture(scope="module")
def runs():
    return {200: own.runs("c0-"), 800: own.runs("T-800_c0-")}


def of(runs, c0):
    return {seed: data for (c, seed), data in runs.items() if c == c0}


def in_seeds(holds, unit="seeds"):
    hits, n = sum(map(bool, holds)), len(holds)
    return "holds" if hits == n else f"holds in {hits} of {n} {unit}" if hits else "fails"


def close(found, expected):
    """Whether nested numbers agree to the digits that float32 data give."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            close(found[name], expected[name]) for name in expected
        )
    if isinstance(expected, str):
        return found == expected
    return bool(np.allclose(found, expected, rtol=1e-4, atol=1e-5))


def agrees(verdict, outcome, otherwise, values):
    """Assert that a verdict of the page is one's own; `otherwise` in the page's order."""
    assert close(verdict["values"], values)
    assert verdict["outcome"] == outcome
    assert list(verdict["otherwise"].values()) == otherwise


def smooth(data):
    """Means of ten records, and the epoch of the record after each ten."""
    entropy = data.entropy.values[:-1]
    means = np.lib.stride_tricks.sliding_window_view(entropy, 10).mean(axis=1)
    return means, data.step.values[10:] // iterations(data) + 1


def iterations(data):
    return json.loads(data.attrs["settings"])["iterations"]


def test_the_simulator_gives_the_reference_frequencies():
    rows = np.loadtxt(
        own.ROOT / "tests" / "data" / "hub_frequency_T200.csv", delimiter=",", skiprows=1
    )
    np.testing.assert_allclose(own.frequencies(rows[:, :2], 200), rows[:, 2], atol=1e-10)


def test_recorded_moments_are_those_of_the_simulator(runs):
    for T, group in runs.items():
        for data in group.values():
            z = data.z.values[8, :200].astype(float)
            off = np.abs(own.frequencies(z, T) - data.moments.values[8, :200, 0])
            assert np.mean(off < 1e-3) > 0.97  # on cliffs float32 may land on the other side


def rises(runs, rise=0.1, fall=0.5):
    found, holds = {}, []
    for seed, data in of(runs, 1).items():
        means, epoch = smooth(data)
        falls = {
            f"{f:g}": int(epoch[np.nonzero(means > means.max() - f)[0].max()])
            for f in (0.5, 0.25, 1.0)
        }
        found[f"seed {seed}"] = {
            "rise": float(means.max() - data.entropy.values[0]), "falls_in": falls,
        }  # fmt: skip
        holds.append(found[f"seed {seed}"]["rise"] > rise and falls[f"{fall:g}"] in (3, 4))
    return found, holds


def test_c1(stated, html, runs):
    found, holds = rises(runs[200])
    variants = ((0.05, 0.5), (0.2, 0.5), (0.1, 0.25), (0.1, 1.0))
    agrees(
        stated["C1"], in_seeds(holds), [in_seeds(rises(runs[200], *v)[1]) for v in variants], found
    )
    for seed in found.values():
        assert f"rises by {seed['rise']:.2f} nat, falls in epoch {seed['falls_in']['0.5']}" in html


def spread(runs, below=1.0, quadrant=0.05):
    found, holds = {}, []
    for seed, data in of(runs, 1).items():
        found[f"seed {seed}"] = {}
        for epoch in (2, 3):
            z = data.z.values[epoch - 1]
            counts = [((z > 10) == corner).all(axis=1).mean() for corner in np.ndindex(2, 2)]
            entropy = -data.log_q.values[epoch - 1].astype(float).mean()
            found[f"seed {seed}"][f"epoch {epoch}"] = {
                "below_uniform": float(np.log(400) - entropy),
                "emptiest_quadrant": float(min(counts)),
            }
        holds.append(
            all(
                m["below_uniform"] < below and m["emptiest_quadrant"] >= quadrant
                for m in found[f"seed {seed}"].values()
            )
        )
    return found, holds


def test_c2(stated, html, runs):
    found, holds = spread(runs[200])
    variants = ((0.5, 0.05), (2, 0.05), (1, 0.025), (1, 0.1))
    others = [in_seeds(spread(runs[200], *v)[1]) for v in variants]
    agrees(stated["C2"], in_seeds(holds), others, found)
    for seed in found.values():
        for epoch, m in seed.items():
            assert (
                f"{epoch}: {m['below_uniform']:.2f} nat below uniform, "
                f"{100 * m['emptiest_quadrant']:.0f} % in the emptiest quadrant"
            ) in html


def not_passed(runs, limit=0.025):
    p = {s: data.p_value.values[:8].min(axis=1).tolist() for s, data in of(runs, 1).items()}
    return {f"seed {s}": {"p": each} for s, each in p.items()}, [
        max(each) <= limit for each in p.values()
    ]


def test_c3a(stated, html, runs):
    found, holds = not_passed(runs[200])
    others = [in_seeds(not_passed(runs[200], limit)[1]) for limit in (0.0125, 0.05)]
    agrees(stated["C3a"], in_seeds(holds), others, found)
    for seed in found.values():
        assert f"p at most {max(seed['p']):.3f}" in html


def off_target(data, epoch=8):
    off = data.moments.values[epoch].astype(float) - own.MU
    return off.mean(axis=0), off.std(axis=0, ddof=1) / np.sqrt(len(off))


def near_target(runs, limit=1.0):
    unit = [own.SD, 2 * own.TARGET * own.SD + own.SD**2]
    found = {s: (off_target(data)[0] / unit).tolist() for s, data in of(runs, 1).items()}
    return {f"seed {s}": {"off": off} for s, off in found.items()}, [
        max(map(abs, off)) < limit for off in found.values()
    ]


def test_c3b(stated, html, runs):
    found, holds = near_target(runs[200])
    others = [in_seeds(near_target(runs[200], limit)[1]) for limit in (0.5, 2)]
    agrees(stated["C3b"], in_seeds(holds), others, found)
    for seed in found.values():
        assert "moments off by {:+.2f} and {:+.2f}".format(*seed["off"]) in html


def low_and_high(runs, beyond=2.0):
    words = []
    for data in of(runs, 1).values():
        (mean, second), (mean_se, second_se) = off_target(data)
        low, high = -mean / mean_se, second / second_se
        if min(low, high) > beyond:
            words.append("counts")
        else:
            words.append("contradicts" if min(low, high) < -beyond else "undecided")
    if set(words) == {"undecided"}:
        return "undecided", words
    return in_seeds([word == "counts" for word in words]), words


def test_c4(stated, html, runs):
    outcome, words = low_and_high(runs[200])
    found = {}
    for (seed, data), word in zip(of(runs[200], 1).items(), words, strict=True):
        off, se = off_target(data)
        found[f"seed {seed}"] = {"off": off.tolist(), "se": se.tolist()}
        assert (
            f"mean {off[0]:+.4f} ± {se[0]:.4f} Hz, second moment {off[1]:+.4f} ± {se[1]:.4f} Hz²: "
            f"{word}"
        ) in html
    agrees(stated["C4"], outcome, [low_and_high(runs[200], limit)[0] for limit in (0, 1, 4)], found)


def emitted(exact, runs, T, epoch):
    """Own samples of own networks: shares in the green modes, by run."""
    found = {}
    for k, ((c0, seed), data) in enumerate(runs.items()):
        rng = np.random.default_rng([T, epoch % 100, k])
        z = own.network_samples(data.weights.values[epoch], EMITTED[T], rng)
        found[f"c0 = {c0:g}, seed {seed}"] = own.shares(exact, z, own.frequencies(z, T))
    return found


def within_noise(page, mine, n):
    """Assert that shares agree within five standard errors of one's own."""
    assert page.keys() == mine.keys()
    for run, shares in page.items():
        for name, share in shares.items():
            noise = 5 * np.sqrt(share * (1 - share) / n) + 4 / n
            assert abs(mine[run][name] - share) < noise, (run, name)


def kind(shares, masses, emits):
    has = [shares[name] >= EMITS[emits](masses[name]) for name in GREEN]
    return {
        (True, True): "both", (False, True): "upper only",
        (True, False): "lower only", (False, False): "neither",
    }[tuple(has)]  # fmt: skip


def kinds(shares, masses, emits, c0):
    return [kind(s, masses, emits) for run, s in shares.items() if run.startswith(f"c0 = {c0}, ")]


@pytest.fixture(scope="module")
def masses(exact):
    return {T: {name: r.mass for name, r in e.green.items()} for T, e in exact.items()}


def test_what_networks_emit(stated, exact, runs):
    values = stated["C12"]["values"]
    for name, epoch in (("shares", 8), ("shares at the end", -1)):
        within_noise(values[name], emitted(exact[200], runs[200], 200, epoch), EMITTED[200])
    small = {run: shares for run, shares in values["shares"].items() if run.startswith("c0 = 1,")}
    assert stated["C5"]["values"] == {run.split(", ")[1]: each for run, each in small.items()}
    if runs[800]:
        mine = emitted(exact[800], runs[800], 800, 8)
        within_noise(stated["C11"]["values"]["shares at T = 800"], mine, EMITTED[800])


def test_c5(stated, html, masses):
    shares = stated["C12"]["values"]["shares"]
    outcomes = {}
    for emits in EMITS:
        found = kinds(shares, masses[200], emits, 1)
        halves = 2 * found.count("both") == 2 * found.count("upper only") == len(found)
        outcomes[emits] = "holds" if halves else "fails"
        counts = [
            f"{found.count(k)} {k}"
            for k in ("both", "upper only", "lower only", "neither")
            if k in found
        ]
        if emits != ONE:
            assert f"{emits} ({', '.join(counts)})" in stated["C5"]["otherwise"]
    found = kinds(shares, masses[200], ONE, 1)
    either = set(found) == {"both", "upper only"}
    assert stated["C5"]["outcome"] in (outcomes[ONE], "undecided")
    for stays, mine in zip(
        stated["C5"]["otherwise"].values(),
        [o for emits, o in outcomes.items() if emits != ONE] + ["holds" if either else "fails"],
        strict=True,
    ):
        assert stays in (mine, "undecided")  # undecided: a share too near the threshold
    for share, word in zip(stated["C5"]["values"].values(), found, strict=True):
        assert (
            f"{1000 * share['lower']:.2f} of 1,000 samples in the lower mode, "
            f"{1000 * share['upper']:.2f} in the upper: {word}"
        ) in html


def outset(runs, rise=0.1):
    found = {}
    for seed, data in of(runs, 100).items():
        means, epoch = smooth(data)
        found[f"seed {seed}"] = {"rise": float(means[epoch == 1].max() - data.entropy.values[0])}
    return found, [each["rise"] <= rise for each in found.values()]


def test_c6(stated, html, runs):
    found, holds = outset(runs[200])
    others = [in_seeds(outset(runs[200], rise)[1]) for rise in (0.05, 0.2)]
    agrees(stated["C6"], in_seeds(holds), others, found)
    for seed in found.values():
        assert f"{seed['rise']:+.2f} nat at the highest in epoch 1" in html


def held_after(exact, masses, data):
    """Shares of the recorded samples in the green modes over their exact masses, by epoch."""
    found = {name: [] for name in GREEN}
    for epoch in data.epoch.values:
        z, f = data.z.values[epoch].astype(float), data.moments.values[epoch, :, 0]
        for name, share in own.shares(exact, z, f).items():
            found[name].append(share / masses[name])
    return found


def converge(after, by=10, p=0.025, held=0.1, half=True):
    ends = []
    for seed in after.values():
        passed = np.nonzero(np.array(seed["p"][:by]) > p)[0]
        if len(passed):
            ends.append(tuple(name for name in GREEN if seed[name][passed[0]] >= held))
    enough = 2 * len(ends) == len(after) if half else 0 < len(ends) < len(after)
    return "holds" if enough and set(ends) == {("lower",), ("upper",)} else "fails"


def test_c7(stated, html, exact, masses, runs):
    after = {
        f"seed {seed}": {"p": data.p_value.values.min(axis=1).tolist()}
        | held_after(exact[200], masses[200], data)
        for seed, data in of(runs[200], 100).items()
    }
    verdict = stated["C7"]
    for seed, mine in after.items():
        page = verdict["values"][seed]
        np.testing.assert_allclose(page["p"], mine["p"], atol=1e-6)
        for name in GREEN:  # two samples may lie on the border of cells, the mass is of a grid
            slack = 0.002 / masses[200][name] + 0.02 * np.array(mine[name])
            assert (np.abs(np.subtract(page[name], mine[name])) < slack).all()
    assert verdict["outcome"] == converge(after)
    longest = max(len(seed["p"]) for seed in after.values())
    variants = (
        {"by": 5}, {"by": longest}, {"p": 0.0125}, {"p": 0.05}, {"held": 0.05}, {"held": 0.2},
        {"half": False},
    )  # fmt: skip
    assert list(verdict["otherwise"].values()) == [converge(after, **v) for v in variants]
    for seed in after.values():
        passed = np.nonzero(np.array(seed["p"][:10]) > 0.025)[0]
        if len(passed):
            has = [name for name in GREEN if seed[name][passed[0]] >= 0.1]
            words = (
                f"passes in epoch {passed[0] + 1}, holding {' and '.join(has) or 'neither mode'}"
            )
        else:
            words = "not within 10 epochs"
        assert words in html


def small_one_at_small_g_el(regions):
    return len(regions) > 1 and regions[1].g_el < regions[0].g_el


def test_c8(stated, exact):
    verdict = stated["C8"]
    # At T = 800 the own grid is coarser than the page's.
    for T, (of_area, mass, g_el) in {200: (0.02, 0.003, 0.02), 800: (0.13, 0.006, 0.06)}.items():
        page, mine = verdict["values"][f"T = {T}"], exact[T].regions()
        for one, other in zip(page, mine, strict=True):
            assert abs(one["area"] / other.area - 1) < of_area
            assert abs(one["mass"] - other.mass) < mass
            assert abs(one["g_el"] - other.g_el) < g_el
    outcomes = {
        width: all(small_one_at_small_g_el(e.regions(width)) for e in exact.values())
        for width in (2, 1, 4)
    }
    by_mass = [sorted(e.regions(), key=lambda region: -region.mass) for e in exact.values()]
    outcomes["mass"] = all(map(small_one_at_small_g_el, by_mass))
    assert [verdict["outcome"], *verdict["otherwise"].values()] == [
        "holds" if holds else "fails" for holds in outcomes.values()
    ]


def test_c9(stated, html, runs):
    minutes = [data.attrs["seconds"] / 60 for data in runs[200].values()]
    agrees(stated["C9"], "not tested", [], {"here": {"minutes": minutes}})
    assert f"{min(minutes):.0f} to {max(minutes):.0f} minutes a run" in html


def last_changes(data, name):
    values, n = data[name].values[:-1], iterations(data) // 100
    found = {"at_end": [], "in_all": [], "noise": []}
    for start in range(0, len(values), n):
        epoch = values[start : start + n]
        found["at_end"].append(epoch[-10:].mean() - epoch[-20:-10].mean())
        found["in_all"].append(epoch[-10:].mean() - epoch[:10].mean())
        steps = [b - a for a, b in pairwise(epoch[-20:])]
        found["noise"].append(2 * np.std(steps) / np.sqrt(2) * np.sqrt(1 / 10 + 1 / 10))
    return {key: [float(v) for v in each] for key, each in found.items()}


def settled(found, name="entropy", limit=0.1, part=0.1):
    at_end, in_all, noise = (np.abs(found[name][key]) for key in ("at_end", "in_all", "noise"))
    return (at_end < limit) & ((at_end < part * in_all) | (at_end < noise))


def test_c10(stated, html, runs):
    found = {
        f"c0 = {c0:g}, seed {seed}": {
            name: last_changes(data, name) for name in ("entropy", "loss")
        }
        for (c0, seed), data in runs[200].items()
    }

    def outcome(enough=0.5, **changed):
        return in_seeds([settled(f, **changed).mean() > enough for f in found.values()], "runs")

    others = [
        outcome(limit=0.05), outcome(limit=0.2), outcome(part=0.05), outcome(part=0.2),
        outcome(limit=0.2, part=0.2), outcome(0.25), outcome(0.75), outcome(name="loss"),
    ]  # fmt: skip
    agrees(stated["C10"], outcome(), others, found)
    for run in found.values():
        ok = settled(run)
        assert f"settled in {ok.sum()} of {len(ok)} epochs" in html
        assert (
            f"median change at the end {np.median(np.abs(run['entropy']['at_end'])):.2f} nat"
            in (html)
        )


def counts(runs, shares, masses):
    """What is compared between the durations: [in how many seeds, of how many]."""
    small, large = of(runs, 1), of(runs, 100)
    found = {
        "C1": rises(runs)[1],
        "C2": spread(runs)[1],
        "C3a": not_passed(runs)[1],
        "C3b": near_target(runs)[1],
        "C4": [word == "counts" for word in low_and_high(runs)[1]],
        "C6": outset(runs)[1],
    }
    for c0 in (1, 100):
        words = kinds(shares, masses, ONE, c0)
        found[f"both modes, c0 = {c0}"] = [word == "both" for word in words]
        found[f"only the upper, c0 = {c0}"] = [word == "upper only" for word in words]
    found["convergence within 10 epochs, c0 = 100"] = [
        (data.p_value.values[:10].min(axis=1) > 0.025).any() for data in large.values()
    ]
    assert len(small) == len(found["C1"])
    return {name: [int(sum(holds)), len(holds)] for name, holds in found.items()}


def test_c11(stated, html, runs, masses):
    verdict = stated["C11"]
    if {c0 for c0, _ in runs[800]} != {1, 100}:
        assert verdict["outcome"] == "not tested"
        return
    short = counts(runs[200], stated["C12"]["values"]["shares"], masses[200])
    long = counts(runs[800], verdict["values"]["shares at T = 800"], masses[800])
    assert verdict["values"]["counts"] == {
        name: {"T = 200": pair, "T = 800": long[name]} for name, pair in short.items()
    }
    gaps = [abs(k / n - long[name][0] / long[name][1]) for name, (k, n) in short.items()]

    def outcome(apart):
        carried = sum(gap < apart for gap in gaps)
        if carried == len(gaps):
            return "holds"
        return "fails" if 2 * carried <= len(gaps) else "undecided"

    assert verdict["outcome"] == outcome(0.5)
    assert list(verdict["otherwise"].values()) == [outcome(0.25), outcome(1)]
    for name, (k, n) in short.items():
        assert (
            f"{name}: {k} of {n} seeds at T = 200, {long[name][0]} of {long[name][1]} at T = 800"
            in html
        )


def hypergeometric(one, other):
    """P(at least so many of the first group's seeds), all seeds being alike."""
    (k, n), (j, m) = one, other
    return float(stats.hypergeom(n + m, k + j, n).sf(k - 1))


def test_c12(stated, html, masses):
    values = stated["C12"]["values"]
    cases = [(emits, "shares", emits) for emits in EMITS]
    cases.append(("at the end of training", "shares at the end", ONE))
    p, found = {}, {}
    for name, where, emits in cases:
        groups = [kinds(values[where], masses[200], emits, c0) for c0 in (1, 100)]
        hits, sizes = [g.count("both") for g in groups], [len(g) for g in groups]
        pairs = list(zip(hits, sizes, strict=True))
        p[name] = hypergeometric(*pairs), hypergeometric(*pairs[::-1])
        found[name] = {"both": hits, "of": sizes, "p": p[name][0]}
        assert (
            f"both modes in {hits[0]} of {sizes[0]} seeds against {hits[1]} of {sizes[1]}, "
            f"p = {p[name][0]:.2f}"
        ) in html
    assert close(values["both"], found)

    def outcome(name, level=0.05):
        better, worse = p[name]
        return "holds" if better < level else "fails" if worse < level else "undecided"

    assert stated["C12"]["outcome"] == outcome(ONE)
    assert list(stated["C12"]["otherwise"].values()) == [
        *(outcome(name) for name, *_ in cases if name != ONE),
        outcome(ONE, 0.025),
        outcome(ONE, 0.1),
    ]
