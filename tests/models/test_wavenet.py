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
WORDS = DataSpec("words", (11,), kind="tokens", tokens=4)
GREYS = DataSpec("greys", (1, 4, 5), range=(0.0, 1.0), levels=7)


def slopes(model):
    """How much the outputs of an entry (row) move with each entry (column), shape (D, D)."""
    y = Rng([1], **F64).normal(model.spec.size, model.distribution.inputs)[0]
    outputs = torch.autograd.functional.jacobian(
        lambda row: model.network(row[None, None])[0, 0], y
    )
    return outputs.abs().sum((1, 3))


def test_an_entry_sees_those_before_it_alone_and_all_of_them():
    seen = slopes(build("wavenet", WORDS, Rng([0], **F64), {"channels": 6}))
    before = torch.ones(11, 11).tril(-1).bool()
    assert torch.equal(seen > 0, before)


def test_the_receptive_field_is_as_long_as_the_dilations_say():
    seen = slopes(build("wavenet", WORDS, Rng([0], **F64), {"cycle": 2, "stacks": 2}))
    places = torch.arange(11)
    back = places.unsqueeze(1) - places
    assert torch.equal(seen > 0, (back > 0) & (back <= 1 + 2 * (1 + 2)))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("spec", [WORDS, GREYS])
def test_the_queues_draw_the_same_points_bit_for_bit(spec, dtype):
    rng = Rng([0, 1], dtype=dtype)
    model = build("wavenet", spec, rng, {"channels": 6, "skip": 8, "cycle": 3, "stacks": 2})
    assert torch.equal(
        model.sample(24, rng.fork("sample")), model.sample_naive(24, rng.fork("sample"))
    )


def test_dilations_beyond_the_sequence_take_no_more_memory_than_the_sequence():
    """A queue as long as a dilation of 2^39 was asked of the machine, for a sequence of 11."""
    rng = Rng([0, 1], **F64)
    model = build("wavenet", WORDS, rng, {"channels": 2, "skip": 2, "cycle": 40})
    assert torch.equal(
        model.sample(5, rng.fork("sample")), model.sample_naive(5, rng.fork("sample"))
    )


def test_probabilities_of_words_sum_to_one_and_samples_follow_them():
    rng = Rng([0, 1], **F64)
    model = build("wavenet", DataSpec("words", (4,), kind="tokens", tokens=3), rng, {"skip": 8})
    words = torch.tensor(list(itertools.product(range(3), repeat=4)))
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(2)
        p = model.log_prob(words.expand(2, -1, -1), rng).exp()
        x = model.sample(20_000, rng.fork("sample"))
    which = (x * 3 ** torch.arange(3, -1, -1)).sum(-1)
    count = torch.stack([torch.bincount(row, minlength=81) for row in which])
    assert x.dtype == torch.int64
    torch.testing.assert_close(p.sum(-1), torch.ones(2, **F64))
    statistic = ((count - 20_000 * p).square() / (20_000 * p)).sum(-1)
    assert (statistic < 112.3).all()  # 99 % of chi-square with 80 degrees


def test_a_markov_source_is_learnt_to_its_entropy():
    source, rng = DATASETS.get("markov_text")(tokens=4, length=12), Rng([0])
    model = build("wavenet", source.spec, rng, {"channels": 16, "skip": 32, "lr": 1e-2})
    Trainer(model, source, Budget(steps=300), batch=64, rng=rng).run()
    x = source.draw(4000, rng.fork("test"))
    with torch.no_grad():
        gap = (source.truth.log_prob(x) - model.log_prob(x, rng)).mean() / 12
    assert 0 < gap < 0.05


def test_inpainting_puts_in_the_known_and_follows_the_distribution_after_it():
    """Given the first two letters the rest has its conditional distribution; the last alone changes none."""
    rng = Rng([0], **F64)
    model = build("wavenet", DataSpec("words", (3,), kind="tokens", tokens=3), rng, {"skip": 8})
    x = torch.tensor([2, 1, 0]).expand(1, 20_000, 3)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(2)
        first = model.inpaint(x, torch.tensor([True, True, False]).expand_as(x), rng.fork("first"))
        last = model.inpaint(x, torch.tensor([False, False, True]).expand_as(x), rng.fork("same"))
        words = torch.tensor([[[2, 1, k] for k in range(3)]])
        distribution = model.log_prob(words, rng)[0].softmax(-1)
        free = model.sample(20_000, rng.fork("same"))
    share = first[0, :, 2].bincount(minlength=3) / 20_000
    assert ((share - distribution).abs() < 5 * (distribution / 20_000).sqrt()).all()
    assert torch.equal(last[..., :2], free[..., :2])
    assert (last[..., 2] == 0).all()


def test_impossible_data_and_options_say_so():
    refuses = type(build("wavenet", WORDS, Rng([0]))).refuses
    assert "real numbers" in refuses(DataSpec("plane", (2,)))
    assert refuses(DataSpec("colours", (3, 8, 8), range=(0.0, 1.0), levels=256)) is None
    with pytest.raises(
        SpecError, match="'cycle' needs a whole number of 1 or more or None, got 0"
    ):
        build("wavenet", WORDS, Rng([0]), {"cycle": 0})
