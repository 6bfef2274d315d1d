# Each target is one line that calls a real command; the first one that needs it sets the environment up.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m

PAIRS ?=
PROFILE ?= standard
POSTGRES ?= embedded
RUN_FOLDER ?=

.PHONY: bench demo gate baseline sample claims detectors docs test lint versions docker-up docker-down schema lock clean

bench: $(VENV)/ready
	$(RUN) harness bench $(PAIRS) --profile '$(PROFILE)' --postgres '$(POSTGRES)'

# the teaching page, on this machine alone
demo: $(VENV)/demo-ready
	$(RUN) harness demo

# the project's own: do fixed apps stay fixed, and do buggy ones show their bug? Counts and causes hold on every machine
gate: $(VENV)/ready
	$(RUN) harness gate --baseline reports/baseline.json --other-machine

baseline: $(VENV)/ready
	$(RUN) harness gate --baseline reports/baseline.json --update

# a run of the whole catalogue, kept in reports/sample and pictured in the README; RUN_FOLDER=reports/latest keeps one that is there.
# What is not met (1) or invalid (3) in it is kept as well, and stands in its report
sample: $(VENV)/ready
	$(if $(RUN_FOLDER),,$(RUN) harness bench --profile '$(PROFILE)' --postgres '$(POSTGRES)' || [ $$? = 1 -o $$? = 3 ])
	$(RUN) harness sample $(RUN_FOLDER)

claims: $(VENV)/ready
	$(RUN) harness claims $(RUN_FOLDER) --write docs/claims.md

detectors: $(VENV)/ready
	$(RUN) harness detectors $(RUN_FOLDER) --refresh --write docs/detectors.md

docs: $(VENV)/ready
	$(RUN) harness docs $(RUN_FOLDER)

# by two at a time, then what measures by itself; `pytest` alone runs all of it, one after the other
test: lint $(VENV)/demo-ready
	$(RUN) pytest -q -n 2 --dist worksteal -m 'not alone' && $(RUN) pytest -q -m alone

lint: $(VENV)/demo-ready
	$(RUN) ruff check . && $(RUN) ruff format --check . && $(RUN) mypy && $(VENV)/bin/lint-imports

# the oldest and the newest libraries that are supported; needs a package index
versions: $(VENV)/ready
	$(RUN) tests.versions

# a Postgres that stays: POSTGRES=docker uses it and leaves it alone
docker-up:
	docker compose up -d postgres || docker-compose up -d postgres

docker-down:
	docker compose down -v || docker-compose down -v

$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which one with make PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN) pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# beside what a bench needs, and without what would change how an app is served (httptools, uvloop)
$(VENV)/demo-ready: $(VENV)/ready requirements-demo.lock
	$(RUN) pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-demo.lock
	@touch $@

schema: $(VENV)/ready
	$(VENV)/bin/python -c 'import json, harness.store as s; print(json.dumps(s.run_json_schema(), indent=1))' > docs/run.schema.json

lock:
	uv pip compile --universal --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url --no-header --upgrade \
		pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --extra demo --generate-hashes --no-emit-index-url --no-header --upgrade \
		-c requirements.lock --override requirements-demo.override pyproject.toml -o requirements-demo.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
