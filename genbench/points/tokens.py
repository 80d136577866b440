"""Counts of consecutive tokens."""

from __future__ import annotations

import torch
from torch import Tensor


def n_gram_law(x: Tensor, n: int, tokens: int, weight: Tensor | None = None) -> Tensor:
    """Returns the distribution of n consecutive tokens at a uniformly drawn place, float64, (tokens,) * n.

    Arguments:
        x: Sequences of one length L >= n, int64 in {0, …, tokens - 1}, shape (N, L).
        n: How many tokens are looked at together.
        tokens: The size of the alphabet.
        weight: The sequences' probabilities, shape (N,); None makes all alike.
    """
    windows = x.unfold(1, n, 1)
    powers = tokens ** torch.arange(n - 1, -1, -1, device=x.device)
    words = (windows * powers).sum(-1)
    if weight is None:
        counts = torch.bincount(words.flatten(), minlength=tokens**n).double()
    else:
        weights = weight.double().unsqueeze(1).expand_as(words)
        counts = torch.bincount(words.flatten(), weights.flatten(), minlength=tokens**n)
    return (counts / counts.sum()).view((tokens,) * n)
