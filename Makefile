# Skerry's commands. `make` alone lists them. Settings: docs/reference/settings.md.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

SETUP := sh contrib/setup/bootstrap.sh
# Looked up when used: where the service users cannot reach the checkout, .venv is a link, and tests run programs as them.
BIN = $(shell readlink -f .venv)/bin
# Options for pytest or the benchmarks: make test ARGS="tests/unit -k status"
ARGS ?=
# How many tests run at a time; tests/scheduling.py keeps apart those that share the host. WORKERS=0: all in one process.
WORKERS ?= 3
# make test DEPTH=long makes up far more requests to the API (tests/support/fuzz.py).
DEPTH ?= short
# The version of htmx in static/vendor/ (docs/dependencies.md).
HTMX := 2.0.11

.PHONY: help up down test screenshots check bench lock vendor clean environment test-environment

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

up: ## Install what is missing, start server and runner, run the sample pipeline, serve until Ctrl-C (DETACH=1: return then)
	@$(SETUP) up $(if $(filter-out 0 no false,$(DETACH)),--detach)

down: ## Stop what `make up` started
	@$(SETUP) down

test: test-environment ## Run all tests (ARGS="..." goes to pytest, DEPTH=long searches longer)
	@PYTHONDONTWRITEBYTECODE= SKERRY_TEST_DEPTH=$(DEPTH) $(BIN)/python -m pytest -n $(WORKERS) --durations=25 $(ARGS)

screenshots: test-environment ## Take the pictures of the main pages that the README shows
	@SKERRY_SCREENSHOTS=docs/screenshots $(BIN)/python -m pytest tests/browser/test_screenshots.py

check: environment ## Check style, types and the arrows between the layers
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/python -m mypy --strict contrib/setup/skerry_setup contrib/setup/main.py
	@$(BIN)/lint-imports

bench: environment ## Measure what is fast, side by side with the bare parts it is made of
	@$(BIN)/python -m bench $(ARGS)

lock: environment ## Resolve the dependencies anew and pin them by hash
	@$(BIN)/python -m venv .venv/lock && .venv/lock/bin/pip install --quiet uv
	@for group in build run dev; do \
	    case $$group in \
	        build) set -- --group build; file=requirements-build.lock ;; \
	        run) set -- pyproject.toml; file=requirements.lock ;; \
	        dev) set -- pyproject.toml --group dev; file=requirements-dev.lock ;; \
	    esac; \
	    .venv/lock/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate \
	        "$$@" --output-file $$file || exit 1; \
	done

vendor: ## Fetch the pages' scripts of others from npm, at the versions named above
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	    npm pack --silent --pack-destination "$$folder" "htmx.org@$(HTMX)" && tar -xzf "$$folder"/*.tgz -C "$$folder" && \
	    cp "$$folder/package/dist/htmx.min.js" static/vendor/htmx.min.js && cp "$$folder/package/LICENSE" static/vendor/htmx.LICENSE
	@sha256sum static/vendor/htmx.min.js

clean: ## Remove what tools left behind; data and environment stay
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage *.egg-info
	@find . -path ./data -prune -o -path './.venv*' -prune -o -name __pycache__ -type d -exec rm -rf {} +

environment:
	@$(SETUP) environment --development

test-environment:
	@$(SETUP) environment --development --test-host
