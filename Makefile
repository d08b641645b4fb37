# make run             hear the demo library in your browser
# make run MUSIC=DIR   hear your own (PORT=9000 for another port)
# make test            everything it needs, then all tests but those of faults
# make test-faults     the tests that kill and restart servers again and again
# make servers         fetch the real servers (Kafka, MongoDB's protocol) that tests then start
# make check           style, types, layers, dependencies
# make bench           the measurements that README.md quotes
# make lock            compile requirements/ anew from pyproject.toml
# make clean           remove .venv and caches; libraries in var/ stay

.PHONY: help music run test test-faults servers check bench lock clean
.DEFAULT_GOAL := help

override MUSIC := $(value MUSIC)# a $ in a name is only a $
export MUSIC PORT PYTHON
unexport PYTHONDONTWRITEBYTECODE# tests start the program hundreds of times, and would compile it each time
PYTEST := .venv/bin/python -m pytest --numprocesses 4 --no-loadscope-reorder
LOCKS := $(wildcard requirements/*.txt)

help:
	@sed -n 's/^# make /make /p' Makefile

.venv/run.stamp: $(LOCKS) pyproject.toml scripts/setup
	@scripts/setup run
	@touch $@

.venv/dev.stamp: $(LOCKS) pyproject.toml scripts/setup
	@scripts/setup dev
	@touch $@ .venv/run.stamp

music:
	@scripts/run check

run: music .venv/run.stamp
	@scripts/run

test: .venv/dev.stamp
	@scripts/player test
	$(PYTEST) --durations 10

test-faults: .venv/dev.stamp
	$(PYTEST) --durations 10 -m faults

servers: .venv/dev.stamp
	@scripts/servers

check: .venv/dev.stamp
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/deptry src
	@scripts/player check

bench: .venv/dev.stamp
	scripts/bench

lock:
	@scripts/lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist node_modules
