import math

import pytest
import torch
from sklearn.neighbors import KernelDensity

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import DataError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng

PLANE = DataSpec("plane", (2,))


def fitted(x, spec=PLANE, seeds=(0,), **options):
    rng = Rng(seeds, dtype=torch.float64)
    model = build("kde", spec, rng, options)
    model.prepare(Batch(x), rng.fork("prepare"))
    return model, rng


def test_the_density_is_scikit_learns():
    x = Rng([1], dtype=torch.float64).normal(400, 2)
    model, rng = fitted(x)
    at = rng.fork("x").normal(50, 2)
    reference = KernelDensity(bandwidth=model.width.item()).fit(model.points[0].numpy())
    expected = torch.from_numpy(reference.score_samples(at[0].numpy()))
    torch.testing.assert_close(model.log_prob(at, rng)[0], expected)


def test_the_bandwidth_is_the_best_for_points_that_were_held_out():
    x = Rng([1], dtype=torch.float64).normal(2000, 2)
    model, _ = fitted(x, held_out=400)
    kept = {tuple(row) for row in model.points[0].tolist()}
    held = torch.tensor([row for row in x[0].tolist() if tuple(row) not in kept])
    assert len(held) == 400
    assert len(kept) == 1600
    scores = {
        factor: KernelDensity(bandwidth=model.width.item() * factor)
        .fit(model.points[0].numpy())
        .score(held.numpy())
        for factor in (0.7, 2**-0.125, 1.0, 2**0.125, 1.4)
    }
    assert max(scores, key=scores.get) == 1.0


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 300.0, 1e5])
def test_the_bandwidth_goes_with_the_scale_of_the_points(scale):
    x = Rng([1], dtype=torch.float64).normal(1000, 2)
    unit, rng = fitted(x)
    model, _ = fitted(scale * x)
    assert model.widths[0] / scale == pytest.approx(unit.widths[0], rel=0.1)
    at = rng.fork("x").normal(500, 2)
    apart = model.log_prob(scale * at, rng) - unit.log_prob(at, rng)
    assert apart.mean().item() == pytest.approx(-2 * math.log(scale), abs=0.05)


def test_repeated_points_have_a_bandwidth_all_the_same():
    x = torch.tensor([[0.1, 0.2], [0.7, 0.9]], dtype=torch.float64).repeat(50, 1).unsqueeze(0)
    assert fitted(x)[0].widths[0] == 2 ** -(12 + 7 / 8)


def test_seeds_keep_their_own_points_and_samples_stay_near():
    x = Rng([1], dtype=torch.float64).normal(1, 300, 2)[0].expand(2, -1, -1)
    model, rng = fitted(x, seeds=(0, 1))
    assert not torch.equal(model.points[0], model.points[1])
    fake = model.sample(2000, rng.fork("sample"))
    nearest = torch.cdist(fake, model.points).amin(-1) / model.width
    assert nearest.max() < math.sqrt(2 * math.log(2000)) + 2
    assert fake.var(1).mean().item() == pytest.approx(
        (model.points.var(1).mean() + model.width.square().mean()).item(), rel=0.1
    )


def test_on_the_ring_it_beats_the_gaussian_and_not_the_entropy():
    source, rng = DATASETS.get("ring")(), Rng([0])
    model = build("kde", source.spec, rng, {})
    model.prepare(Batch(source.to_model(source.draw(5000, rng.fork("a")))), rng.fork("prepare"))
    x = source.draw(5000, rng.fork("b"))
    nats = -(model.log_prob(source.to_model(x), rng) + source.log_volume)
    assert source.truth.entropy - 3 * nats.std().item() / 5000**0.5 < nats.mean().item() < -3.5


def test_too_few_points_say_so():
    with pytest.raises(DataError, match="at least 5 training points, got 3"):
        fitted(torch.zeros(1, 3, 2))


def test_points_far_from_zero_are_told_apart():
    x = Rng([1], dtype=torch.float64).normal(1000, 2)
    near, rng = fitted(x)
    far, _ = fitted(x + 1e7)
    at = rng.fork("x").normal(200, 2)
    torch.testing.assert_close(
        far.log_prob(at + 1e7, rng), near.log_prob(at, rng), atol=1e-4, rtol=0
    )


def test_every_point_of_a_plane_is_kept_but_those_that_choose():
    source, rng = DATASETS.get("ring")(), Rng([0])
    model = build("kde", source.spec, rng, {})
    model.prepare(Batch(source.to_model(source.draw(9000, rng.fork("a")))), rng.fork("prepare"))
    assert model.points.shape == (1, 8800, 2)
