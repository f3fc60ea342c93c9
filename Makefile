# All that a developer runs. `make` alone tells what there is.
SHELL := /bin/sh
BIN := .venv/bin
CODE := policies bot handlers sandbox tests scripts $(wildcard bench)
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

.PHONY: help setup demo demo-script test check fix papers lock campaign laws bench mutants clean

help: ## Tell what there is
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 14

setup: ## Make .venv with all that running and testing need
	@sh scripts/setup

demo: setup ## Start the sandbox world with the bot, to play with
	@$(BIN)/countersign demo $(ARGS)

demo-script: setup ## Play a day in the sandbox, print it, and check its outcome
	@$(BIN)/countersign demo --script $(ARGS)

test: setup ## Run the tests (ARGS="-k word" for some of them)
	@$(BIN)/python -m pytest -n 3 $(ARGS)

check: setup ## Check form, style, types and imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --explicit-package-bases $(CODE)
	$(BIN)/lint-imports

fix: setup ## Format, and mend what can be mended without thought
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

papers: setup ## Write the papers that are made from code
	$(BIN)/python -m scripts.papers

lock: setup ## Write requirements/*.txt (ARGS=--upgrade moves the pins)
	@sh scripts/lock $(ARGS)

campaign: setup ## Try to break it at length, and print a table (ARGS="sweep model" for some parts)
	@COUNTERSIGN_CAMPAIGN=$${COUNTERSIGN_CAMPAIGN:-long} $(BIN)/python -m tests.campaign $(ARGS)

laws: setup ## Run the tests at length: fifty times as many examples, the real servers asked for
	COUNTERSIGN_TEST_REAL=1 $(BIN)/python -m pytest -n 2 -p tests.at_length --timeout=3600 $(ARGS)

mutants: setup ## Make small faults in what decides, and see which no test notices (ARGS="tally")
	@$(BIN)/python -m tests.mutation $(ARGS)

bench: setup ## Run every measurement of bench/
	@for script in bench/*.py; do echo "$$script"; $(BIN)/python "$$script" || exit 1; done

clean: ## Throw away all that can be made again
	rm -rf .venv build dist *.egg-info .coverage .coverage.* coverage.xml .hypothesis .mypy_cache .ruff_cache
	rm -rf .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
