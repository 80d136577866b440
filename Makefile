# Everything a developer or a reader runs. Needs Python >= 3.11 with venv and pip, and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt
# tests that take as long as all others
HALF   := $(addprefix tests/,contract models executors training datasets)

.PHONY: demo develop test docs documents test-contracts test-others slow check format lint types judge measurement-error rare-events speed faults kills attack peers scale extraction gate gpu system clean

# train six families and three reference rows on a toy and on real digits; print where the page lies
demo: $(VENV)/.run
	$(BIN)/genbench run demo --output .demo --executor processes --jobs 2
	$(BIN)/genbench report demo --output .demo --to report --title "genbench demo"

# two halves side by side, on two cores; each prints when it has ended
test: $(VENV)/.dev
	$(MAKE) --no-print-directory -j 2 --output-sync=target test-contracts test-others

# what tests need
develop: $(VENV)/.dev

test-contracts:
	$(BIN)/pytest $(HALF)

test-others:
	$(BIN)/pytest $(addprefix --ignore=,$(HALF))

# longer checks: what the suites toys and images must show
slow: $(VENV)/.dev
	$(BIN)/pytest -m slow

check: $(VENV)/.dev lint types test

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# what stacks of seeds gain, the harness over a bare loop, a cell in the driver, a report over many records
speed: $(VENV)/.run
	$(BIN)/python tests/speed/seeds.py
	$(BIN)/python tests/speed/overhead.py
	$(BIN)/python tests/speed/memory.py
	$(BIN)/python tests/speed/driver.py

# the evaluator against pip-installed peers: agreement, time and memory, side by side
peers: $(VENV)/.dev
	$(PIP) -e '.[dev,peers]'
	$(BIN)/python tests/speed/agreement.py
	$(BIN)/python tests/speed/metrics.py

# every model on the GPU: devices, synchronisations, agreement with the CPU, rounds of seeds per second
gpu: $(VENV)/.run
	$(BIN)/python tests/gpu/measure.py

# the evaluator on up to 100,000 x 2,048 features within 2 GB: peak memory, and cost against n (hours)
scale: $(VENV)/.run
	$(BIN)/python tests/speed/scale.py

# 50,000 pictures of 64×64 through efficientnet_lite0 within 2 GiB, streaming (half an hour of a core)
extraction: $(VENV)/.dev
	$(BIN)/python tests/speed/extraction.py

# kills at random moments, full disks, damaged files: what suite ci loses, then a small one more often (two hours)
faults: $(VENV)/.dev
	$(BIN)/python tests/faults/campaign.py --suite ci --kills 200 --times 1
	$(BIN)/python tests/faults/campaign.py --kills 50

# run, tune, merge and baseline accept, ended at seeded moments by three signals: what is lost or goes on wrong (a few minutes)
kills: $(VENV)/.dev
	$(BIN)/python tests/faults/kills.py

# seeded fuzzers of inputs, suites, records, baselines, plugins, options and environment: what breaks, lies or is
# lost (1,920 tries, a few minutes)
attack: $(VENV)/.dev
	$(BIN)/python tests/attack/attack.py

# the gate's false alarms and what it catches: by simulation, then by real runs of suite ci, kept in .gate (an hour and a half)
gate: $(VENV)/.dev
	$(BIN)/python tests/gate/simulate.py
	$(BIN)/python tests/gate/plants.py .gate

# the documents as pages, into build/docs
docs: $(VENV)/.base
	$(PIP) -e '.[docs]'
	$(BIN)/python docs/make_cli.py
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -b html -c docs . build/docs
	@echo "build/docs/index.html"

# what is generated in the documents: commands, tables of leaderboards and claims
documents: $(VENV)/.run
	$(BIN)/python docs/make_cli.py
	$(BIN)/python docs/make_times.py
	$(BIN)/genbench list sources --readme docs/sources.md
	$(BIN)/genbench leaderboard -o results --readme README.md --picture docs/families.svg
	$(BIN)/genbench leaderboard -o results --readme results/README.md
	$(BIN)/genbench tune --curves -o results --readme docs/fairness.md
	$(BIN)/genbench claims -o results --readme README.md
	$(BIN)/genbench claims -o results --readme docs/claims.md
	$(BIN)/genbench claims -o results --readme docs/fairness.md

# error rates and power of verdicts, by simulation (a few minutes of a core)
judge: $(VENV)/.run
	$(BIN)/python tests/proof/judge.py --to docs/judge.md

# how far another test set and another extractor would move scores (about two hours of a core)
measurement-error: $(VENV)/.run
	$(BIN)/python tests/proof/measurement_error.py
	$(BIN)/python tests/proof/claim_measurement_error.py

# how often, and how far, one run in many lies off its like, in the records of results (seconds); other numbers change
# what claims are registered with
rare-events: $(VENV)/.run
	$(BIN)/python tests/proof/rare_events.py

# the classifiers by whose features data sets are compared, where the package lacks them (minutes of a core)
classifiers: $(VENV)/.run
	$(BIN)/python tests/proof/classifiers.py

# Debian packages that some tests use where they are: a browser, and Fashion-MNIST
system:
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends chromium dataset-fashion-mnist

$(VENV)/.base:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.run: $(VENV)/.base pyproject.toml constraints.txt
	$(PIP) -e .
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(PIP) -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) report build dist .demo .gate .pytest_cache .ruff_cache
