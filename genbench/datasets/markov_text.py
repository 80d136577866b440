"""Text of a Markov source, whose distribution is known."""

from __future__ import annotations

import string
from pathlib import Path

import torch
from torch import Tensor

from genbench.core.constant import Constant
from genbench.core.dataset import Truth, dataset
from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.datasets._text import Text, inverted

#: the standard deviation of the log odds of the next letter
SPREAD = 2.0
#: the most contexts of which the source keeps a table
CONTEXTS = 20_000


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
        if not 2 <= tokens <= 26 or not 1 <= order < length or tokens**order > CONTEXTS:
            raise SpecError(
                f"markov_text needs 2 to 26 tokens and an order from 1 to length - 1 with at most "
                f"{CONTEXTS} contexts, got tokens={tokens}, length={length} and order={order}; "
                "the usual are 8, 16 and 2"
            )
        letters = string.ascii_lowercase[:tokens]
        super().__init__(letters, length, data_dir=data_dir, offline=offline)
        self.order = order
        normal = Rng([0], dtype=torch.float64).fork("dataset", "markov_text", "table")
        #: P, shape (contexts, tokens), and pi, shape (contexts,); a context is a number in base tokens
        self.table = (SPREAD * normal.normal(tokens**order, tokens)[0]).softmax(-1)
        self.start = _stationary(self.table)
        self._rows, self._starts = (Constant(p.cumsum(-1)) for p in (self.table, self.start))
        self._logs = [Constant(p.log()) for p in (self.table, self.start)]
        self.truth = Truth(self._log_prob, self._entropy(), n_grams=self._n_grams)

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n exact samples per seed, int64, shape (S, n, length)."""
        tokens, steps = len(self.alphabet), self.spec.size - self.order
        rows = self._rows.on(rng.device)
        u = rng.uniform(n, steps + 1).double()
        context = inverted(self._starts.on(rng.device), u[..., 0])
        powers = tokens ** torch.arange(self.order - 1, -1, -1, device=rng.device)
        letters = list((context.unsqueeze(-1) // powers % tokens).unbind(-1))
        for step in range(steps):
            letters.append(inverted(rows[context], u[..., step + 1]))
            context = (context * tokens + letters[-1]) % len(rows)
        return torch.stack(letters, dim=-1)

    def _log_prob(self, x: Tensor) -> Tensor:
        """Log probabilities in nats, float64, of sequences (…, length)."""
        tokens = len(self.alphabet)
        table, start = (logs.on(x.device) for logs in self._logs)
        x = x.long()
        context = x[..., 0]
        for t in range(1, self.order):
            context = context * tokens + x[..., t]
        total = start[context]
        for t in range(self.order, x.shape[-1]):
            total = total + table[context, x[..., t]]
            context = (context * tokens + x[..., t]) % len(table)
        return total

    def _entropy(self) -> float:
        """H(pi) + (length - order) h, where h is the rate: entropies in nats."""
        rate = self.start @ torch.special.entr(self.table).sum(-1)
        first = torch.special.entr(self.start).sum()
        return float(first + (self.spec.size - self.order) * rate)

    def _n_grams(self, n: int) -> Tensor:
        """The distribution of n consecutive letters, the same at every place, shape (tokens,) * n."""
        tokens = len(self.alphabet)
        if n <= self.order:
            return self.start.view(tokens**n, -1).sum(-1).view((tokens,) * n)
        distribution = self.start
        for _ in range(n - self.order):
            distribution = (distribution.view(-1, len(self.table), 1) * self.table).flatten()
        return distribution.view((tokens,) * n)


def _stationary(table: Tensor) -> Tensor:
    """The distribution of a context that one more letter leaves as it is, shape (contexts,)."""
    contexts, tokens = table.shape
    distribution = torch.full((contexts,), 1 / contexts, dtype=table.dtype)
    for _ in range(10_000):
        # the oldest letter, the leading axis, is summed out
        new = (distribution.unsqueeze(-1) * table).view(tokens, -1).sum(0)
        distribution, moved = new / new.sum(), float((new - distribution).abs().sum())
        if moved <= 1e-15:
            break
    return distribution
