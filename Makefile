# Each target does all its own set-up and can be run again; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo light check fix test all test-elsewhere test-oldest test-deep lint docs bench constraints clean
.PHONY: build release audit test-federated demo-federated
.PHONY: lint-all ruff format types types-here types-windows types-mac types-public arrows dependencies site changelog

BIN := .venv/bin
READY := .venv/.ready
PROJECTS := pyproject.toml $(wildcard distributions/*/pyproject.toml)
LIGHT := .venv-light/.ready
OLDEST := .venv-oldest/.ready
FEDERATED := .venv-federated/.ready
QUICK := $(or $(wildcard $(READY)),$(LIGHT))
export NO_MKDOCS_2_WARNING := 1
unexport PYTHONDONTWRITEBYTECODE  # or each process of a test compiles our packages anew

help:
	@echo "make demo   train on generated X-ray phantoms into demo-output/ and show the stored run"
	@echo "make demo-federated  the same at three clients on Flower, one of which is killed; in an environment of its own"
	@echo "make light  an environment without PyTorch, for make check: under a minute"
	@echo "make check  style, types and arrows, in seconds; with T=tests/runstore/test_query.py that test as well"
	@echo "make fix    format, and mend what ruff can"
	@echo "make test   run the tests, against real servers; with T=tests/... only those, on one Python"
	@echo "make lint   check style, types, arrows, dependencies, documentation and changelog"
	@echo "make all    lint and test: what continuous integration runs"
	@echo "make docs   build the documentation into site/"
	@echo "make bench  measure runstore beside the raw drivers, under three minutes (python -m benchmarks --help for all)"
	@echo "make clean  remove everything that the other targets made"
	@echo "make test-federated  the tests that need Flower, in an environment of its own"
	@echo "make test-oldest  the tests without PyTorch, on the oldest versions of what runstore needs"
	@echo "make test-elsewhere  tests of journals and SQLite files, with what Windows lacks taken away"
	@echo "make test-deep    the tests with fifty times as many generated examples, other ones each time: hours"
	@echo "make build  build the three distributions into dist/, check them, and list what they bring (CycloneDX)"
	@echo "make release VERSION=1.2.0  make a release up to what can be taken back; with DRY=--dry-run only try it"
	@echo "make audit  ask an advisory service about each package that our distributions bring"
	@echo "make constraints  write constraints.txt anew with the newest versions; then try them with make test lint"

$(READY): $(PROJECTS) constraints.txt scripts/make-environment
	@scripts/make-environment .venv
	@touch $@

$(LIGHT): $(PROJECTS) constraints.txt scripts/make-environment
	@scripts/make-environment .venv-light light
	@touch $@

$(OLDEST): $(PROJECTS) scripts/make-environment
	@scripts/make-environment .venv-oldest oldest
	@touch $@

$(FEDERATED): $(PROJECTS) constraints-federated.txt scripts/make-environment
	@scripts/make-environment .venv-federated federated
	@touch $@

light: $(LIGHT)

# T goes to pytest as it stands: a path, a path::test, or "tests/runstore -k like".
check: $(QUICK)
	@scripts/check $(T)

fix: $(QUICK)
	@-$(<D)/bin/ruff check --fix --quiet .
	@$(<D)/bin/ruff format --quiet .

demo: $(READY)
	@$(BIN)/pneumo-train demo

demo-federated: $(FEDERATED)
	@.venv-federated/bin/pneumo-train demo --federated true

test: $(READY)
	@scripts/run-tests $(T)

# Two files at a time: those over a network wait for minutes, and conftest.py there has them begun first.
test-federated: $(FEDERATED)
	@.venv-federated/bin/python -m pytest -q -p no:cacheprovider \
	    $(or $(T),-n 2 --dist loadfile --no-loadscope-reorder tests/federated)

test-elsewhere: $(READY)
	@scripts/test-elsewhere $(T)

# All run, also when the first has failed.
all: $(READY)
	@$(MAKE) --no-print-directory --keep-going lint test-elsewhere test test-federated

# On SQLAlchemy 2.0 a program that ends by Ctrl-C exits with 1 where CPython means the signal: SQLAlchemy runs generated
# code while our store is left, and that makes CPython forget it.
test-oldest: $(OLDEST)
	@.venv-oldest/bin/python -m pytest -q -n auto -p no:cacheprovider -m "not training and not data and not packaging" \
	    --ignore tests/kit --ignore tests/benchmarks --ignore tests/documentation \
	    -k "not ends_by_ctrl_c and not held_to_the_end" $(T)

test-deep: $(READY)
	@RUNSTORE_HYPOTHESIS_PROFILE=deep scripts/run-tests --timeout 14400

constraints: $(READY)
	@scripts/renew-constraints

build: $(READY)
	@$(BIN)/python scripts/distributions.py dist

release: $(READY)
	@$(BIN)/python scripts/release.py $(VERSION) $(DRY)

# With AUDIT="-s osv" the options go to pip-audit.
audit: $(READY)
	@$(BIN)/python scripts/audit.py $(AUDIT)

bench: $(READY)
	@$(BIN)/python -m benchmarks --quick

docs: site
	@echo "open site/index.html"

# All checks run, also after one has failed; two at a time, what each prints in one piece.
lint: $(READY)
	@$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target lint-all

lint-all: types ruff format arrows dependencies site changelog

ruff: $(READY)
	$(BIN)/ruff check .

format: $(READY)
	$(BIN)/ruff format --check .

types: types-here types-windows types-mac types-public

types-here: $(READY)
	$(BIN)/mypy

types-windows: $(READY)
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32 src  # a name that Windows lacks is an error

types-mac: $(READY)
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin src

types-public: $(READY)
	$(BIN)/python scripts/public_types.py  # what a user's pyright knows of the public names

arrows: $(READY)
	$(BIN)/lint-imports --no-logo

dependencies: $(READY)
	$(BIN)/deptry src/runstore src/runstore_sql src/runstore_mongo src/runstore_ui --extend-exclude src/runstore/testing
	$(BIN)/deptry src/runstore/testing --config distributions/testing/pyproject.toml
	$(BIN)/deptry src/pneumo_train --config distributions/pneumo-train/pyproject.toml

site: $(READY)
	$(BIN)/mkdocs build --strict  # not --quiet: that hides the warnings from --strict, too

changelog: $(READY)
	$(BIN)/towncrier build --draft --version next > /dev/null

clean:
	rm -rf .venv .venv-* .benchmarks site build dist demo-output
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
