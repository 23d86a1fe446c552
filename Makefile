# make demo   install everything, then compile, check, run and cost a real network
# make test   install everything, then lint, type-check and test
# make benchmark DATA=FOLDER   speed against others (docs/benchmarks.md)
SHELL := /bin/bash
BIN := .venv/bin
DEMO := demo

.PHONY: demo test lint test-newest benchmark citation install clean

install: .venv/.installed

.venv/.installed: pyproject.toml scripts/find-python3.10
	python310=$$(scripts/find-python3.10) && "$$python310" -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[lava,lava-dl,examples,test]'
	touch $@

demo: install
	mkdir -p $(DEMO)
	$(BIN)/python -m examples.digits.data $(DEMO)/digits_test.npz
	$(BIN)/nmdeploy compile examples/digits/model.pt --target loihi -T 32 -o $(DEMO)/digits.nmd
	$(BIN)/nmdeploy check $(DEMO)/digits.nmd
	$(BIN)/nmdeploy run $(DEMO)/digits.nmd --data $(DEMO)/digits_test.npz
	$(BIN)/nmdeploy run $(DEMO)/digits.nmd --data $(DEMO)/digits_test.npz --limit 20 --output $(DEMO)/simulator.npz
	$(BIN)/nmdeploy run $(DEMO)/digits.nmd --data $(DEMO)/digits_test.npz --limit 20 --output $(DEMO)/lava.npz --backend lava
	$(BIN)/python -m examples.digits.same_spikes $(DEMO)/simulator.npz $(DEMO)/lava.npz
	$(BIN)/nmdeploy energy $(DEMO)/digits.nmd --data $(DEMO)/digits_test.npz
	$(BIN)/nmdeploy report $(DEMO)/digits.nmd -o $(DEMO)/report.html

lint: install
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Lava's processes take both cores, so its tests come one after the other
test: lint citation
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not lava"
	$(BIN)/python -m pytest -m "not slow and lava"

# cffconvert needs an old jsonschema, so it has an environment of its own
citation: .venv-citation/.installed
	.venv-citation/bin/cffconvert --validate

.venv-citation/.installed: scripts/find-python3.10
	python310=$$(scripts/find-python3.10) && "$$python310" -m venv .venv-citation
	.venv-citation/bin/pip install --quiet --disable-pip-version-check cffconvert==2.0.0
	touch $@

# the core, without Lava, on this machine's newer Python and a newer torch; benchmarks, whole networks and pages on 3.10 alone
NEWEST_TORCH := 2.13.0
test-newest: .venv-newest/.installed
	.venv-newest/bin/python -m pytest -n 2 --dist loadfile -m "not slow and not lava" \
		--ignore=tests/benchmarks --ignore=tests/networks --ignore=tests/report --ignore=tests/detection

.venv-newest/.installed: pyproject.toml
	python3 -c 'import sys; assert sys.version_info >= (3, 11), f"python3 is {sys.version}, 3.11 or newer is needed"'
	python3 -m venv .venv-newest
	.venv-newest/bin/pip install --quiet --disable-pip-version-check torch==$(NEWEST_TORCH)
	.venv-newest/bin/pip install --quiet --disable-pip-version-check -e '.[examples,test]'
	touch $@

benchmark: install
	$(BIN)/python -m benchmarks.simulator $(DATA)

clean:
	rm -rf .venv .venv-citation .venv-newest .venv-spikingjelly .venv-sinabs .venv-nengo-loihi .venv-neurobench \
		.venv-sanafe .venv-uv $(DEMO)
