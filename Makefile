# `make report`: set up, train what is missing, build the book. `make test`: set up, run all tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
EXAMPLES := .venv-examples

PROFILE ?= laptop
SWEEP ?= config/note.yaml
SNAKEMAKE = $(BIN)/snakemake --profile "profiles/$(PROFILE)" --config "sweep=$(SWEEP)" --

# What is started here imports from the repository's root.
unexport PYTHONSAFEPATH

.PHONY: FORCE report smoke runs chapters phase status adopt pdf test test-slurm test-wheel test-browser test-examples lint bench

report: $(INSTALLED)
	$(SNAKEMAKE) all

# Half of so small a run would be compiling, so the runs share what is compiled.
smoke: export JAX_COMPILATION_CACHE_DIR = $(CURDIR)/smoke/compiled
smoke: SWEEP = config/smoke.yaml
smoke: report

runs chapters: $(INSTALLED)
	$(SNAKEMAKE) $@

# One chapter with the run that it shows, for example: make book/gallery_v1.ipynb
book/%.ipynb: $(INSTALLED) FORCE
	$(SNAKEMAKE) $@

# The runs of the phase diagram that are missing; the report shows those that are there.
phase: $(INSTALLED)
	$(BIN)/snakemake --profile "profiles/$(PROFILE)" --snakefile workflow/phase.smk

status: $(INSTALLED)
	$(BIN)/python -m workflow.status "$(SWEEP)"

# Declare runs, pages and chapters that came from elsewhere to be those of the code as it is.
adopt: $(INSTALLED)
	$(BIN)/snakemake --profile profiles/laptop --touch --forceall --config "sweep=$(SWEEP)" -- runs chapters

# The book as book/_build/dsnlib.pdf, printed by Chromium.
pdf: report
	$(BIN)/python tools/print_book.py

test: $(INSTALLED)
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

# Needs root on Debian: brings up a SLURM of one node, and stops it.
test-slurm: $(INSTALLED)
	command -v slurmctld slurmd sbatch munged > /dev/null || (apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends slurmctld slurmd slurm-client munge)
	$(BIN)/pytest tests/slurm

# The library's wheel, built and installed in a fresh environment outside of the repository.
test-wheel: $(INSTALLED)
	$(BIN)/pytest tests/wheel

# The built pages in Chromium, which CHROMIUM names if it is not on the path.
test-browser: report
	$(BIN)/pytest -n auto -m browser tests/browser

# The examples on other people's simulators, in an environment of their own.
test-examples: $(EXAMPLES)/installed
	$(EXAMPLES)/bin/pytest tests/examples

lint: $(INSTALLED)
	$(BIN)/ruff check src tests examples workflow report benchmarks book/extensions tools train.ipynb smc.ipynb circuit.ipynb
	$(BIN)/ruff format --check src tests examples workflow report benchmarks book/extensions tools
	$(BIN)/mypy

# Measure again what chapters/cost.ipynb reports, on a machine that does nothing else.
bench: $(INSTALLED)
	for name in step scaling processes exact; do $(BIN)/python benchmarks/$$name.py || exit 1; done

$(INSTALLED): requirements.txt constraints.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -r requirements.txt -c constraints.txt
	touch $@

$(EXAMPLES)/installed: requirements.txt constraints.txt pyproject.toml $(wildcard examples/requirements-*.txt)
	$(PYTHON) -m venv $(EXAMPLES)
	$(EXAMPLES)/bin/pip install --quiet -r requirements.txt $(addprefix -r ,$(filter examples/%,$^)) -c constraints.txt
	touch $@
