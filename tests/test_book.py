"""What the synthesis and the landing page say is what the committed data say."""

import importlib.util
import io
import json
import re
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup
from sphinx.application import Sphinx

import dsnlib
from dsnlib import plots
from report.figures import SAMPLES

ROOT = Path(__file__).parent.parent
BOOK = ROOT / "book"
FOLDERS = sorted(path.parent for path in (ROOT / "runs").glob("c0-*/run.nc"))
NOTE = {"2019", "1", "100", "30"}  # of the note: its year, both c0, hours
OURS = "synthesis-"


def glued(page):
    """What a page glues, by name: text without quotes, or HTML."""
    found = {}
    for cell in nbformat.read(BOOK / page, as_version=4).cells:
        for output in cell.get("outputs", []):
            if name := output.get("metadata", {}).get("scrapbook", {}).get("name"):
                record = "application/papermill.record/"  # of what is glued and not displayed
                data = {kind.removeprefix(record): v for kind, v in output["data"].items()}
                found[name] = data.get("text/html") or data["text/plain"].strip("'")
    return found


@pytest.fixture(scope="module")
def text():
    return {k.removeprefix(OURS): v for k, v in glued("synthesis.ipynb").items()}


@pytest.fixture(scope="module")
def exact():
    prop = dsnlib.EmergentProperty(mean=[0.525], sd=[0.025])
    return {T: dsnlib.exact_maxent(dsnlib.STG(T=T), prop, cells=1000) for T in (200, 800)}


@pytest.fixture(scope="module")
def runs():
    found = [dsnlib.load_run(folder) for folder in FOLDERS]
    return sorted(found, key=lambda run: (run.method.c0, run.seed))


def masses(run, exact, epoch):
    """Share of the samples of a snapshot in each mode."""
    data = run.data.sel(snapshot=epoch)
    label = exact.assign(data.z.values.astype(float), data.moments.values[:, :1])
    return {mode.name: float(np.mean(label == k)) for k, mode in enumerate(exact.modes)}


def per_cent(share):
    return f"{100 * share:.0f}" if share >= 0.0995 else f"{100 * share:.1f}"


def test_the_exact_answer(text, exact):
    short, long = ({m.name: m.mass for m in exact[T].modes} for T in (200, 800))
    density = exact[200].density.values
    p = density / density.sum()
    entropy = -(p[p > 0] * np.log(p[p > 0])).sum() + np.log(400 / 1000**2)
    assert text["exact-entropy"] == f"{entropy:.2f}"
    for name in ("lower", "upper", "third"):
        assert text[f"exact-{name}"] == per_cent(short[name])
    assert text["third"] == per_cent(short["third"])
    assert text["third-long"] == per_cent(long["third"])
    assert text["lower-long"] == per_cent(long["lower"])


def test_who_holds_what_at_the_end(text, exact, runs):
    least = {mode.name: 0.1 * mode.mass for mode in exact[200].modes}
    held = []
    for run in runs:
        mass = masses(run, exact[200], run.method.epochs)
        held.append({name for name in ("lower", "upper") if mass[name] >= least[name]})
    assert text["runs"] == str(len(runs))
    assert text["both"] == str(held.count({"lower", "upper"}))
    assert text["lower-alone"] == str(held.count({"lower"}))
    assert text["upper-alone"] == str(held.count({"upper"}))
    assert text["neither"] == str(held.count(set()))


def test_divergences_and_convergence(text, exact, runs):
    last = [run.data.isel(snapshot=-1) for run in runs]
    eta, log_z = exact[200].eta, exact[200].log_z
    kl = [
        float(np.mean(d.log_q.values.astype(float) - d.moments.values.astype(float) @ eta + log_z))
        for d in last
    ]
    assert text["best-kl"] == f"{min(kl):.1f}"
    assert text["worst-kl"] == f"{max(kl):.1f}"
    passed = [bool((run.data.p_value > 0.025).all("moment").any()) for run in runs]
    assert text["passed"] == str(sum(passed))
    shown = [bool(run.convergence()["equivalent"].any()) for run in runs]
    assert text["shown"] == str(sum(shown))
    tests = np.concatenate([r.convergence()[["not rejected", "equivalent"]].values for r in runs])
    epochs, both = int(tests[:, 0].sum()), int(tests.all(axis=1).sum())
    (sentence,) = (s for s in outputs("synthesis.ipynb", "text/markdown") if "the note's test" in s)
    assert f"Of {epochs} epochs that the note's test lets pass, the equi" in sentence
    assert f"confirms {both}: failing" in sentence


