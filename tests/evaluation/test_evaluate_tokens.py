"""The evaluator on sequences of tokens: what applies, what does not, and what stands beside it."""

import math

import pytest
import torch

from genbench.core.dataset import DATASETS, Dataset, DataSpec
from genbench.core.metric import METRICS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.core.trained import Trained
from genbench.evaluation.evaluator import Evaluator, draw
from genbench.evaluation.requests import make_requests

SOURCE = DATASETS.get("markov_text")(tokens=5, length=8)


class Words(Dataset):
    """A fixed set of sequences of unknown law."""

    name = "words"
    spec = DataSpec("words", (8,), kind="tokens", tokens=5)

    def points(self, split):
        return SOURCE.points(split)[:4000]


def scored(dataset, model, names, samples=2000):
    rng = Rng([0])
    made = build(model, dataset.spec, rng)
    fake = draw(made, dataset, samples, rng.fork("sample"))[0]
    requests = make_requests([Part(name=name) for name in names])
    found = Evaluator(dataset, requests, samples=samples).score(fake, Trained(made, dataset), rng)
    return {m.id: m for m in found if m.split == "test"}


def test_metrics_of_numbers_say_why_they_do_not_apply():
    views = ("truth", "model", "pairs", "judged")
    names = [name for name, entry in METRICS.all().items() if entry.view not in views]
    assert "fid" in names
    found = scored(SOURCE, "uniform", names)
    assert found
    for measured in found.values():
        assert measured.value is None
        assert "compares numbers, markov_text holds tokens" in measured.reason


def test_likelihood_and_n_grams_of_uniform_sequences():
    found = scored(SOURCE, "uniform", ["nll", "n_gram_divergence"])
    assert found["nll"].value == pytest.approx(8 * math.log(5), rel=1e-6)
    assert found["nats_per_token"].value == pytest.approx(math.log(5), rel=1e-6)
    assert found["nats_per_token"].floor == pytest.approx(SOURCE.truth.entropy / 8)
    assert "no grey levels" in found["bits_per_dim"].reason
    measured = found["n_gram_js_3"]
    assert measured.protocol == "law=exact"
    assert 0 < measured.floor < 0.1 * measured.value


def test_data_of_unknown_law_are_compared_with_held_out_sequences():
    found = scored(Words(), "uniform", ["n_gram_divergence"])
    measured = found["n_gram_js_2"]
    assert measured.protocol == "law=held-out"
    exact = scored(SOURCE, "uniform", ["n_gram_divergence"])["n_gram_js_2"].value
    assert measured.value == pytest.approx(exact, rel=0.1)


def test_numbers_have_no_n_grams():
    grid = DATASETS.get("grid")()
    found = scored(grid, "uniform", ["n_gram_divergence"])
    assert {m.reason for m in found.values()} == {"grid has no known n_grams"}
    assert torch.is_floating_point(grid.points("test"))
