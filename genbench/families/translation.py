"""Models that make a point from a source, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from genbench.core.dataset import DataSpec
from genbench.core.errors import ContractError, SpecError
from genbench.core.model import Batch, Model, Player, Translator
from genbench.core.rng import Rng
from genbench.nn.optim import adam
from genbench.nn.output import centred, only_continuous
from genbench.nn.translation import SourceNetwork, mean_of, source_of

#: training sources that `sample` translates
KEPT = 1000
#: how near the ends of the range logistic outputs start
EDGE = 0.01
Network = Literal["mlp", "unet", "encoder_decoder", "resnet"]


class TranslationModel(Model, Translator):
    """The skeleton of translators: all but the translation.

    Samples are translations of random training sources, of which `prepare` keeps some. It also takes the
    training points' mean, at which the outputs of networks start.
    """

    prepare_size = 5_000
    #: whether sources may be captions
    reads: ClassVar[bool] = False
    sources: Tensor
    mean: Tensor

    def __init__(self, spec: DataSpec, rng: Rng) -> None:
        super().__init__(spec, rng)
        source = spec.source
        if source is None:
            raise SpecError(f"{self.name} {needs_sources(spec)}")
        zeros = torch.zeros(self.seeds, 1, *source.event, device=rng.device, dtype=rng.dtype)
        self.register_buffer("sources", zeros, persistent=False)
        zeros = torch.zeros(self.seeds, 1, *spec.event, device=rng.device, dtype=rng.dtype)
        self.register_buffer("mean", zeros, persistent=False)

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """There must be sources, and points and sources are real numbers; some models read captions."""
        if spec.source is None:
            return needs_sources(spec)
        captions = cls.reads and spec.source.kind == "tokens"
        return only_continuous(spec) or (None if captions else only_continuous(spec.source))

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Keeps some sources, and the mean of the points."""
        self.sources = source_in(batch)[:, :KEPT]
        if batch.x.is_floating_point():
            self.mean = batch.x.mean(1, keepdim=True)

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns translations of random training sources, shape (S, n, *event)."""
        rows = rng.integers(self.sources.shape[1], n)
        source = torch.stack([x[row] for x, row in zip(self.sources, rows, strict=True)])
        return self.translate(source, rng)


class ReferenceTranslator(TranslationModel):
    """The skeleton of translators that are not trained."""

    taxonomy = "reference"

    def players(self) -> tuple[Player, ...]:
        """None: there is nothing to train."""
        return ()


class NetworkTranslator(TranslationModel):
    """The skeleton of translators by a network of `nn.translation`: all but the losses.

    Outputs start at the training points' mean. A `linear` output may lie outside the data's range, which
    counts in losses and is clipped when the model translates; a `logistic` one never does, so that a
    discriminator does not know it by its jitter about black. Where most pixels are black and errors are
    absolute a logistic output may die: the median is an end of the range, where it has no slope.

    Arguments:
        spec: The data.
        rng: Draws the initial weights.
        network: `mlp`; or for images `unet`, `encoder_decoder` (the same without skips) or `resnet`.
        hidden: The widths of the hidden layers of MLPs.
        width: The channels of the first hidden image of convolutional networks.
        blocks: The number of residual blocks.
        noise: The dimension of the noise beside the source; 0 for none.
        logistic: Whether outputs are squashed into the data's range.
    """

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        network: str,
        hidden: tuple[int, ...],
        width: int,
        blocks: int,
        noise: int,
        logistic: bool,
    ) -> None:
        super().__init__(spec, rng)
        self.noise, self.logistic = noise, logistic and spec.range is not None
        self.generator = SourceNetwork(
            spec, network, hidden, width, blocks, noise, rng.fork("generator")
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Points must be shown beside their own sources."""
        return super().refuses(spec) or needs_pairs(spec)

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Keeps what translators keep, and the mean of the sources."""
        super().prepare(batch, rng)
        self.generator.centre(mean_of(source_in(batch)))

    def output(self, source: Tensor, rng: Rng) -> Tensor:
        """Returns the output for losses, a linear one unclipped, shape (S, B, *event)."""
        z = rng.normal(source.shape[1], self.noise) if self.noise else None
        x = self.generator(source, z)
        if not self.logistic:
            return self.start(source) + x
        return about_mean(x, self.mean, self.spec, logistic=True)

    def start(self, source: Tensor) -> Tensor:
        """Returns what a linear output starts at and differs from by the network: the training mean."""
        return self.mean

    def translate(self, source: Tensor, rng: Rng) -> Tensor:
        """Returns the output, clipped to the data's range, shape (S, B, *event)."""
        x = self.output(source, rng)
        return x if self.spec.range is None else x.clamp(*self.spec.range)

    def squared_error(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the mean squared difference a coordinate, in units of half the range, shape (S,)."""
        return (centred(x, self.spec) - centred(y, self.spec)).square().flatten(1).mean(-1)

    def absolute_error(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the mean absolute difference a coordinate, in units of half the range, shape (S,)."""
        return (centred(x, self.spec) - centred(y, self.spec)).abs().flatten(1).mean(-1)


def about_mean(x: Tensor, mean: Tensor, spec: DataSpec, *, logistic: bool) -> Tensor:
    """Returns outputs (S, B, *event) of a network as points: zeros are the training points' mean.

    Arguments:
        x: Real numbers.
        mean: Of the points, shape (S, 1, *event).
        spec: Of the points.
        logistic: Whether they are squashed into the data's range.
    """
    if not logistic or spec.range is None:
        return mean + x
    low, high = spec.range
    share = ((mean - low) / (high - low)).clamp(EDGE, 1 - EDGE)
    return low + (high - low) * torch.sigmoid(share.logit() + x)


def reverse(spec: DataSpec) -> DataSpec:
    """Returns the data of which points are sources and sources points."""
    return replace(source_of(spec), source=replace(spec, source=None))


def regress(
    network: nn.Module, loss: Callable[[Batch, Rng], Tensor], lr: float
) -> tuple[Player, ...]:
    """Returns the one player of a translator that is trained by its errors alone."""
    return (Player("generator", network, loss, adam(lr)),)


def source_in(batch: Batch) -> Tensor:
    """Returns a minibatch's sources, shape (S, B, *source.event).

    Raises:
        ContractError: If it has none.
    """
    if batch.source is None:
        raise ContractError("a translator needs the sources of a minibatch, got none")
    return batch.source


def needs_sources(spec: DataSpec) -> str:
    """Returns why a translator refuses points that are made from nothing."""
    return f"needs sources to translate, {spec.name} has none"


def needs_pairs(spec: DataSpec) -> str | None:
    """Returns why a translator that learns from pairs refuses data, or None where it does not."""
    if spec.paired:
        return None
    return f"needs pairs, {spec.name} shows points beside sources that are not theirs"
