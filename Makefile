# Every target makes the environment it needs; nothing else has to be done first.
PYTHON ?= python3
BIN := .venv/bin

help:            ## Say what there is.
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/.installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

install: .venv/.installed  ## Make the environment in .venv.

search: install  ## Search for a network on real images: digits, a few minutes.
	$(BIN)/vlga search --set budget.seconds=90

# Two processes, which share the tests by files, and by Ray, as tests/conftest.py says.
PYTEST := $(BIN)/python -m pytest --numprocesses=2

test: install    ## Run all tests.
	$(PYTEST)

quick: install   ## Run the tests of the parts: no whole command, search or service, no Ray, no Postgres.
	$(PYTEST) -m 'not whole and not ray and not postgres'

check: install   ## Lint, formatting, types, import contracts.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

properties: install  ## The property tests with many more examples.
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest tests/vlga tests/workers/networks/test_build.py \
		tests/cli/test_killed.py tests/workers/evaluators/test_killed_workers.py

bench: install   ## Measure speed beside the peers.
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,bench]'
	$(BIN)/python -m tests.benchmarks.dispatch
	$(BIN)/python -m tests.benchmarks.scale
	$(BIN)/python -m tests.benchmarks.epoch
	$(BIN)/python -m tests.benchmarks.amplification
	$(BIN)/python -m tests.benchmarks.ledger

.PHONY: help install search test quick check properties bench
