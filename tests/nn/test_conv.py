"""Stacked convolutions against torch's own, and the two ways of stacking against each other."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.rng import Rng
from genbench.nn.conv import (
    BatchNorm,
    Conv2d,
    ConvTranspose2d,
    ResidualBlock,
    downsample,
    upsample,
)
from genbench.nn.image import ConvDecoder, ConvEncoder

RNG = Rng([3, 4], dtype=torch.float64)


def images(channels=2, side=6):
    return RNG.fork("images").normal(5, channels, side, side)


def test_convolution_of_each_seed_is_torchs():
    layer = Conv2d(2, 3, 3, RNG, stride=2, padding=1)
    y = layer(images())
    assert y.shape == (2, 5, 3, 3, 3)
    for k in range(2):
        want = functional.conv2d(images()[k], layer.weight[k], layer.bias[k], stride=2, padding=1)
        torch.testing.assert_close(y[k], want)


def test_groups_and_turns_agree(monkeypatch):
    for layer in (Conv2d(2, 3, 3, RNG), ConvTranspose2d(2, 3, 4, RNG)):
        turns = layer(images())
        with monkeypatch.context() as patch:
            patch.setattr(torch.Tensor, "is_cuda", True)
            torch.testing.assert_close(layer(images()), turns)


def test_masked_weights_neither_act_nor_learn():
    mask = torch.zeros(3, 3)
    mask[0, 0] = 1
    layer = Conv2d(1, 1, 3, RNG, mask=mask)
    x = images(1).requires_grad_()
    layer(x)[..., 2, 2].sum().backward()
    assert (x.grad != 0).sum() == 2 * 5
    assert (x.grad[..., 1, 1] != 0).all()
    assert (layer.weight.grad != 0).sum() == 2


def test_transposed_convolution_doubles_and_is_torchs():
    layer = ConvTranspose2d(2, 3, 4, RNG)
    y = layer(images())
    assert y.shape == (2, 5, 3, 12, 12)
    want = functional.conv_transpose2d(
        images()[1], layer.weight[1], layer.bias[1], stride=2, padding=1
    )
    torch.testing.assert_close(y[1], want)


def test_batch_norm_is_torchs_in_training_and_evaluation():
    ours, theirs = BatchNorm(2, RNG), torch.nn.BatchNorm2d(2, dtype=torch.float64)
    for _ in range(3):
        torch.testing.assert_close(ours(images())[1], theirs(images()[1]))
    torch.testing.assert_close(ours.eval()(images())[1], theirs.eval()(images()[1]))
    assert not torch.equal(ours.mean[0], ours.mean[1])


@pytest.mark.parametrize(("resample", "side"), [("up", 12), ("down", 3), (None, 6)])
def test_residual_block_changes_size_as_asked(resample, side):
    block = ResidualBlock(2, 4, RNG, norm=True, resample=resample)
    assert block(images()).shape == (2, 5, 4, side, side)


def test_upsampled_and_downsampled_images_are_the_same():
    torch.testing.assert_close(downsample(upsample(images())), images())


@pytest.mark.parametrize("event", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (1, 10, 14)])
def test_decoder_and_encoder_fit_the_images(event):
    spec = DataSpec("x", event)
    x = ConvDecoder(7, spec, 4, RNG)(RNG.fork("z").normal(3, 7))
    assert x.shape == (2, 3, *event)
    encoder = ConvEncoder(spec, 5, 4, RNG)
    assert encoder(x).shape == (2, 3, 5)
    assert encoder.hidden(x).shape == (2, 3, encoder.features)


def test_seeds_do_not_meet():
    spec = DataSpec("x", (1, 8, 8))
    alone = Rng([4], dtype=torch.float64)
    both, one = ConvDecoder(7, spec, 4, RNG), ConvDecoder(7, spec, 4, alone)
    z = RNG.fork("z").normal(3, 7)
    torch.testing.assert_close(both(z)[1:], one(z[1:]), rtol=0, atol=1e-12)
