import pytest
import torch

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import MODELS, build
from genbench.core.rng import Rng


def wave(length):
    return DATASETS.get("ar_wave")(length=length)


def test_it_takes_waves_alone():
    refuses = MODELS.get("wavegan").refuses
    assert refuses(wave(64).spec) is None
    assert "waves" in refuses(DATASETS.get("ring")().spec)
    assert "waves" in refuses(DATASETS.get("digits")().spec)
    assert "continuous" in refuses(DataSpec("words", (64,), kind="tokens", tokens=3))
    with pytest.raises(SpecError, match="stride"):
        build("wavegan", DataSpec("odd", (21,)), Rng([0]))


def test_one_set_of_weights_does_for_any_length():
    short, long = (build("wavegan", wave(n).spec, Rng([0, 1])) for n in (64, 256))
    sizes = [[p.shape for p in model.parameters()] for model in (short, long)]
    assert sizes[0] == sizes[1]
    assert long.sample(3, Rng([0, 1])).shape == (2, 3, 256)


def test_a_sample_depends_on_noise_near_it_alone():
    model = build("wavegan", wave(256).spec, Rng([0], dtype=torch.float64))
    z = Rng([5], dtype=torch.float64).normal(1, 256)
    other = z.clone()
    other[..., 128:136] += 1
    moved = (model.pair.decode(z) - model.pair.decode(other)).abs()[0, 0] > 0
    reach = 4 * 8  # a frame of eight samples on either side in each of four layers
    assert moved[128 - reach : 136 + reach].any()
    assert not moved[: 128 - reach].any()
    assert not moved[136 + reach :].any()
