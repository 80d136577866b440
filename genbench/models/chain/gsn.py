"""The generative stochastic network, trained by walkback."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.allowed import Count, Decay, Positive, Share, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, Inpainter, MarkovChain, Model, Player, model
from genbench.core.rng import Rng
from genbench.core.search import Choice
from genbench.families.regression import regression
from genbench.families.search import density_space
from genbench.nn.losses import normal_log_prob
from genbench.nn.mlp import flat, linear_layers
from genbench.nn.output import numbers_or_bits
from genbench.nn.stacked import ACTIVATIONS
from genbench.nn.timed import wave_count, waves

#: the logs of the least and the largest standard deviation of a reconstruction, in the data's own
LOG_STDS = (-6.0, 1.0)


@model("gsn")
class GSN(Model, MarkovChain, Inpainter):
    r"""Creates a Markov chain of corruption and learnt reconstruction, whose distribution is the model's.

    .. math::
        \tilde x_k \sim C(\tilde x \mid x_{k-1}), \quad x_k \sim P(x \mid f(\tilde x_k, z_k)), \qquad
        L = -\frac1K \sum_{k=1}^K \log P(x_0 \mid f(\tilde x_k, z_k))

    with x_0 data: walkback sends the chain away from the data for K steps and teaches every step the
    way back. Bits are corrupted by salt and pepper and reconstructed as Bernoulli; real numbers, which
    are standardised by the training set, by Gaussian noise and as Gaussians whose variances the
    network gives too. z is noise in the hidden units; with none the network is a denoising autoencoder.

    P knows no dependence between coordinates, so that what the corruption leaves open comes out as
    noise: little of it makes clean samples and slow chains. In the plane it is to be narrower than
    the modes are apart, and a step that falls between two lands on neither.

    References:
        | Deep Generative Stochastic Networks Trainable by Backprop (Bengio et al., 2014), section 3
        | https://arxiv.org/abs/1306.1091
        | Generalized Denoising Auto-Encoders as Generative Models (Bengio et al., 2013), algorithm 1

    Differences: hidden units are computed afresh from the corrupted point and carry no state from
    step to step; K is fixed and not geometric; far less corruption (the paper's are 0.4 of salt and
    hidden noise of 2); in the plane Fourier features and silu; Adam in place of SGD with momentum;
    evaluation uses a running average of the weights; chains start at independent coordinates in place
    of training points; samples of bounded data are clamped to the range.

    Arguments:
        hidden: The widths of the hidden layers, at least one.
        walkback: The number K of steps for one loss.
        salt: The probability with which a bit is replaced by a fair coin.
        noise: The corruption's standard deviation, in those of the data, for real numbers; None takes
            0.15 up to three coordinates and 0.5 beyond.
        hidden_noise: The standard deviation of the noise before and after every hidden activation;
            None takes none up to three coordinates and 0.1 beyond.
        activation: Of the hidden layers; None takes `silu` up to three coordinates and `tanh` beyond,
            whose bounds call chains back that have strayed.
        lr: Adam's step size, falling linearly to zero.
        average: The decay of the weights' running average for evaluation, or None.
        chain_steps: Steps from a chain's start to a sample.
    """

    version = 2
    taxonomy = "implicit/markov chain"
    paper = "Bengio et al., 2014"
    year = 2014
    search = {
        **density_space(),
        "salt": Choice((0.0, 0.05, 0.2)),
    }
    offset: Tensor
    scale: Tensor
    frequencies: Tensor

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        hidden: Widths = (256, 256),
        walkback: Count = 2,
        salt: Share = 0.05,
        noise: Weight | None = None,
        hidden_noise: Weight | None = None,
        activation: Literal["tanh", "silu"] | None = None,
        lr: Positive = 3e-3,
        average: Decay | None = 0.999,
        chain_steps: Count = 300,
    ) -> None:
        super().__init__(spec, rng)
        if not hidden:
            raise SpecError(
                "gsn needs a hidden layer, got hidden=(); give at least one, e.g. (128,)"
            )
        self.few = few = spec.size <= 3
        self.walkback, self.salt, self.chain_steps = walkback, salt, chain_steps
        self.noise = (0.15 if few else 0.5) if noise is None else noise
        self.hidden_noise = (0.0 if few else 0.1) if hidden_noise is None else hidden_noise
        self.lr, self.average = lr, average
        self.activation = ACTIVATIONS[activation or ("silu" if few else "tanh")]
        self.binary = spec.kind == "binary"
        waves_of = 0 if self.binary else wave_count(spec)
        inputs = spec.size * (1 + 2 * waves_of)
        sizes = (inputs, *hidden, spec.size if self.binary else 2 * spec.size)
        self.layers = linear_layers(sizes, rng)
        octaves = 2.0 ** torch.arange(waves_of, dtype=torch.float64)
        self.register_buffer("frequencies", octaves.to(rng.dtype), persistent=False)
        self.register_buffer("offset", torch.zeros(self.seeds, 1, spec.size))
        self.register_buffer("scale", torch.ones(self.seeds, 1, spec.size))

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Tokens would need a softmax."""
        return numbers_or_bits(spec)

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Takes the means (of bits: their rates) and the scales of the coordinates."""
        x = flat(batch.x)
        x = x[:1] if x.stride(0) == 0 else x  # one set for all seeds is summed once
        self.offset.copy_(x.mean(1, keepdim=True).expand_as(self.offset))
        if not self.binary:
            self.scale.copy_(x.std(1, keepdim=True).clamp_min(1e-4).expand_as(self.scale))

    def players(self) -> tuple[Player, ...]:
        """The reconstruction alone."""
        return regression("reconstruction", self, self.loss, lr=self.lr, average=self.average)

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean negative log-likelihood of the way back, in nats, shape (S,)."""
        data = self.standard(batch.x)
        state, total = data, torch.zeros_like(data[:, 0, 0])
        for _ in range(self.walkback):
            out = self.reconstruction(self.corrupted(state, rng), rng)
            total = total - self.log_likelihood(data, out).mean(-1)
            state = self.draw(out.detach(), rng)
        return total / self.walkback

    def chain_start(self, n: int, rng: Rng) -> Tensor:
        """Returns coordinates drawn apart, at their rates or normal, shape (S, n, *event)."""
        rates, shape = self.offset.expand(-1, n, -1), (n, self.spec.size)
        start = rng.bernoulli(rates) if self.binary else rng.normal(*shape)
        return self.points(start)

    @torch.no_grad()
    def chain_step(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the points after a corruption and a reconstruction; real numbers are not clamped."""
        return self.points(self.move(self.standard(x), rng))

    @torch.no_grad()
    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns the last states of n chains, clamped to the data's range, shape (S, n, *event)."""
        state = self.standard(self.chain_start(n, rng))
        for _ in range(self.chain_steps):
            state = self.move(state, rng)
        return self.clamped(self.points(state))

    def sequential_steps(self) -> int:
        """Returns the number of the chain's steps."""
        return self.chain_steps

    @torch.no_grad()
    def inpaint(self, x: Tensor, observed: Tensor, rng: Rng) -> Tensor:
        """Returns completions by the chain, observed entries fixed and not corrupted, (S, B, *event)."""
        fixed, free = self.standard(x), ~flat(observed)
        state = torch.where(free, self.standard(self.chain_start(x.shape[1], rng)), fixed)
        for _ in range(self.chain_steps):
            noisy = torch.where(free, self.corrupted(state, rng), fixed)
            state = torch.where(free, self.draw(self.reconstruction(noisy, rng), rng), fixed)
        return torch.where(observed, x, self.clamped(self.points(state)))

    def move(self, state: Tensor, rng: Rng) -> Tensor:
        """Returns the chain's next state, (S, B, D)."""
        return self.draw(self.reconstruction(self.corrupted(state, rng), rng), rng)

    def corrupted(self, state: Tensor, rng: Rng) -> Tensor:
        """Returns a draw of C, (S, B, D)."""
        shape = state.shape[1:]
        if not self.binary:
            return state + self.noise * rng.normal(*shape)
        coin = (rng.uniform(*shape) < 0.5).to(state)
        return torch.where(rng.uniform(*shape) < self.salt, coin, state)

    def reconstruction(self, state: Tensor, rng: Rng) -> Tensor:
        """Returns the parameters of P given a corrupted state.

        Of bits the logits, (S, B, D); of real numbers the means, up to three coordinates relative to
        the state, and the logs of the standard deviations, (S, B, 2 D).
        """
        h = 2 * state - 1 if self.binary else state
        if len(self.frequencies):
            h = torch.cat([h, waves(h, self.frequencies)], dim=-1)
        for layer in list(self.layers)[:-1]:
            h = self.activation(self.shaken(layer(h), rng))
            h = self.shaken(h, rng)
        out = self.layers[-1](h)
        if self.binary:
            return out
        moved, log_std = out.chunk(2, dim=-1)
        mean = state + moved if self.few else moved
        return torch.cat([mean, log_std.clamp(*LOG_STDS)], dim=-1)

    def shaken(self, h: Tensor, rng: Rng) -> Tensor:
        """Returns hidden units with noise."""
        return h + self.hidden_noise * rng.normal(*h.shape[1:]) if self.hidden_noise else h

    def draw(self, out: Tensor, rng: Rng) -> Tensor:
        """Returns a draw of P, (S, B, D)."""
        if self.binary:
            return rng.bernoulli(out.sigmoid())
        mean, log_std = out.chunk(2, dim=-1)
        return mean + log_std.exp() * rng.normal(*mean.shape[1:])

    def log_likelihood(self, x: Tensor, out: Tensor) -> Tensor:
        """Returns log P(x) in nats, shape (S, B)."""
        if self.binary:
            return -functional.binary_cross_entropy_with_logits(out, x, reduction="none").sum(-1)
        return normal_log_prob(x, *out.chunk(2, dim=-1)).sum(-1)

    def standard(self, x: Tensor) -> Tensor:
        """Maps points (S, B, *event) to states, (S, B, D)."""
        return flat(x) if self.binary else (flat(x) - self.offset) / self.scale

    def points(self, state: Tensor) -> Tensor:
        """Maps states (S, B, D) to points, (S, B, *event)."""
        moved = state if self.binary else state * self.scale + self.offset
        return moved.unflatten(-1, self.spec.event)

    def clamped(self, x: Tensor) -> Tensor:
        """Returns points in the data's range."""
        return x if self.spec.range is None or self.binary else x.clamp(*self.spec.range)
