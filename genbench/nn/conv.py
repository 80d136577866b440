"""Stacked convolutions, batch normalisation and residual blocks for images."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.rng import Rng
from genbench.nn.stacked import ACTIVATIONS


class Conv2d(nn.Module):
    """Creates S convolutions, one per seed, that keep the size of the image at stride 1 and odd kernels.

    Weights and biases are drawn per seed, uniform on ±gain/sqrt(fan_in), torch's default for gain 1.

    Arguments:
        inputs: The number of channels of the input.
        outputs: The number of channels of the output.
        kernel: The height and width of the kernel, one number or (height, width).
        rng: Draws the weights; seed k's do not depend on the other seeds.
        stride: How far the kernel moves.
        padding: Zeros around the image, one number or (height, width); None pads (kernel - 1) // 2.
        bias: Whether a bias is added (not before a normalisation).
        gain: Scales the weights; 0 makes the map zero at first.
        mask: Ones where weights are kept, broadcastable to (outputs, inputs, height, width), or None.
    """

    mask: Tensor | None

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int],
        rng: Rng,
        *,
        stride: int = 1,
        padding: int | tuple[int, int] | None = None,
        bias: bool = True,
        gain: float = 1.0,
        mask: Tensor | None = None,
    ) -> None:
        super().__init__()
        size = (kernel, kernel) if isinstance(kernel, int) else kernel
        self.stride = stride
        self.padding = padding if padding is not None else tuple((side - 1) // 2 for side in size)
        reach = gain / math.sqrt(inputs * math.prod(size))
        draws = rng.fork("weight").uniform(outputs, inputs, *size, low=-1, high=1)
        self.weight = nn.Parameter(draws * reach)
        self.bias = (
            nn.Parameter(rng.fork("bias").uniform(outputs, low=-1, high=1) * reach)
            if bias
            else None
        )
        self.register_buffer("mask", mask, persistent=False)

    def masked_weight(self) -> Tensor:
        """Returns the weights that the mask leaves, (S, outputs, inputs, height, width)."""
        return self.weight if self.mask is None else self.weight * self.mask.to(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, inputs, H, W) to (S, B, outputs, H', W')."""
        return stacked_conv2d(
            x, self.masked_weight(), self.bias, stride=self.stride, padding=self.padding
        )


class ConvTranspose2d(nn.Module):
    """Creates S transposed convolutions, one per seed; kernel 4, stride 2, padding 1 double the image.

    Arguments:
        inputs: The number of channels of the input.
        outputs: The number of channels of the output.
        kernel: The height and width of the kernel.
        rng: Draws the weights, uniform on ±gain/sqrt(fan_in) with fan_in the inputs that reach a pixel.
        stride: By how much the image grows.
        padding: How much is cut off at the border.
        bias: Whether a bias is added.
        gain: Scales the weights.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        rng: Rng,
        *,
        stride: int = 2,
        padding: int = 1,
        bias: bool = True,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.stride, self.padding = stride, padding
        reach = gain / math.sqrt(inputs * kernel**2 / stride**2)
        draws = rng.fork("weight").uniform(inputs, outputs, kernel, kernel, low=-1, high=1)
        self.weight = nn.Parameter(draws * reach)
        self.bias = (
            nn.Parameter(rng.fork("bias").uniform(outputs, low=-1, high=1) * reach)
            if bias
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, inputs, H, W) to (S, B, outputs, H', W')."""
        stride, padding = self.stride, self.padding
        return _each_seed(
            lambda part, weight, bias, groups: functional.conv_transpose2d(
                part, weight, bias, stride=stride, padding=padding, groups=groups
            ),
            x,
            self.weight,
            self.bias,
        )


class BatchNorm(nn.Module):
    """Creates S batch normalisations, one per seed, over all axes but the seed's and the channels'.

    In training mode a minibatch is normalised by its own mean and variance, which also move the
    running ones; in evaluation mode by the running ones.

    References:
        | Batch Normalization (Ioffe and Szegedy, 2015), algorithms 1 and 2

    Arguments:
        channels: The size of axis 2.
        rng: Tells the number of seeds, the device and the type.
        momentum: The share of the newest minibatch in the running averages.
        eps: Added to the variance.
    """

    mean: Tensor
    variance: Tensor

    def __init__(
        self, channels: int, rng: Rng, *, momentum: float = 0.1, eps: float = 1e-5
    ) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        ones = torch.ones(len(rng), channels, device=rng.device, dtype=rng.dtype)
        self.weight = nn.Parameter(ones.clone())
        self.bias = nn.Parameter(torch.zeros_like(ones))
        self.register_buffer("mean", torch.zeros_like(ones))
        self.register_buffer("variance", ones.clone())

    def forward(self, x: Tensor) -> Tensor:
        """Normalises (S, B, C, ...)."""
        state = self.mean, self.variance, self.weight, self.bias
        if len(x) == 1:  # by views: a stack of one would be copied, and its gradient too
            return self._one(x.squeeze(0), *(part.squeeze(0) for part in state)).unsqueeze(0)
        seeds = zip(x.unbind(), *(part.unbind() for part in state), strict=True)
        return torch.stack([self._one(*parts) for parts in seeds])

    def _one(
        self, x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor, bias: Tensor
    ) -> Tensor:
        return functional.batch_norm(
            x,
            mean,
            variance,
            weight,
            bias,
            training=self.training,
            momentum=self.momentum,
            eps=self.eps,
        )


