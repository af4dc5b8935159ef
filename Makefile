# make play    set up and start the arena on http://127.0.0.1:8000
# make test    set up, lint, type-check and run every test
# make setup   what both need; leaves the command at .venv/bin/checkproof

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check
STEPS := | sed -u -n -E '/^(Collecting|Building|Installing|Successfully)/p' >&2
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
FORGE = $(firstword $(wildcard web/node_modules/@foundry-rs/forge-*/bin/forge))

.PHONY: play test setup setup-dev check lint types web contracts pytest format lock bench gas release-hashes clean

play: setup
	@exec $(BIN)/checkproof serve --exhibition

test: check pytest

setup: .venv/.runtime .venv/.ezkl web/node_modules/.runtime

.venv/.runtime: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "checkproof needs Python 3.11 or newer (PYTHON=... make names another)" >&2; exit 1; }
	@echo "Installing the Python packages into .venv (once, about a minute) ..." >&2
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes -r requirements.lock $(STEPS)
	@$(PIP) install -q --no-deps --editable .
	@touch $@

# ezkl has wheels for few machines, and everything but bots from ONNX files works without it.
.venv/.ezkl: .venv/.runtime requirements-ezkl.lock
	@echo "Installing ezkl, for bots from ONNX files (once) ..." >&2
	@if $(PIP) install -q --no-deps --only-binary :all: --require-hashes \
	  -r requirements-ezkl.lock 2> .venv/ezkl.log; then touch $@; else \
	  echo "No ezkl here (.venv/ezkl.log says why): bots from ONNX files cannot play" >&2; fi

web/node_modules/.runtime: web/package-lock.json
	@command -v npm >/dev/null || { echo "checkproof needs node 20 with npm" >&2; exit 1; }
	@echo "Installing the local chain node and the Solidity compiler from npm (once) ..." >&2
	@cd web && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

setup-dev: setup .venv/.dev web/node_modules/.dev
	@command -v chromium >/dev/null || { \
	  echo "Installing Chromium for the browser tests (once) ..." >&2; \
	  $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq chromium >/dev/null; }

.venv/.dev: .venv/.runtime requirements-dev.lock
	@echo "Installing the development packages (once, a few minutes) ..." >&2
	@$(PIP) install --require-hashes -r requirements-dev.lock $(STEPS)
	@$(PIP) install --no-deps torch==2.13.0 $(STEPS)
	@touch $@

web/node_modules/.dev: web/package-lock.json
	@echo "Installing the development tools from npm (once) ..." >&2
	@cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@ web/node_modules/.runtime

check: lint types web contracts

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-dev
	$(BIN)/mypy

web: setup-dev
	cd web && npm run --silent check && npm run --silent format:check && npm run --silent vendor:check && npm run --silent test

contracts: setup-dev
	cd proofs/contracts && $(abspath $(FORGE)) fmt --check
	node proofs/contracts/compile.mjs --check

pytest: setup-dev
	$(BIN)/pytest -n 2 --dist loadfile

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	cd web && npm run --silent format
	cd proofs/contracts && $(abspath $(FORGE)) fmt

# The gas snapshot that tests/contracts/test_gas.py compares with.
gas: setup-dev
	$(BIN)/python -m proofs.bench_gas > tests/golden/gas.json.new
	mv tests/golden/gas.json.new tests/golden/gas.json

# What contracts, nets and circuits hash to, for `checkproof audit --release`.
release-hashes: setup-dev
	$(BIN)/python -m proofs.release

# torch is pinned by version alone: its CPU and CUDA builds share a version and differ in hash.
LOCK := --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url \
  --no-emit-find-links --no-emit-trusted-host --no-emit-options
lock: setup-dev
	$(PIP) install -q pip-tools
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(LOCK) -o requirements.lock pyproject.toml
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(LOCK) --extra dev --extra train --extra ezkl \
	  -c requirements.lock -o requirements-dev.lock pyproject.toml
	sed -i '/^torch==/,/^[^ ]/{/^torch==/d;/^ /d}' requirements-dev.lock
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(LOCK) --extra ezkl \
	  -c requirements.lock -o .venv/ezkl.lock pyproject.toml
	awk 'NR == FNR { if (/^[a-z0-9]/) there[$$1]; next } /^[a-z0-9]/ { keep = !($$1 in there) } \
	  /^#/ { keep = 1 } keep' requirements.lock .venv/ezkl.lock > requirements-ezkl.lock

clean:
	rm -rf .venv web/node_modules .cache dist
