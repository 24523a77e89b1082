# One word for each thing a person does here. `make run` and `make test` do all the set-up they need.
PY := .venv/bin/python
PYTEST_ARGS ?=

.PHONY: help setup run stop test unit journeys phones browsers cluster postgres check check-python check-web bench soak schema clean

help:
	@echo "make run     install what is missing and start Callweave"
	@echo "make stop    stop it"
	@echo "make test    run every test (real SIP, Temporal and speech on this machine)"
	@echo "make unit, make journeys, make postgres   the parts of it"
	@echo "make check   lint, types, import rules, the web app's own (generated files are compared in make test)"
	@echo "make bench   measure speed; prints a table and writes bench/results/latest.json"
	@echo "make soak    run what takes long: fuzzing with many examples, chaos, load, a whole floor (an hour)"
	@echo "make schema  write the generated files again (GraphQL and document schemas)"
	@echo "make setup   only install what is missing"
	@echo "make clean   remove the environment and what was built"

setup:
	@scripts/setup.sh run

run: setup
	@.venv/bin/callweave up

stop:
	@.venv/bin/callweave down

test: unit journeys postgres

unit:
	@scripts/setup.sh dev
	$(PY) -m pytest -n 5 --dist loadfile -m "not journey and not soak" $(PYTEST_ARGS)

journeys: phones browsers cluster

# A machine that does something else for a second leaves a hole in the sound that a phone hears. What failed among the
# journeys is therefore walked once more, alone and on a product of its own; both rounds are printed.
ONCE_MORE := --last-failed --last-failed-no-failures none --timeout 240

# Callers mostly wait, so three workers share two cores; with four the sound that phones hear has holes.
phones: WALKED := -m "journey and not browser and not cluster and not soak" tests/journeys $(PYTEST_ARGS)
phones:
	@scripts/setup.sh dev
	$(PY) -m pytest -n 3 --dist loadscope --timeout 240 $(WALKED) || $(PY) -m pytest $(ONCE_MORE) $(WALKED)

browsers: WALKED := -m "browser and not soak" tests/browser $(PYTEST_ARGS)
browsers:
	@scripts/setup.sh dev
	$(PY) -m pytest -n 2 --dist loadfile $(WALKED) || $(PY) -m pytest $(ONCE_MORE) $(WALKED)

cluster: WALKED := -m "cluster and not soak" tests/journeys $(PYTEST_ARGS)
cluster:
	@scripts/setup.sh dev
	$(PY) -m pytest $(WALKED) || $(PY) -m pytest $(ONCE_MORE) $(WALKED)

postgres:
	@scripts/setup.sh dev
	CALLWEAVE_TEST_DATABASE=postgresql $(PY) -m pytest -n 3 --dist loadfile \
		-m "not journey and not soak and (temporal or not slow)" --ignore backend/observability --ignore backend/runtime/test_product.py backend $(PYTEST_ARGS)

check:
	@scripts/setup.sh dev
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target check-python check-web

check-python:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports

check-web:
	cd designer && npm run --silent types && npm run --silent lint && npm run --silent test

soak:
	@scripts/setup.sh dev
	$(PY) -m pytest -m soak $(PYTEST_ARGS)
	$(PY) -m pytest -n 3 --dist loadfile --hypothesis-profile new -m "not journey and not soak" $(PYTEST_ARGS)
	$(PY) -m bench.chaos
	$(PY) -m bench.load
	$(PY) -m bench.floor
	CALLWEAVE_TEST_DATABASE=postgresql $(PY) -m pytest -n 2 --dist loadfile \
		-m "" backend/runtime/test_product.py tests/journeys/test_command_line.py tests/journeys/test_trunks.py $(PYTEST_ARGS)
	CALLWEAVE_TEST_CLUSTER=1 $(PY) -m pytest -m journey \
		tests/journeys/test_hotline.py tests/journeys/test_voicemail.py tests/journeys/test_calls.py tests/journeys/test_speech.py $(PYTEST_ARGS)

bench:
	@scripts/setup.sh dev
	$(PY) -m bench

schema:
	$(PY) -m backend.graphql.schema
	$(PY) -m flows.schema
	$(PY) -m nodes.reference
	$(PY) -m flows.catalogue

clean:
	rm -rf .venv designer/dist designer/node_modules build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench/results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
