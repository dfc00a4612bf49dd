# What to run, in one place: `make help`.
SHELL := /bin/bash
# The system's own where it will do: distributions build it with profiles of real programs, version managers
# mostly without, which costs a tenth of every run.
PYTHON ?= $(shell for each in /usr/bin/python3 python3.11 python3.13 python3.12; do \
	"$$each" -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& command -v "$$each" && exit; done; command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := bars_portal bookings directory referrals tests benchmarks manage.py
# Compiled afterwards, on all cores; a few packages carry files that no Python compiles.
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes --no-compile
COMPILE := $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
# Universal: a package that only one of the Pythons needs stands in the lock with its marker.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(LOCK_ARGS)
PEER := var/peer
PYTEST := $(BIN)/python -m pytest
PYTEST_ARGS ?=
# Three for two cores: one of them mostly waits, for a browser or for a deadline. What stays together, and in
# which order, tests/groups.py says.
BOTH_CORES := -n 3 --dist loadgroup --no-loadscope-reorder
LOCK_ARGS ?=
# Every program that a test starts would compile the portal anew: half of its start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo onboarding-demo test fast live browser further thorough ways assets check tests-of-ci beside-the-tests lint types contracts migrations bench bite fuzz chaos api-changes lock format security audit

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

demo: $(VENV)/.local-stamp ## set up and run everything on this machine; RESET=1 starts from empty
	@$(BIN)/python -m bars_portal.nhsuk.build
	@RESET=$(RESET) exec $(BIN)/python -m bars_portal.demo

onboarding-demo: $(VENV)/.local-stamp ## a new organisation from nothing to a booking through its own new certificate; PAGES=1 leaves the steps to you
	@$(BIN)/python -m bars_portal.nhsuk.build
	@PAGES=$(PAGES) BARS_VAR=$(CURDIR)/var/onboarding exec $(BIN)/python -m bars_portal.demo.onboarding

test: assets ## every day's tests in one run, journeys in chromium where it is installed; says what it skipped
	$(PYTEST) -rs $(BOTH_CORES) $(PYTEST_ARGS)

fast: assets ## tests without the running demo and without a browser
	$(PYTEST) -rs $(BOTH_CORES) --ignore tests/live --ignore tests/browser $(PYTEST_ARGS)

live: assets ## the whole demo over real TLS
	$(PYTEST) -rs tests/live $(PYTEST_ARGS)

browser: assets ## the journeys in a real browser
	$(PYTEST) -rs tests/browser -m "not thorough" $(PYTEST_ARGS)

further: assets ## what make test leaves to CI: long tests, and second ways, roles and widths
	$(PYTEST) -rs $(BOTH_CORES) -m "further and not thorough" $(PYTEST_ARGS)

thorough: assets ## what is too long for every day: every fault over HTTP, many random examples, ten minutes of fuzzing
	$(PYTEST) -rs $(BOTH_CORES) -m "" --hypothesis-profile thorough $(PYTEST_ARGS)
	@$(MAKE) --no-print-directory fuzz

ways: assets ## walk the main ways by real requests and write their tables into docs/ARCHITECTURE.md
	WRITE_WAYS=1 $(PYTEST) tests/integration/*/test_way.py

assets: $(VENV)/.dev-stamp
	@$(BIN)/python -m bars_portal.nhsuk.build

check: assets ## everything that CI runs: every test but the thorough in one run, and beside it what is no test
	@$(MAKE) --no-print-directory --jobs 2 tests-of-ci beside-the-tests

tests-of-ci:
	@$(MAKE) --no-print-directory test PYTEST_ARGS='-m "not thorough" $(PYTEST_ARGS)'

# Tests are timed, and these are not: they take what the tests leave.
beside-the-tests: $(VENV)/.dev-stamp
	@nice -n 10 $(MAKE) --no-print-directory lint types contracts migrations security api-changes

lint: $(VENV)/.dev-stamp ## ruff, rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev-stamp ## mypy, strict
	$(BIN)/mypy $(PACKAGES)

contracts: $(VENV)/.dev-stamp ## who may import whom
	$(BIN)/lint-imports

# What is random on purpose (digests, ids) is no secret: the detectors of entropy are off. In tests the word
# "password" is mostly what they are about: there only what has the shape of a real key is looked for. Nor is a
# sentence one.
SECRETS := $(BIN)/detect-secrets-hook --disable-plugin Base64HighEntropyString --disable-plugin HexHighEntropyString \
	--exclude-secrets '^(password|secret)$$' --exclude-secrets '^[A-Z][a-z]+( [A-Za-z]+){3,}$$'

security: $(VENV)/.dev-stamp ## unsafe code (bandit), and secrets that were committed (detect-secrets)
	$(BIN)/bandit --quiet --recursive --severity-level medium --configfile pyproject.toml bars_portal bookings directory referrals deploy
	git ls-files -z -- . ':!tests' ':!requirements' ':!package-lock.json' ':!*.png' | xargs -0 $(SECRETS)
	git ls-files -z -- tests | xargs -0 $(SECRETS) --disable-plugin KeywordDetector

api-changes: $(VENV)/.dev-stamp ## what changed in the API since the last commit of main; fails on what breaks callers
	@$(BIN)/python -m tests.api_changes

audit: ## known holes in our dependencies; asks services on the network, so it is no part of make check
	@test -x var/audit/bin/pip-audit || { $(PYTHON) -m venv var/audit && var/audit/bin/pip install --quiet pip-audit; }
	var/audit/bin/pip-audit --require-hashes --disable-pip --requirement requirements/production.txt

migrations: $(VENV)/.dev-stamp ## models and migrations agree
	DJANGO_SETTINGS_MODULE=bars_portal.settings.test $(BIN)/python -W ignore manage.py makemigrations --check --dry-run

bench: $(VENV)/.dev-stamp $(PEER)/.stamp ## measured ratios against floors of the same run; some minutes
	@failed=""; for file in benchmarks/bench_*.py; do echo "== $$file"; \
		$(BIN)/python "$$file" || failed="$$failed $$file"; done; \
	if [ -n "$$failed" ]; then echo "Missed or failed:$$failed"; exit 1; fi; echo "Every bound holds."

drill: $(VENV)/.local-stamp ## beside the running demo: every published sentinel through our sender; report in var/sender-drill
	@test -f var/manage.env || { echo "Start the demo first: make demo"; exit 1; }
	@$(BIN)/python manage.py bars_sender_drill --report var/sender-drill

fuzz: SECONDS = 600
fuzz: AT = all
fuzz: $(VENV)/.dev-stamp ## garbage at a real receiver and the API; SECONDS=600 each unless given, AT=api for one, exit code 1 on any breach
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) --at $(AT)

chaos: FAULT =
chaos: MESSAGES = 1000
chaos: $(VENV)/.dev-stamp ## real programs, 1,000 messages, one thing wrong: FAULT=kill-worker; without it all of them
	$(BIN)/python -m tests.chaos $(if $(FAULT),--fault $(FAULT)) --messages $(MESSAGES)

bite: assets ## small deliberate faults, one at a time: the tests must notice each; ONLY=text for some of them
	@$(BIN)/python -m tests.bite --only '$(ONLY)'

format: $(VENV)/.dev-stamp ## rewrite in the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/.dev-stamp ## renew the pinned dependencies in requirements/
	$(LOCK) -o requirements/production.txt pyproject.toml
	$(LOCK) --extra local -c requirements/production.txt -o requirements/local.txt pyproject.toml
	$(LOCK) --extra tracing -c requirements/production.txt -o requirements/tracing.txt pyproject.toml
	$(LOCK) --extra local --extra dev --extra tracing -c requirements/local.txt -o requirements/dev.txt pyproject.toml
	$(LOCK) -o requirements/bench.txt requirements/bench.in

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed (make PYTHON=/path/to/python3.11).")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.local-stamp: requirements/local.txt | $(BIN)/python
	@echo "Installing what the demo needs (once)..."
	@$(PIP) -r requirements/local.txt
	@$(COMPILE)
	@touch $@

$(VENV)/.dev-stamp: requirements/dev.txt | $(BIN)/python
	@echo "Installing what the tests need (once)..."
	@$(PIP) -r requirements/dev.txt
	@$(COMPILE)
	@touch $@

$(PEER)/.stamp: requirements/bench.txt
	@echo "Installing the server that bench_peers.py compares with (once)..."
	@$(BIN)/python -m venv $(PEER)
	@$(PEER)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/bench.txt
	@touch $@
