# Two commands for a newcomer: `make demo` and `make test`. Both make their own .venv first.
# Another Python: make demo PYTHON=/path/to/python3.12

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# -qq: pip prints errors only, not a line for every package.
PIP    := $(BIN)/python -m pip --disable-pip-version-check -qq

# The environments of the lowest and the newest versions, and what is tested in them: where values go in and out.
OLDEST       ?= .venv-oldest
NEWEST       ?= .venv-newest
OLDEST_TESTS ?= tests/api tests/network tests/tables tests/cli/test_score.py tests/diagnosis/test_scenarios.py

# A worker a core, each with whole files: what a file shares is made once.
PYTEST_ARGS ?= -n auto --dist loadfile

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test page docs slow oldest newest lint types floors bench speed quality card release-check clean

help:
	@echo 'make demo    score the scenarios, print posterior tables and red flags, write out/'
	@echo 'make test    run every test but the slow ones'
	@echo 'make slow    run the slow tests'
	@echo 'make oldest  tests with the lowest versions that pyproject.toml allows; PYTHON=python3.11'
	@echo 'make newest  the same with the newest versions that it allows; PYTHON=python3.13'
	@echo 'make page    the page of bayesdx page against the engine: 3,000 cases and all scenarios, in Node'
	@echo 'make docs    the manual, in docs/_build/html; runs every session and figure of it, offline'
	@echo 'make lint    ruff: rules and layout'
	@echo 'make types   mypy --strict'
	@echo 'make floors  import-linter: which package may import which'
	@echo 'make bench   the speed measurements'
	@echo 'make speed   against pyAgrum and pgmpy: some forty minutes, resumes; SPEED_ARGS=--quick takes ten'
	@echo 'make quality the quality measurements, with figures'
	@echo 'make card    renew the figures between the marks of MODEL_CARD.md: after a change of priors/'
	@echo 'make release-check  two equal builds, contents, metadata, an answer from an empty environment'
	@echo 'make clean   remove .venv, out/ and caches'

# The environment. A stamp is older than pyproject.toml only when the requirements may have changed;
# the install is editable, so a change of code or priors needs no new install.
$(VENV)/.made:
	@command -v '$(PYTHON)' >/dev/null 2>&1 || { \
	  echo "make: $(PYTHON): expected Python 3.11 or later, got no such command. Try make PYTHON=/path/to/python3" >&2; exit 2; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: $(PYTHON): expected Python 3.11 or later, got `'$(PYTHON)' --version 2>&1`. Try make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo 'making $(VENV) ...'
	@'$(PYTHON)' -m venv --clear '$(VENV)' || { \
	  echo "make: $(PYTHON): expected the venv module (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 2; }
	@touch $@

$(VENV)/.package: $(VENV)/.made pyproject.toml
	@echo 'installing bayesdx into $(VENV) (some minutes the first time) ...'
	@$(PIP) install -e '.[plot,fast]'
	@$(BIN)/bayesdx prepare >/dev/null
	@touch $@

$(VENV)/.tools: $(VENV)/.made pyproject.toml
	@echo 'installing bayesdx and its test tools into $(VENV) (some minutes the first time) ...'
	@$(PIP) install -e '.[test,lint]'
	@touch $(VENV)/.package $@

demo: $(VENV)/.package
	@$(BIN)/bayesdx demo --scenarios scenarios --out out

test: $(VENV)/.tools
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

slow: $(VENV)/.tools
	@$(BIN)/python -m pytest -m slow $(PYTEST_ARGS)

$(OLDEST)/.oldest: pyproject.toml .ci/oldest.py
	@$(MAKE) --no-print-directory VENV='$(OLDEST)' '$(OLDEST)/.made'
	@$(OLDEST)/bin/python .ci/oldest.py > $(OLDEST)/constraints.txt
	@$(OLDEST)/bin/python -m pip --disable-pip-version-check -qq install -e '.[test]' -c $(OLDEST)/constraints.txt
	@touch $@

oldest: $(OLDEST)/.oldest
	@$(OLDEST)/bin/python -W error -m pytest $(PYTEST_ARGS) $(OLDEST_TESTS)

$(NEWEST)/.newest: pyproject.toml
	@$(MAKE) --no-print-directory VENV='$(NEWEST)' '$(NEWEST)/.made'
	@$(NEWEST)/bin/python -m pip --disable-pip-version-check -qq install --upgrade --upgrade-strategy eager -e '.[test]'
	@touch $@

newest: $(NEWEST)/.newest
	@$(NEWEST)/bin/python -W error -m pytest $(PYTEST_ARGS) $(OLDEST_TESTS)

page: $(VENV)/.tools
	@$(BIN)/python -m pytest -m slow -rP tests/reports/test_browser_answers.py -n auto --dist load

$(VENV)/.manual: $(VENV)/.made pyproject.toml
	@echo 'installing bayesdx and what the manual is made with into $(VENV) ...'
	@$(PIP) install -e '.[docs]'
	@touch $(VENV)/.package $@

# -E: nothing is kept of the last build, so that every session is run.
docs: $(VENV)/.manual
	@rm -rf docs/_build docs/reference/generated
	@$(BIN)/python -m sphinx -E -W --keep-going -q -b html -d docs/_build/doctrees docs docs/_build/html
	@$(BIN)/python docs/extensions/built_pages.py docs/_build/html

lint: $(VENV)/.tools
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.tools
	@$(BIN)/mypy

floors: $(VENV)/.tools
	@$(BIN)/lint-imports --no-logo

bench: $(VENV)/.package
	@$(BIN)/python benchmarks/speed/diagnosis.py $(BENCH_ARGS)

speed: $(VENV)/.tools
	@$(BIN)/python benchmarks/speed/report.py $(SPEED_ARGS)

quality: $(VENV)/.tools
	@$(BIN)/python benchmarks/quality/report.py $(QUALITY_ARGS)

card: $(VENV)/.tools
	@$(BIN)/python benchmarks/quality/card.py $(CARD_ARGS)

release-check: $(VENV)/.made
	@$(PIP) install -e '.[release]'
	@$(BIN)/python .ci/release.py $(RELEASE_ARGS)

clean:
	rm -rf '$(VENV)' '$(OLDEST)' '$(NEWEST)' out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .benchmarks
	rm -rf docs/_build docs/reference/generated
	find engine tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
