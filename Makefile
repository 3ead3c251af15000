PYTHON := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help install check lint test test-all parity golden bench

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

install:  ## make .venv with the pinned dependencies
	@./dev python -c pass

check: lint test  ## what CI runs first

lint: install  ## ruff, mypy, import-linter
	.venv/bin/ruff check .
	.venv/bin/mypy argo_yaml_provider
	.venv/bin/lint-imports

test:  ## the tests that need nothing
	./dev test

test-all:  ## also those that need a cluster (KUBECONFIG)
	./dev test -m ''

parity: install  ## compare with what Argo did: make parity [FILES="hello-world steps"] [BACKEND=embedded|cluster]
	$(PYTHON) -m tests.parity.run --backend $(or $(BACKEND),embedded) $(FILES)

golden: install  ## rewrite the golden files; read the diff
	$(PYTHON) -m pytest --update-golden

bench: install  ## print the benchmarks' ratios
	for f in bench/*.py; do $(PYTHON) $$f || exit 1; done
