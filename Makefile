# Every target is one readable command. `make help` lists them.

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/'

test: ## all tests
	go test ./...

race: ## the packages with concurrency, under the race detector
	CGO_ENABLED=1 go test -race . ./retorttest ./template ./orm/... ./migrate ./session ./signing ./server ./static ./router ./bind ./validate ./internal/devserver ./db ./form

lint: ## vet and the linters
	go vet ./... && go tool -modfile=tools/go.mod golangci-lint run ./...

format: ## gofumpt
	go tool -modfile=tools/go.mod gofumpt -w .

bench: ## benchmarks beside the code
	go test -run '^$$' -bench . -benchmem ./...

fuzz: ## one fuzz test: make fuzz PKG=./router NAME=FuzzLookup
	go test -run '^$$' -fuzz '^$(NAME)$$' -fuzztime 60s $(PKG)

vulnerabilities: ## known vulnerabilities in what is linked
	go tool -modfile=tools/go.mod govulncheck ./...

blog: ## the example blog, in development mode
	go run ./cmd/retort dev ./examples/blog

ci: ## what a landing must pass
	bash .ci/run

.PHONY: help test race lint format bench fuzz vulnerabilities blog ci
