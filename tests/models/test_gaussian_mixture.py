import pytest
import torch
from sklearn.mixture import GaussianMixture

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import DataError, SpecError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.training.minibatches import prepare, training_set

F64 = {"dtype": torch.float64}
SPACE = DataSpec("space", (3,))


def clusters(seeds=(0,)):
    """Two correlated clusters in space."""
    rng = Rng(seeds, **F64).fork("clusters")
    mix = torch.tensor([[1.0, 0.5, 0.0], [0.0, 1.0, 0.3], [0.2, 0.0, 0.4]]).double()
    return rng.normal(800, 3) @ mix + 6.0 * rng.integers(2, 800, 1)


def fitted(x, spec=SPACE, seeds=(0,), **options):
    rng = Rng(seeds, **F64)
    model = build("gaussian_mixture", spec, rng, options)
    model.prepare(Batch(x), rng.fork("prepare"))
    return model, rng


@pytest.mark.parametrize("covariance", ["full", "diag"])
def test_the_density_is_scikit_learns(covariance):
    x = clusters()
    model, rng = fitted(x, components=2, covariance=covariance)
    reference = GaussianMixture(2, covariance_type=covariance, random_state=0).fit(x[0].numpy())
    expected = torch.from_numpy(reference.score_samples(x[0].numpy()))
    torch.testing.assert_close(model.log_prob(x, rng)[0], expected, rtol=0, atol=0.01)
    assert model.log_prob(x, rng).mean().item() == pytest.approx(expected.mean().item(), abs=1e-4)


def test_samples_have_the_mixtures_moments():
    x = clusters()
    model, rng = fitted(x, components=2)
    fake = model.sample(100_000, rng.fork("sample"))[0]
    torch.testing.assert_close(fake.mean(0), x[0].mean(0), rtol=0, atol=0.05)
    torch.testing.assert_close(fake.T.cov(), x[0].T.cov(), rtol=0.02, atol=0.05)
    share = (fake.mean(-1) > 3).double().mean()
    assert (model.weight[0] - share).abs().min() < 0.01


def test_a_seeds_fit_is_its_own_whatever_the_stack():
    both, _ = fitted(clusters((3, 5)), seeds=(3, 5), components=7)
    alone, _ = fitted(clusters((5,)), seeds=(5,), components=7)
    torch.testing.assert_close(both.mean[1:], alone.mean)
    same = clusters().expand(2, -1, -1)
    apart, _ = fitted(same, seeds=(3, 5), components=7)
    assert not torch.allclose(apart.mean[0], apart.mean[1])


def test_on_the_ring_it_comes_near_the_entropy_and_not_below():
    source, rng = DATASETS.get("ring")(), Rng([0])
    model = build("gaussian_mixture", source.spec, rng, {"components": 8})
    model.prepare(Batch(source.to_model(source.draw(2000, rng.fork("a")))), rng.fork("prepare"))
    x = source.draw(20_000, rng.fork("b"))
    nats = -(model.log_prob(source.to_model(x), rng) + source.log_volume)
    error = 3 * nats.std().item() / 20_000**0.5
    assert source.truth.entropy - error < nats.mean().item() < source.truth.entropy + 0.1


def test_on_the_grid_it_is_as_good_as_scikit_learns():
    """Held out: 25 components on the 20,000 points that models are shown, and no fewer."""
    source, rng = DATASETS.get("grid")(), Rng([0])
    model = prepare(build("gaussian_mixture", source.spec, rng), source, rng)
    points = training_set(source, type(model), rng).x[0].double()
    assert len(points) == 20_000
    peer = GaussianMixture(25, random_state=0).fit(points.numpy())
    x = source.to_model(source.points("test").double())
    theirs = -peer.score(x.numpy()) - source.log_volume
    ours = -(model.log_prob(x.unsqueeze(0), rng).mean().item() + source.log_volume)
    exact = -source.truth.log_prob(source.points("test").double()).mean().item()
    assert ours == pytest.approx(theirs, abs=1e-3)
    # half the number of its parameters over the number of points
    assert ours - exact == pytest.approx(149 / 40_000, rel=0.5)


def test_impossible_options_say_so():
    with pytest.raises(SpecError, match="'components' needs a whole number of 1 or more, got 0"):
        build("gaussian_mixture", SPACE, Rng([0]), {"components": 0})


def test_one_point_is_refused_in_a_sentence():
    """It was an error of scikit-learn's."""
    rng = Rng([0])
    model = build("gaussian_mixture", SPACE, rng)
    with pytest.raises(DataError, match="at least 2 training points, got 1"):
        model.prepare(Batch(torch.zeros(1, 1, *SPACE.event)), rng.fork("prepare"))
