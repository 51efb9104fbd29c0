SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
export PATH := $(CURDIR)/.cache/node/bin:$(PATH)
GO := go
LINT := $(GO) tool -modfile=tools/go.mod golangci-lint

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

demo: ## a town hall on this machine (CHECK=1: walk the whole journey in a headless browser)
	@tools/setup demo
	@$(MAKE) --no-print-directory build
	@bin/jiseki-demo $(if $(CHECK),--check) $(DEMO_FLAGS)

test: ## install what is missing and run all tests
	@tools/setup test
	@$(MAKE) --no-print-directory build
	tools/test

setup: ## install what building, demo and tests need
	@tools/setup test

build: web ## build the programs into bin/
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ ./cmd/...

web: web/dist/index.html ## build the pages

WEB_SOURCES := $(shell find web docs/manual -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)
web/dist/index.html: $(WEB_SOURCES)
	cd web && npm run --silent build

manual: ## take the pictures of the manuals anew, and print the manuals to bin/manual
	@tools/setup test
	@$(MAKE) --no-print-directory build
	tools/manual

gen: ## write generated code again
	tools/gen

lint: ## linters for Go and TypeScript
	$(LINT) run ./...
	cd web && npm run --silent typecheck && npm run --silent lint

fuzz: ## each fuzz target for FUZZTIME (10s)
	tools/fuzz $(or $(FUZZTIME),10s)

bench: build ## the figures of docs/PERFORMANCE.md (TRACES=folder with recorded office traces)
	tools/bench $(TRACES)

ci: ## what .ci/run does
	tools/setup test
	$(MAKE) gen
	git diff --exit-code
	$(MAKE) lint
	$(MAKE) test

.PHONY: help demo test setup build web manual gen lint fuzz bench ci
