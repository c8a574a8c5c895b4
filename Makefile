# `make help` lists the targets. Everything made lands in .build/ or in the cache of
# `strake` ($STRAKE_CACHE, else the user's cache folder); `make clean` removes the first.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

STRAKE := .build/strake

# One way to compile for all targets, so that they share Go's build cache with one
# another and with the images. Without cgo the binary is static, and the same file
# runs as the registry's container.
export CGO_ENABLED := 0
# Exactly this release reproduces the locked digests; go fetches it where it is not installed.
export GOTOOLCHAIN := $(shell awk '$$1 == "toolchain" {print $$2}' go.mod)
export GOFLAGS := -trimpath -buildvcs=false

# The commit that `strake version` prints, with -dirty where tracked files differ; empty
# without git. Only the linker gets it, so nothing is compiled anew for another commit.
COMMIT := $(shell git describe --always --dirty --abbrev=40 --exclude '*' 2>/dev/null)
LDFLAGS := -X github.com/strake-dev/strake/tools/internal/cli.commit=$(COMMIT)

##@ A cluster to try it on

.PHONY: up
up: $(STRAKE) ## A kind cluster with one package doing its work; PACKAGES=all installs all
	$(STRAKE) up $(if $(PACKAGES),$(if $(filter all,$(PACKAGES)),--all,$(addprefix --package ,$(PACKAGES))))

.PHONY: down
down: $(STRAKE) ## Remove what `make up` made
	$(STRAKE) down --yes

##@ Prove it

.PHONY: test
test: ## Everything that needs no cluster
	go test -timeout 30m ./tools/...
	@for dir in $$(git ls-files 'packages/*_test.go' | xargs -n1 dirname | sort -u); do (cd $$dir && echo "go test $$dir" && go test .); done
	@for mod in $(APIVALIDATE_MODULES); do echo "go test -modfile=$$mod $(APIVALIDATE)" && go test -modfile=$$mod $(APIVALIDATE); done

# The program that validates as the API server does has a module for each minor version
# of Kubernetes; see the package above it.
APIVALIDATE = ./tools/internal/apivalidate/_program
APIVALIDATE_MODULES = $(wildcard tools/internal/apivalidate/modules/*.mod)

# Where things run side by side. The detector is a part of cgo.
RACE_PACKAGES = cache child gocache progress ytt

.PHONY: race
race: ## Look for data races where things run side by side
	CGO_ENABLED=1 go test -race -timeout 10m $(RACE_PACKAGES:%=./tools/internal/%/...)

# What is run on a cluster if a change concerns all packages alike; see test/main_test.go.
export STRAKE_TEST_CORE ?= keda
CLUSTER_TEST = STRAKE=$(abspath $(STRAKE)) go test -count=1 -timeout $(1) -v ./test

.PHONY: integration
integration: $(STRAKE) ## The packages that a change touches, doing their work on kind
	$(call CLUSTER_TEST,90m)

.PHONY: integration-all
integration-all: $(STRAKE) ## Every version of every package, and all packages together
	STRAKE_TEST_PACKAGES=all STRAKE_TEST_CONFORMANCE=1 $(call CLUSTER_TEST,300m)

# The linter's cache holds paths of the checkout that filled it, which may be gone.
lint: export GOLANGCI_LINT_CACHE := $(abspath .build/golangci-lint)

.PHONY: bench-install
bench-install: $(STRAKE) ## The time of each package's install beside kubectl's of the same objects, and of all together
	STRAKE_TEST_TIMES=1 STRAKE_TEST_PACKAGES="$${STRAKE_TEST_PACKAGES:-all}" $(call CLUSTER_TEST,120m) -run 'Test(Install|Platform)Times'

# Vale parses with tree-sitter, which is C.
VALE = CGO_ENABLED=1 go tool -modfile=tools/vale.mod vale --output=line
PROSE = README.md CONTRIBUTING.md CHANGELOG.md SECURITY.md docs $(wildcard packages/*/README.md)

# The rules find all that they should in refused.md and nothing in accepted.md: a rule
# that Vale cannot read would find nothing anywhere.
.PHONY: lint-prose
lint-prose: ## Documentation and help texts, with the rules in tools/vale
	$(VALE) tools/vale/testdata/accepted.md
	diff <(grep -n '^- ' tools/vale/testdata/refused.md | cut -d: -f1) <($(VALE) tools/vale/testdata/refused.md | cut -d: -f2 | sort -nu)
	$(VALE) $(PROSE)
	$(VALE) --config tools/vale/blocks.ini docs/cli packages/*/examples/values.yml

.PHONY: lint
lint: $(STRAKE) lint-prose ## Go code, packages and documentation, as CI checks them
	go mod tidy -diff
	go tool -modfile=tools/golangci-lint.mod golangci-lint run ./tools/... ./test/...
	@for mod in $(APIVALIDATE_MODULES); do echo "go vet -modfile=$$mod $(APIVALIDATE)" && go vet -modfile=$$mod $(APIVALIDATE); done
	$(STRAKE) lint

.PHONY: verify
verify: $(STRAKE) ## Rebuild everything and compare every committed digest
	$(STRAKE) verify

# Where the module golang.org/x/vulndb, which holds the advisories, is unpacked.
VULNDB = $(shell go mod download -modfile=tools/govulncheck.mod -json golang.org/x/vulndb | awk -F'"' '$$2 == "Dir" {print $$4}')

.PHONY: vulncheck
vulncheck: ## Known vulnerabilities that the tools reach, by the database in tools/govulncheck.mod
	@mkdir -p .build
	go build -o .build/vulncheck ./tools/vulncheck
	go tool -modfile=tools/govulncheck.mod govulncheck -db file://$(VULNDB)/data/osv -format openvex ./tools/... ./test/... | .build/vulncheck tools/vulncheck/exceptions.yml

.PHONY: bench
bench: $(STRAKE) ## Speed and memory, as ratios against the tools people use today
	STRAKE=$(abspath $(STRAKE)) go run ./test/bench $(if $(ROUNDS),-rounds $(ROUNDS))

##@ Change it

.PHONY: build
build: $(STRAKE) ## The strake binary, in .build/

.PHONY: $(STRAKE)
$(STRAKE):
	@mkdir -p $(@D)
	go build -ldflags "$(LDFLAGS)" -o $@ ./tools/strake

.PHONY: generate
generate: $(STRAKE) ## All that is generated and committed
	$(STRAKE) build
	$(STRAKE) build --root test/apps
	$(STRAKE) readmes
	$(STRAKE) reference --dir docs/cli

.PHONY: clean
clean: ## Remove .build/
	rm -rf .build

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
