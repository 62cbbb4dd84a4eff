# Lendery. `make` or `make help` lists what there is.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help run demo test test-deep test-faults lint format typecheck imports contracts migrate migration bench check clean lock

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# pip is quiet; the environment is made anew only when the locked requirements change.
$(VENV)/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Lendery needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Choose another with make PYTHON=python3.12")'
	@echo "Making the environment in $(VENV) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.developing: $(VENV)/.installed requirements-dev.txt
	@echo "Adding the tools for development ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

run: $(VENV)/.installed ## Run the whole platform on http://localhost:8000 (Ctrl-C stops it; the data stays)
	@$(BIN)/lendery up

demo: $(VENV)/.installed ## Play the lending story, step by step, on a running platform or on one started for it
	@$(BIN)/lendery demo

test: $(VENV)/.developing ## Run every test (PostgreSQL and RabbitMQ are found or started)
	@$(BIN)/python -m pytest -n 4 --dist loadgroup -m "not slow and not long" $(ARGS)

test-deep: $(VENV)/.developing ## Drive the ledger with 100,000 operations against its model (20 to 40 minutes)
	@LENDERY_DEEP_OPERATIONS=$${LENDERY_DEEP_OPERATIONS:-100000} $(BIN)/python -m pytest tests/deep -s $(ARGS)

test-faults: $(VENV)/.developing ## Break servers, connections and processes under the ledger and the platform
	@$(BIN)/python -m pytest tests/faults tests/service/wallet_ledger/test_faults.py tests/service/wallet_ledger/test_tampering.py -s $(ARGS)

lint: $(VENV)/.developing ## Style, dependency rules, YAML, Dockerfile
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/yamllint --strict docker-compose.yml .pre-commit-config.yaml
	@$(BIN)/hadolint Dockerfile

format: $(VENV)/.developing ## Put the code into its one format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

typecheck: $(VENV)/.developing ## Check every type, strictly
	@$(BIN)/mypy

contracts: $(VENV)/.developing ## Write the event schemas, AsyncAPI, OpenAPI and problem codes to docs/
	@$(BIN)/python -m shared.contracts.generate $(ARGS)
	@$(BIN)/python -m runtime.documents $(ARGS)

migrate: $(VENV)/.installed ## Bring the database of DATABASE_URL to the present shape
	@$(BIN)/lendery migrate

migration: $(VENV)/.developing ## Write a migration: make migration SERVICE=lending NAME=lending_0002 MESSAGE="Loans have a tag" (needs DATABASE_URL)
	@$(BIN)/alembic -c migrations/alembic.ini revision --autogenerate --head $(SERVICE)@head --rev-id $(NAME) \
		--version-path migrations/versions/$(SERVICE) -m "$(MESSAGE)"

bench: bench-ledger ## Measure the ledger against pgbench on the same server (ARGS=--help says how)

.PHONY: bench-ledger
bench-ledger: $(VENV)/.developing
	@$(BIN)/python -m bench.ledger $(ARGS)

.PHONY: bench-gateway
bench-gateway: $(VENV)/.developing ## Measure the gateway between a bare aiohttp proxy and nginx (needs wrk and nginx)
	@$(BIN)/python -m bench.gateway $(ARGS)

.PHONY: bench-ledger-scale
bench-ledger-scale: $(VENV)/.developing
	@$(BIN)/python -m bench.ledger_scale $(ARGS)

check: lint typecheck contracts-check test ## Everything that CI runs

.PHONY: contracts-check
contracts-check: ARGS = --check
contracts-check: contracts

lock: ## Lock the requirements again (needs uv)
	@uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml -o requirements.txt
	@uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt

clean: ## Remove the environment and caches (the platform's data stays)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
