import pytest
import torch

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.nn.losses import normal_log_prob
from genbench.training.trainer import Trainer

F64 = {"dtype": torch.float64}
PLANE = DataSpec("plane", (2,))
IMAGE = DataSpec("image", (1, 2, 3), range=(0.0, 1.0))
SMALL = {"hidden": (16, 16), "layers": 4}


def fitted(data, steps, **options):
    source, rng = DATASETS.get(data)(), Rng([0, 1])
    model = build("realnvp", source.spec, rng, options)
    Trainer(model, source, Budget(steps=steps), batch=128, rng=rng).run()
    return source, model, rng


def stirred(spec, **options):
    """A flow with weights far from its start, at which it is the identity."""
    model = build("realnvp", spec, Rng([0], **F64), {**SMALL, **options})
    rng = Rng([9], **F64)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(0.4 * rng.normal(*p.shape)[0])
    return model


@pytest.mark.parametrize("data", ["ring", "digits"])
def test_a_trained_flow_can_be_undone(data):
    source, model, rng = fitted(data, 200, **SMALL)
    x = source.points("test")[:200].unsqueeze(0).expand(2, 200, *source.spec.event)
    x = source.to_model(x, rng.fork("noise"))
    with torch.no_grad():
        z, _ = model.double()(x.double())
        torch.testing.assert_close(model.inverse(z), x.double(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"mixing": "rotation"}, {"frequencies": 3}], ids=str)
@pytest.mark.parametrize("spec", [PLANE, IMAGE], ids=["plane", "image"])
def test_the_density_is_that_of_the_change_of_variables(spec, options):
    model, rng = stirred(spec, **options), Rng([3], **F64)
    for x in rng.uniform(4, *spec.event)[0]:
        slopes = torch.autograd.functional.jacobian(
            lambda row: model(row.view(1, 1, *spec.event))[0], x
        ).view(spec.size, spec.size)
        with torch.no_grad():
            z, log_det = model(x.view(1, 1, *spec.event))
            log_prob = model.log_prob(x.view(1, 1, *spec.event), rng)
        expected = torch.linalg.slogdet(slopes).logabsdet
        torch.testing.assert_close(log_det[0, 0], expected)
        torch.testing.assert_close(log_prob[0, 0], normal_log_prob(z).sum() + expected)


def test_samples_are_codes_sent_back():
    model = stirred(IMAGE)
    with torch.no_grad():
        x = model.sample(500, Rng([4], **F64))
        z = Rng([4], **F64).normal(500, 6)
        assert torch.equal(x, model.inverse(z).clamp(0, 1))
    assert x.min() >= 0
    assert x.max() <= 1


def test_ring_is_learnt_beyond_its_gaussian_and_not_beyond_its_entropy():
    source, model, rng = fitted("ring", 600, hidden=(32, 32), layers=6)
    x = source.draw(20_000, rng.fork("test"))
    with torch.no_grad():
        log_prob = model.log_prob(source.to_model(x), rng) + source.log_volume
    mean, error = -log_prob.mean(-1), log_prob.std(-1) / 20_000**0.5
    gaussian = 2.8379 + 2 * torch.tensor(source.scale).log()
    assert (mean < gaussian - 1.5).all()
    assert (mean > source.truth.entropy - 3 * error).all()


def test_impossible_data_and_options_say_so():
    with pytest.raises(SpecError, match="'layers' needs a whole number of 2 or more, got 1"):
        build("realnvp", PLANE, Rng([0]), {"layers": 1})
    refuses = type(stirred(PLANE)).refuses
    assert "two coordinates" in refuses(DataSpec("line", (1,)))
    assert "continuous" in refuses(DataSpec("bits", (4,), kind="binary"))