def outputs(page, kind):
    """All outputs of a kind that a page shows."""
    for cell in nbformat.read(BOOK / page, as_version=4).cells:
        for output in cell.get("outputs", []):
            if kind in output.get("data", {}):
                yield output["data"][kind]


def table(*heads):
    """Cells, row by row, of the synthesis's one table that has these heads."""
    (found,) = [
        rows
        for html in outputs("synthesis.ipynb", "text/html")
        for rows in [BeautifulSoup(html, "html.parser").find_all("tr")]
        if rows and set(heads) <= {cell.get_text() for cell in rows[0].find_all("th")}
    ]
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in found[1:]]


def named(run):
    return f"c0 = {run.method.c0:g}, seed {run.seed}"


def final_entropy(run):
    return -float(run.data.log_q[-1].astype(float).mean())


@pytest.fixture(scope="module")
def held(runs, exact):
    """For each run and mode the epochs after which the network holds a tenth of its mass."""
    least = {mode.name: 0.1 * mode.mass for mode in exact[200].modes}
    found = {}
    for i, run in enumerate(runs):
        shares = [masses(run, exact[200], e) for e in range(run.method.epochs + 1)]
        for name in least:
            found[i, name] = [e for e, share in enumerate(shares) if share[name] >= least[name]]
    return found


def test_who_holds_which_mode_when(runs, held):
    def story(run, epochs):
        if not epochs:
            return "never held"
        if epochs[-1] == run.method.epochs:
            return f"held at the end (first after epoch {epochs[0]})"
        return f"held first after epoch {epochs[0]}, lost in epoch {epochs[-1] + 1}"

    assert table("lower", "upper") == [
        [named(run), *(story(run, held[i, name]) for name in ("lower", "upper"))]
        for i, run in enumerate(runs)
    ]


def test_losses(text, runs, held):
    expected, cooled, tighter, penalties = [], 0, 0, []
    for (i, mode), epochs in held.items():
        data, last = runs[i].data, runs[i].method.epochs
        if not epochs or epochs[-1] == last:
            continue
        k = epochs[-1]  # the epoch after it, from 0 on
        start, end = (float(data[f"violation_{at}"][k].mean()) for at in ("start", "end"))
        entropy = [-float(data.log_q[j].astype(float).mean()) for j in (k, k + 1)]
        c = data.c.values
        grew = "last epoch" if k + 1 == last else "yes" if c[k + 1] > c[k] else "no"
        cooled += entropy[1] < entropy[0]
        tighter += end < start
        penalties.append(c[k])
        expected.append(
            [
                named(runs[i]),
                mode,
                str(k + 1),
                f"{c[k]:,.0f}",
                grew,
                f"{np.hypot(*data.lam.values[k]):,.0f}",
                f"{start:.2g} to {end:.2g}",
                "{:.2f} to {:.2f}".format(*entropy),
            ]
        )
    assert table("c grew after it") == expected
    assert text["losses"] == f"{len(expected)} losses"
    assert text["losses-cooled"] == str(cooled)
    assert text["losses-tighter"] == str(tighter)
    assert (
        f"Of {len(expected)} losses, the entropy fell over the epoch in {cooled} and the violation "
        f"fell in {tighter}. The penalty then was between {min(penalties):,.0f} and "
        f"{max(penalties):,.0f}."
    ) in outputs("synthesis.ipynb", "text/markdown")


def test_entropies(exact, runs):
    sentences = []
    for c0 in (1, 100):
        members = [run for run in runs if run.method.c0 == c0]
        peaks = [
            max(np.lib.stride_tricks.sliding_window_view(run.data.entropy[:-1], 10).mean(axis=1))
            for run in members
        ]
        ends = [final_entropy(run) for run in members]
        sentences.append(
            f"With c0 = {c0} the mean entropy of 1,000 iterations peaks between {min(peaks):.2f} "
            f"and {max(peaks):.2f} nat and the networks end between {min(ends):.2f} and "
            f"{max(ends):.2f} nat."
        )
    below = sum(final_entropy(run) < exact[200].entropy for run in runs)
    sentences.append(
        rf"{below} of {len(runs)} networks {'ends' if below == 1 else 'end'} below H\*."
    )
    assert " ".join(sentences) in outputs("synthesis.ipynb", "text/markdown")


