# PYTHON is what the environment is made of: 3.11 takes Blender 4.5 LTS, 3.13 takes 5.2 LTS.
PYTHON ?= python3
RUN := .venv/bin/python
ON_COMPILED := PYTHONSAFEPATH=1 PYTHONPATH="$(CURDIR)/build/compiled:$(CURDIR)"

.PHONY: help setup demo test compiled test-compiled fuzz fuzz-parsers lint format bench soak extension clean
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## */\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## make .venv/ with everything (the first time it fetches about 400 MB)
	@$(PYTHON) -m tools.make_venv .venv

demo: setup ## two Blenders in one room, edits from both, the comparison, pictures: make demo [SCENE=FILE.blend]
	$(RUN) -m demo $(if $(SCENE),--scene "$(SCENE)")

test: lint ## the whole test suite
	$(RUN) -m pytest

compiled: setup ## the broadcaster with its cores compiled, for this platform: a wheel in dist/ (takes a C compiler)
	rm -rf build/compiled build/lib.* build/temp.* dist/mixer_broadcaster-*-cp*.whl
	MIXER_COMPILED=1 $(RUN) -m pip wheel --quiet --no-build-isolation --no-deps --wheel-dir dist .
	$(RUN) -m pip install --quiet --no-deps --target build/compiled dist/mixer_broadcaster-*-cp*.whl

test-compiled: compiled # what the broadcaster is tested with, on the compiled one
	@$(ON_COMPILED) $(RUN) -m broadcaster --version | grep compiled
	$(ON_COMPILED) $(RUN) -m pytest --import-mode=append tests/unit tests/server

fuzz: setup fuzz-parsers ## random stories of members, lost lines and restarts, another each time: make fuzz [SEEDS=50]
	$(RUN) -m tests.fuzz --seeds $(or $(SEEDS),50)
	$(RUN) -m tests.fuzz.blenders --seeds $(or $(SEEDS),50) # 2 minutes each

fuzz-parsers: setup # whatever reads others' bytes, by what code they reach: make fuzz-parsers [SECONDS=600]
	$(RUN) -m tests.fuzz.guided --seconds $(or $(SECONDS),600)

lint: setup ## what the tests begin with: style and types
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check --quiet
	$(RUN) -m mypy

format: setup ## put the source into the style that lint asks for
	$(RUN) -m ruff check --fix
	$(RUN) -m ruff format

bench: compiled ## the figures beside their budgets: make bench [SHORT=1]
	$(ON_COMPILED) $(RUN) -m tests.bench $(if $(SHORT),--short)

soak: setup ## what takes long: a server with a crowd, make soak [MINUTES=30]; one killed at 200 random moments
	$(RUN) -m tests.soak --minutes $(or $(MINUTES),30)
	MIXER_KILL_STORIES=10 $(RUN) -m pytest tests/server/test_durable.py -k kill

extension: setup ## the zips that people install in Blender, one per platform, in dist/
	$(RUN) -m tools.build_extension

clean: ## remove what the above made, .venv/ too
	rm -rf .venv build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
