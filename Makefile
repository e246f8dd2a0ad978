PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8501
# a package whose binary is inside it; where it is neither kept nor to be had within seconds, JavaScript is not linted
BIOME := npx --yes --prefer-offline --fetch-retries=0 --fetch-timeout=20000 @biomejs/biome@2.6.8

.PHONY: run test check javascript format bench parity load fuzz screens browser

run: .venv/.run
	$(BIN)/streamlit run app.py --server.port $(PORT)

# what needs no browser side by side, one thread each; browsers have the machine to themselves (two at a time took longer), and a second
# try: it may be a busy one
test: check browser
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --ignore=tests/e2e --durations=20
	$(BIN)/pytest tests/e2e --reruns 1 --durations=40

check: .venv/.dev javascript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

javascript:
	@if ! command -v node > /dev/null; then echo "node not found: JavaScript is not linted"; \
	elif ! $(BIOME) --version > /dev/null 2>&1; then echo "Biome cannot be fetched: JavaScript is not linted"; \
	else $(BIOME) check --error-on-warnings; fi

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@if $(BIOME) --version > /dev/null 2>&1; then $(BIOME) check --write; fi

bench: .venv/.bench browser
	$(BIN)/python -m tests.bench

parity: .venv/.bench
	$(BIN)/python -m tests.parity

load: .venv/.dev browser
	$(BIN)/python -m tests.load

fuzz: .venv/.dev
	$(BIN)/python -m tests.fuzz

screens: .venv/.dev browser
	$(BIN)/python -m tests.e2e.screens

browser: .venv/.dev
	$(BIN)/python -m tests.e2e.browser

.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else f"ResViz needs Python 3.11 or newer, {sys.executable} is {v[0]}.{v[1]}; try make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/.run: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.dev: requirements.txt requirements-onnx.txt requirements-dev.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/.run

.venv/.bench: requirements-bench.txt .venv/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@
