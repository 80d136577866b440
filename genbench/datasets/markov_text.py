"""Text of a Markov source, whose distribution is known."""

from __future__ import annotations

import string
from pathlib import Path

import torch
from torch import Tensor

from genbench.core.dataset import dataset
from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.datasets._markov import MarkovLaw
from genbench.datasets._text import Text

#: the standard deviation of the log odds of the next letter
SPREAD = 2.0
#: the most contexts of which the source keeps a table
CONTEXTS = 20_000
#: the most letters of a sequence, so that a split fits the memory
LONGEST = 2000


@dataset("markov_text")
class MarkovText(Text):
    r"""Letters, each drawn given the few before it from a fixed table, in the stationary state.

    .. math:: p(x) = \pi(x_1, \dots, x_k) \prod_{t > k} P(x_t \mid x_{t-k}, \dots, x_{t-1})

    The table's rows are softmaxes of fixed normal numbers of standard deviation 2, so every sequence
    is possible. As the first k letters come from the stationary distribution, so do those at every place, and
    log probabilities, entropy and the distribution of n-grams are exact.

    References:
        | A Mathematical Theory of Communication (Shannon, 1948), sections 3 to 7

    Arguments:
        tokens: The size of the alphabet, the first letters of a to z.
        length: The number of letters of a sequence.
        order: The number k of letters that the next one depends on.
    """

    paper = "Shannon, 1948"

    def __init__(
        self,
        *,
        tokens: int = 8,
        length: int = 16,
        order: int = 2,
        data_dir: Path | None = None,
        offline: bool = False,
    ) -> None:
        sizes = 2 <= tokens <= 26 and 1 <= order < length <= LONGEST
        if not sizes or tokens**order > CONTEXTS:
            raise SpecError(
                f"markov_text needs 2 to 26 tokens, a length up to {LONGEST} and an order from 1 to "
                f"length - 1 with at most {CONTEXTS} contexts, got tokens={tokens}, length={length} and "
                f"order={order}; the usual are 8, 16 and 2"
            )
        letters = string.ascii_lowercase[:tokens]
        super().__init__(letters, length, data_dir=data_dir, offline=offline)
        self.order = order
        normal = Rng([0], dtype=torch.float64).fork("dataset", "markov_text", "table")
        self.law = MarkovLaw((SPREAD * normal.normal(tokens**order, tokens)[0]).softmax(-1))
        self.truth = Truth(self.law.log_prob, self.law.entropy(length), n_grams=self.law.n_grams)

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n exact samples per seed, int64, shape (S, n, length)."""
        return self.law.draw(n, self.spec.size, rng)
