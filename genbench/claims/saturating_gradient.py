"""Trains discriminators against a fixed generator and measures the gradient that it is left with."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softplus

from genbench.core.claim import Evidence, claim
from genbench.core.effect import Effect, Values, log_ratio, map_values
from genbench.core.figure import Figure, Series
from genbench.core.rng import Rng
from genbench.nn.mlp import MLP
from genbench.nn.optim import Adam

#: how a generator's loss weighs the gradient of the logit a at a generated point, up to the sign
WEIGHTS: dict[str, Callable[[Tensor], Tensor]] = {
    "minimax": torch.sigmoid,
    "non_saturating": lambda a: torch.sigmoid(-a),
    "maximum_likelihood": torch.exp,
}
#: after how many steps the discriminator is first inspected
EARLY = 25
#: how many steps apart it is inspected for the figure, and the losses plotted there
EVERY = 100
PLOTTED = ("minimax", "non_saturating", "maximum_likelihood")
PENALTY = 10.0


def segments(n: int, noise: float, rng: Rng) -> tuple[Tensor, Tensor]:
    """Returns points of two parallel segments at the distance 1, shapes (S, n, 2): real, fake."""
    real, fake = (torch.stack([0 * (u := rng.uniform(n)) + x, u], -1) for x in (0.0, 1.0))
    return real + noise * rng.normal(n, 2), fake + noise * rng.normal(n, 2)


def slopes(critic: MLP, x: Tensor, *, graph: bool = False) -> tuple[Tensor, Tensor]:
    """Returns a critic's values (S, B) and their gradients (S, B, 2) at points."""
    x = x.detach().requires_grad_()
    out = critic(x).squeeze(-1)
    (gradient,) = torch.autograd.grad(out.sum(), x, create_graph=graph)
    return out, gradient


def cross_entropy(critic: MLP, real: Tensor, fake: Tensor, rng: Rng) -> Tensor:
    """Returns the discriminator's loss, shape (S,)."""
    return (softplus(-critic(real)) + softplus(critic(fake))).mean((1, 2))


def wasserstein(critic: MLP, real: Tensor, fake: Tensor, rng: Rng) -> Tensor:
    """Returns the critic's loss with the gradient penalty of WGAN-GP, shape (S,)."""
    between = torch.lerp(real, fake, rng.uniform(real.shape[1], 1))
    slope = slopes(critic, between, graph=True)[1].norm(dim=-1)
    value = (critic(fake) - critic(real)).mean((1, 2))
    return value + PENALTY * (slope - 1).square().mean(1)


def norms(critic: MLP, fake: Tensor, adversarial: bool) -> dict[str, Tensor]:
    """Returns, by loss, the norm of its gradient with respect to the generator's place, shape (S,)."""
    a, gradient = slopes(critic, fake)
    weights = WEIGHTS if adversarial else {"wasserstein": torch.ones_like}
    return {
        name: (weigh(a).detach().unsqueeze(-1) * gradient).mean(1).norm(dim=-1)
        for name, weigh in weights.items()
    }


def trust(critic: MLP, fake: Tensor) -> Tensor:
    """Returns the mean of D at generated points, shape (S,): 0 where it is certain."""
    return torch.sigmoid(critic(fake)).mean((1, 2)).detach()


