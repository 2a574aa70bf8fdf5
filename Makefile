.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
INFRA := .venv-infra
INFRA_READY := $(INFRA)/.ready
WIRING := .venv-wiring
WIRING_READY := $(WIRING)/.ready
EMULATOR := .rie/aws-lambda-rie
TOOLKIT := infra/node_modules/.package-lock.json
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
LOCKED := --require-hashes --no-deps --only-binary=:all: -r requirements-dev.txt
# jsii draws a box about Node 20, which works.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export CDK_DISABLE_CLI_TELEMETRY := true
EXTRAS := science local dev peer # what the everyday environment holds: all but training
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

.PHONY: help
help:  ## List what there is to type
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Matteline needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
		|| { echo "Python's venv is missing; on Debian or Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "Setting up $(VENV), once"
	@$(PYTHON) -m venv --clear $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.txt > $(VENV)/uv.txt
	@$(PIP) --require-hashes --no-deps --only-binary=:all: -r $(VENV)/uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python $(LOCKED) \
		|| { echo "uv could not; pip tries, with its own settings"; $(PIP) $(LOCKED); }
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# CDK weighs 430 MB: it has an environment of its own, made when it is first asked for.
$(INFRA_READY): infra/requirements.txt | $(READY)
	@echo "Setting up $(INFRA), once"
	@$(PYTHON) -m venv --clear --without-pip $(INFRA)
	@$(BIN)/uv pip install --quiet --python $(INFRA)/bin/python --require-hashes --no-deps \
		--only-binary=:all: -r infra/requirements.txt
	@touch $@

# MiniStack pins botocore: it has an environment of its own, too.
$(WIRING_READY): tests/wiring/requirements.txt | $(READY)
	@echo "Setting up $(WIRING), once"
	@$(PYTHON) -m venv --clear --without-pip $(WIRING)
	@$(BIN)/uv pip install --quiet --python $(WIRING)/bin/python --require-hashes --no-deps \
		--only-binary=:all: -r tests/wiring/requirements.txt
	@touch $@

# The CDK toolkit, and a second reader of state machines.
$(TOOLKIT): infra/package-lock.json
	@npm ci --prefix infra --no-audit --no-fund --silent
	@touch $@

.PHONY: setup
setup: $(READY)  ## Make the environment in .venv

.PHONY: demo
demo: $(READY)  ## Cut out sample photos offline; results in demo-output/
	@$(BIN)/matteline demo

.PHONY: test
test: $(READY)  ## Everything that needs no special machine
	@$(BIN)/pytest -m "not e2e and not images and not wiring and not hostile and not faults" \
		--ignore=tests/release --numprocesses=auto --dist=loadfile $(if $(K),-k "$(K)")

.PHONY: test-hostile
test-hostile: $(READY)  ## Hostile and odd input, by the hundred, and how each of it ended
	@$(BIN)/pytest -m hostile --numprocesses=auto --dist=loadfile tests/hostile

.PHONY: test-faults
test-faults: $(READY)  ## Break every state in every way, then count; FAULT_DROPS=1000 for all
	@$(BIN)/pytest -m faults tests/faults

.PHONY: test-release
test-release: $(READY)  ## How containers are released: the machine, its functions, the smoke tests
	@$(BIN)/pytest tests/release --numprocesses=auto --dist=loadfile $(if $(K),-k "$(K)")

.PHONY: e2e
e2e: $(READY)  ## The demo, and real weights on real photos where they are at hand
	@$(BIN)/pytest -m e2e

.PHONY: images
images: $(READY)  ## Build every container's image with buildah; C=edge-refiner builds one. Needs root
	@$(BIN)/matteline containers build $(C)

.PHONY: test-images
test-images: $(READY) $(EMULATOR)  ## The built images, alone and together. Needs root and `make images`
	@$(BIN)/pytest -m images

# AWS's emulator of the Lambda runtime: one program out of a wheel that is not installed.
$(EMULATOR): tests/images/rie.txt | $(READY)
	@mkdir -p $(@D)
	@$(BIN)/pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
		--only-binary=:all: --dest $(@D) -r $<
	@cd $(@D) && $(PYTHON) -m zipfile -e aws_sam_cli-*.whl wheel
	@mv $(@D)/wheel/samcli/local/rapid/aws-lambda-rie-$$(uname -m | sed s/aarch64/arm64/) $@
	@chmod +x $@ && touch $@ && rm -r $(@D)/wheel $(@D)/*.whl

.PHONY: bench
bench: $(READY)  ## One photo, memory and the networks, as ratios; BENCH=full for the large ones
	@$(BIN)/python -m tests.bench

.PHONY: bench-edges
bench-edges: $(READY)  ## Edges beside rembg and pymatting, against a known truth; with sheets
	@MATTELINE_PHOTOS=$(PHOTOS) $(BIN)/python -m tests.bench.edges

PHOTOS ?= ../shared/data
MODELS ?= ../shared/models
.PHONY: starter-eval
starter-eval: $(READY)  ## How good the starter model is, beside others of its size; with sheets
	@$(BIN)/python -m containers.background_remover.starter.evaluation \
		--photos $(PHOTOS) --models $(MODELS)

.PHONY: synth
synth: $(INFRA_READY)  ## The CloudFormation templates, offline, into synth-output/
	@$(INFRA)/bin/python -m infra.app

.PHONY: check-wiring
check-wiring: $(READY) $(INFRA_READY) $(WIRING_READY)  ## The templates on MiniStack: a dropped photo comes out
	@$(BIN)/python -m tests.wiring.differences
	@$(BIN)/pytest tests/wiring --exitfirst

.PHONY: test-infra
test-infra: $(INFRA_READY) $(TOOLKIT)  ## Types and tests of infra/, where CDK is; K=expr selects
	@$(INFRA)/bin/mypy infra/*.py tests/infra/*.py
	@$(INFRA)/bin/pytest --override-ini "addopts=--strict-markers --strict-config -ra" \
		--confcutdir=tests/infra tests/infra $(if $(K),-k "$(K)")

STAGE ?= dev
# A stack keeps what is not given: after a rollback it would change all at once, alarms or not.
CONTAINERS := $(subst _,-,$(patsubst containers/%/container.toml,%,$(wildcard containers/*/container.toml)))
CANARY := $(CONTAINERS:%=--parameters matteline-$(STAGE)-functions-%:TrafficShift=canary)
.PHONY: deploy
deploy: $(INFRA_READY) $(TOOLKIT)  ## Every stack into the account and region of your AWS profile; STAGE=prod
	@cd infra && npx --no-install cdk deploy --all -c matteline:stage=$(STAGE) $(CANARY)

.PHONY: check
check: $(READY)  ## Lint, types, import rules, versions; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/matteline containers check

.PHONY: audit
audit: $(READY)  ## Known vulnerabilities of what the images lock; asks PyPI's vulnerability service
	@for lock in containers/*/requirements.txt; do \
		$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement $$lock || exit 1; done

.PHONY: fix
fix: $(READY)  ## Format and mend what can be mended
	@$(BIN)/ruff check --fix --quiet .; $(BIN)/ruff format .

.PHONY: docs
docs: $(READY)  ## Write the pages that are made from code: docs/errors.md
	@$(BIN)/python docs/errors.py

.PHONY: lock
lock: $(READY)  ## Hash-lock every dependency again
	@$(COMPILE) pyproject.toml $(EXTRAS:%=--extra %) -o requirements-dev.txt
	@$(COMPILE) infra/requirements.in -o infra/requirements.txt
	@$(COMPILE) tests/wiring/requirements.in -o tests/wiring/requirements.txt
	@for folder in containers/*/; do \
		test ! -f $${folder}requirements.in || $(COMPILE) $${folder}requirements.in \
			-c requirements-dev.txt -o $${folder}requirements.txt || exit 1; done
