# The two commands: make demo, make test. Both set up what they need in .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup demo test bench curves bench-adapters faults security fuzz properties report-check man check format lock clean

setup: $(VENV)/.ready

$(VENV)/.ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "This Python has no venv: as root, apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup
	$(BIN)/pakkehjem demo

test: setup
	$(BIN)/pytest -n 2 --dist worksteal

# Processes killed, servers stopped, killed and choked under load: all of it, the minutes long ones too. Writes the
# table of docs/reliability.md. RABBITMQ=PATH: another RabbitMQ than the system's (docs/reliability.md).
faults: setup
	@mkdir -p build && rm -f build/faults.jsonl
	status=0; FAULTS=1 FAULTS_RESULTS=$(CURDIR)/build/faults.jsonl $(BIN)/pytest -n 2 --dist worksteal -m crash || status=$$?; \
		$(BIN)/python -m tests.faults.results build/faults.jsonl docs/reliability.md && exit $$status

# Who tries to get in, and what must not get out; part of `make test` (docs/security.md).
security: setup
	$(BIN)/pytest -n 2 --dist worksteal tests/security tests/journal/test_audit.py \
		tests/ops/test_cli_audit.py tests/ops/test_secrets.py tests/ops/test_privacy.py

# The whole service beside what its primitives allow, on RabbitMQ and PostgreSQL of its own (docs/performance.md).
bench: setup
	$(BIN)/pakkehjem bench --output bench/results

# CPU milliseconds of each system's adapter for a note.
bench-adapters: setup
	$(BIN)/python -m bench.adapters

# What a note costs as messages, register and journal grow, and as receivers fail; some minutes.
curves: setup
	$(BIN)/pakkehjem bench --curve size --curve municipalities --curve journal --curve down --output docs/performance

# Messages made wrong on purpose, through parse, convert and apprec. FUZZ: how many; FUZZ_SEED: which.
FUZZ ?= 100000
FUZZ_SEED ?= 1
fuzz: setup
	FUZZ=$(FUZZ) FUZZ_SEED=$(FUZZ_SEED) $(BIN)/python -m tests.fuzzing

# The property tests of renderings and schemas in their long form. EXAMPLES: how many for each format.
EXAMPLES ?= 2000
properties: setup
	PAKKEHJEM_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -n 2 --dist worksteal --timeout 7200 tests/rendering tests/schemas tests/standards

# The report as a browser shows it (needs Chromium); the pictures are left in build/report.
report-check: setup
	REPORT_CHECK=1 $(BIN)/pytest tests/ops/report/test_in_chromium.py

# The manual page, from the commands themselves.
man: setup
	$(BIN)/python -m gateway.ops.manual > docs/pakkehjem.1

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# Pins what pyproject.toml asks for, with hashes; needs uv on the path.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-index-url --no-emit-find-links pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-index-url --no-emit-find-links pyproject.toml --extra otel --constraint requirements.lock \
		-o requirements-otel.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-index-url --no-emit-find-links pyproject.toml --extra otel --group dev -o requirements-dev.lock

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
