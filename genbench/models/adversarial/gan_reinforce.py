"""The GAN of token sequences trained by policy gradients."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.allowed import Count, Decay, Positive, Share
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.core.search import Choice
from genbench.families.adversarial import cross_entropy
from genbench.families.search import game_space
from genbench.families.sequences import SequenceGame


@model("gan_reinforce")
class GANReinforce(SequenceGame):
    r"""Creates a GAN of token sequences whose generator is trained by REINFORCE.

    .. math::
        \nabla L_G = -E \sum_t (R_t - b_t) \nabla \log p(x_t \mid x_{<t}), \qquad
        R_t = \sum_{s \ge t} \gamma^{s-t} r_s, \qquad r_s = 2 D(x_1, \dots, x_s) - 1

    The discriminator scores every prefix, so that every token is rewarded; the baseline b is a moving
    average of the returns at each place.

    References:
        | SeqGAN: Sequence Generative Adversarial Nets with Policy Gradient (Yu et al., 2017), section 3
        | Training Language GANs from Scratch (de Masson d'Autume et al., 2019), section 3, for rewards
        | at every place and no pretraining
        | Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning
        | (Williams, 1992)

    Differences: a reward for every prefix in place of SeqGAN's for whole sequences, completed by
    roll-outs; no pretraining by maximum likelihood; a GRU and causal convolutions, the same
    networks as `gan_gumbel`.

    Arguments:
        units: The size of the generator's state.
        discriminator_units: The width of the discriminator's layers.
        discount: The factor gamma of later rewards; 1 rewards a token by the whole of what follows.
        baseline_decay: The decay of the moving average.
        lr: Adam's step size of the generator.
        discriminator_lr: Adam's step size of the discriminator.
    """

    paper = "Yu et al., 2017"
    year = 2017
    search = {
        **game_space(),
        "discount": Choice((0.5, 0.9, 1.0)),
    }

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        units: Count = 64,
        discriminator_units: Count = 32,
        discount: Share = 0.9,
        baseline_decay: Decay = 0.9,
        lr: Positive = 3e-3,
        discriminator_lr: Positive = 3e-3,
    ) -> None:
        super().__init__(spec, rng, (units, discriminator_units), (lr, discriminator_lr))
        self.discount, self.decay = discount, baseline_decay
        self.register_buffer("baseline", torch.zeros(self.seeds, 1, spec.size))
        self.baseline: Tensor

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean cross-entropy of places, real and generated, in nats, shape (S,)."""
        with torch.no_grad():
            fake = self.sample(batch.x.shape[1], rng)
        return cross_entropy(*(self.place_logits(x).flatten(1) for x in (batch.x, fake)))

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns a value whose gradient is REINFORCE's, a mean over places, shape (S,)."""
        with torch.no_grad():
            x = self.sample(batch.x.shape[1], rng)
            returns = self.returns(2 * self.place_logits(x).sigmoid() - 1)
            gain = returns - self.baseline
            self.baseline.lerp_(returns.mean(1, keepdim=True), 1 - self.decay)
        return -(gain * self.generator.log_prob(x)).mean((1, 2))

    def place_logits(self, x: Tensor) -> Tensor:
        """Returns the discriminator's log odds at every place of tokens (S, B, L), of that shape."""
        return self.discriminator(functional.one_hot(x, self.tokens).to(self.baseline))

    def returns(self, reward: Tensor) -> Tensor:
        """Returns discounted sums of what comes at a place and later, (…, L)."""
        total, sums = torch.zeros_like(reward[..., 0]), []
        for rewards in reward.flip(-1).unbind(-1):
            total = rewards + self.discount * total
            sums.append(total)
        return torch.stack(sums[::-1], dim=-1)
