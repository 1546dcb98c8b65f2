# The commands of this repository; `make help` lists them. Those that a newcomer types install what they
# need with their own `.ci/setup` line, so each can be the first thing typed on a new machine.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Steps share one compiler cache and two cores; running them at once would gain nothing.
.NOTPARALLEL:

# Begins a recipe line that runs cargo or node.
ENV := source .ci/env;
NEARFIELD := target/release/nearfield
FILMS := target/films.nf
# What films have in common, people before places; `reviews` stands for how widely a film is known.
VECTORS := --embed-text 'title*0.5,genres,director,writers,cast,country*0.5,language*0.5' --prior reviews
# Alien and Blade Runner.
TASTE := --like Q103569 --like Q184843

.PHONY: demo serve test test-all bench eval setup build wasm pkg films example site fmt clean help

demo: ## Build the film archive, recommend from it, serve the page (SERVE=0: without serving)
	@.ci/setup tools rust wasm-bindgen pkg www
	@$(MAKE) films example site
	@if [ -t 1 ] && [ "$${SERVE:-1}" != 0 ]; then $(ENV) node www/serve.mjs; \
	else echo "demo: built and ready; make serve shows the page"; fi

serve: ## Serve the demo page on this machine and print its address
	@.ci/setup tools rust wasm-bindgen pkg www
	@$(MAKE) films site
	@$(ENV) node www/serve.mjs

test: ## Run every test but the slow ones; the last line counts them
	@.ci/test

test-all: ## The same, then Firefox and WebKit, licences and advisories, the evaluation and the benchmark
	@.ci/test --all

bench: ## Measure against peers, in Chromium, Node and natively, into benches/record/ (ALL=1: more data)
	@.ci/setup tools rust wasm-bindgen browser python native pkg benches
	@$(MAKE) films pkg
	@$(ENV) node benches/run.mjs $(if $(ALL),--all)
	@$(ENV) node benches/predicate.mjs
	@$(ENV) node benches/slate.mjs

eval: ## Measure recommendations on MovieLens 100K (tests/protocol.md), estimates against obp; both are fetched
	@.ci/setup tools rust python
	@$(MAKE) build
	@$(ENV) target/venv/bin/python tests/eval/fetch_movielens.py
	@$(ENV) target/venv/bin/python tests/eval/movielens.py
	@echo "eval: trade-offs of a slate, target/eval/report.html"
	@$(NEARFIELD) eval target/eval/seed-0/ml.nf --interactions target/eval/seed-0/test.csv \
	--train target/eval/seed-0/train.csv --mix genres --sweep history,diversity,calibration \
	--report target/eval/report.html --json target/eval/report.json
	@$(ENV) target/venv/bin/python tests/eval/off_policy.py
	@$(ENV) target/venv/bin/python tests/eval/sparse.py

setup: ## Install whatever is missing for all of the above
	@.ci/setup

build: ## Compile the nearfield command, optimised
	@echo "build: the nearfield command"
	@$(ENV) cargo build --locked --release --features cli

films: build ## Build the film catalog's archive, target/films.nf
	@echo "films: the film catalog's archive"
	@$(NEARFIELD) build www/data/films.jsonl.gz $(VECTORS) -o $(FILMS)

example: films ## Recommend films in the terminal, with reasons
	@echo "example: what to see for someone who likes Alien and Blade Runner"
	@$(NEARFIELD) recommend $(FILMS) $(TASTE) -k 8 --explain 2 --fields year,genres

pkg: ## Build the npm package: wasm, glue, JavaScript, types; fails above its size budget
	@echo "pkg: the npm package"
	@$(ENV) cd pkg && npm run --silent build

wasm: pkg ## The same: the wasm module has no other home

site: films pkg ## Build the demo page, www/dist
	@echo "site: the demo page"
	@$(ENV) cd www && npm run --silent build

fmt: ## Format the Rust sources
	@$(ENV) cargo fmt

clean: ## Remove everything that was built or fetched
	rm -rf target pkg/dist pkg/wasm www/dist {pkg,www,tests/e2e,tests/engines,benches}/node_modules

help: ## List these targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | \
	while IFS='|' read -r target what; do printf '  make %-10s %s\n' "$$target" "$$what"; done
