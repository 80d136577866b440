import itertools

import pytest
import torch

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training.trainer import Trainer

F64 = {"dtype": torch.float64}
BITS = DataSpec("bits", (6,), kind="binary", range=(0.0, 1.0))
WORDS = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6)), dtype=torch.float64)


def stirred(seeds=(0,)):
    model = build("nade", BITS, Rng(seeds, **F64), {"hidden": 5})
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(4)
    return model


def test_conditionals_are_the_papers_written_out():
    model = stirred()
    w, v, c, b = (
        p[0].detach() for p in (model.rows, model.columns, model.hidden_bias, model.bias)
    )
    for x in WORDS[::7]:
        expected = torch.zeros(()).double()
        for d in range(6):
            hidden = torch.sigmoid(c[0] + x[:d] @ w[:d])
            rate = torch.sigmoid(b[0, d] + v[d] @ hidden)
            expected += torch.log(rate if x[d] == 1 else 1 - rate)
        torch.testing.assert_close(
            model.log_prob(x.view(1, 1, 6), Rng([0]))[0, 0].detach(), expected
        )


def test_probabilities_sum_to_one_and_samples_follow_them():
    model = stirred((0, 1))
    with torch.no_grad():
        p = model.log_prob(WORDS.expand(2, -1, -1), Rng([0, 1])).exp()
        fake = model.sample(50_000, Rng([0, 1], **F64))
    torch.testing.assert_close(p.sum(-1), torch.ones(2).double())
    code = (fake @ (2.0 ** torch.arange(5, -1, -1)).double()).long()
    for row, expected in zip(code, p, strict=True):
        share = row.bincount(minlength=64) / 50_000
        assert ((share - expected).abs() < 4.5 * (expected / 50_000).sqrt() + 1e-4).all()


def test_a_logit_sees_the_bits_before_it_alone():
    model = stirred()
    x = WORDS[37]
    slopes = torch.autograd.functional.jacobian(lambda row: model(row.view(1, 1, 6, 1)), x)
    slopes = slopes.view(6, 6)
    assert torch.equal(slopes.triu(), torch.zeros(6, 6).double())
    assert (slopes[5, :5] != 0).all()
    assert model.sequential_steps() == 6


def test_tokens_have_rows_of_their_own_and_a_softmax():
    spec = DataSpec("words", (3,), kind="tokens", tokens=4)
    model = build("nade", spec, Rng([0], **F64), {"hidden": 5})
    w, v, c, b = (
        p[0].detach() for p in (model.rows, model.columns, model.hidden_bias, model.bias)
    )
    hidden = torch.sigmoid(c[0] + w[2] + w[4 + 3])
    expected = torch.log_softmax(b[0, 8:] + v[8:] @ hidden, -1)
    words = torch.tensor([[[2, 3, k] for k in range(4)]])
    with torch.no_grad():
        log_prob = model.log_prob(words, Rng([0]))[0]
    torch.testing.assert_close(log_prob - log_prob.logsumexp(0), expected)


def test_bars_and_stripes_are_learnt_near_their_entropy_and_never_below():
    source, rng = DATASETS.get("bars_and_stripes")(size=3), Rng([0, 1])
    model = build("nade", source.spec, rng, {"hidden": 50})
    Trainer(model, source, Budget(steps=800), batch=128, rng=rng).run()
    x = source.patterns.unsqueeze(0).expand(2, -1, -1, -1, -1)
    with torch.no_grad():
        nats = -model.log_prob(x, rng).mean(-1)
    assert (nats > source.truth.entropy).all()
    assert (nats < source.truth.entropy + 0.3).all()


def test_impossible_data_and_options_say_so():
    with pytest.raises(SpecError, match="'hidden' needs a whole number of 1 or more, got 0"):
        build("nade", BITS, Rng([0]), {"hidden": 0})
    assert "binary" in type(stirred()).refuses(DataSpec("plane", (2,)))
