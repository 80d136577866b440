"""Translation without pairs, tied to its sources by cycles."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from genbench.core.allowed import Amount, Count, Decay, Positive, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, Cyclic, Player, model
from genbench.core.rng import Rng
from genbench.core.search import Choice
from genbench.families.search import game_space
from genbench.families.translation import Network, TranslationModel, about_mean, reverse, source_in
from genbench.nn.discriminators import Discriminator, Patch, check_patch
from genbench.nn.history import History
from genbench.nn.losses import r1, usual_penalty
from genbench.nn.optim import adam
from genbench.nn.output import centred
from genbench.nn.translation import SourceNetwork, source_of


def check_options(spec: DataSpec, cycle: str, adversary: bool, identity: float) -> None:
    """Raises unless a CycleGAN has something to learn from, and identities have a meaning.

    Raises:
        SpecError: Naming the options.
    """
    source = source_of(spec)
    if not adversary and cycle == "none":
        raise SpecError("cyclegan needs an adversary, cycles or both, got neither; add one")
    if identity and source.event != spec.event:
        raise SpecError(
            f"cyclegan needs sources of the points' shape for identity, got identity={identity} on "
            f"{source.event} and {spec.event}"
        )


@model("cyclegan")
class CycleGAN(TranslationModel, Cyclic):
    r"""Creates a translator G and its way back F, each against a discriminator of its own, tied by cycles.

    .. math::
        L_D = \tfrac12 E (D(x) - 1)^2 + \tfrac12 E D(G(s))^2, \qquad
        L_G = E (D(G(s)) - 1)^2 + \lambda E |F(G(s)) - s|_1 + \dots

    with the same for F, and :math:`\lambda_i \lambda (E |G(x) - x|_1 + E |F(s) - s|_1)` where `identity` is
    set. No point is ever compared with its own source, so that training needs no pairs. The options are
    the rows of the paper's Tables 4 and 5.

    References:
        | Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks (Zhu et al.,
        | 2017), section 3
        | https://arxiv.org/abs/1703.10593

    Differences: small networks without normalisation; a gradient penalty on real points (Mescheder et al.,
    2018), without which small networks collapse; outputs start at the training mean; an MLP.

    Arguments:
        cycle: `both`, `forward` (a source comes back from its translation), `backward` (a point does) or
            `none`.
        weight: The weight lambda of cycles, in units of half the data's range as in the paper.
        adversary: Whether there are discriminators; without them cycles alone are learnt.
        identity: The weight of leaving points of the other side alone, times `weight`; needs sources and
            points of one shape.
        buffer: How many outputs made earlier each discriminator is shown some of; 0 for none.
        network: `unet`, `encoder_decoder` (the same without skips), `resnet` or `mlp`.
        hidden: The widths of the hidden layers of MLPs, in all players.
        width: The channels of the first hidden image of convolutional networks.
        blocks: The number of residual blocks.
        patch: The side in pixels of what an output of a convolutional discriminator sees, of 1, 4, 10, 22;
            None lets it see all.
        lr: Adam's step size, for all.
        beta1: Adam's first decay.
        penalty: The weight gamma of the discriminators' squared slope at real points; None takes 0.1 without
            a range and 0.25 with one; 0 leaves it out, as the paper does.
    """

    taxonomy = "implicit/direct"
    paper = "Zhu et al., 2017"
    year = 2017

    search = {**game_space("discriminators"), "beta1": Choice((0.0, 0.5, 0.9))}

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        cycle: Literal["both", "forward", "backward", "none"] = "both",
        weight: Weight = 10.0,
        adversary: bool = True,
        identity: Weight = 0.0,
        buffer: Amount = 50,
        network: Network = "unet",
        hidden: Widths = (256, 256),
        width: Count = 16,
        blocks: Amount = 4,
        patch: Patch | None = None,
        lr: Positive = 1e-3,
        beta1: Decay = 0.5,
        penalty: Weight | None = None,
    ) -> None:
        super().__init__(spec, rng)
        check_options(spec, cycle, adversary, identity)
        check_patch(patch, network)
        self.forward_cycle, self.backward_cycle = (
            cycle in ("both", way) for way in ("forward", "backward")
        )
        self.weight, self.identity, self.logistic = weight, identity, adversary
        self.penalty = usual_penalty(spec) if penalty is None else penalty
        self.optimizer = adam(lr, (beta1, 0.999))
        self.register_buffer("source_mean", self.sources.clone(), persistent=False)
        self.source_mean: Tensor
        ways = {"there": spec, "back": reverse(spec)}
        generators = {
            way: SourceNetwork(own, network, hidden, width, blocks, 0, rng.fork("generator", way))
            for way, own in ways.items()
        }
        shape = {"hidden": hidden if network == "mlp" else None, "width": width, "patch": patch}
        discriminators = {
            way: Discriminator(own, pairs=False, rng=rng.fork("discriminator", way), **shape)
            for way, own in ways.items()
            if adversary
        }
        histories = {
            way: History(buffer, ways[way].event, rng) for way in discriminators if buffer
        }
        self.generators = nn.ModuleDict(generators)
        self.discriminators = nn.ModuleDict(discriminators)
        self.histories = nn.ModuleDict(histories)

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Keeps some sources, and the means of points and sources."""
        super().prepare(batch, rng)
        self.source_mean = source_in(batch).mean(1, keepdim=True)

    def players(self) -> tuple[Player, ...]:
        """The discriminators, if there are any, then both generators together."""
        generators = Player("generators", self.generators, self.generators_loss, self.optimizer)
        if not len(self.discriminators):
            return (generators,)
        discriminators = Player(
            "discriminators", self.discriminators, self.discriminators_loss, self.optimizer
        )
        return discriminators, generators

    def translate(self, source: Tensor, rng: Rng) -> Tensor:
        """Returns G of the sources, clipped to the data's range, shape (S, B, *event)."""
        return _clipped(self.there(source), self.spec)

    def back(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns F of the points, clipped to the sources' range, shape (S, B, *source.event)."""
        return _clipped(self.here(x), source_of(self.spec))

    def there(self, source: Tensor) -> Tensor:
        """Returns G of the sources, for losses."""
        y = self.generators["there"](source)
        return about_mean(y, self.mean, self.spec, logistic=self.logistic)

    def here(self, x: Tensor) -> Tensor:
        """Returns F of the points, for losses."""
        y = self.generators["back"](x)
        return about_mean(y, self.source_mean, source_of(self.spec), logistic=self.logistic)

    def discriminators_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the discriminators' squared errors on real and fake points plus the penalty, shape (S,)."""
        x, source = batch.x, source_in(batch)
        with torch.no_grad():
            fakes = {"there": self.there(source), "back": self.here(x)}
        loss = x.new_zeros(len(x))
        for way, real in (("there", x), ("back", source)):
            fake = fakes[way]
            if way in self.histories:
                fake = self.histories[way].mix(fake, rng)  # type: ignore[operator]
            wrong = (self.scores(way, real) - 1).square() + self.scores(way, fake).square()
            loss = loss + 0.5 * wrong.mean(-1)
            loss = loss + r1(lambda y, way=way: self.scores(way, y), real, self.penalty)
        return loss

    def generators_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns what discriminators, cycles and identities say, shape (S,)."""
        x, source = batch.x, source_in(batch)
        y, s = self.there(source), self.here(x)
        own, loss = source_of(self.spec), x.new_zeros(len(x))
        if len(self.discriminators):
            for way, fake in (("there", y), ("back", s)):
                loss = loss + (self.scores(way, fake) - 1).square().mean(-1)
        if self.forward_cycle:
            loss = loss + self.weight * _error(self.here(y), source, own)
        if self.backward_cycle:
            loss = loss + self.weight * _error(self.there(s), x, self.spec)
        if self.identity:
            alone = _error(self.there(x), x, self.spec) + _error(self.here(source), source, own)
            loss = loss + self.weight * self.identity * alone
        return loss

    def scores(self, way: str, x: Tensor) -> Tensor:
        """Returns what a discriminator says of points, a mean over patches, shape (S, B)."""
        return self.discriminators[way](x, x).mean(-1)


def _error(x: Tensor, y: Tensor, spec: DataSpec) -> Tensor:
    """The mean absolute difference a coordinate, in units of half the range, shape (S,)."""
    return (centred(x, spec) - centred(y, spec)).abs().flatten(1).mean(-1)


def _clipped(x: Tensor, spec: DataSpec) -> Tensor:
    return x if spec.range is None else x.clamp(*spec.range)
