import math

import pytest
import torch

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training.minibatches import prepare, training_set
from genbench.training.trainer import Trainer

F64 = {"dtype": torch.float64}
PLANE = DataSpec("plane", (2,))
IMAGE = DataSpec("image", (1, 2, 3), range=(0.0, 1.0))


def stirred(spec, **options):
    """A flow with weights far from its start, at which it is the identity."""
    model = build("nice", spec, Rng([0], **F64), {"hidden": (16,), "layers": 4, **options})
    rng = Rng([9], **F64)
    with torch.no_grad():
        for p in (*model.parameters(), model.start, model.mean):
            p.copy_(0.4 * rng.normal(*p.shape)[0])
    return model


@pytest.mark.parametrize("prior", ["logistic", "gaussian"])
@pytest.mark.parametrize("spec", [PLANE, IMAGE], ids=["plane", "image"])
def test_the_density_is_that_of_the_change_of_variables(spec, prior):
    model, rng = stirred(spec, prior=prior), Rng([3], **F64)
    for x in rng.uniform(4, *spec.event)[0]:
        slopes = torch.autograd.functional.jacobian(
            lambda row: model(row.view(1, 1, *spec.event))[0], x
        ).view(spec.size, spec.size)
        with torch.no_grad():
            z, log_det = model(x.view(1, 1, *spec.event))
            log_prob = model.log_prob(x.view(1, 1, *spec.event), rng)
        expected = torch.linalg.slogdet(slopes).logabsdet
        torch.testing.assert_close(log_det[0, 0], expected)
        if prior == "gaussian":
            distribution = torch.distributions.Normal(0.0, 1.0).log_prob(z)
        else:
            distribution = -z - 2 * torch.log1p(torch.exp(-z))
        torch.testing.assert_close(log_prob[0, 0], distribution.sum() + expected)


def test_only_the_last_scale_changes_volumes():
    model = stirred(IMAGE)
    x = Rng([3], **F64).uniform(50, *IMAGE.event)
    with torch.no_grad():
        _, log_det = model(x)
    expected = (model.start + model.log_scale).sum() + 6 * math.log(2)
    torch.testing.assert_close(log_det, expected.detach().expand(1, 50))


@pytest.mark.parametrize("spec", [PLANE, IMAGE], ids=["plane", "image"])
def test_the_flow_can_be_undone(spec):
    model = stirred(spec)
    x = Rng([5], **F64).uniform(100, *spec.event)
    with torch.no_grad():
        torch.testing.assert_close(model.inverse(model(x)[0]), x)


def test_codes_of_samples_are_logistic():
    model = stirred(PLANE)
    with torch.no_grad():
        z, _ = model(model.sample(50_000, Rng([4], **F64)))
    share = torch.sigmoid(z).flatten().sort().values
    even = (torch.arange(100_000).double() + 0.5) / 100_000
    assert (share - even).abs().max() < 1.95 / 100_000**0.5


def test_moons_are_learnt_beyond_their_gaussian_and_not_beyond_their_entropy():
    source, rng = DATASETS.get("moons")(), Rng([0, 1])
    model = build("nice", source.spec, rng, {"hidden": (32, 32)})
    Trainer(model, source, Budget(steps=1000), batch=128, rng=rng).run()
    x = source.draw(20_000, rng.fork("test"))
    with torch.no_grad():
        log_prob = model.log_prob(source.to_model(x), rng) + source.log_volume
    mean, error = -log_prob.mean(-1), log_prob.std(-1) / 20_000**0.5
    covariance = x[0].T.cov()
    gaussian = 1 + math.log(2 * math.pi) + 0.5 * covariance.logdet()
    assert (mean < gaussian - 0.3).all()
    assert (mean > source.truth.entropy - 3 * error).all()


@pytest.mark.parametrize("prior", ["logistic", "gaussian"])
def test_it_starts_as_independent_coordinates_of_the_datas_widths(prior):
    source, rng = DATASETS.get("digits")(), Rng([0, 1], **F64)
    model = prepare(build("nice", source.spec, rng, {"prior": prior}), source, rng)
    x = training_set(source, type(model), rng).x
    with torch.no_grad():
        codes, _ = model(x)
        started = -model.log_prob(x, rng).mean(-1) - source.log_volume
    deviation = 1.0 if prior == "gaussian" else math.pi / math.sqrt(3)
    torch.testing.assert_close(codes.std(1), torch.full((2, 64), deviation).double())
    torch.testing.assert_close(codes.mean(1), torch.zeros(2, 64).double(), rtol=0, atol=1e-6)
    # 181 nats are uniform, 150 a Gaussian of independent pixels; version 1 had 171 after training
    assert (started < 151).all()


def test_decay_does_not_bound_the_scale():
    """Digits' darkest pixels need s_d of about 4; AdamW's decay of 1 would hold what it shrinks below 1."""
    source, rng = DATASETS.get("digits")(), Rng([0])
    model = prepare(build("nice", source.spec, rng, {"hidden": (8,)}), source, rng)
    Trainer(model, source, Budget(steps=30), batch=64, rng=rng).run()
    assert (model.start + model.log_scale).max() > 3


def test_impossible_data_and_options_say_so():
    with pytest.raises(SpecError, match="'layers' needs a whole number of 2 or more, got 1"):
        build("nice", PLANE, Rng([0]), {"layers": 1})
    refuses = type(stirred(PLANE)).refuses
    assert "two coordinates" in refuses(DataSpec("line", (1,)))
    assert "continuous" in refuses(DataSpec("bits", (4,), kind="binary"))
