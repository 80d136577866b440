"""What the streams of token sequences share."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from genbench.core.dataset import Dataset, DataSpec
from genbench.core.quality import SEQUENCES, Quality
from genbench.core.rng import Rng


class Text(Dataset):
    """A stream of sequences of L tokens, int64, each of which stands for a character.

    Model space is data space. Subclasses draw sequences and know their distribution exactly.

    Arguments:
        alphabet: The characters, in the order of the tokens.
        length: The number L of tokens of a sequence.
        data_dir: Not used.
        offline: Not used.
    """

    stream: ClassVar[bool] = True
    quality: ClassVar[Quality | None] = SEQUENCES
    stream_size: ClassVar[int] = 20_000

    def __init__(
        self, alphabet: str, length: int, *, data_dir: Path | None = None, offline: bool = False
    ) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        self.alphabet = alphabet
        self.spec = DataSpec(self.name, (length,), kind="tokens", tokens=len(alphabet))

    def points(self, split: str) -> Tensor:
        """Returns a fixed draw of `stream_size` sequences per split, int64, shape (N, L)."""
        return self.draw(self.stream_size, Rng([0]).fork("dataset", self.name, split))[0]


def inverted(cumulative: Tensor, u: Tensor) -> Tensor:
    """Returns categorical draws from uniform ones by inverting distribution functions, int64.

    Arguments:
        cumulative: One distribution function, shape (K,), or one a draw, shape (…, K).
        u: Uniform numbers in [0, 1), shape (…).
    """
    u = u.to(cumulative).contiguous()
    if cumulative.dim() == 1:
        place = torch.searchsorted(cumulative, u, right=True)
    else:
        place = (cumulative <= u.unsqueeze(-1)).sum(-1)
    return place.clamp_max(cumulative.shape[-1] - 1)  # rounding may leave the last end below 1


def tokens_of(text: list[str], alphabet: str) -> Tensor:
    """Returns strings of one length as tokens, int64, shape (N, L)."""
    number = {character: i for i, character in enumerate(alphabet)}
    return torch.tensor([[number[character] for character in line] for line in text])
