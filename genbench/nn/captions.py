"""Stacked networks between images and captions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.rng import Rng
from genbench.nn.conv import Conv2d
from genbench.nn.mlp import MLP, Linear, flat
from genbench.nn.output import centred
from genbench.nn.recurrent import GRUCell
from genbench.nn.translation import as_numbers


class CaptionEncoder(nn.Module):
    """Creates S recurrent networks that read captions.

    Arguments:
        spec: Of captions.
        units: The size of the state.
        size: The number of features.
        rng: Draws the weights.
    """

    def __init__(self, spec: DataSpec, units: int, size: int, rng: Rng) -> None:
        super().__init__()
        self.spec = spec
        self.cell = GRUCell(spec.tokens or 1, units, rng.fork("cell"))
        self.head = Linear(units, size, rng.fork("head"))

    def forward(self, words: Tensor) -> Tensor:
        """Maps captions (S, B, L) to features (S, B, size)."""
        x = as_numbers(words, self.spec, self.head.bias.dtype)
        return self.head(self.cell.run(x)[:, :, -1])


class Matcher(nn.Module):
    """Creates S pairs of networks that give an image and its caption the same features.

    References:
        | Learning Deep Representations of Fine-Grained Visual Descriptions (Reed et al., 2016), section 3;
        | Representation Learning with Contrastive Predictive Coding (van den Oord et al., 2018), equation 4,
        | for the loss

    Arguments:
        spec: Of images.
        captions: Of captions.
        hidden: The widths of the hidden layers of the image's network.
        units: The size of the caption's state.
        size: The number of features.
        rng: Draws the weights.
    """

    #: the factor on cosines, from which probabilities are made
    SCALE = 10.0

    def __init__(
        self,
        spec: DataSpec,
        captions: DataSpec,
        hidden: Sequence[int],
        units: int,
        size: int,
        rng: Rng,
    ) -> None:
        super().__init__()
        self.image = MLP(spec.size, size, hidden, rng.fork("image"))
        self.caption = CaptionEncoder(captions, units, size, rng.fork("caption"))

    def forward(self, words: Tensor) -> Tensor:
        """Maps captions (S, B, L) to features of length 1, (S, B, size)."""
        return functional.normalize(self.caption(words), dim=-1)

    def loss(self, x: Tensor, words: Tensor) -> Tensor:
        """Returns the cross-entropy of finding each other's partner in the minibatch, shape (S,).

        Arguments:
            x: Images less their training mean, shape (S, B, C, H, W).
            words: Their captions, shape (S, B, L).
        """
        features = functional.normalize(self.image(flat(x)), dim=-1)
        odds = self.SCALE * features @ self(words).mT
        both = odds.log_softmax(-1) + odds.log_softmax(-2)
        return -0.5 * both.diagonal(dim1=-2, dim2=-1).mean(-1)


class CaptionWriter(nn.Module):
    """Creates S convolutional networks that see an image, and recurrent ones that write what it shows.

    Each step reads the word before and what was seen of the image.

    Arguments:
        spec: Of images.
        captions: Of captions.
        width: The channels of the first hidden image.
        units: The size of the state.
        sees: Whether it is shown the image; if not, a grey one.
        rng: Draws the weights.
    """

    def __init__(
        self, spec: DataSpec, captions: DataSpec, width: int, units: int, rng: Rng, *, sees: bool
    ) -> None:
        super().__init__()
        self.spec, self.captions, self.sees = spec, captions, sees
        self.tokens, self.length = captions.tokens or 1, captions.size
        widths = (spec.event[0], width, 2 * width)
        self.layers = nn.ModuleList(
            Conv2d(a, b, 4, rng.fork("layer", i), stride=2)
            for i, (a, b) in enumerate(pairwise(widths))
        )
        sides = [side // 2 // 2 for side in spec.event[1:]]
        self.features = Linear(widths[-1] * sides[0] * sides[1], units, rng.fork("features"))
        self.cell = GRUCell(self.tokens + units, units, rng.fork("cell"))
        self.head = Linear(units, self.tokens, rng.fork("head"))

    def look(self, x: Tensor) -> Tensor:
        """Maps images (S, B, C, H, W) to features (S, B, units)."""
        x = centred(x, self.spec)
        if not self.sees:
            x = torch.zeros_like(x)
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), 0.2)
        return functional.leaky_relu(self.features(flat(x)), 0.2)

    def log_prob(self, words: Tensor, x: Tensor) -> Tensor:
        """Returns log p(words | image) in nats, (S, B), for captions (S, B, L) and images."""
        indicators = as_numbers(words, self.captions, self.head.bias.dtype)
        image, h, total = self.look(x), self.cell.start(x.shape[1]), 0.0
        before = torch.zeros_like(indicators[:, :, 0])
        for word in indicators.unbind(2):
            h = self.cell(torch.cat([before, image], -1), h)
            total = total + (self.head(h).log_softmax(-1) * word).sum(-1)
            before = word
        assert isinstance(total, Tensor)
        return total

    def write(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns captions drawn for images (S, B, C, H, W), int64, (S, B, L)."""
        noise = rng.uniform(x.shape[1], self.length, self.tokens)
        noise = -(-noise.clamp_min(1e-12).log()).log()
        image, h, words = self.look(x), self.cell.start(x.shape[1]), []
        before = h.new_zeros(*h.shape[:2], self.tokens)
        for place in range(self.length):
            h = self.cell(torch.cat([before, image], -1), h)
            word = (self.head(h) + noise[:, :, place]).argmax(-1)
            words.append(word)
            before = as_numbers(word, self.captions, h.dtype)
        return torch.stack(words, 2)