def test_means_and_ranges(exact, runs):
    last = [run.data.isel(snapshot=-1) for run in runs]
    shares = [masses(run, exact[200], run.method.epochs) for run in runs]
    frequency = [d.moments.values[:, 0].astype(float) for d in last]
    eta, log_z = exact[200].eta, exact[200].log_z
    expected = {
        "entropy (nat)": [final_entropy(run) for run in runs],
        "KL(q || p*) (nat)": [
            np.mean(d.log_q.values.astype(float) - d.moments.values.astype(float) @ eta + log_z)
            for d in last
        ],
        "within 2 sd of the target (%)": [100 * np.mean(abs(f - 0.525) < 0.05) for f in frequency],
        "lower mode (%)": [100 * share["lower"] for share in shares],
        "upper mode (%)": [100 * share["upper"] for share in shares],
    }
    first = [run.method.c0 == 1 for run in runs]
    for name, *cells in table("exact", "c0 = 1, 4 seeds"):
        for cell, group in zip(cells, (True, False), strict=False):
            if name in expected:
                of = [
                    v
                    for v, is_first in zip(expected[name], first, strict=True)
                    if is_first == group
                ]
                assert cell == f"{np.mean(of):.1f} ({min(of):.1f} to {max(of):.1f})", name


def test_cost(text, runs):
    minutes = np.array([run.data.seconds for run in runs]) / 60
    assert text["minutes"] == f"{np.median(minutes):.0f}"
    assert text["minutes-range"] == f"{minutes.min():.0f} to {minutes.max():.0f}"
    assert text["hours"] == f"{minutes.sum() / 60:.1f}"
    assert text["iterations"] == f"{runs[0].method.epochs * runs[0].method.iterations:,}"
    assert text["device"] == "; ".join(sorted({r.data.device for r in runs})).removeprefix("cpu: ")


def test_the_page_shows_every_verdict_as_it_is_printed(text):
    """That the printed ones are right is shown by tests/test_recomputed.py."""
    notebook = nbformat.read(BOOK / "synthesis.ipynb", as_version=4)
    (cell,) = (c for c in notebook.cells if "verdicts-json" in c.metadata.get("tags", []))
    stated = json.loads(cell.outputs[0]["text"])
    found = {name: claim["outcome"] for name, claim in stated.items()}
    numbered = [row for row in table("", "numbers", "verdict") if row[0] in found]
    assert [(row[0], row[-1]) for row in numbered] == list(found.items())
    assert [row[0] for row in table("", "the note says", "rule")] == list(found)
    for row in table("", "verdict", "if the threshold were"):
        others = stated[row[0]]["otherwise"]
        assert row[1] == found[row[0]]
        assert row[2] == "".join(f"{name}: {outcome}" for name, outcome in others.items())
    landing = BeautifulSoup(text["verdicts"], "html.parser").tbody.find_all("tr")
    cells = [[cell.get_text("\n") for cell in row.find_all("td")] for row in landing]
    assert [row[0] for row in cells] == list(found)
    for name, _, outcome in cells:
        assert outcome.split("\n")[0] == found[name]
    for key, outcome in (
        ("held", "holds"), ("part", "holds in"), ("failed", "fails"),
        ("undecided", "undecided"), ("untested", "not tested"),
    ):  # fmt: skip
        claims = [
            name
            for name, is_so in found.items()
            if (is_so == outcome if key != "part" else is_so.startswith(outcome))
        ]
        assert text[f"claims-{key}"] == (", ".join(claims) or "none")


def test_numbers_of_the_landing_page_are_glued_or_the_notes():
    page = (BOOK / "index.md").read_text()
    ours = re.findall(r"\{glue:text\}`answer\.ipynb::([\w-]+):s`", page)
    assert set(ours) == {"answer-runs", "answer-c2st", "answer-seconds", "answer-landing-samples"}
    assert set(ours) <= set(glued("answer.ipynb"))  # tests/test_answer.py recomputes them
    assert glued("answer.ipynb")["answer-landing-samples"] == f"{SAMPLES:,}"
    causes = re.findall(r"\{glue:text\}`cause\.ipynb::([\w-]+):s`", page)
    assert set(causes) == {"cause-signal", "cause-price-lower"}
    assert set(causes) <= set(glued("cause.ipynb"))
    keys = re.findall(r"\{glue:text\}`synthesis\.ipynb::([\w-]+):s`", page)
    keys += re.findall(r"```\{glue\} ([\w-]+)\n:doc: synthesis\.ipynb", page)
    assert set(keys) <= set(glued("synthesis.ipynb"))
    prose = page.split("## Read on")[0]
    prose = re.sub(
        r"\{glue:text\}`[^`]*`|```\{glue\}.*?```|\{cite:p\}`[^`]*`|c_0", "", prose, flags=re.S
    )
    assert set(re.findall(r"\d[\d,.]*\d|\d", prose)) <= NOTE


