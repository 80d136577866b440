import itertools
import math

import pytest
import torch

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training.trainer import Trainer

F64 = {"dtype": torch.float64}
BITS = DataSpec("bits", (6,), kind="binary", range=(0.0, 1.0))


def fitted(data, steps, seeds=2, **options):
    source, rng = DATASETS.get(data)(), Rng(range(seeds))
    model = build("made", source.spec, rng, options)
    Trainer(model, source, Budget(steps=steps), batch=256, rng=rng).run()
    return source, model, rng


def nll(source, model, rng):
    """The mean NLL in data space and its standard error, of each seed."""
    x = source.draw(20_000, rng.fork("test"))
    with torch.no_grad():
        log_prob = model.log_prob(source.to_model(x), rng) + source.log_volume
    return -log_prob.mean(-1), log_prob.std(-1) / 20_000**0.5


@pytest.mark.parametrize(("data", "within"), [("ring", 0.6), ("grid", 0.3)])
def test_nll_comes_near_the_entropy_and_never_below(data, within):
    mean, error = nll(*fitted(data, 1500, hidden=(64, 64)))
    entropy = DATASETS.get(data)().truth.entropy
    assert (mean < entropy + within).all()
    assert (mean > entropy - 3 * error).all()


def test_bars_and_stripes_are_learnt_to_their_entropy():
    source, model, rng = fitted("bars_and_stripes", 600, weight_decay=0.0)
    mean, error = nll(source, model, rng)
    assert (mean > source.truth.entropy - 3 * error).all()
    assert (mean < source.truth.entropy + 0.3).all()


def test_the_sampler_draws_bits_with_their_probabilities():
    rng = Rng([0, 1], **F64)
    model = build("made", BITS, rng, {"hidden": (16, 16)})
    words = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6)), **F64)
    with torch.no_grad():
        p = model.log_prob(words.expand(2, -1, -1), rng).exp()
        x = model.sample(40_000, rng.fork("sample"))
    which = (x * 2 ** torch.arange(5, -1, -1)).sum(-1).long()
    share = torch.stack([torch.bincount(row, minlength=64) for row in which]) / 40_000
    torch.testing.assert_close(p.sum(-1), torch.ones(2, **F64))
    assert ((share - p).abs() < 5 * (p / 40_000).sqrt()).all()


def test_the_sampler_draws_from_the_mixture():
    """Untrained: the share in every cell is the integral of the density there."""
    rng = Rng([0], **F64)
    model = build("made", DataSpec("plane", (2,)), rng, {"hidden": (16,), "components": 3})
    with torch.no_grad():
        axis = (torch.arange(1000, **F64) + 0.5) / 1000 * 20 - 10
        p = model.log_prob(torch.cartesian_prod(axis, axis).unsqueeze(0), rng).exp() * 0.02**2
        x = model.sample(50_000, rng.fork("sample"))[0]
    p = p.view(20, 50, 20, 50).sum((1, 3))
    cell = ((x + 10).floor()).long().clamp(0, 19)
    share = torch.bincount(cell[:, 0] * 20 + cell[:, 1], minlength=400).view(20, 20) / 50_000
    assert p.sum() == pytest.approx(1.0, abs=0.01)
    assert (share - p).abs().max() < 5 * (p.max() / 50_000) ** 0.5


def test_the_density_of_data_with_a_range_counts_the_change_of_scale():
    rng = Rng([0], **F64)
    model = build("made", DataSpec("strip", (1,), range=(0.0, 4.0)), rng, {"components": 4})
    axis = (torch.arange(40_000, **F64) + 0.5) * 5e-3 - 100
    with torch.no_grad():
        total = model.log_prob(axis.view(1, -1, 1), rng).exp().sum() * 5e-3
    assert total.item() == pytest.approx(1.0, abs=1e-3)


def test_a_coordinate_does_not_see_those_after_it():
    rng = Rng([0], **F64)
    model = build("made", BITS, rng, {"hidden": (16, 16)})
    x = torch.zeros(1, 2, 6, **F64)
    x[0, 1, 3:] = 1
    outputs = model.network(2 * x - 1)
    assert torch.equal(outputs[0, 0, :4], outputs[0, 1, :4])
    assert not torch.equal(outputs[0, 0, 4:], outputs[0, 1, 4:])
    assert model.sequential_steps() == 6


def test_components_narrower_than_the_ring_are_in_reach():
    model = build("made", DataSpec("plane", (2,)), Rng([0]))
    outputs = torch.full((1, 1, 48), -100.0)
    assert model.distribution.parts(outputs)[2].max().exp() < 0.0141 / 10
    assert math.isfinite(
        model.loss(Batch(torch.randn(1, 4, 2, generator=torch.Generator())), Rng([0])).item()
    )


def test_tokens_have_a_softmax_and_are_sampled_with_their_probabilities():
    rng = Rng([0, 1], **F64)
    model = build("made", DataSpec("words", (4,), kind="tokens", tokens=3), rng, {"hidden": (16,)})
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(3)
        words = torch.tensor(list(itertools.product(range(3), repeat=4)))
        p = model.log_prob(words.expand(2, -1, -1), rng).exp()
        x = model.sample(40_000, rng.fork("sample"))
    which = (x * 3 ** torch.arange(3, -1, -1)).sum(-1)
    share = torch.stack([torch.bincount(row, minlength=81) for row in which]) / 40_000
    torch.testing.assert_close(p.sum(-1), torch.ones(2, **F64))
    assert x.dtype == torch.int64
    assert ((share - p).abs() < 5 * (p / 40_000).sqrt() + 1e-4).all()


def test_impossible_options_say_so():
    with pytest.raises(SpecError, match="made needs a hidden layer"):
        build("made", BITS, Rng([0]), {"hidden": ()})
    with pytest.raises(SpecError, match="'components' needs a whole number of 1 or more, got 0"):
        build("made", BITS, Rng([0]), {"components": 0})


@pytest.mark.parametrize("share", [-1.0, 1.0, 2.5])
def test_shares_of_dropout_that_are_none_are_refused(share):
    with pytest.raises(SpecError, match="'dropout' needs a number of at least 0 and below 1"):
        build("made", BITS, Rng([0]), {"dropout": share})
