.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check test-unit test-parity test-e2e test-long gpu-check loadtest docs audit format clean programs loadtest-traffic loadtest-replicas drills image-test
SHELL := bash
BIN := .venv/bin
TARGET ?= cpu
# Containers often forbid bytecode: then each of dozens of processes here compiles torch and all else anew.
unexport PYTHONDONTWRITEBYTECODE
# Two tests, or a test and its server, run beside each other; with two threads each they would wait for each other.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest --durations 10

help: ## Show what there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: ## Make the environment in .venv (does nothing when nothing changed)
	@.ci/setup

programs: ## Make sure of the programs that tests run: chromium, prometheus and nginx
	@.ci/programs

demo: setup ## Sample, score and rank solutions of a word problem with real models
	@$(BIN)/surefoot demo

serve: setup ## Start the service with its defaults and keep it up
	@$(BIN)/surefoot serve

test: setup programs check test-unit test-parity test-e2e ## Everything that CI runs

check: setup ## Style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry service
	$(BIN)/codespell .ci CHANGELOG.md CONTRIBUTING.md Dockerfile Makefile README.md SECURITY.md clients deploy docs loadtests service tests --skip '*.svg,*.json,*.lock,service/surefoot/api/web/vendor'
	$(BIN)/shellcheck .ci/audit .ci/programs .ci/run .ci/setup .ci/vendor-katex deploy/image/build deploy/image/lock deploy/kubernetes/monitoring/make-prometheus-rule
	$(BIN)/hadolint Dockerfile

test-unit: setup ## Unit, property, API and contract tests on fakes
	$(PYTEST) -n 2 --dist worksteal tests/unit tests/api tests/contract tests/architecture tests/loadtests tests/deploy clients/python/tests

test-parity: setup ## Scores against plain formulas on tiny checkpoints
	$(PYTEST) -n 2 --dist worksteal tests/parity

test-e2e: setup programs ## The real server with the real models
	$(PYTEST) tests/e2e

test-long: setup ## What is too slow for CI: trainers' own code (needs a package index), Ray with workers killed
	$(PYTEST) tests/long

image-test: setup ## Build the image (TARGET=cpu|gpu) and run it as a cluster would; needs root, buildah, podman, runc, mmdebstrap
	deploy/image/build --stand-in $(TARGET) localhost/surefoot:$(TARGET)
	SUREFOOT_IMAGE=localhost/surefoot:$(TARGET) $(PYTEST) tests/image

gpu-check: setup ## Parity on a CUDA machine; not part of make test
	$(BIN)/pytest tests/gpu

loadtest: setup ## Measure against other ways to score; nothing else may run meanwhile
	$(BIN)/python -m loadtests W1 W2 W3 W4 W5 -o out/loadtests

docs: setup ## Build the documentation into out/docs; a broken link or any warning fails
	$(BIN)/sphinx-build -W --keep-going -q -b html -c docs . out/docs
	@echo "out/docs/index.html"

loadtest-traffic: setup ## Send up to three times what the service can do; nothing else may run meanwhile (14 minutes)
	$(BIN)/python -m loadtests.traffic -o out/traffic

loadtest-replicas: setup ## Ask two replicas by the client, by nginx and in turns, and end one; nothing else may run meanwhile (4 minutes)
	$(BIN)/python -m loadtests.replicas -o out/replicas

drills: setup ## Break something on purpose and count what became of the work; needs root, faketime and iptables
	$(BIN)/python -m loadtests.drills

audit: setup ## Ask whether an installed package has a known vulnerability; says so where that cannot be asked
	@.ci/audit

format: setup ## Rewrite the code in the project's style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove the environment and what tools left behind
	rm -rf .venv .venv-audit .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
