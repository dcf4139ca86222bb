# Every target works in a fresh clone with Python 3.11 or newer, make and a network to the package
# registries; what it needs goes into .venv from the locked requirements, hashes checked.
#
#   make demo                              everything on this machine, to click through
#   make demo ARGS="--once --out DIR"      the whole path by itself, checked step by step
#   make test ARGS="-k unsubscribe"        the tests; ARGS go to pytest
#   make check                             ruff, mypy, import directions, templates
#   make bench ARGS="--engine sqlite"      the figures of docs/benchmarks.md

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTHON ?=
ARGS ?=

# What a test run without ARGS is given: one worker per core of a small machine.
TEST_ARGS := -n 2 --dist worksteal

.PHONY: help demo test check bench venv lock packages wheel clean
help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

demo: $(VENV)/.runtime
	@$(BIN)/consentledger demo $(ARGS)

test: $(VENV)/.dev packages
	@$(BIN)/python -m pytest $(if $(ARGS),$(ARGS),$(TEST_ARGS))

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint templates --lint --quiet

bench: $(VENV)/.dev packages
	@$(BIN)/python -m bench $(ARGS)

# PostgreSQL's server and a browser, for tests and benches: installed when we may, asked for else.
packages:
	@tools/system-packages

wheel: $(VENV)/.runtime
	@rm -rf dist
	@$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

lock:
	tools/lock

venv: $(VENV)/.dev

$(BIN)/python:
	@tools/make-venv $(VENV) $(PYTHON)

$(VENV)/.runtime: requirements.txt requirements-build.txt pyproject.toml | $(BIN)/python
	@echo "installing the locked requirements into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements.txt -r requirements-build.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@echo "installing what tests and checks need into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) build dist instance
