import torch

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, build
from genbench.core.rng import Rng


def test_samples_are_training_points_each_as_likely():
    rng = Rng([0, 1])
    x = rng.fork("data").normal(10, 3)
    model = build("resample", DataSpec("space", (3,)), rng)
    model.prepare(Batch(x), rng)
    fake = model.sample(5000, rng.fork("sample"))
    for k in range(2):
        same = (fake[k].unsqueeze(1) == x[k]).all(-1)
        assert same.any(1).all()
        assert (same.double().mean(0) - 0.1).abs().max() < 4.5 * (0.09 / 5000) ** 0.5


def test_one_array_serves_all_seeds():
    rng = Rng([0, 1, 2])
    images = torch.rand(1, 20, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    model = build("resample", DataSpec("image", (1, 4, 4), range=(0.0, 1.0)), rng)
    model.prepare(Batch(images.expand(3, -1, -1, -1, -1)), rng)
    assert model.points.data_ptr() == images.data_ptr()
    assert model.sample(7, rng).shape == (3, 7, 1, 4, 4)
    assert "points" not in model.state_dict()


def test_bits_and_tokens_keep_their_type():
    rng = Rng([0])
    tokens = torch.arange(12).view(1, 4, 3)
    model = build("resample", DataSpec("text", (3,), kind="tokens", tokens=12), rng)
    model.prepare(Batch(tokens), rng)
    assert model.sample(5, rng).dtype == torch.int64
