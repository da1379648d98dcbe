# Every command a person or CI needs. `make` alone lists them.
PYTHON ?= python3
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev setup-glue setup-otava run test test-ministack test-all lint types lock reference reproduction clean

help: ## list what one can do
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make .venv and .venv-emulator (reused when nothing changed)
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "setup: $(PYTHON) was not found: install Python 3.11 or later, or name one with make PYTHON=/path/to/python3" >&2; exit 4; }
	@$(PYTHON) requirements/install.py

setup-dev:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "setup: $(PYTHON) was not found: install Python 3.11 or later, or name one with make PYTHON=/path/to/python3" >&2; exit 4; }
	@$(PYTHON) requirements/install.py --dev

setup-glue: setup ## also make .venv-glue, with Spark: the design that the pipeline replaced runs in it (needs Java 17)
	@$(PYTHON) requirements/install.py --glue

setup-otava: setup ## also make .venv-otava: apache-otava, whose change points `harness trend` shows beside its own
	@$(PYTHON) requirements/install.py --otava

run: setup ## the main job: 100 files a minute for two minutes through the whole pipeline, and a verdict
	@.venv/bin/harness run steady --time-scale 60 --duration 2m

test: setup-dev lint types ## lint, types and the quick tests (end to end included)
	@.venv/bin/python -m pytest -m "not slow"
	@$(MAKE) --no-print-directory test-ministack

test-ministack: setup-dev ## the contract tests of Lambda and SQS against MiniStack: they must find what docs/fidelity.md says
	@NRT_CONTRACT_ENDPOINT=ministack NRT_FIDELITY_EXPECT="MiniStack $$(sed -n 's/^ministack==\([^ ]*\).*/\1/p' requirements/ministack.txt)" \
	    .venv/bin/python -m pytest -q -r fEX -m "not slow" tests/contract/localstack

test-all: setup-dev setup-otava lint types ## everything, the long tests included
	@.venv/bin/python -m pytest

lint: setup-dev ## ruff: style and formatting
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .

types: setup-dev ## mypy, strict
	@.venv/bin/mypy

lock: setup ## resolve requirements/*.in again into hash-pinned requirements/*.txt
	@$(PYTHON) requirements/lock.py

reference: setup ## write docs/reference/ from the code
	@.venv/bin/python -m harness.reference docs/reference

# A run that is there is kept; a verdict of fail or inconclusive is a figure too.
REPRODUCTION := runs/reproduction
AS_PUBLISHED := --rate 100/min --records 10000 --function-s 25s --maximum-concurrency 12

reproduction: setup ## the original's load at the true clock and compressed (about 90 minutes), and docs/reproduction.md
	@mkdir -p $(REPRODUCTION)
	@[ -e $(REPRODUCTION)/realtime ] || .venv/bin/harness run steady --realtime --duration 45m $(AS_PUBLISHED) --out $(REPRODUCTION)/realtime || [ $$? -le 3 ]
	@[ -e $(REPRODUCTION)/scale-10 ] || .venv/bin/harness run steady --time-scale 10 --duration 10m $(AS_PUBLISHED) --out $(REPRODUCTION)/scale-10 || [ $$? -le 3 ]
	@[ -e $(REPRODUCTION)/scale-60 ] || .venv/bin/harness run steady --time-scale 60 --duration 5m $(AS_PUBLISHED) --out $(REPRODUCTION)/scale-60 || [ $$? -le 3 ]
	@[ ! -e glue.toml ] || [ -e $(REPRODUCTION)/glue ] || .venv/bin/harness run steady --pipeline glue.toml --time-scale 20 --duration 270s --rate 100/min --records 10000 --out $(REPRODUCTION)/glue || [ $$? -le 4 ]
	@.venv/bin/harness reproduce $(REPRODUCTION) --out docs/reproduction.md

clean: ## remove what setup and runs made
	@rm -rf .venv .venv-emulator .venv-glue .venv-ministack .venv-otava .harness runs
