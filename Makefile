# make run: try it out.  make test: every test, on both databases and in a browser.  make check: what a change must pass.

GOLANGCI_VERSION    := v2.15.0
GOVULNCHECK_VERSION := v1.9.0
GOLANGCI            := .tools/$(GOLANGCI_VERSION)/golangci-lint
GOVULNCHECK         := .tools/$(GOVULNCHECK_VERSION)/govulncheck
CYCLONEDX_VERSION   := v1.9.0
CYCLONEDX           := .tools/cyclonedx-$(CYCLONEDX_VERSION)/cyclonedx-gomod

WITH_SERVICES := internal/testkit/with-services

.DELETE_ON_ERROR:
.PHONY: run clean build dist test check lint vulnerabilities fmt docs bench soak screenshots

# Starts the server with a demo identity provider; its data stays in .data until "make clean".
run:
	@go build -o bin/demo ./cmd/demo
	@exec bin/demo

clean:
	rm -rf .data bin dist

# The binary is static and the same, byte for byte, for the same commit and the same Go, wherever it is built.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null)
STAMP   := -X muster/cmd/internal/server.version=$(VERSION) -X muster/cmd/internal/server.commit=$(COMMIT)
STATIC  := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w $(STAMP)"
BIN      ?= bin
PROGRAMS ?= ./cmd/muster ./cmd/demo
build:
	$(STATIC) -o $(BIN)/ $(PROGRAMS)

# What a release consists of: for each machine a binary in an archive and a Debian package, then the list of what is in them, and the checksums.
ARCHS ?= amd64 arm64
dist: $(CYCLONEDX)
	rm -rf dist && mkdir dist
	for arch in $(ARCHS); do \
		GOOS=linux GOARCH=$$arch $(STATIC) -o dist/linux-$$arch/muster ./cmd/muster && \
		deploy/package "$(VERSION)" $$arch dist || exit 1; \
	done
	deploy/helm/package "$(VERSION)" $(CURDIR)/dist
	$(CYCLONEDX) bin -json -licenses -noserial -version $(VERSION) -output dist/muster-$(VERSION).cdx.json dist/linux-$(firstword $(ARCHS))/muster
	@# The time at which it was made is all that would differ.
	sed -i '/"timestamp": /d' dist/muster-$(VERSION).cdx.json
	cd dist && sha256sum muster* > SHA256SUMS

# The Helm chart's tests are a module of their own, which has Helm and Kubernetes in it.
CHART := CGO_ENABLED=0 GOFLAGS=-trimpath go -C deploy/helm/check

# TEST narrows it down: make test TEST='-run SignIn ./domain'
TEST ?= ./...
# SQLite itself is left out of the race detector, which makes it seven times as slow and would look at nothing of ours there.
RACE := -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc/...=-race=false
# One package more than there are processors, because tests also wait: for browsers, servers and clocks.
test:
	@$(WITH_SERVICES) go test $(RACE) -shuffle=on -timeout 20m -p $$(($$(nproc) + 1)) $(TEST)
ifeq ($(TEST),./...)
	@$(CHART) test -shuffle=on -timeout 5m .
endif

check: lint test

# Compiled as "build" compiles, so that the tests of what is released find that work done.
lint: export CGO_ENABLED = 0
lint: export GOFLAGS = -trimpath
lint: $(GOLANGCI) vulnerabilities
	go mod tidy -diff
	go vet ./...
	$(CHART) vet .
	$(GOLANGCI) run ./...

# Findings fail; a database that cannot be reached is said aloud and does not.
vulnerabilities: $(GOVULNCHECK)
	@report=$$($(GOVULNCHECK) ./... 2>&1) && status=0 || status=$$?; \
	if [ $$status -eq 0 ]; then echo "govulncheck: no known vulnerabilities"; \
	elif echo "$$report" | grep -q 'fetching vulnerabilities'; then \
		echo "govulncheck: NOT CHECKED, the vulnerability database cannot be reached: $$(echo "$$report" | grep -m1 'fetching vulnerabilities')"; \
	else echo "$$report"; exit $$status; fi

fmt: $(GOLANGCI)
	$(GOLANGCI) fmt ./...

# Writes the references of settings, commands and the API anew; the tests compare them with the code.
docs:
	@MUSTER_WRITE_DOCS=1 $(WITH_SERVICES) go test -count=1 -run 'Reference' ./cmd/muster ./admin
	@MUSTER_WRITE_DOCS=1 $(CHART) test -count=1 -run Reference .

# Speed and memory on both databases, with every write on disk: make bench TABLES=growth,memory USERS=1000000
# The tables are ratios and signin (against a bare handler), admin, growth, groups, lists, bulk, sync and memory; SYNC is how many people sync brings.
# ENGINE is SQLite or PostgreSQL for one of them alone.
TABLES ?= ratios,signin,admin,growth,groups,lists,bulk,sync,memory
USERS  ?= 0
SYNC   ?= 2000
ENGINE ?=
bench: build
	@MUSTER_TEST_POSTGRES_DURABLE=1 $(WITH_SERVICES) go run ./bench -tables $(TABLES) -users $(USERS) -sync $(SYNC) -engine "$(ENGINE)"

# A picture of every page of the console, in both themes and at both widths, for looking at.
screenshots:
	rm -rf docs/screenshots
	@MUSTER_SCREENSHOTS=$(CURDIR)/docs/screenshots $(WITH_SERVICES) go test -count=1 -run TestEveryPage ./cmd/muster

# The long fault tests: minutes to hours. Patroni and etcd are installed for them; MUSTER_SOAK_ROUNDS is how often each failover is tried.
soak:
	@MUSTER_TEST_HA=1 $(WITH_SERVICES) go test $(RACE) -tags soak -timeout 4h -v -run 'Soak' ./...

$(GOLANGCI):
	GOBIN=$(CURDIR)/$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

$(GOVULNCHECK):
	GOBIN=$(CURDIR)/$(@D) go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)

$(CYCLONEDX):
	GOBIN=$(CURDIR)/$(@D) go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX_VERSION)
