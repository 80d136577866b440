import pytest
import torch
from sklearn.metrics.pairwise import rbf_kernel

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.nn.kernels import squared_mmd
from genbench.training.trainer import Trainer

F64 = {"dtype": torch.float64}
PLANE = DataSpec("plane", (2,))


def made_with(**options):
    return build("gmmn", PLANE, Rng([0, 1], **F64), options)


def two_samples():
    rng = Rng([0, 1], **F64)
    scale = torch.tensor([1.0, 9.0]).double().view(2, 1, 1)
    return scale * rng.fork("a").normal(40, 2), scale * (rng.fork("b").normal(50, 2) + 0.5)


@pytest.mark.parametrize(
    ("kernel", "widths"), [("rbf", (1.0,)), ("multi", (0.25, 1.0, 4.0)), ("multi", (0.5, 2.0))]
)
def test_the_distance_is_scikit_learns_kernels_summed(kernel, widths):
    model = made_with(kernel=kernel, **({"widths": widths} if kernel == "multi" else {}))
    real, fake = two_samples()
    actual = model.squared_mmd(real, fake)
    for x, y, got in zip(real, fake, actual, strict=True):
        median = torch.pdist(x).median().item()
        expected = sum(
            rbf_kernel(x, gamma=g).mean()
            + rbf_kernel(y, gamma=g).mean()
            - 2 * rbf_kernel(x, y, gamma=g).mean()
            for g in (0.5 / (median * width) ** 2 for width in widths)
        )
        assert got.item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("width", [1e-300, 1e-25, 1e25, 1e300])
def test_widths_that_no_single_precision_holds_the_square_of_have_their_limits(width):
    """No two points are alike, or all are: it was NaN, a division by zero or an overflow."""
    rng = Rng([0])
    model = build("gmmn", DataSpec("plane", (2,)), rng, {"widths": (width,)})
    real, fake = rng.normal(5, 2), rng.normal(4, 2)
    expected = 1 / 5 + 1 / 4 if width < 1 else 0.0
    assert model.squared_mmd(real, fake).item() == pytest.approx(expected, abs=1e-6)
    assert squared_mmd(real, fake, (width,)).item() == pytest.approx(expected, abs=1e-6)


def test_the_linear_kernel_compares_means_alone():
    model, (real, fake) = made_with(kernel="linear"), two_samples()
    same_means = fake - fake.mean(1, keepdim=True) + real.mean(1, keepdim=True)
    assert model.squared_mmd(real, same_means).max() < 1e-25
    gap = (real.mean(1) - fake.mean(1)).norm(dim=-1)
    torch.testing.assert_close(model.squared_mmd(real, fake), gap**2)
    assert made_with().squared_mmd(real, same_means).min() > 1e-3


def test_the_loss_is_a_root_with_a_gradient_also_at_equal_samples():
    model = made_with()
    rng = Rng([0, 1], **F64)
    batch = Batch(model.sample(30, rng.fork("x")).detach())
    apart = model.loss(batch, rng.fork("y"))
    squared = model.squared_mmd(batch.x, model.sample(30, rng.fork("y")))
    torch.testing.assert_close(apart, squared.sqrt())
    loss = model.loss(batch, rng.fork("x"))
    loss.sum().backward()
    assert loss.max() < 1e-5
    assert all(p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize(("kernel", "learns"), [("multi", True), ("linear", False)])
def test_moments_beyond_the_mean_are_matched_by_gaussian_kernels_alone(kernel, learns):
    source, rng = DATASETS.get("moons")(), Rng([0, 1])
    model = build("gmmn", source.spec, rng, {"kernel": kernel, "hidden": (32, 32)})
    Trainer(model, source, Budget(steps=500), batch=128, rng=rng).run()
    with torch.no_grad():
        fake = source.to_data(model.sample(4000, rng.fork("sample")))
    real = source.draw(4000, rng.fork("test"))
    assert (fake.mean(1) - real.mean(1)).abs().max() < 0.15
    off = (fake.std(1) - real.std(1)).abs().amax(-1)
    assert ((off < 0.15) if learns else (off > 0.15)).all()


def test_training_finds_every_mode_of_the_ring():
    ring, rng = DATASETS.get("ring")(), Rng([0])
    model = build("gmmn", ring.spec, rng)
    Trainer(model, ring, Budget(steps=1200), batch=128, rng=rng).run()
    with torch.no_grad():
        fake = ring.to_data(model.sample(2000, rng.fork("sample")))[0]
    distance, mode = torch.cdist(fake, ring.truth.centres.to(fake)).min(-1)
    assert distance.median() < 0.1
    assert (mode.bincount(minlength=8) > 0.06 * 2000).all()


def test_impossible_data_and_options_say_so():
    with pytest.raises(SpecError, match="'widths' needs numbers above 0 or None, got"):
        made_with(widths=(1.0, 0.0))
    assert "continuous" in type(made_with()).refuses(DataSpec("bits", (4,), kind="binary"))
