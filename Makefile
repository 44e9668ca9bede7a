# Every target is one readable command. `make help` lists them.

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/'

test: ## all tests
	go test ./...

race: ## the packages with concurrency, under the race detector
	bash .ci/race

load: ## SQLite under load, for longer than the tests take
	CGO_ENABLED=1 go test -race -run 'ManyWriters' -v ./orm/sqlite -args -load 20s

# Each connection needs an open file in the test and one in the site.
idle: ## the memory of 10,000 idle connections
	ulimit -n 12000 && RETORT_IDLE_CONNECTIONS=10000 go test -count=1 -run 'IdleConnections' -v ./internal/faulttest

million: ## a million rows read one by one from each database, and the memory that takes
	go test -run 'EachKeepsNoRows' -v ./orm -args -rows 1000000

lint: ## vet and the linters
	go vet ./... && go tool -modfile=tools/go.mod golangci-lint run ./...

format: ## gofumpt
	go tool -modfile=tools/go.mod gofumpt -w .

bench: ## benchmarks beside the code
	go test -run '^$$' -bench . -benchmem ./...

property: ## random questions to all databases, for longer: make property SEED=1
	go test -timeout 1h ./orm/internal/propertytest -args -questions 20000 -items 200 -seed $(or $(SEED),0)

fuzz: ## one fuzz test: make fuzz PKG=./router NAME=FuzzLookup
	go test -run '^$$' -fuzz '^$(NAME)$$' -fuzztime 60s $(PKG)

# SEEDS=100+50 takes 50 seeds from 100. Set RETORT_TEST_POSTGRES and RETORT_TEST_MYSQL to prove it there, too.
SEEDS ?= 0+100
proof-migrations: ## random changes of models, kill -9 everywhere, two migrators at once: make proof-migrations SEEDS=0+100
	RETORT_MIGRATE_PROOF=$(SEEDS) go test -timeout 4h -v -run 'RandomChangesOfModels|KilledProcessLosesNothing|MigrateAtOnce' ./migrate

vulnerabilities: ## known vulnerabilities in what is linked
	go tool -modfile=tools/go.mod govulncheck ./...

blog: ## the example blog, in development mode
	go run ./cmd/retort dev ./examples/blog

axe: ## axe-core on every page of the examples, in Chromium; SCREENSHOTS=folder keeps pictures
	cd internal/axe && npm ci --ignore-scripts --no-audit --no-fund && node axe.mjs $(if $(SCREENSHOTS),--screenshots $(abspath $(SCREENSHOTS)))
	cd internal/browsertest && AXE=$(abspath internal/axe/node_modules/axe-core/axe.min.js) go test -count=1 -run "Passkeys|LoginsWithOthers" ./...

browser: ## the examples in Chromium, as people use them
	cd internal/browsertest && go vet ./... && go test -count=1 ./...

ci: ## what a landing must pass
	bash .ci/run

.PHONY: help test race load idle million property lint format bench fuzz proof-migrations vulnerabilities blog axe browser ci
