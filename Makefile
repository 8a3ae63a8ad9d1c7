# `make report`: set up, train what is missing, build the book. `make test`: set up, run all tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

RUNS := runs/c0-1_seed-1 runs/c0-100_seed-1
CHAPTERS := background exact cost synthesis explore

.PHONY: report pdf test test-browser lint chapters bench

# The book would render a failed or half-run notebook without a word, so the tests look first.
report: $(INSTALLED) $(RUNS:=.ipynb) $(RUNS:=/run.nc)
	$(BIN)/pytest -q tests/test_notebooks.py -k executed
	$(BIN)/python tools/fetch_scripts.py
	$(BIN)/jupyter-book build book/ -W -n --keep-going

# The book as book/_build/dsnlib.pdf, printed by Chromium.
pdf: report
	$(BIN)/python tools/print_book.py

test: $(INSTALLED)
	$(BIN)/pytest

# The built pages in Chromium, which CHROMIUM names if it is not on the path.
test-browser: report
	$(BIN)/pytest -m browser tests/browser

lint: $(INSTALLED)
	$(BIN)/ruff check src tests benchmarks book/extensions tools train.ipynb chapters
	$(BIN)/ruff format --check src tests benchmarks book/extensions tools
	$(BIN)/mypy

# Measure again what chapters/cost.ipynb reports, on a machine that does nothing else.
bench: $(INSTALLED)
	for name in step scaling processes; do $(BIN)/python benchmarks/$$name.py || exit 1; done

# Execute the book's chapters again after a change of their source or of what they use.
chapters: $(INSTALLED)
	for name in $(CHAPTERS); do \
	  $(BIN)/papermill chapters/$$name.ipynb book/$$name.tmp.ipynb && \
	  mv book/$$name.tmp.ipynb book/$$name.ipynb || exit 1; \
	done

# runs/c0-1_seed-1: the name holds the parameters. What is there is never trained again; a run that was
# broken off is in its folder and goes on, and its notebook appears when it is done.
runs/%.ipynb runs/%/run.nc &: | $(INSTALLED)
	$(BIN)/papermill train.ipynb runs/$*.tmp.ipynb -p c0 $(subst _seed-, -p seed ,$(*:c0-%=%))
	mv runs/$*.tmp.ipynb runs/$*.ipynb

$(INSTALLED): requirements.txt constraints.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -r requirements.txt -c constraints.txt
	touch $@
