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


def stirred(spec, dtype=torch.float64, **options):
    """A flow with weights far from its start, at which it only turns or reverses."""
    model = build("maf", spec, Rng([0], dtype=dtype), {"hidden": (16,), "layers": 3, **options})
    rng = Rng([9], dtype=dtype)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(0.2 * rng.normal(*p.shape)[0])
    return model


@pytest.mark.parametrize("spec", [PLANE, IMAGE], ids=["plane", "image"])
def test_the_density_is_that_of_the_change_of_variables(spec):
    model, rng = stirred(spec), Rng([3], **F64)
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


def test_one_layer_is_autoregressive():
    """In a single layer the last coordinate of the data, first after reversal, sees no other."""
    model = stirred(DataSpec("space", (4,)), layers=1)
    x = Rng([3], **F64).normal(4)[0]
    slopes = torch.autograd.functional.jacobian(lambda row: model(row.view(1, 1, 4))[0][0, 0], x)
    turned = slopes.flip(-1)
    assert torch.equal(turned, turned.tril())
    assert (turned.tril() != 0).sum() == 10


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
@pytest.mark.parametrize("spec", [PLANE, IMAGE], ids=["plane", "image"])
def test_codes_go_back_coordinate_after_coordinate(spec, dtype, error):
    model = stirred(spec, dtype)
    x = Rng([5], dtype=dtype).uniform(200, *spec.event)
    with torch.no_grad():
        z, _ = model(x)
        torch.testing.assert_close(model.inverse(z), x, rtol=error, atol=error)
    assert model.sequential_steps() == 3 * spec.size


def test_samples_have_the_density():
    """Of a flow in the plane: the shares of samples in cells are the density's integrals."""
    model = stirred(PLANE)
    with torch.no_grad():
        x = model.sample(200_000, Rng([4], **F64))[0]
        grid = torch.linspace(-2, 2, 9, dtype=torch.float64)
        shares = torch.histogramdd(x, [grid, grid]).hist / len(x)
        fine = (torch.arange(160, dtype=torch.float64) + 0.5) / 40 - 2
        p = model.log_prob(torch.cartesian_prod(fine, fine)[None], Rng([0], **F64)).exp()
    mass = p.view(8, 20, 8, 20).sum((1, 3)) / 1600
    assert ((shares - mass).abs() < 5 * (mass / 200_000).sqrt() + 2e-4).all()
    assert mass.max() > 2 * mass.mean()


def test_moons_are_learnt_beyond_their_gaussian_and_not_beyond_their_entropy():
    source, rng = DATASETS.get("moons")(), Rng([0, 1])
    model = build("maf", source.spec, rng, {"hidden": (32, 32), "layers": 4})
    Trainer(model, source, Budget(steps=300), batch=128, rng=rng).run()
    x = source.draw(20_000, rng.fork("test"))
    with torch.no_grad():
        log_prob = model.log_prob(source.to_model(x), rng) + source.log_volume
    mean, error = -log_prob.mean(-1), log_prob.std(-1) / 20_000**0.5
    gaussian = 2.8379 + 0.5 * x[0].T.cov().logdet()
    assert (mean < gaussian - 0.3).all()
    assert (mean > source.truth.entropy - 3 * error).all()


def test_impossible_data_and_options_say_so():
    with pytest.raises(SpecError, match="'layers' needs a whole number of 1 or more, got 0"):
        build("maf", PLANE, Rng([0]), {"layers": 0})
    with pytest.raises(SpecError, match="maf needs a hidden layer"):
        build("maf", PLANE, Rng([0]), {"hidden": ()})
    refuses = type(stirred(PLANE)).refuses
    assert "continuous" in refuses(DataSpec("bits", (4,), kind="binary"))
    assert refuses(DataSpec("line", (1,))) is None