def train_and_watch(
    loss: Callable[..., Tensor], steps: int, noise: float, rng: Rng
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """Trains critics against a fixed generator; returns the norms early on, at the end, between.

    Between are columns `<loss>_<steps>`, and `trust_<steps>`, the mean of D at generated points.
    """
    critic = MLP(2, 1, (64, 64), rng.fork("init"))
    optimizer, data = Adam(list(critic.parameters()), lr=1e-3), rng.fork("data")
    fake = segments(512, noise, rng.fork("watch"))[1]
    early: dict[str, Tensor] = {}
    between: dict[str, Tensor] = {}
    adversarial = loss is cross_entropy
    for i in range(steps):
        if i == EARLY:
            early = norms(critic, fake, adversarial)
        if adversarial and i % EVERY == 0:
            rows = norms(critic, fake, adversarial) | {"trust": trust(critic, fake)}
            between |= {f"{name}_{i}": row for name, row in rows.items()}
        out = loss(critic, *segments(128, noise, data), data)
        critic.zero_grad()
        out.sum().backward()
        optimizer.step()
    return early, norms(critic, fake, adversarial), between


def experiment(rng: Rng, *, steps: int = 2000) -> dict[str, list[float]]:
    """Returns gradient norms early on and at the end: two segments, and the same under noise."""
    columns: dict[str, Tensor] = {}
    plays = (
        ("", cross_entropy, steps, 0.0),
        ("", wasserstein, max(EARLY + 1, steps // 4), 0.0),
        ("noisy_", cross_entropy, max(EARLY + 1, steps // 4), 0.5),
    )
    for head, loss, length, noise in plays:
        early, late, between = train_and_watch(loss, length, noise, rng.fork(head, loss.__name__))
        columns |= {f"{head}{name}_early": row for name, row in early.items()}
        columns |= {f"{head}{name}_late": row for name, row in late.items()}
        columns |= {} if head else between
    return {name: row.tolist() for name, row in columns.items()}


def figure(evidence: Evidence) -> Figure:
    """Draws the gradient's norm against how sure the discriminator is."""
    places = range(0, 2001, EVERY)
    sure = [evidence.measured(f"trust_{i}") for i in places]
    return Figure(
        "lines",
        "mean of D at generated points: the surer, the farther left",
        "norm of the generator's gradient",
        [
            Series(
                name.replace("_", "-"), sure, [evidence.measured(f"{name}_{i}") for i in places]
            )
            for name in PLOTTED
        ],
        log="xy",
        note="D's accuracy is 1 within a few steps on parallel segments, so the figure shows its trust "
        "in generated points; a discriminator is inspected every hundred steps.",
    )


@claim(
    "saturating_gradient",
    statement="Early in training the minimax loss starves the generator of gradient as the "
    "discriminator becomes sure; the non-saturating loss does not.",
    source="Goodfellow et al., 2014 (1406.2661), section 3; tutorial, sections 3.2.2 and 3.2.3",
    why="Data and samples lie on two parallel segments, where a perfect discriminator exists; the "
    "generator stands still while the discriminator is trained, so that nothing else moves.",
    experiment=experiment,
    scaled=("steps",),
    null_exemptions={
        "its experiment": "norms of gradients",
    },
    literature=(
        "The minimax gradient falls by up to five orders of magnitude within 4,000 steps of a "
        "discriminator against a fixed DCGAN (Arjovsky and Bottou, 2017).",
        "The -log D gradient does not vanish, but its variance grows (Arjovsky and Bottou, 2017).",
    ),
    threats=(
        "The factor grows without end with the discriminator's steps; 100 is a bar, not a constant.",
        "The two remedies are read after a quarter of the steps that the minimax loss has; their "
        "gradients hardly move after it.",
        "In training the generator moves too, and the discriminator seldom becomes perfect.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Powers of ten by which the gradient falls while the discriminator is trained."""

    def fall(name: str) -> Values:
        early, late = evidence.measured(f"{name}_early"), evidence.measured(f"{name}_late")
        return map_values(lambda v: v / 2.302585092994046, log_ratio(early, late))

    unit, text = "powers of ten", "fall of the gradient's norm"
    likelihood, noisy = "maximum_likelihood", "minimax under noise of 0.5"
    return [
        Effect(f"{text}, minimax", fall("minimax"), 2.0, unit=unit),
        Effect(f"{text}, non-saturating", fall("non_saturating"), 1.0, "below", unit),
        Effect(f"{text}, Wasserstein", fall("wasserstein"), 1.0, "below", unit),
        Effect(f"{text}, maximum likelihood", fall(likelihood), 2.0, unit=unit, judged=False),
        Effect(f"{text}, {noisy}", fall("noisy_minimax"), 1.0, "below", unit, judged=False),
    ]
