import pytest
import torch

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.models.autoregressive._causal import Above, Left
from genbench.training.trainer import Trainer

F64 = {"dtype": torch.float64}
BITS = DataSpec("bits", (1, 6, 5), kind="binary", range=(0.0, 1.0))
GREYS = DataSpec("greys", (1, 4, 5), range=(0.0, 1.0), levels=7)


def stirred(spec, seeds=(0,), **options):
    """An untrained model whose weights are large enough that its distributions differ from pixel to pixel."""
    model = build("pixelcnn", spec, Rng(seeds, **F64), {"channels": 6, "head": 8} | options)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(3)
    return model


def slopes(model):
    """How much the outputs of a pixel (row) move with each pixel (column), shape (D, D)."""
    size = model.spec.size
    y = Rng([1], **F64).normal(size)[0]
    outputs = torch.autograd.functional.jacobian(
        lambda row: model.network(row.view(1, 1, size, 1))[0, 0], y
    )
    return outputs.abs().sum(1)


def test_a_pixel_sees_those_before_it_alone_and_has_no_blind_spot():
    model = stirred(BITS, depth=4)
    seen = slopes(model)
    assert torch.equal(seen.triu(), torch.zeros(30, 30, **F64))
    assert (
        seen[22, :22] > 0
    ).all()  # the pixel in row 4, column 2, the right of rows above included


def test_masked_convolutions_are_what_the_cut_ones_compute():
    """Above and left together are the paper's masked convolution, whose taps from the centre on are 0."""
    rng = Rng([0], **F64)
    above = Above(2, 3, 5, rng.fork("above"), strict=True)
    left = Left(2, 3, 5, rng.fork("left"), strict=True)
    whole = torch.zeros(3, 2, 5, 5, **F64)
    whole[:, :, :2] = above.conv.weight[0]
    whole[:, :, 2, :2] = left.conv.weight[0, :, :, 0]
    x = rng.normal(4, 2, 6, 7)
    expected = torch.nn.functional.conv2d(x[0], whole, above.conv.bias[0], padding=2)
    torch.testing.assert_close((above(x) + left(x))[0], expected)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("spec", [BITS, GREYS])
def test_the_cache_draws_the_same_points_bit_for_bit(spec, dtype):
    rng = Rng([0, 1], dtype=dtype)
    model = build("pixelcnn", spec, rng, {"channels": 6, "depth": 3})
    cached, naive = (
        model.sample(24, rng.fork("sample")),
        model.sample_naive(24, rng.fork("sample")),
    )
    assert torch.equal(cached, naive)
    assert cached.shape == (2, 24, *spec.event)


def test_the_density_is_constant_in_a_cell_and_sums_to_one():
    spec = DataSpec("greys", (1, 2, 2), range=(0.0, 1.0), levels=5)
    model = stirred(spec, (0, 1))
    levels = torch.cartesian_prod(*[torch.arange(5, **F64)] * 4).view(1, 625, 1, 2, 2)
    low, high = ((levels + u).expand(2, -1, -1, -1, -1) / 5 for u in (0.01, 0.99))
    with torch.no_grad():
        log_prob = model.log_prob(low, Rng([0]))
        assert torch.equal(log_prob, model.log_prob(high, Rng([0])))
    torch.testing.assert_close((log_prob.exp() / 5**4).sum(-1), torch.ones(2, **F64))


def test_samples_follow_the_density_that_was_learnt():
    """Pearson's test over the 14 patterns and the rest of the 512 images."""
    source, rng = DATASETS.get("bars_and_stripes")(size=3), Rng([0])
    model = build("pixelcnn", source.spec, rng, {"channels": 8, "head": 16, "dropout": 0.0})
    Trainer(model, source, Budget(steps=250), batch=64, rng=rng).run()
    patterns = source.patterns.unsqueeze(0)
    with torch.no_grad():
        p = model.log_prob(patterns, rng)[0].double().exp()
        fake = model.sample(4000, rng.fork("sample"))[0]
    count = (fake.flatten(1).unsqueeze(1) == source.patterns.flatten(1)).all(-1).sum(0)
    share = torch.cat([p, 1 - p.sum(0, keepdim=True)]) * 4000
    count = torch.cat([count, 4000 - count.sum(0, keepdim=True)])
    assert -p.log().mean() < source.truth.entropy + 0.5
    assert ((count - share).square() / share).sum() < 29.14  # 99 % of chi-square with 14 degrees


def test_dropout_acts_in_training_alone():
    model = stirred(BITS)
    x = Batch(Rng([0], **F64).bernoulli(torch.full((1, 8, *BITS.event), 0.5, **F64)))
    density = -model.log_prob(x.x, Rng([0])).mean(-1)
    assert not torch.equal(model.loss(x, Rng([0], **F64)), density)
    model.dropout = 0.0
    assert torch.equal(model.loss(x, Rng([0], **F64)), density)


def test_impossible_data_and_options_say_so():
    refuses = type(stirred(BITS)).refuses
    assert "one channel" in refuses(DataSpec("colours", (3, 8, 8), range=(0.0, 1.0), levels=256))
    assert "one channel" in refuses(DataSpec("words", (8,), kind="tokens", tokens=3))
    assert "real numbers" in refuses(DataSpec("field", (1, 8, 8)))
    with pytest.raises(SpecError, match="pixelcnn needs odd kernels, got first=4"):
        build("pixelcnn", BITS, Rng([0]), {"first": 4})
