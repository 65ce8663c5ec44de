# Everything that people and CI run. On a fresh machine each target sets up what it needs first.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
TEST_ARGS ?=
STOP_TEST_SERVERS := $(BIN)/python -m erp.embedded stop-if-idle var/test >/dev/null
MODULES := admin_app finance logistics storefront

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run stop test lint bench soak clean venv venv-run

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: venv-run ## start everything; prints URLs and demo logins; Ctrl-C stops all of it
	@exec $(BIN)/python manage.py up

stop: ## stop everything that `make run` started
	@if [ -x $(BIN)/python ]; then ERP_START_SERVICES=0 $(BIN)/python manage.py down; else echo "nothing is running"; fi

test: venv ## all tests, on servers of their own below var/test
	@trap '$(STOP_TEST_SERVERS)' EXIT; \
	  $(BIN)/python -m pytest -n 2 --dist loadfile -m "not soak" $(TEST_ARGS)

soak: venv ## the long forms of tests
	@trap '$(STOP_TEST_SERVERS)' EXIT; \
	  $(BIN)/python -m pytest -m soak -rP $(TEST_ARGS)

lint: venv ## ruff, import rules, types, migrations, deployment checks
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/mypy erp $(MODULES)
	@trap '$(STOP_TEST_SERVERS)' EXIT; export ERP_HOME=var/test; \
	  ERP_DB_ROLE=ddl $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run; \
	  ERP_HTTPS=1 $(BIN)/python manage.py check --deploy --fail-level WARNING

bench: venv ## benchmarks against stated limits; JSON in bench/results
	@trap '$(BIN)/python -m erp.embedded stop-if-idle var/bench >/dev/null' EXIT; $(BIN)/python -m bench

clean: stop ## remove the venv and all data, also what lies outside of the project
	@if [ -x $(BIN)/python ]; then for home in var/test var; do \
	  $(BIN)/python -m erp.embedded destroy $$home; done; fi
	@rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

venv-run:
	@PYTHON='$(PYTHON)' bash .ci/venv requirements.txt

venv:
	@PYTHON='$(PYTHON)' bash .ci/venv requirements-dev.txt
