# `make report`: set up, train what is missing, build the book. `make test`: set up, run all tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

RUNS := runs/c0-1_seed-1.ipynb
CHAPTERS := background

.PHONY: report test lint chapters
# A run that was trained halfway stays in its folder and is resumed; its notebook appears when done.
.DELETE_ON_ERROR:

report: $(INSTALLED) $(RUNS)
	$(BIN)/jupyter-book build book/ -W -n --keep-going

test: $(INSTALLED)
	$(BIN)/pytest

lint: $(INSTALLED)
	$(BIN)/ruff check src tests
	$(BIN)/ruff format --check src tests
	$(BIN)/mypy

# Execute the book's chapters again after a change of their source or of what they use.
chapters: $(INSTALLED)
	for name in $(CHAPTERS); do \
	  $(BIN)/papermill chapters/$$name.ipynb book/$$name.tmp.ipynb && \
	  mv book/$$name.tmp.ipynb book/$$name.ipynb || exit 1; \
	done

# runs/c0-1_seed-1.ipynb: the name holds the parameters. What is there is never trained again.
$(RUNS): | $(INSTALLED)
	$(BIN)/papermill train.ipynb $(@:.ipynb=.tmp.ipynb) \
	  -p c0 $(subst _seed-, -p seed ,$(patsubst runs/c0-%.ipynb,%,$@))
	mv $(@:.ipynb=.tmp.ipynb) $@

$(INSTALLED): requirements.txt constraints.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -r requirements.txt -c constraints.txt
	touch $@
