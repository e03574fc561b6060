# HireNet's commands. `make` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# rustup's place, for shells that were opened before Rust was installed.
export PATH := $(PATH):$(HOME)/.cargo/bin
export CARGO_TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))
export HIRENET_BIN := $(CARGO_TARGET_DIR)/release/hirenet
export HIRENET_TRAIN := $(CARGO_TARGET_DIR)/release/hirenet-train

export HIRENET_SHARED := $(abspath $(or $(HIRENET_SHARED),../shared))

.PHONY: help setup build demo up down test lint deny bench bench-quality bench-training bench-daemon chaos train-demo needs-shared clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing: Debian packages, ONNX Runtime, a Python environment for the checks
	@scripts/setup.sh

build: setup ## build the program in release mode
	@cargo build --release

demo: build ## analyse the sample interview into demo-out/ and show the result
	@$(HIRENET_BIN) analyze samples/interview.json --out demo-out

up: build ## start a private broker and database and two workers, submit the sample, show the view
	@scripts/up.sh up

down: ## stop what `make up` started; its data stays in .up/
	@scripts/up.sh down

test: build ## run every test
	@scripts/test.sh

lint: setup ## check formatting, and lints with warnings as errors
	cargo fmt --all --check
	cargo clippy --release --workspace --all-targets -- -D warnings

deny: setup ## check licences and sources of the dependencies
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny check bans licenses sources

bench: needs-shared build ## measure speed and memory beside the tools that a user would chain (20 minutes, needs ../shared)
	@scripts/bench/run.sh

bench-quality: needs-shared build ## measure voice, face and words beside the field's tools and the truth (within a quarter of an hour, needs ../shared)
	@scripts/bench/run.sh scripts/quality/quality.py

bench-training: build ## measure the trainer on made-up corpora and beside PyTorch (within an hour; PyTorch takes 3 GB)
	@scripts/bench/training.sh

train-demo: build ## train the demo bundle on made-up interviews into models/hirenet-demo.onnx (minutes)
	@scripts/train-demo.sh

bench-daemon: build ## measure the daemon beside what broker and database cost without it (20 minutes)
	@$(CARGO_TARGET_DIR)/release/bench-daemon

chaos: build ## 2,000 interviews through three workers while everything around them breaks (10 to 20 minutes)
	@$(CARGO_TARGET_DIR)/release/chaos

needs-shared:
	@[ -d $(HIRENET_SHARED) ] || { echo "the folder ../shared is needed beside this one: $(HIRENET_SHARED) is missing" >&2; exit 2; }

clean: down ## remove what was built and written; what `make setup` installed stays
	rm -rf .up $(CARGO_TARGET_DIR) demo-out bench-out train-out
