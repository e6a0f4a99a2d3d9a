# make train   make the environment and run the main job        make test   make it and run the tests
# make check   format, lint and types                            make wheel  build the wheel
# Too slow or too rough for make test:  make fuzz SECONDS=30   make faults   make reliability KILLS=10   make sweeps
#                                       make cluster   make ray   make browser   make slow
# Ours beside what a user would take instead:   make bench DATA=FOLDER
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

.DEFAULT_GOAL := train
.PHONY: train test slow check browser docs screenshots fuzz faults reliability sweeps cluster ray wheel published bench clean
SECONDS ?= 30
KILLS ?= 10
SIGNALS ?= $(KILLS)
SWEEP_KILLS ?= 2
TRIALS ?= 12
QUIET := OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1

train: .venv/installed
	$(BIN)/quatrain train $(ARGS)

# A third of the time a test waits for processes that it started, so three at once keep two cores busy
test: .venv/tested
	$(QUIET) $(BIN)/python -m pytest -m 'not slow' -n 3 --dist worksteal -q $(ARGS)

# Searches, sweeps, ranks and projects whole, as a user has them: many processes, ten seconds and more each
slow: .venv/tested
	$(QUIET) $(BIN)/python -m pytest -m slow -n 2 --dist worksteal -q $(ARGS)

check: .venv/developed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Mutated command lines, files and run directories: no traceback, no hang, no damage
fuzz: .venv/tested
	$(QUIET) FUZZ_SECONDS=$(SECONDS) $(BIN)/python -m pytest tests/fuzz -q $(ARGS)

# Full disks, read-only folders, torn files, lost memory, killed processes; some need root
faults: .venv/tested
	$(QUIET) $(BIN)/python -m pytest -o python_files='fault_*.py' tests/faults -n 2 --dist worksteal -q $(ARGS)

# Runs killed at random moments, and what came of them compared with a run that was not
reliability: .venv/tested
	$(QUIET) $(BIN)/python tests/reliability/kills.py --kills $(KILLS) $(ARGS)
	$(QUIET) $(BIN)/python tests/reliability/kills.py --kills $(SIGNALS) --term $(ARGS)

# Sweeps and searches killed whole and given again, two at once, and jobs of several ranks beside others
sweeps: .venv/tested
	$(QUIET) $(BIN)/python tests/reliability/sweep_kills.py --kills $(SWEEP_KILLS) $(ARGS)
	$(QUIET) $(BIN)/python tests/reliability/search_kills.py --trials $(TRIALS) --kills 1

# A real Slurm of two nodes; needs root and Debian's slurm-wlm and munge
cluster: .venv/tested
	$(PIP) --editable '.[slurm]'
	$(QUIET) $(BIN)/python -m pytest tests/cluster -q $(ARGS)

# A local Ray cluster, in an environment of its own (2 GB): its launcher wants a cloudpickle that joblib refuses
ray: .venv-ray/installed
	$(QUIET) .venv-ray/bin/python -m pytest tests/ray -q $(ARGS)

# Reports in an installed Chromium (Debian's chromium; CHROMIUM=/path names another)
browser: .venv/browsing
	$(QUIET) $(BIN)/python -m pytest tests/browser -q $(ARGS)

# Pictures of a report for docs/images: make screenshots REPORT=RUN/report.html NAME=run
screenshots: .venv/browsing
	$(BIN)/python tests/browser/screenshots.py $(REPORT) --name $(NAME) --to docs/images $(ARGS)

# Every command, all Python and the notebook of README.md and docs/, in few steps
docs: .venv/documented
	$(QUIET) $(BIN)/python -m pytest tests/docs -n 2 --dist worksteal -q $(ARGS)

# Published token ids, on vocabularies that this repository does not hold: make published DATA=FOLDER
published: .venv/tested
	$(BIN)/python tests/published/check_ids.py $(DATA)

# Measured side by side on an idle machine; writes docs/benchmarks.md: make bench DATA=FOLDER ARGS='--only mlm --rounds 5'
bench: .venv/benched
	$(BIN)/python benchmarks/run.py $(if $(DATA),--data $(DATA)) $(ARGS)

wheel: .venv/developed
	$(BIN)/python -m pip wheel --disable-pip-version-check --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf .venv .venv-ray dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "quatrain needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	touch $@

.venv/installed: .venv/python pyproject.toml constraints.txt
	@echo "installing quatrain (about a minute, 1.8 GB with PyTorch)"
	$(PIP) --editable .
	touch $@

.venv/tested: .venv/installed
	$(PIP) --editable '.[test]'
	touch $@

.venv/developed: .venv/tested
	$(PIP) --editable '.[dev]'
	touch $@

.venv/browsing: .venv/tested
	$(PIP) --editable '.[browser]'
	touch $@

.venv/documented: .venv/tested
	$(PIP) --editable '.[notebook]'
	touch $@

.venv/benched: .venv/installed
	$(PIP) --editable '.[bench]'
	touch $@

.venv-ray/installed: pyproject.toml constraints.txt constraints-ray.txt
	$(PYTHON) -m venv .venv-ray
	grep -vE '^(cloudpickle|python-dateutil)==' constraints.txt >.venv-ray/constraints.txt
	.venv-ray/bin/python -m pip install --disable-pip-version-check --quiet --constraint .venv-ray/constraints.txt \
	  --constraint constraints-ray.txt --editable '.[ray]' pytest
	touch $@
