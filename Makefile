# Commands of this registry. `make help` lists them.

PYTHON ?= python3
JOBS ?= auto
BIN := .venv/bin
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help run test benchmark races crash network power disk-full model attacks chaos check format lock backup restore ready-to-run ready-to-check ready-to-test

help: ## List the commands
	@echo "Commands (settings such as PORT=8080 or DATABASE_URL=... may follow; the README has them all):"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name does; do \
		printf '  make %-9s %s\n' "$$name" "$$does"; done

run: ready-to-run ## Install what is missing, bring the database up to date and serve on http://localhost:8000 (PORT=)
	@exec $(BIN)/python -m setup.run

test: ready-to-test ## Install what is missing and run the tests on both databases (ARGS="tests/ledger -x")
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

benchmark: ready-to-test ## Measure the ledger beside bare commits, on both databases (ARGS="--json --seconds 4")
	@$(BIN)/python -m benchmarks.ledger $(ARGS)

races: ready-to-test ## Let many ask at once for what one can have, on both databases (ROUNDS=1000 THREADS=64)
	@$(BIN)/python -m tests.suites.races --rounds $(or $(ROUNDS),1000) --threads $(or $(THREADS),64)

crash: ready-to-test ## Kill workers at every statement (EVERY=1) and at random, and PostgreSQL (KILLS=10000 SERVER_KILLS=60)
	@$(BIN)/python -m tests.suites.crash --every $(or $(EVERY),1) --kills $(or $(KILLS),10000) \
		--server-kills $(or $(SERVER_KILLS),60)

network: ready-to-test ## Put a faulty network between the registry and PostgreSQL (FAULTS=1000)
	@$(BIN)/python -m tests.suites.network --faults $(or $(FAULTS),1000)

power: ready-to-test ## Cut the power of an embedded registry, as far as its disk can tell (CUTS=1000)
	@$(BIN)/python -m tests.suites.power --cuts $(or $(CUTS),1000)

disk-full: ready-to-test ## Fill the disk under the registry, on both databases, as root (ROUNDS=20)
	@$(BIN)/python -m tests.suites.disk --rounds $(or $(ROUNDS),20)

model: ready-to-test ## Take random steps with the ledger and a simple model of it, which never differ (STEPS=1000000)
	@$(BIN)/python -m tests.suites.model --steps $(or $(STEPS),1000000)

attacks: ready-to-test ## Edit the database by hand, past every trigger, and say who finds it
	@$(BIN)/python -m tests.suites.attacks

chaos: ready-to-test ## Let everything go wrong between buyers and the payment provider (SCHEDULES=10000 THREADS=64)
	@$(BIN)/python -m tests.suites.chaos --schedules $(or $(SCHEDULES),10000) --threads $(or $(THREADS),64)

check: ready-to-check ## Look for mistakes without running anything: ruff, mypy, djlint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/djlint --quiet --lint templates

format: ready-to-check ## Lay the Python code out the one way
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ready-to-check ## Write the locked requirements anew (ARGS=--upgrade for the newest versions)
	setup/lock.sh $(ARGS)

backup: ready-to-run ## Save database, evidence, certificates and keys in one file, while running (TO=backup.tar.gz)
	@$(BIN)/python -m setup.backup save "$(TO)"

restore: ready-to-run ## Bring a backup back into an empty database and an empty DATA_DIR (FROM=backup.tar.gz)
	@$(BIN)/python -m setup.backup restore "$(FROM)"

ready-to-run:
	@setup/system-packages.sh run
	@setup/environment.sh run

ready-to-check:
	@setup/system-packages.sh run
	@setup/environment.sh test

ready-to-test:
	@setup/system-packages.sh test
	@setup/environment.sh test
	@setup/browser.sh
