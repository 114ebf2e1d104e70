# Every command of the house. `make` alone lists them. Needs Python 3.11 or newer and make; writes only inside this folder.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
GROCER := examples/grocer

# Nothing phones home.
export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run test check bench docs lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(READY) ## one whole night on the grocer's published year, as a Prefect flow; ends with a summary
	$(BIN)/vesper demo run

test: $(READY) ## every test; pass some with ARGS="tests/house -k floors"
	$(BIN)/python -m pytest $(if $(ARGS),$(ARGS),-n 2 --no-loadscope-reorder)

check: $(READY) ## format, lint, types, floors, definitions, generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vesper check --workspace $(GROCER)
	$(BIN)/python -m docs.generate --check
	@$(BIN)/python -m deployments.generate --check || { echo "prefect.yaml: not what deployments/registry.py says; run make docs"; exit 1; }

bench: $(READY) ## the night over the full year, beside the same tables written by hand in SQL
	$(BIN)/python -m bench.night --json

docs: $(READY) ## write the generated pages and editor schemas again; run `make test` before
	$(BIN)/python -m docs.generate
	$(BIN)/python -m deployments.generate

lock: $(READY) ## resolve requirements.lock again from pyproject.toml; ARGS=--upgrade for newer releases
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --no-annotate \
	  --no-header --no-emit-index-url --no-emit-find-links --quiet --output-file requirements.lock $(ARGS)

clean: ## remove what make made: environment, caches, the example's lake and ledger
	rm -rf .venv .vesper-test .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info $(GROCER)/.vesper
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment: exactly the lock, then this folder itself. Built again when either file changes.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 15) else \
	  f"Vesper needs Python 3.11 to 3.14, and $(PYTHON) is {v[0]}.{v[1]}. Name another one: make PYTHON=python3.12 run")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-cache-dir --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-cache-dir --no-deps --no-build-isolation --editable .
	touch $@
