# `make help` lists what there is. Needed beforehand: Python 3.11 or later, git, and access to a package registry.

PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PIP = .venv/bin/python -m pip install --quiet --disable-pip-version-check
COMPILE = .venv/bin/uv pip compile pyproject.toml --quiet --group build --universal --python-version 3.11 \
	--system-certs --no-config --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
	$(if $(UPGRADE),--upgrade)
# worksteal: an idle worker takes over tests of a busy one.
PYTEST = .venv/bin/pytest -n 2 --dist worksteal

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check audit soak mutants bench bench-quick fmt openapi lock openssl

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.run-stamp ## make the environment if need be, and serve
	@.venv/bin/goodwill serve

test: .venv/.dev-stamp openssl ## the whole test suite
	$(PYTEST)

check: .venv/.dev-stamp openssl ## all that CI runs: format, lint, types, import rules, audit, tests
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/basedpyright
	.venv/bin/lint-imports --no-logo
	.venv/bin/python -m tests.audit
	$(PYTEST)

audit: .venv/.dev-stamp ## ask whether anything that is locked is known to be vulnerable; STRICT=1: fail if nobody answers
	.venv/bin/python -m tests.audit $(if $(STRICT),--strict)

soak: .venv/.dev-stamp ## the long forms of the tests of the laws: an hour of random histories, then a hundred kills
	GOODWILL_SOAK=1 .venv/bin/pytest -p no:xdist -o faulthandler_timeout=0 -s tests/laws tests/crash tests/api/test_malformed.py tests/api/test_schemathesis.py

mutants: .venv/.dev-stamp ## break five lines of the application, one by one, and see the tests fail
	.venv/bin/python -m benchmarks.mutants

bench: .venv/.dev-stamp ## every figure of the README as a ratio to its floor, under ten minutes
	.venv/bin/python -m benchmarks.bench

bench-quick: .venv/.dev-stamp ## the same in short slices, under 90 seconds
	.venv/bin/python -m benchmarks.bench --quick

fmt: .venv/.dev-stamp ## format, and mend what lint can mend
	.venv/bin/ruff check --fix-only --quiet .
	.venv/bin/ruff format .

openapi: .venv/.run-stamp ## write openapi/ anew from the code
	.venv/bin/goodwill openapi --webhooks openapi/webhooks > openapi/openapi.json.new
	mv openapi/openapi.json.new openapi/openapi.json

lock: .venv/.dev-stamp ## resolve requirements*.txt anew from pyproject.toml (UPGRADE=1: to the newest)
	$(COMPILE) --output-file requirements.txt
	$(COMPILE) --extra dev --constraint requirements.txt --output-file requirements-dev.txt

# The shell receiver of docs/receivers needs it; on Debian and as root it is installed if it is missing.
openssl:
	@command -v openssl >/dev/null || { apt-get update -qq && apt-get install -qq --no-install-recommends openssl; }

# The stamps make a second `make run` cost nothing; a change of the lock or the project makes the environment follow.
.venv/.run-stamp: requirements.txt pyproject.toml
	@test -x .venv/bin/pip || $(or $(PYTHON),$(error Python 3.11 or later is needed)) -m venv .venv
	$(PIP) --require-hashes --requirement requirements.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev-stamp: .venv/.run-stamp requirements-dev.txt
	$(PIP) --require-hashes --requirement requirements-dev.txt
	@touch $@
