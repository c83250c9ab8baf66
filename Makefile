# `make demo` and `make test` are all one needs. PIP_OPTIONS reaches pip: an index of CPU-only builds, a mirror.
#     make test PIP_OPTIONS="--extra-index-url URL"
PYTHON ?= python3
VENV ?= .venv
PIP_OPTIONS ?=
BIN := $(VENV)/bin

# Threads that spin while they wait starve the processes that share the cores with them.
export OMP_WAIT_POLICY := PASSIVE
export GOMP_SPINCOUNT := 0

.PHONY: setup demo test class lint bench seeds clean
setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt $(PIP_OPTIONS) --editable '.[dev]'
	touch $@

# Checks of the reference, a training on the embedded digits, the Dirac GAN, images, three flows, the report.
RUN := runs/demo-$(shell date +%Y%m%d-%H%M%S)
demo: setup
	$(BIN)/elbo check --implementation solutions
	$(BIN)/elbo train vae --implementation solutions --out $(RUN)
	$(BIN)/elbo train dirac --implementation solutions --out $(RUN)-dirac
	$(BIN)/elbo train cifar10 --implementation solutions --set config=cifar10-jsd-2 --out $(RUN)-images
	$(BIN)/elbo train flows --implementation solutions --set target=arcs --set mode=samples --out $(RUN)-flows
	$(BIN)/elbo report $(RUN) $(RUN)-dirac $(RUN)-images $(RUN)-flows --implementation solutions --out report.html

# A class of eight, from what it is given to feedback, with the real nbgrader; some minutes.
class: setup
	$(BIN)/python -m tests.worked --out class

test: setup lint
	$(BIN)/elbo release exercises --check
	$(BIN)/elbo audit
	$(BIN)/python -m pytest --implementation solutions -n 2 --dist loadfile --cov --cov-report=term:skip-covered

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Side by side with the original assignment's kind of code; some minutes.
bench: setup
	$(BIN)/python -m tests.bench

# The reference on 1,000 seeds; an hour.
seeds: setup
	$(BIN)/python -m tests.bench.seeds

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
