# make train   make the environment and run the main job        make test   make it and run the tests
# make check   format, lint and types                            make wheel  build the wheel
# make faults  full disks, killed processes, ... for real        make reliability KILLS=10  kills at random moments
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

.DEFAULT_GOAL := train
.PHONY: train test check faults reliability wheel published clean

train: .venv/installed
	$(BIN)/quatrain train $(ARGS)

test: .venv/tested
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q $(ARGS)

check: .venv/developed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Published token ids, on vocabularies that this repository does not hold: make published DATA=FOLDER
published: .venv/tested
	$(BIN)/python tests/published/check_ids.py $(DATA)

# Real faults: full and read-only disks (mounting needs root), damaged files, killed processes, memory that runs out.
faults: .venv/tested
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -q -o python_files='fault_*.py' tests/faults $(ARGS)

# Runs that are killed, and asked to stop, at random moments and go on: make reliability KILLS=100
KILLS ?= 10
reliability: .venv/tested
	$(BIN)/python tests/reliability/kills.py --kills $(KILLS) $(ARGS)
	$(BIN)/python tests/reliability/kills.py --kills $(KILLS) --term $(ARGS)

wheel: .venv/developed
	$(BIN)/python -m pip wheel --disable-pip-version-check --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

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