def test_reference_lists_every_public_name():
    page = (BOOK / "api.md").read_text()
    public = [f"dsnlib.{name}" for name in dsnlib.__all__]
    public += [f"dsnlib.plots.{n}" for n in plots.__all__ if callable(getattr(plots, n))]
    listed = re.findall(r"^\.\. auto\w+:: ([\w.]+)$", page, flags=re.M)
    assert set(public) <= set(listed)
    assert len(listed) == len(set(listed))


def extension(name):
    """The module of an extension of the book."""
    spec = importlib.util.spec_from_file_location(name, BOOK / "extensions" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_scripts_of_thebe_go_and_data_stay_whatever_they_spell():
    def script(filename, **attributes):
        return SimpleNamespace(filename=filename, attributes=attributes)

    thebe = [script(None, body='const thebe_selector = ".cell"'), script("_static/sphinx-thebe.js")]
    state = script(None, type="application/vnd.jupyter.widget-state+json", body="f0KtHEbeRY0")
    kept = [script("prepare.js"), script(None, body="window.localWidgets = true;"), state]
    context = {"script_files": [thebe[0], *kept, thebe[1]]}
    extension("scripts").drop_thebe(None, "page", "page.html", context, None)
    assert context["script_files"] == kept


def test_runs_are_listed_by_setting_and_seed():
    run_pages = extension("run_pages")
    runs = {
        f"runs/c0-{c0}_seed-{seed}": {"c0": c0, "seed": seed} for c0 in (1, 100) for seed in (1, 2)
    }
    assert run_pages.table(runs).splitlines() == [
        "| c0 | seed |",
        "| --- | --- |",
        "| 1 | [1](runs/c0-1_seed-1.ipynb), [2](runs/c0-1_seed-2.ipynb) |",
        "| 100 | [1](runs/c0-100_seed-1.ipynb), [2](runs/c0-100_seed-2.ipynb) |",
    ]
    assert "| planar | [page](runs/flow-planar.ipynb) |" in run_pages.table(
        {"runs/flow-planar": {"flow": "planar"}}
    )
    below = SimpleNamespace(subtrees=[SimpleNamespace(items=["runs/T-800_c0-100_seed-2"])])
    config = SimpleNamespace(external_site_map={"above": below})
    source = ["# Runs\n\n% runs\n"]
    run_pages.list_runs(SimpleNamespace(srcdir=BOOK, config=config), "above", source)
    assert "| T | c0 | seed |" in source[0]
    assert "| 800 | 100 | [2](runs/T-800_c0-100_seed-2.ipynb) |" in source[0]
    prose = ["No runs % runs here.\n"]
    run_pages.list_runs(None, "method", prose)
    assert prose == ["No runs % runs here.\n"]


def run_page():
    """A page of a run with a figure, whose data it carries, a table and a widget."""
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'
    figure = {"caption": "A *figure*.", "name": "fig-samples"}
    shown = [
        ({"mystnb": {"figure": figure}}, {"image/svg+xml": drawn, "text/csv": "x\n1\n"}),
        ({"caption": "A table.", "name": "tab-result"}, {"text/html": "<table></table>"}),
        (
            {"caption": "A film.", "name": "fig-film", "kind": "figure"},
            {"text/html": "<p>film</p>"},
        ),
    ]
    cells = [nbformat.v4.new_markdown_cell("# One run")]
    for metadata, data in shown:
        output = nbformat.v4.new_output("display_data", data=data)
        cells.append(nbformat.v4.new_code_cell("1", metadata=metadata, outputs=[output]))
    return nbformat.v4.new_notebook(cells=cells, metadata={"papermill": {"parameters": {}}})


@pytest.mark.parametrize("order", [("run_pages", "captions"), ("captions", "run_pages")])
def test_names_on_pages_of_runs_are_unique_in_the_book(tmp_path, monkeypatch, order):
    monkeypatch.syspath_prepend(str(BOOK / "extensions"))
    runs = ["c0-1_seed-1", "T-800_c0-0.5_seed-1"]
    source = tmp_path / "source"
    (source / "runs").mkdir(parents=True)
    lines = "\n".join(f"runs/{run}" for run in runs)
    (source / "index.md").write_text(f"# Runs\n\n```{{toctree}}\n{lines}\n```\n")
    for run in runs:
        nbformat.write(run_page(), source / "runs" / f"{run}.ipynb")
    warnings = io.StringIO()
    overrides = {"extensions": ["myst_nb", *order], "nb_execution_mode": "off"}
    # Else the suffixes of myst_nb would be added to Sphinx's own, for all later books.
    overrides["source_suffix"] = {".md": "myst-nb", ".ipynb": "myst-nb"}
    app = Sphinx(
        source, None, tmp_path / "html", tmp_path / "doctrees", "html", status=None,
        warning=warnings, confoverrides=overrides,
    )  # fmt: skip
    app.build()
    assert "uplicate" not in warnings.getvalue()
    for run, page in zip(runs, ["c0-1-seed-1", "t-800-c0-0-5-seed-1"], strict=True):
        text = (tmp_path / "html" / "runs" / f"{run}.html").read_text()
        ids = {figure.get("id") for figure in BeautifulSoup(text, "html.parser")("figure")}
        assert ids == {f"{page}-{name}" for name in ("fig-samples", "tab-result", "fig-film")}
        assert (tmp_path / "html" / "figure-data" / f"{page}-fig-samples.csv").is_file()


@pytest.fixture(scope="module")
def small_book(tmp_path_factory):
    """A page with terms, built beside a glossary and without one."""
    folder = tmp_path_factory.mktemp("small")
    sys.path.insert(0, str(BOOK / "extensions"))
    page = (
        "# Page\n\nOf {term}`nat` and {term}`two <Two words>`, [not](https://example.org/#nat).\n"
    )
    glossary = (
        "# Words\n\n```{glossary}\nnat\n  A *unit*, as 0.5 is.\n  More.\n\n"
        "Two words\nsame\n  No stop\n```\n"
    )
    built = {}
    for name, pages in (
        ("with", {"index": page, "glossary": glossary}),
        ("without", {"index": page}),
    ):
        source = folder / name
        source.mkdir()
        for stem, content in pages.items():
            (source / f"{stem}.md").write_text(content)
        app = Sphinx(
            source, None, source / "html", source / "doctrees", "html", status=None, warning=None,
            confoverrides={"extensions": ["myst_parser", "glossary"]},
        )  # fmt: skip
        app.build()
        built[name] = app
    sys.path.remove(str(BOOK / "extensions"))
    return built


def links(app):
    page = BeautifulSoup((Path(app.outdir) / "index.html").read_text(), "html.parser")
    return {link.get_text(): link.get("title") for link in page.find_all("a", class_="reference")}


def test_terms_say_what_they_mean(small_book):
    found = links(small_book["with"])
    assert found["nat"] == "A unit, as 0.5 is."
    assert found["two"] == "No stop"
    assert found["not"] is None
    assert "nat" not in links(small_book["without"])
    assert small_book["with"].env.dependencies["index"] == {"glossary.md"}


def test_glossary_is_in_order_and_its_first_sentences_are_text():
    (body,) = re.findall(r"```\{glossary\}\n(.*?)```", (BOOK / "glossary.md").read_text(), re.S)
    entries = [entry.splitlines() for entry in body.strip().split("\n\n")]
    terms = [entry[0].casefold() for entry in entries]
    assert terms == sorted(terms)
    for entry in entries:
        said = " ".join(line.strip() for line in entry if line.startswith("  "))
        first = extension("glossary").first_sentence(said)
        assert first.endswith("."), first
        assert not re.search(r"[$`\[]", first), first  # a pointer's note shows no markup


def test_the_release_is_one():
    """Version, date and authors stand in several places; nothing in them is left to fill in."""
    text = (ROOT / "CITATION.cff").read_text()
    citation = yaml.safe_load(text)
    version, date = citation["version"], citation["date-released"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert version == project["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(r"^## .*", changelog, re.M)[0] == f"## {version} ({date})"
    (author,) = citation["authors"]
    assert author["name"] in (ROOT / "LICENSE").read_text()
    assert f"{author['name']} ({date.year}). *{citation['title']}*. Version {version}." in (
        " ".join((BOOK / "cite.md").read_text().replace("\n> ", " ").split())
    )
    assert not re.search(r"OWNER|TODO|unreleased|example\.", text)


def test_repository_buttons_come_from_one_place(monkeypatch, tmp_path):
    repository = extension("repository")
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    citation = tmp_path / "CITATION.cff"
    monkeypatch.setattr(repository, "CITATION", citation)
    citation.write_text("title: none\n")
    assert repository.address() == ""
    citation.write_text("repository-code: https://example.org/a/b\n")
    assert repository.address() == "https://example.org/a/b"
    monkeypatch.setenv("GITHUB_REPOSITORY", "someone/fork")
    assert repository.address() == "https://github.com/someone/fork"
