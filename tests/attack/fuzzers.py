"""The fuzzers, by kind."""

import importlib

FUZZERS = {}
for kind, module in {
    "inputs": "inputs",
    "suites": "suites",
    "records": "damaged_records",
    "trials": "damaged_trials",
    "baselines": "damaged_baselines",
    "plugins": "hostile_plugins",
    "options": "fuzz_options",
    "environment": "rough_environment",
}.items():
    FUZZERS[kind] = importlib.import_module(module).fuzz
