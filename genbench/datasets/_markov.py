"""Sequences in which the next symbol depends on the few before it, by a table."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.constant import Constant
from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.datasets._text import inverted

#: steps after which a law has come to rest, and by how much the sum of its moves may be off by rounding
STEPS, UNREST = 10_000, 1e-12


class MarkovLaw:
    r"""The law of sequences in the stationary state, with all that follows from its table.

    .. math:: p(x) = \pi(x_1, \dots, x_k) \prod_{t > k} P(x_t \mid x_{t-k}, \dots, x_{t-1})

    As the first k symbols come from the stationary distribution, so do those at every place, and log
    probabilities, entropies and the distribution of n-grams are exact.

    References:
        | A Mathematical Theory of Communication (Shannon, 1948), sections 3 to 7

    Arguments:
        table: P, float64, shape (symbols^k, symbols); a context is a number in base `symbols`, the oldest
            symbol first.
    """

    def __init__(self, table: Tensor) -> None:
        #: P, and pi, shape (contexts,)
        self.table, self.start = table, _stationary(table)
        self.symbols, self.order = table.shape[1], 1
        while self.symbols**self.order < len(table):
            self.order += 1
        self._rows, self._starts = (Constant(p.cumsum(-1)) for p in (self.table, self.start))
        self._logs = [Constant(p.log()) for p in (self.table, self.start)]

    def draw(self, n: int, length: int, rng: Rng) -> Tensor:
        """Returns n exact sequences per seed, int64, shape (S, n, length)."""
        steps = length - self.order
        rows = self._rows.on(rng.device)
        u = rng.uniform(n, steps + 1).double()
        context = inverted(self._starts.on(rng.device), u[..., 0])
        powers = self.symbols ** torch.arange(self.order - 1, -1, -1, device=rng.device)
        letters = list((context.unsqueeze(-1) // powers % self.symbols).unbind(-1))
        for step in range(steps):
            letters.append(inverted(rows[context], u[..., step + 1]))
            context = (context * self.symbols + letters[-1]) % len(rows)
        return torch.stack(letters, dim=-1)

    def log_prob(self, x: Tensor) -> Tensor:
        """Returns log probabilities in nats, float64, of sequences (…, length) of symbols."""
        table, start = (logs.on(x.device) for logs in self._logs)
        x = x.long()
        context = x[..., 0]
        for t in range(1, self.order):
            context = context * self.symbols + x[..., t]
        total = start[context]
        for t in range(self.order, x.shape[-1]):
            total = total + table[context, x[..., t]]
            context = (context * self.symbols + x[..., t]) % len(table)
        return total

    def entropy(self, length: int) -> float:
        """Returns H(pi) + (length - k) h in nats, where h is the rate."""
        first = torch.special.entr(self.start).sum()
        return float(first + (length - self.order) * self.rate())

    def rate(self) -> float:
        """Returns the entropy of a symbol given those before it, in nats."""
        return float(self.start @ torch.special.entr(self.table).sum(-1))

    def n_grams(self, n: int) -> Tensor:
        """Returns the distribution of n consecutive symbols, the same at every place, (symbols,) * n."""
        if n <= self.order:
            return self.start.view(self.symbols**n, -1).sum(-1).view((self.symbols,) * n)
        distribution = self.start
        for _ in range(n - self.order):
            distribution = (distribution.view(-1, len(self.table), 1) * self.table).flatten()
        return distribution.view((self.symbols,) * n)

    def autocovariance(self, values: Tensor, lags: int) -> Tensor:
        """Returns E f(x_t) f(x_{t+k}) for k = 0 … lags - 1, float64; `values` are f of the symbols."""
        last = values.double().repeat(len(self.table) // self.symbols)
        ahead, rows = last, []
        for _ in range(lags):
            rows.append(self.start @ (last * ahead))
            # the context after symbol j in context c is (c symbols + j) mod contexts
            after = ahead.view(-1, self.symbols).repeat(self.symbols, 1)
            ahead = (self.table * after).sum(-1)
        return torch.stack(rows)


def _stationary(table: Tensor) -> Tensor:
    """The distribution of a context that one more symbol leaves as it is, shape (contexts,).

    Raises:
        SpecError: Of a law that hardly forgets how it began, so that nothing that follows would be exact.
    """
    contexts, symbols = table.shape
    distribution = torch.full((contexts,), 1 / contexts, dtype=table.dtype)
    moved = 0.0
    for _ in range(STEPS):
        # the oldest symbol, the leading axis, is summed out
        new = (distribution.unsqueeze(-1) * table).view(symbols, -1).sum(0)
        distribution, moved = new / new.sum(), float((new - distribution).abs().sum())
        if moved <= 1e-15:
            break
    if moved > UNREST:
        raise SpecError(
            f"the law of these sequences needs to come to rest, but its stationary state still moves by "
            f"{moved:.2g} after {STEPS} steps; give more noise, or a smaller radius"
        )
    return distribution
