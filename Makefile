# Two commands do everything on a fresh machine: `make demo` and `make test`.
SHELL := /bin/bash
export UV_PYTHON_DOWNLOADS := never
REQUIREMENTS := tests/requirements
UV := .tools/uv/bin/uv
# What is built here is run here; a deployment builds for arm64 (samconfig.toml).
ARCHITECTURE := $(subst aarch64,arm64,$(shell uname -m))
export SAM_CLI_TELEMETRY := 0
PY := .venv/bin/python

.PHONY: demo dev test faults matrix bench build lint lock docs clean
.DELETE_ON_ERROR:

demo: .venv/ready .tools/sam/ready .tools/ministack/ready
	$(PY) -m tests.local.demo

dev: .venv/ready .tools/sam/ready .tools/ministack/ready
	$(PY) -m tests.local.dev

test: lint build .tools/runtime/ready .tools/ministack/ready
	$(PY) -m pytest -n 2 --dist loadfile

faults: .venv/ready .tools/sam/ready .tools/ministack/ready
	$(PY) -m tests.local.faults

matrix: .venv/ready
	@$(PY) -m tests.matrix

# A part of it: make bench PARTS=search CONTACTS=1000000
CONTACTS := 100000
bench: .venv/ready .tools/sam/ready .tools/ministack/ready build
	$(PY) -m tests.bench $(PARTS) --contacts $(CONTACTS)

lint: .venv/ready .tools/sam/ready .tools/checkov/ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/pyright
	.venv/bin/lint-imports
	.tools/sam/bin/sam validate --lint --template template.yaml
	.tools/sam/bin/cfn-lint --append-rules cfn_lint_serverless.rules --template template.yaml
	.tools/checkov/bin/checkov --quiet --compact --framework cloudformation --file template.yaml

build: .tools/sam/ready
	.tools/sam/bin/sam build --cached --parallel --parameter-overrides Architecture=$(ARCHITECTURE)

# Regenerates what is derived from the code: the README matrix and the rows that tests compare.
docs: .venv/ready
	$(PY) -m tests.docs

lock: $(UV)
	$(UV) pip compile -q --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.13 \
	  pyproject.toml -o layers/switchboard/python/requirements.txt
	$(UV) pip compile -q --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.13 \
	  pyproject.toml --group development -o $(REQUIREMENTS)/development.txt
	for group in runtime sam checkov ministack; do \
	  $(UV) pip compile -q --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.13 \
	    --group pyproject.toml:$$group -o $(REQUIREMENTS)/$$group.txt || exit 1; \
	done

clean:
	rm -rf .venv .tools .aws-sam .local

# Environments: each is what its hashed requirement file says, and is remade when that file changes.
$(UV):
	python3.13 -m venv .tools/uv
	.tools/uv/bin/pip install -q --disable-pip-version-check uv==0.13.9

.venv/ready: $(REQUIREMENTS)/development.txt pyproject.toml | $(UV)
	$(UV) venv -q --clear --python 3.13 .venv
	$(UV) pip sync -q --python .venv/bin/python --require-hashes $(REQUIREMENTS)/development.txt
	$(UV) pip install -q --python .venv/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

.tools/%/ready: $(REQUIREMENTS)/%.txt | $(UV)
	$(UV) venv -q --clear --python 3.13 .tools/$*
	$(UV) pip sync -q --python .tools/$*/bin/python --require-hashes $<
	@touch $@
