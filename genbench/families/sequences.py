"""A generator of token sequences against a discriminator that scores every place."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.model import Density
from genbench.core.rng import Rng
from genbench.families.adversarial import Game, adams
from genbench.nn.mlp import Linear
from genbench.nn.recurrent import GRUCell

#: maps log odds (S, B, tokens) and a draw's number to what the next step reads, (S, B, tokens)
Draw = Callable[[int, Tensor], Tensor]


class SequenceGenerator(nn.Module):
    """Creates S recurrent networks that write one token after another.

    The network reads the token before, as an indicator vector (zero at the start), and gives log odds
    of the next, so that the probability of a sequence is a product of known numbers.

    Arguments:
        tokens: The size of the alphabet, A.
        length: The number L of tokens of a sequence.
        units: The size of the state.
        rng: Draws the weights.
    """

    def __init__(self, tokens: int, length: int, units: int, rng: Rng) -> None:
        super().__init__()
        self.tokens, self.length = tokens, length
        self.cell = GRUCell(tokens, units, rng.fork("cell"))
        self.head = Linear(units, tokens, rng.fork("head"))

    def write(self, n: int, draw: Draw) -> Tensor:
        """Returns what `draw` made of the log odds at each place, shape (S, n, L, A)."""
        h = self.cell.start(n)
        x, written = h.new_zeros(len(h), n, self.tokens), []
        for place in range(self.length):
            h = self.cell(x, h)
            x = draw(place, self.head(h))
            written.append(x)
        return torch.stack(written, dim=2)

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns exact draws, int64, shape (S, n, L)."""
        noise = gumbel(rng, n, self.length, self.tokens)

        def draw(place: int, odds: Tensor) -> Tensor:
            return functional.one_hot((odds + noise[:, :, place]).argmax(-1), self.tokens).to(odds)

        return self.write(n, draw).argmax(-1)

    def log_odds(self, x: Tensor) -> Tensor:
        """Returns log probabilities of every token at each place given those before, (S, B, L, A).

        Arguments:
            x: Indicators of the sequences, shape (S, B, L, A).
        """
        before = functional.pad(x, (0, 0, 1, -1))
        states = self.cell.run(before)
        odds = self.head(states.flatten(1, 2)).unflatten(1, states.shape[1:3])
        return odds.log_softmax(-1)

    def log_prob(self, x: Tensor) -> Tensor:
        """Returns log probabilities in nats of sequences of tokens (S, B, L), shape (S, B, L)."""
        indicators = functional.one_hot(x, self.tokens).to(self.head.bias)
        return self.log_odds(indicators).gather(-1, x.unsqueeze(-1)).squeeze(-1)


class SequenceDiscriminator(nn.Module):
    """Creates S causal convolutional networks that score every place of a sequence by what led to it.

    Layer i sees a place and that 2^i places before it; layers double their reach until it spans the
    sequence.

    References:
        | WaveNet: A Generative Model for Raw Audio (van den Oord et al., 2016), section 2.1

    Arguments:
        tokens: The size of the alphabet, A.
        length: The number L of tokens of a sequence.
        units: The width of the layers.
        rng: Draws the weights.
    """

    def __init__(self, tokens: int, length: int, units: int, rng: Rng) -> None:
        super().__init__()
        self.reaches = list(_doubling(length))
        self.layers = nn.ModuleList(
            Linear(2 * (units if i else tokens), units, rng.fork("layer", i))
            for i in range(len(self.reaches))
        )
        self.head = Linear(units, 1, rng.fork("head"))

    def forward(self, x: Tensor) -> Tensor:
        """Maps indicators, or points of the simplex, (S, B, L, A) to log odds (S, B, L)."""
        batch, length = x.shape[1:3]
        for reach, layer in zip(self.reaches, self.layers, strict=True):
            before = functional.pad(x, (0, 0, reach, 0))[:, :, :length]
            x = layer(torch.cat([x, before], dim=-1).flatten(1, 2))
            x = functional.leaky_relu(x, 0.2).unflatten(1, (batch, length))
        return self.head(x.flatten(1, 2)).view(len(x), batch, length)


def _doubling(length: int) -> Iterator[int]:
    reach = 1
    while reach < length:
        yield reach
        reach *= 2
    if length == 1:
        yield 1


class SequenceGame(Game, Density):
    """The skeleton of a `SequenceGenerator` against a `SequenceDiscriminator`: all but their losses.

    Arguments:
        spec: The data, of tokens.
        rng: Draws the initial weights.
        units: The widths of the generator and of the discriminator's layers.
        rates: The generator's and the discriminator's step sizes of Adam.
    """

    def __init__(
        self, spec: DataSpec, rng: Rng, units: tuple[int, int], rates: tuple[float, float]
    ) -> None:
        super().__init__(spec, rng, *adams(*rates, beta1=0.5))
        assert spec.tokens is not None
        self.tokens = spec.tokens
        size = spec.tokens, spec.size
        self.generator = SequenceGenerator(*size, units[0], rng.fork("generator"))
        self.discriminator = SequenceDiscriminator(*size, units[1], rng.fork("discriminator"))

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """The generator writes tokens of a finite alphabet."""
        return tokens_only(spec)

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns sequences of tokens, int64, shape (S, n, L)."""
        return self.generator.sample(n, rng)

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the generator's log p(x) in nats, exact, shape (S, B)."""
        return self.generator.log_prob(x).sum(-1)

    def sequential_steps(self) -> int:
        """Returns L: a token waits for those before it."""
        return self.spec.size


def tokens_only(spec: DataSpec) -> str | None:
    """Returns why a generator of sequences refuses data, or None if it does not."""
    if spec.kind != "tokens":
        return f"needs tokens, {spec.name} is {spec.kind}"
    return None if len(spec.event) == 1 else no_sequence(spec)


def no_sequence(spec: DataSpec) -> str:
    """Returns why what reads or writes one token after another refuses tokens in rows and columns."""
    return f"needs sequences of tokens, {spec.name} has points of shape {spec.event}"


def gumbel(rng: Rng, *shape: int) -> Tensor:
    """Returns standard Gumbel draws, -log(-log u), shape (S, *shape)."""
    u = rng.uniform(*shape).clamp_min(1e-20)
    return -(-u.log()).clamp_min(1e-20).log()
