# Everything that a person or CI does here. `make` alone says what there is.
# The first of these that is new enough; `make run PYTHON=…` names another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PORT ?= 5000
VENV := .venv
BIN := $(VENV)/bin
SOAK_REPORT ?= $(CURDIR)/soak.jsonl
export PORT

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test coverage gates mutants soak sbom lint format lock bench screenshot clean

help: ## Say what there is
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.run ## Migrate and fill the database of DATABASE_URL, then serve on 127.0.0.1:PORT
	@$(BIN)/flask --app app bootstrap
	@exec $(BIN)/flask --app app serve

test: $(VENV)/.dev ## Run all tests, on SQLite and on PostgreSQL
	@$(BIN)/python -m pytest -n 2 --dist worksteal $(TESTS)

coverage: $(VENV)/.dev ## Run the tests of models and customer API, and hold the modules of pyproject.toml to 100 % of their branches
	@$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term tests/models tests/blueprints/api $(TESTS)

gates: $(VENV)/.gates ## Look for insecure code and for known holes in what is locked
	@$(BIN)/bandit -q -ll -c pyproject.toml -r app.py config.py models blueprints migrations sdk/python/queuekey
	@$(BIN)/python -m tests.advisories

mutants: $(VENV)/.gates ## Put small faults into those modules and see that tests notice; MODULES=models/token.py for some
	@$(BIN)/python -m tests.mutants $(MODULES)

soak: $(VENV)/.dev ## Measure the figures of docs/reliability.md in full, for hours; SOAK_SCALE=0.01 for a hundredth
	@rm -f $(SOAK_REPORT)
	@status=0; SOAK_REPORT=$(SOAK_REPORT) $(BIN)/python -m pytest tests/soak $(TESTS) || status=$$?; \
		$(BIN)/python -m tests.soak.table $(SOAK_REPORT); exit $$status

sbom: $(VENV)/.gates ## Write sbom.json: what the product is made of (CycloneDX)
	@$(BIN)/cyclonedx-py requirements requirements.txt --output-reproducible --output-file sbom.json

lint: $(VENV)/.dev ## Check style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .

format: $(VENV)/.dev ## Bring the code into its format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: $(VENV)/.dev ## Lock the newest versions that requirements*.in allow
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --upgrade requirements.in -o requirements.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --upgrade requirements-dev.in -o requirements-dev.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --upgrade requirements-gates.in -o requirements-gates.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --upgrade benchmarks/requirements.in -o benchmarks/requirements.txt

bench: benchmarks/.venv/.installed ## Measure, and write docs/performance.md; BENCH="--help" says what can be chosen
	@benchmarks/.venv/bin/python -m benchmarks $(BENCH)

screenshot: $(VENV)/.dev ## Make docs/screenshot.png from the running product
	@$(BIN)/python -m tests.browser.screenshots

clean: ## Remove what make built; the database in instance/ stays
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Queuekey needs Python 3.11 or newer. Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	@echo "Installing what Queuekey needs into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing what the tests need into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.run

$(VENV)/.gates: requirements-gates.txt | $(VENV)/bin/python
	@echo "Installing what the gates need into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-gates.txt
	@touch $@ $(VENV)/.dev $(VENV)/.run

benchmarks/.venv/.installed: benchmarks/requirements.txt
	@echo "Installing what the benchmarks need into benchmarks/.venv"
	@$(PYTHON) -m venv benchmarks/.venv
	@benchmarks/.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/requirements.txt
	@touch $@
