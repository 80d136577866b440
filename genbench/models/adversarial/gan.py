"""The generative adversarial network with the non-saturating loss."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Model, Player, model
from genbench.core.rng import Rng
from genbench.nn.mlp import MLP, flat
from genbench.nn.optim import adam
from genbench.nn.output import centred, into_range, noise_size


@model("gan")
class GAN(Model):
    r"""Creates a GAN: a generator against a discriminator, non-saturating loss.

    .. math::
        L_D = -E \log D(x) - E \log(1 - D(G(z))), \qquad L_G = -E \log D(G(z))

    References:
        | Generative Adversarial Nets (Goodfellow et al., 2014), section 3
        | https://arxiv.org/abs/1406.2661

    Differences: ReLU generator and leaky ReLU discriminator trained by Adam, in place of maxout,
    dropout and SGD with momentum; Gaussian in place of uniform noise.

    Arguments:
        latent: The dimension of the noise z; None takes 2 for points in the plane, 64 otherwise.
        hidden: The widths of the hidden layers of both networks.
        lr: Adam's step size, for both.
        beta1: Adam's first decay.
    """

    taxonomy = "implicit/direct"
    paper = "Goodfellow et al., 2014"
    year = 2014

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: int | None = None,
        hidden: tuple[int, ...] = (128, 128),
        lr: float = 1e-3,
        beta1: float = 0.5,
    ) -> None:
        super().__init__(spec, rng)
        self.lr, self.beta1 = lr, beta1
        self.latent = latent or noise_size(spec)
        self.generator = MLP(self.latent, spec.size, hidden, rng.fork("generator"))
        self.discriminator = MLP(
            spec.size, 1, hidden, rng.fork("discriminator"), activation="leaky_relu"
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Discrete points have no gradient for the generator."""
        return (
            None
            if spec.kind == "continuous"
            else f"needs continuous data, {spec.name} is {spec.kind}"
        )

    def players(self) -> tuple[Player, ...]:
        """The discriminator, then the generator."""
        optimizer = adam(self.lr, (self.beta1, 0.999))
        return (
            Player("discriminator", self.discriminator, self.discriminator_loss, optimizer),
            Player("generator", self.generator, self.generator_loss, optimizer),
        )

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns G(z), shape (S, n, *event)."""
        made = into_range(self.generator(rng.normal(n, self.latent)), self.spec)
        return made.unflatten(-1, self.spec.event)

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of real against fake, shape (S,)."""
        fake = self.sample(batch.x.shape[1], rng).detach()
        real = self.logits(batch.x)
        return (functional.softplus(-real) + functional.softplus(self.logits(fake))).mean(-1)

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns -log D(G(z)), shape (S,)."""
        return functional.softplus(-self.logits(self.sample(batch.x.shape[1], rng))).mean(-1)

    def logits(self, x: Tensor) -> Tensor:
        """Returns the discriminator's logits, shape (S, B)."""
        return self.discriminator(flat(centred(x, self.spec))).squeeze(-1)
