# continuo. `make` lists the targets. Only Go and make are needed, for make demo and make test too; what a test needs
# beyond that (OpenSSH and PostgreSQL servers) it skips when missing, with a reason, and fails without under CI=true.

GO      ?= go
BIN     := bin
PKGS    ?= ./...
FUZZTIME ?= 30s
SOAK     ?= 10m

# Tools are run by version, so that go.mod holds only what the program itself needs.
GOLANGCI    := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK := $(GO) run golang.org/x/vuln/cmd/govulncheck@v1.8.0

.DEFAULT_GOAL := help
.PHONY: help build demo test race cover vet lint fmt man vuln bench once soak crash tamper axe fuzz check clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the program: bin/continuo
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/continuo ./cmd/continuo

demo: build ## a rehearsal, a drill and its verified evidence on practice hosts, in seconds
	@examples/quickstart/demo $(BIN)/continuo $(BIN)/demo

test: ## all tests, the examples included
	$(GO) test -timeout 15m $(PKGS)

race: ## the tests of all packages with the race detector (needs a C compiler)
	$(GO) test -race -timeout 20m $$($(GO) list $(PKGS) | grep -v /examples)

cover: ## coverage by package: bin/cover.html
	@mkdir -p $(BIN)
	$(GO) test -coverprofile=$(BIN)/cover.out $(PKGS)
	$(GO) tool cover -html=$(BIN)/cover.out -o $(BIN)/cover.html

vet: ## go vet
	$(GO) vet $(PKGS)

lint: ## golangci-lint; the first time builds it, which takes minutes
	$(GOLANGCI) run $(PKGS)

man: build ## the manual pages: bin/man/man1
	@$(BIN)/continuo man $(BIN)/man/man1 && ls $(BIN)/man/man1

fmt: ## format the Go code
	gofmt -l -w cmd engine runbooks examples

vuln: ## known vulnerabilities in what is linked
	$(GOVULNCHECK) ./...

bench: ## wall time and memory against their targets, on this machine
	$(GO) run ./examples/bench

once: ## a step runs at most once: races, duplicates, the connection cut at every byte
	@mkdir -p $(BIN)
	@CONTINUO_ONCE=1000 $(GO) test -count=1 -timeout=60m -run='^TestOnce' -v ./engine/sshtransport >$(BIN)/once.log 2>&1; \
	  status=$$?; sed -n -e 's/^ *once_test.go:[0-9]*: //p' -e '/^ok/p' -e '/^FAIL/p' -e '/^--- FAIL/p' $(BIN)/once.log; exit $$status

soak: ## 50 hosts whose networks fail at random for SOAK (10m): nothing runs twice, no false success, nothing left behind
	CONTINUO_SOAK=$(SOAK) $(GO) test -count=1 -timeout=60m -run='^TestSoak$$' -v ./engine/sshtransport

crash: ## kill it at every file operation, cut the power, fail every operation, cut and damage every byte
	@mkdir -p $(BIN)
	@CONTINUO_CRASH_ALL=1 $(GO) test -count=1 -timeout=60m -parallel 4 -v ./cmd/continuo/internal/crash >$(BIN)/crash.log 2>&1; \
	  status=$$?; sed -n -e 's/^ *[a-z]*_test.go:[0-9]*: \([a-z].* [0-9]*: [0-9]\)/\1/p' -e '/^ok/p' -e '/^FAIL/p' -e '/^ *--- FAIL/p' $(BIN)/crash.log; exit $$status

tamper: ## the threat table: what each attack is caught by, in verify and in the shell verifier
	@mkdir -p $(BIN)
	@$(GO) test -count=1 -run='^(TestTamper|TestThreats)$$' -v ./engine/evidence ./cmd/continuo >$(BIN)/tamper.log 2>&1; \
	  status=$$?; sed -n -e 's/^ *[a-z]*_test.go:[0-9]*: \( *[0-9r-].*\)/\1/p' -e 's/^        \( *[0-9-][0-9]* .*\)/\1/p' -e '/^ok/p' -e '/^FAIL/p' -e '/^--- FAIL/p' $(BIN)/tamper.log; exit $$status

axe: ## the HTML report in headless Chromium: no axe-core violation, no console message, no request, prints on A4 (needs chromium, npm)
	@mkdir -p $(BIN)/axe
	@npm install --silent --no-fund --no-audit --prefix $(BIN)/axe axe-core@4.14.1
	@CONTINUO_AXE=$(CURDIR)/$(BIN)/axe/node_modules/axe-core/axe.min.js $(GO) test -count=1 -timeout=30m -run='^TestBrowser' -v ./engine/report \
	  >$(BIN)/axe.log 2>&1; status=$$?; \
	  sed -n -e 's/^ *browser_test.go:[0-9]*: //p' -e '/^ok/p' -e '/^FAIL/p' -e '/--- FAIL/p' -e '/--- SKIP/p' -e '/Error/p' $(BIN)/axe.log; exit $$status

fuzz: ## every fuzz target for FUZZTIME (30s)
	@set -e; for f in $$(grep -rlE '^func Fuzz' --include='*_test.go' cmd engine runbooks); do \
	  for t in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$f); do \
	    echo "== $$t in $$(dirname $$f)"; \
	    $(GO) test -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) ./$$(dirname $$f); \
	  done; done

check: vet test demo race lint ## what CI runs

clean: ## remove what was built
	rm -rf $(BIN)
