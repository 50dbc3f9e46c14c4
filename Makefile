# Two commands do all the set-up there is: `make demo` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-parts test-whole lint protos check-protos bench train-voice pictures fuzz fuzz-nightly clean

PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3 2>/dev/null))
VENV := .venv
BIN := $(VENV)/bin
OUT := out
VOICE_DATA ?= ../shared/media/voice_train
VIDEO ?= $(OUT)/demo.mp4

help: ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.ready ## Make .venv with every pinned dependency

$(VENV)/.ready: pyproject.toml constraints.txt without-dependencies.txt .ci/system-packages
	@.ci/system-packages "$(PYTHON)"
	@"$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r without-dependencies.txt
	@$(BIN)/python -c 'import cv2'
	@touch $@

demo: setup ## Anonymize a real clip (or VIDEO=path), verify the proof
	@mkdir -p $(OUT)
	@video="$(VIDEO)"; name="$${video##*/}"; kind="$${name##*.}"; \
	  if [ "$$video" = "$(OUT)/demo.mp4" ] && [ ! -f "$$video" ]; then $(BIN)/python -m benchmarks.demo_clip "$$video"; fi; \
	  case "$${kind,,}" in jpg|jpeg|png|webp) ;; *) kind=mp4 ;; esac; \
	  result="$(OUT)/$${name%.*}.anonymized.$$kind"; \
	  $(BIN)/bauta submit "$$video" -o "$$result"; \
	  $(BIN)/bauta verify "$$result"; \
	  printf '\nbefore  %s\nafter   %s\nproof   %s\n' "$$video" "$$result" "$$result.proof"

# Two at a time: most tests wait for one process on one core. In short-lived processes: one that has run
# everything has a gigabyte to copy at each fork, and takes twice as long.
test: setup lint ## Run every check and every test
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=line test-parts test-whole

test-parts:
	@$(BIN)/python -m pytest tests/unit
	@$(BIN)/python -m pytest tests/contract tests/corpus tests/interop
	@$(BIN)/python -m pytest tests/fuzz
	@$(BIN)/python -m pytest tests/fault

test-whole:
	@$(BIN)/python -m pytest tests/integration
	@$(BIN)/python -m pytest tests/security

lint: setup check-protos
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@cd protos && ../$(BIN)/buf lint

protos: setup ## Regenerate the code of protos/
	@$(BIN)/python -m protos.generate .

check-protos: setup
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	  $(BIN)/python -m protos.generate "$$folder"; \
	  diff -r -x '__pycache__' -x '*.proto' -x '__init__.py' protos/bauta "$$folder/protos/bauta" \
	  || { echo 'generated code is stale: run `make protos`' >&2; exit 1; }

bench: setup ## Speed, coverage and memory beside deface and a plain transcode: tables, JSON and a plot in out/bench
	@mkdir -p "$(OUT)/bench"
	@$(BIN)/python -m benchmarks.whole_job --json "$(OUT)/bench/whole_job.json"
	@$(BIN)/python -m benchmarks.coverage --out "$(OUT)/bench"
	@$(BIN)/python -m benchmarks.tracking --json "$(OUT)/bench/tracking.json"
	@$(BIN)/python -m benchmarks.memory --json "$(OUT)/bench/memory.json"
	@$(BIN)/python -m benchmarks.job_start --json "$(OUT)/bench/job_start.json"
	@$(BIN)/python -m benchmarks.key_release --json "$(OUT)/bench/key_release.json"
	@$(BIN)/python -m benchmarks.voice_speed --json "$(OUT)/bench/voice_speed.json"

train-voice: setup ## Train the voice's networks anew (VOICE_DATA: LibriSpeech recordings; flite is needed)
	@$(BIN)/python -m evaluation.voice_training --data "$(VOICE_DATA)" --out "$(OUT)/voice" --kept "$(OUT)/voice/kept"

pictures: setup ## docs/effects.md anew: every effect on one clip, with what it costs
	@$(BIN)/python -m benchmarks.effects_pictures

fuzz: setup ## Long fuzzing (FUZZ_EXAMPLES, default 20000 a test)
	@BAUTA_FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-20000} $(BIN)/python -m pytest tests/fuzz --timeout=0

fuzz-nightly: setup ## Fuzzing guided by coverage (FUZZ_SECONDS, default 300 a target; FUZZ_TARGETS)
	@$(BIN)/python -m tests.fuzz.nightly --out "$(OUT)/fuzz" --seconds "$${FUZZ_SECONDS:-300}" $${FUZZ_TARGETS:-}

clean: ## Remove what the targets above made
	@rm -rf $(VENV) $(OUT) build dist *.egg-info