class ResidualBlock(nn.Module):
    """Creates S residual blocks: x + conv(act(norm(conv(act(norm(x)))))), optionally growing or shrinking.

    References:
        | Identity Mappings in Deep Residual Networks (He et al., 2016), figure 1b
        | Improved Training of Wasserstein GANs (Gulrajani et al., 2017), appendix F, for up and down

    Arguments:
        inputs: The number of channels of the input.
        outputs: The number of channels of the output.
        rng: Draws the weights.
        norm: Whether both activations are preceded by batch normalisation.
        resample: `up` doubles the image (nearest neighbour), `down` halves it (mean), None keeps it.
        activation: A name in `ACTIVATIONS`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        rng: Rng,
        *,
        norm: bool = False,
        resample: str | None = None,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        self.first = Conv2d(inputs, outputs, 3, rng.fork("first"))
        self.second = Conv2d(outputs, outputs, 3, rng.fork("second"))
        same = inputs == outputs and resample is None
        self.skip = nn.Identity() if same else Conv2d(inputs, outputs, 1, rng.fork("skip"))
        self.norms: nn.ModuleList = nn.ModuleList(
            BatchNorm(width, rng) if norm else nn.Identity() for width in (inputs, outputs)
        )
        self.resample, self.activation = resample, ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, inputs, H, W) to (S, B, outputs, H', W')."""
        hidden = self.activation(self.norms[0](x))
        if self.resample == "up":
            x, hidden = upsample(x), upsample(hidden)
        hidden = self.activation(self.norms[1](self.first(hidden)))
        y = self.second(hidden) + self.skip(x)
        return downsample(y) if self.resample == "down" else y


def stacked_conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: int = 1,
    padding: int | tuple[int, ...] = 0,
) -> Tensor:
    """Convolves (S, B, I, H, W) with a kernel per seed (S, O, I, h, w) and adds a bias (S, O)."""
    return _each_seed(
        lambda part, kernel, offset, groups: functional.conv2d(
            part, kernel, offset, stride=stride, padding=padding, groups=groups
        ),
        x,
        weight,
        bias,
    )


def upsample(x: Tensor) -> Tensor:
    """Doubles images (S, B, C, H, W) by repeating pixels."""
    doubled = functional.interpolate(x.flatten(0, 1), scale_factor=2.0, mode="nearest")
    return doubled.unflatten(0, x.shape[:2])


def downsample(x: Tensor) -> Tensor:
    """Halves images (S, B, C, H, W) of even sides by the mean of 2×2 pixels."""
    return functional.avg_pool2d(x.flatten(0, 1), 2).unflatten(0, x.shape[:2])


def _each_seed(
    conv: Callable[[Tensor, Tensor, Tensor | None, int], Tensor],
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
) -> Tensor:
    """Runs a convolution per seed: in turn on a CPU, where grouping costs more, else in groups."""
    seeds, batch = x.shape[:2]
    if seeds == 1:  # by views: a stack of one would be copied, and its gradient too
        offset = None if bias is None else bias.squeeze(0)
        return conv(x.squeeze(0), weight.squeeze(0), offset, 1).unsqueeze(0)
    if not x.is_cuda:
        biases = [None] * seeds if bias is None else bias.unbind()
        return torch.stack(
            [
                conv(part, kernel, offset, 1)
                for part, kernel, offset in zip(x.unbind(), weight.unbind(), biases, strict=True)
            ]
        )
    grouped = x.transpose(0, 1).reshape(batch, -1, *x.shape[3:])
    flat_bias = None if bias is None else bias.flatten()
    y = conv(grouped, weight.flatten(0, 1), flat_bias, seeds)
    return y.unflatten(1, (seeds, -1)).transpose(0, 1)
