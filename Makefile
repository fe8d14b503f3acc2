# `make` lists the targets. They need Rust, Python 3.11 or newer, Node 20 or newer, gcc and make. All other tools are
# installed into .tools in exact versions.

PYTHON := .tools/python/bin/python
LOCAL := infra/local
.DEFAULT_GOAL := help
.PHONY: help tools up down demo test lint rust-test e2e package bench bench-files bench-links simulate simulate-pairs simulate-sabotage mutants mutants-app policy-table clean clean-tools

help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

tools: ## Installs the Python tools in exact versions (the other targets do this themselves)
	@python3 $(LOCAL)/tools.py

up: tools ## Builds and starts the local stack, or updates it; IAM=enforced refuses what roles don't grant
	@IAM=$(or $(IAM),open) $(PYTHON) $(LOCAL)/up.py

down: tools ## Stops the local stack
	@$(PYTHON) $(LOCAL)/down.py

demo: tools ## Starts the stack and walks through the main scenario; exit code 0 if all of it holds
	@IAM=$(or $(IAM),open) $(PYTHON) $(LOCAL)/demo.py

test: tools ## Runs every check: lints, tests, the demo, end to end, packages
	@$(PYTHON) $(LOCAL)/verify.py

lint: tools ## Runs the lints: format, clippy, rustdoc, dependencies, template, app
	@$(PYTHON) $(LOCAL)/verify.py lint

rust-test: tools ## Runs the Rust tests, with a DynamoDB for those of the ledger
	@$(PYTHON) $(LOCAL)/verify.py rust

e2e: tools ## Runs the end-to-end tests on a stack of their own with IAM enforced
	@$(PYTHON) $(LOCAL)/verify.py e2e

package: tools ## Builds the release packages of the functions into target/package and checks their size
	@$(PYTHON) $(LOCAL)/package.py

bench: tools ## Measures those packages into target/bench/NAME.json; BEFORE=<file> shows an earlier run beside
	@$(PYTHON) tests/bench/bench.py $(if $(NAME),--name "$(NAME)") $(if $(BEFORE),--before "$(BEFORE)")

bench-files: tools ## Moves the largest file each way with those packages and prints the memory that it takes
	@$(PYTHON) tests/bench/files.py

bench-links: ## Prints what one more message costs on links of ten to ten thousand messages (takes half a minute)
	@cargo run -q -p casebridge-simulation -- long-links

simulate: ## Runs SEEDS random worlds from seed FROM on, with faults at every step, and all seeds that ever failed
	@cargo run -q -p casebridge-simulation -- run $(or $(SEEDS),20000) $(or $(FROM),0)

simulate-pairs: ## Runs every pair of faults in small worlds (takes minutes)
	@cargo run -q -p casebridge-simulation -- pairs

simulate-sabotage: ## Switches off one safeguard at a time: the simulation must notice each
	@cargo run -q -p casebridge-simulation -- sabotage $(or $(SEEDS),10000)

mutants: tools ## Makes small changes to the core and the executor: the tests must notice
	@$(PYTHON) $(LOCAL)/mutants.py

mutants-app: tools ## Makes small changes to the app's scripts, or to those that SCRIPTS names (takes half an hour)
	@$(PYTHON) $(LOCAL)/mutants_app.py $(SCRIPTS)

policy-table: ## Writes docs/policy.md from the policy's fields
	@cargo run -q --locked -p casebridge-core --example policy_table

clean: down ## Stops the stack and removes what was built
	@rm -rf target .local infra/servicenow/dist infra/servicenow/target

clean-tools: clean ## Removes the installed tools too
	@rm -rf .tools infra/servicenow/node_modules
