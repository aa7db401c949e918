# Everything starts here; only make and Python 3.11 or newer have to be there.
# All that is installed goes into .venv, by the pins of .ci/constraints.txt; `make clean` takes it away again.

VENV   := .venv
PINS   := .ci/constraints.txt
CONFIG ?= checks.toml
ARGS   ?=
# More than there are cores: most tests wait for a daemon or a limit.
JOBS   ?= 4
RUN    := $(VENV)/bin/python -m

.PHONY: help run demo test test-systemd install uninstall lint types bench screenshots sbom pins clean
.DEFAULT_GOAL := help

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1|\2/p' Makefile | while IFS='|' read -r what does; do \
		printf '%-20s %s\n' "  $$what" "$$does"; done
	@echo
	@echo '  make run CONFIG=my.toml ARGS="--listen 127.0.0.1:0"    make test JOBS=2 ARGS="-k dns"'

run: $(VENV)/.run ## Install if need be, and start the daemon on checks.toml
	@[ "$(CONFIG)$(ARGS)" != checks.toml ] || echo 'The page: http://127.0.0.1:8420/status   Ctrl-C ends.' >&2
	@$(RUN) monitor run -c $(CONFIG) $(ARGS)

demo: $(VENV)/.run ## Install if need be, and watch targets that misbehave in every way there is a word for
	@$(RUN) monitor demo $(ARGS)

# Each test that starts the program would compile it anew without bytecode.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.dev ## Install if need be, and run every test and every linter
	@echo '[1/4] ruff check'
	@$(RUN) ruff check .
	@echo '[2/4] ruff format --check'
	@$(RUN) ruff format --check .
	@echo '[3/4] pytest, $(JOBS) at a time, and [4/4] mypy, strict, beside it'
	@said=$$(mktemp); $(RUN) mypy >"$$said" 2>&1 & types=$$!; \
	$(RUN) pytest -n $(JOBS) -p no:schemathesis --durations=15 $(ARGS); tested=$$?; \
	wait $$types; typed=$$?; cat "$$said"; rm -f "$$said"; \
	if [ $$tested = 1 ]; then \
		echo 'Once more, alone: what failed beside others. Only what fails here too is a failure.'; \
		$(RUN) pytest --last-failed --last-failed-no-failures none $(ARGS); tested=$$?; \
	fi; \
	[ $$tested = 0 ] && [ $$typed = 0 ]

test-systemd: $(VENV)/.dev ## Boot Debian containers and run the service there (root, Debian, 5 minutes)
	@$(RUN) tests.systemd $(ARGS)

install: ## Install program, unit and an example for systemd (DESTDIR, PREFIX: see deploy/install.sh)
	@sh deploy/install.sh install

uninstall: ## Remove what `make install` put there
	@sh deploy/install.sh uninstall

lint: $(VENV)/.dev ## The linters alone, mending what they can
	$(RUN) ruff check --fix .
	$(RUN) ruff format .
	$(RUN) mypy

bench: $(VENV)/.dev ## Measure every aim under load, and print the table (25 minutes; ARGS=--quick: 7)
	$(RUN) tests.bench $(ARGS)

screenshots: $(VENV)/.dev ## Take the pictures in docs/images anew, with headless Chromium
	$(RUN) tests.project.screenshots

sbom: build/tools/.made ## Write dist/sbom.json: every package of the image with its hashes, as CycloneDX
	@mkdir -p dist
	build/tools/bin/cyclonedx-py requirements deploy/requirements.txt --pyproject pyproject.toml --output-reproducible -o dist/sbom.json

# Hashes come from the index, so this needs one; what is written names none.
COMPILE := build/tools/bin/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --no-annotate --no-header -c $(PINS)
# Without options, which name an index, blank lines, and a remark on setuptools.
BARE := grep -v '^--\|^$$\|^\#'
MADE := \# Made by `make pins`: the hash of every file that an index may hand out for

pins: build/tools/.made ## Write deploy/requirements*.txt anew, after a change of .ci/constraints.txt or pyproject.toml
	@rm -f build/image.txt build/build.txt
	@$(COMPILE) -o build/image.txt pyproject.toml
	@echo setuptools | $(COMPILE) -o build/build.txt -
	@{ echo '$(MADE) what the image consists of.'; $(BARE) build/image.txt; } >deploy/requirements.txt
	@{ echo '$(MADE) what builds the project.'; $(BARE) build/build.txt; } >deploy/requirements-build.txt

build/tools/.made: | $(VENV)/bin/python
	@$(RUN) venv build/tools
	@build/tools/bin/python -m pip install -q 'cyclonedx-bom>=7' 'pip-tools>=7.5'
	@touch $@

clean: ## Remove the environment and everything that tools left behind
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. A stamp is older than pyproject.toml or the pins only if something has to be installed.
# pip reads PIP_CONSTRAINT also for what builds the project; newer versions of pip want PIP_BUILD_CONSTRAINT for that.

PIP := PIP_CONSTRAINT=$(PINS) PIP_BUILD_CONSTRAINT=$(PINS) PIP_DISABLE_PIP_VERSION_CHECK=1 $(RUN) pip install -q

$(VENV)/.run: pyproject.toml $(PINS) | $(VENV)/bin/python
	@echo 'Installing into $(VENV) …' >&2
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml $(PINS) | $(VENV)/bin/python
	@echo 'Installing into $(VENV), with what the tests need …' >&2
	@$(PIP) --use-pep517 -e '.[dev]'
	@touch $(VENV)/.run $@

# The first Python that is new enough and can make environments; else a sentence that says what to install.
$(VENV)/bin/python:
	@for python in $${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		new="$$python"; \
		"$$python" -c 'import ensurepip, venv' 2>/dev/null || continue; \
		echo "Making $(VENV) with $$("$$python" --version) …" >&2; \
		exec "$$python" -m venv --clear $(VENV); \
	done; \
	if [ -n "$$new" ]; then \
		version=$$("$$new" -c 'import sys; print("python%d.%d" % sys.version_info[:2])'); \
		echo "make: $$new cannot make virtual environments; on Debian and Ubuntu: apt install $$version-venv" >&2; \
	else \
		found=$$($${PYTHON:-python3} --version 2>/dev/null || echo none); \
		echo "make: Python 3.11 or newer is needed, and $${PYTHON:-python3} is $$found; install one, or name it:" \
			"make PYTHON=/path/to/python3.11" >&2; \
	fi; \
	exit 1
