# Everything runs from .venv, which `setup` makes. Set PYTHON to choose the interpreter (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin
TESTS ?= tests
SOURCES := src tests bench
CLIENTS := tests/dialect/circleci/clients

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: setup
setup: .venv/.dev ## Make .venv with the penstock command and everything needed to work on it

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Penstock needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { echo "This Python cannot make virtual environments: install its venv module (Debian: apt install python3-venv)"; rm -rf .venv; exit 1; }

.venv/.run: requirements/run.txt requirements/build.txt pyproject.toml | .venv/bin/python
	@echo "Installing what Penstock needs into .venv …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.run requirements/dev.txt
	@echo "Installing the tools to work on it …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

.venv/.docs: .venv/.run requirements/docs.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/docs.txt
	@touch $@

# Clients of CircleCI's API that tests let talk to a server. Without npm, or without its registry, these are skipped.
$(CLIENTS)/node_modules/.made: $(CLIENTS)/package.json $(CLIENTS)/package-lock.json
	@if ! command -v npm >/dev/null; then echo "There is no npm: tests of its clients are skipped"; \
	elif npm ci --prefix $(CLIENTS) --ignore-scripts --no-audit --no-fund --loglevel error >/dev/null; then touch $@; \
	else echo "npm could not install its clients: their tests are skipped"; fi

.PHONY: demo
demo: .venv/.run ## Run the pipeline of examples/ and show the result
	@sh examples/demo.sh

.PHONY: test
test: setup $(CLIENTS)/node_modules/.made ## Run the tests (TESTS=path narrows; SLOW=1: also those that take long, as CI does)
	@# Most tests start commands; where PYTHONDONTWRITEBYTECODE is set each would compile every file anew.
	@$(BIN)/python -m compileall -q src
	@# Three at a time on two processors: most of them wait for other processes now and then.
	$(BIN)/python -m pytest -n 3 --dist worksteal $(if $(SLOW)$(filter-out tests,$(TESTS)),,-m "not slow") $(TESTS)

.PHONY: chaos
chaos: setup ## Kill servers and agents at random under load for a minute (SECONDS=n, SEED=n)
	PENSTOCK_CHAOS_SECONDS=$(or $(SECONDS),60) PENSTOCK_CHAOS_SEED=$(SEED) $(BIN)/python -m pytest -n 0 tests/e2e/test_chaos.py

.PHONY: check
check: setup ## Check format, lint, types, import rules and budgets
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/architecture

.PHONY: fmt
fmt: setup ## Format the sources and mend what the linter can
	$(BIN)/ruff check --fix-only --quiet $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

.PHONY: bench
bench: setup ## Measure the hot paths as ratios to a floor; writes docs/benchmarks.md
	$(BIN)/python -m bench

.PHONY: docs
docs: .venv/.docs ## Build the documentation into docs/_build
	$(BIN)/sphinx-build -q -W -b html docs docs/_build/html

.PHONY: requirements
requirements: ## Pin the newest allowed versions, with hashes and without addresses (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements/run.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements/build.in -c requirements/run.txt -o requirements/build.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml --group dev -c requirements/run.txt -c requirements/build.txt -o requirements/dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --group docs -c requirements/dev.txt -o requirements/docs.txt
