"""Claims that read digits read Fashion-MNIST too, or say why not."""

import importlib
import inspect
import re

import pytest

from genbench.core.claim import CLAIMS
from genbench.core.dataset import DATASETS
from genbench.report.cards import make_cards
from genbench.report.claim_readme import to_digits_alone
from genbench.store import Store

BUILT_IN = [
    n for n, c in CLAIMS.all().items() if c.function.__module__.startswith("genbench.claims.")
]
FASHION = "fashion_mnist"


def sources_of(claim):
    """The photographs that its runs are of: digits, Fashion-MNIST, or names of other data."""
    sources = set()
    for run in claim.runs:
        dataset = DATASETS.get(run.dataset)(**run.dataset_options)
        name = getattr(getattr(dataset, "base", None), "name", run.dataset)
        sources.add("digits" if "digits" in name else name)
    return sources


def modules_of(claim):
    """Its own file, and those in `genbench` of its experiment and of what that takes from elsewhere."""
    own = inspect.getmodule(inspect.unwrap(claim.function))
    modules = {own, inspect.getmodule(claim.experiment)} if claim.experiment else {own}
    for module in list(modules):
        for value in list(vars(module).values()):
            home = getattr(value, "__module__", "") or ""
            if home.startswith(("genbench.experiments", "genbench.claims")):
                modules.add(importlib.import_module(home))
    return modules


def trains_on_digits(claim):
    """Whether digits are among what its experiment is made with, its constants or the data that it opens."""
    if claim.experiment is None:
        return False
    named = list(inspect.getclosurevars(claim.experiment).nonlocals.values())
    for module in modules_of(claim):
        named += [value for key, value in vars(module).items() if key.isupper()]
    source = inspect.getsource(inspect.getmodule(claim.experiment))
    return "'digits'" in repr(named) or 'DATASETS.get("digits")' in source


@pytest.mark.parametrize("name", BUILT_IN)
def test_it_reads_fashion_mnist_too_or_says_why_not(name):
    claim = CLAIMS.get(name)
    sources = sources_of(claim)
    alone = ("digits" in sources or trains_on_digits(claim)) and FASHION not in sources
    assert bool(claim.digits_alone) == alone, (
        f"{name} reads digits and not Fashion-MNIST; say why in digits_alone="
        if alone
        else f"{name} does not read digits alone; leave digits_alone= out"
    )


def test_the_claims_that_the_audit_named_are_found():
    alone = {n for n in BUILT_IN if CLAIMS.get(n).digits_alone}
    assert alone >= {
        *("acgan_steadiness", "any_generator", "convolutional_games", "d_g_balance"),
        *("discriminator_range", "half_accuracy_stop", "interactive_editing"),
        *("latent_arithmetic", "training_stability", "tuning_budget", "turns"),
    }


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_reason_counts_the_seeds_that_are_planned(name):
    claim = CLAIMS.get(name)
    counts = re.findall(r"\b(\d+) seeds", claim.digits_alone)
    assert counts in ([], [str(claim.seeds)])


def test_the_trainings_of_every_search_are_counted():
    """Eight trials of five families by each seed."""
    claim = CLAIMS.get("tuning_budget")
    assert f"{claim.seeds * 8 * 5:,} trainings" in claim.digits_alone


def test_the_list_in_the_documents_names_them_with_their_reasons(tmp_path):
    cards = make_cards(Store(tmp_path), ["turns", "sample_quality"])
    assert to_digits_alone(cards) == f"- turns: {CLAIMS.get('turns').digits_alone}.\n"
