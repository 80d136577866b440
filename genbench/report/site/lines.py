"""Sequences of tokens as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench.core.dataset import Dataset

if TYPE_CHECKING:
    import numpy as np

LINES = 12


def write_lines(array: np.ndarray, data: Dataset) -> str:
    """Returns the first of sequences (N, L) as text; what is not a token shows as a black square."""
    alphabet = data.alphabet
    between = " " if any(len(token) > 1 for token in alphabet) else ""
    return "\n".join(
        between.join(
            alphabet[int(t)] if 0 <= t < len(alphabet) else "\N{BLACK SQUARE}" for t in row
        )
        for row in array[:LINES]
    )
