# Spikeloom's front door. `make demo` and `make test` set up everything they need.

VENV := .venv
BIN := $(VENV)/bin
RUN := runs/demo
CONFIG := examples/digits.toml
TARGET := icebreaker
# Test processes at once; one thread each, so that they do not fight over the cores.
JOBS ?= 2
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
CXX_FOUND := $(shell for c in $${CXX:-c++} c++ g++ clang++; do command -v $$c && break; done)

# What the tools build and may build again lives in the clone, and `make clean` removes it.
export SPIKELOOM_CACHE ?= $(CURDIR)/.cache/spikeloom
export MPLCONFIGDIR ?= $(CURDIR)/.cache/matplotlib
SPIKELOOM := $(BIN)/spikeloom
# A file's tests run in one process, so that what they share is made once.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --durations=20

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup tools demo test test-all formal bitstreams mutation mutation-python bench fuzz lint format clean

help: ## Show this list
	@echo "Spikeloom: spiking neural networks from PyTorch to an open FPGA"; echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

tools:
	@test -n "$(PYTHON)" || { echo "Spikeloom needs Python 3.11 or newer; install python3, \
	or name one: make PYTHON=/path/to/python3" >&2; exit 2; }
	@test -n "$(CXX_FOUND)" || { echo "Spikeloom needs a C++ compiler for Verilator; \
	install g++ or clang" >&2; exit 2; }
	@command -v perl >/dev/null || { echo "Spikeloom needs perl for Verilator; install perl" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Spikeloom needs the venv module \
	of $(PYTHON); install python3-venv" >&2; exit 2; }

setup: $(VENV)/ready ## Make the virtual environment, with the tested versions of everything

$(VENV)/ready: pyproject.toml constraints.txt | tools
	@echo "setting up $(VENV) (a few minutes the first time)"
	@$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check \
		-c constraints.txt -e '.[train,data,import,hw,cosim,host,formal,dev]'
	@touch $@

demo: setup ## Digits to a verified bitstream: train, export, estimate, verify, synthesise, report
	$(SPIKELOOM) train $(CONFIG) -o $(RUN)
	$(SPIKELOOM) export $(RUN)
	$(SPIKELOOM) inspect $(RUN)/network.safetensors
	$(SPIKELOOM) estimate $(RUN)/network.safetensors --target $(TARGET)
	$(SPIKELOOM) generate $(RUN)/network.safetensors --target $(TARGET) --lanes 8
	$(SPIKELOOM) verify $(RUN)/network.safetensors --lanes 1 --lanes 8
	$(SPIKELOOM) synth $(RUN)/network.safetensors --target $(TARGET)
	$(SPIKELOOM) report $(RUN)

test: setup ## Run the tests, all but the slow ones
	$(PYTEST) -m "not slow" --hypothesis-profile=repeatable

test-all: setup ## Run every test, and print the coverage
	$(PYTEST) --cov --cov-report=term

formal: setup ## Prove properties of the gateware with sby and z3, for every input
	$(BIN)/python -m spikeloom_hw.formal --jobs $(JOBS) --results benchmarks/results/proof/formal.json

bitstreams: setup ## Rebuild every bitstream in bitstreams/ and compare its sha256
	$(BIN)/python bitstreams/build.py check

mutation: setup ## Mutate the gateware, and see whether the check kills each mutant (10 minutes)
	$(BIN)/python benchmarks/mutation.py
	$(BIN)/python benchmarks/rtl_coverage.py

mutation-python: setup ## Mutate the Python sources, and see whether the tests notice (an hour)
	$(BIN)/python benchmarks/mutation_python.py --jobs $(JOBS)

bench: setup ## Measure against peers; results go to benchmarks/results (needs SPIKELOOM_DATA)
	@echo "training_speed: a training step against snnTorch's and SpikingJelly's, 10 minutes"
	$(BIN)/python benchmarks/training_speed.py

fuzz: setup ## A million inputs for the loaders, 5,000 random networks for the core, and a soak (1 h)
	$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[fuzz]'
	$(BIN)/python benchmarks/fuzz_loaders.py
	$(BIN)/python benchmarks/random_networks.py run
	$(BIN)/python benchmarks/random_networks.py fixed
	$(BIN)/python benchmarks/random_networks.py resets
	$(BIN)/python benchmarks/random_networks.py soak

lint: setup ## Check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

format: setup ## Format the code, and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove the environment, the caches and the runs
	rm -rf $(VENV) .cache runs build dist .pytest_cache .ruff_cache .hypothesis .coverage .coverage.*
