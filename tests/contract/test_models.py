"""What every built-in model keeps: the rules of `test-plugin`, and what this repository asks."""

from __future__ import annotations

import inspect

import pytest
import torch
from rule_cases import BUILT_IN, file_of, over_rules

from genbench.contracts import models
from genbench.contracts.densities import (
    LEVEL,
    SAMPLES,
    evaluated,
    exact_on,
    follow_in_the_plane,
    log_density,
    rejection,
    word_counts,
    words,
)
from genbench.contracts.integrals import counts, masses
from genbench.contracts.small import open_small
from genbench.core.model import MODELS
from genbench.core.rng import Rng

NAMES = BUILT_IN["model"]
IN_THE_PLANE = [name for name in NAMES if exact_on("ring", "ring")(name)]


@over_rules("model")
def test_it_keeps_the_rules(rule, name, case):
    rule.check(name, *case)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_seed_in_a_stack_is_the_seed_alone_for_longer(name, monkeypatch):
    monkeypatch.setattr(models, "ROUNDS", 200)
    for case in models.on_first(name):
        models.a_seed_in_a_stack_is_the_seed_alone(name, *case)


@pytest.mark.parametrize("name", NAMES)
def test_no_model_is_made_from_another(name):
    """What models share lies in genbench.families and nn: a file is read without other models' files."""
    ancestors = MODELS.get(name).__mro__[1:]
    assert not [cls for cls in ancestors if cls.__module__.startswith("genbench.models.")]
    module = inspect.getmodule(MODELS.get(name))
    folder = module.__name__.rpartition(".")[0]
    source = inspect.getsource(module)
    assert source.count("genbench.models") == source.count(f"from {folder}._")


@pytest.mark.parametrize("name", NAMES)
def test_the_name_is_the_files(name):
    assert file_of(MODELS.get(name)) == name


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_THE_PLANE)
@pytest.mark.parametrize("data", ["ring", "grid"])
def test_samples_follow_the_density_of_a_longer_trained_model(name, data):
    follow_in_the_plane(name, data, 2000, n=20)


def test_the_tests_of_fit_reject_what_another_model_drew():
    model, rng = evaluated("made", "bars_and_stripes")
    p = log_density(model, rng)(words()).exp()
    other = open_small("bars_and_stripes").draw(SAMPLES, Rng([0]))[0]
    assert rejection(word_counts(other), SAMPLES * p) < 1e-6
    model, rng = evaluated("gaussian", "ring")
    mass = masses(log_density(model, rng))
    with torch.no_grad():
        fake = 1.1 * model.sample(SAMPLES, rng.fork("sample"))[0]
    assert rejection(counts(fake), SAMPLES * mass) < LEVEL
