"""Adding a model; a notebook in cells of `# %%`, for Jupyter, VS Code and Spyder, or a script.

A generator without an adversary, trained on the sliced Wasserstein distance between minibatches: written,
checked against the contract of models, and compared with a GAN. The class alone, saved as a file, is a
plugin: `--plugin FILE`.
"""

# %%
import torch
from torch import Tensor

import genbench
from genbench import Batch, DataSpec, Model, Player, Rng, model
from genbench.contracts.check import check_plugin
from genbench.nn.mlp import MLP, flat
from genbench.nn.optim import adam
from genbench.nn.output import into_range, noise_size, only_continuous


# %%
@model("sliced_generator")
class SlicedGenerator(Model):
    """Creates a generator that minimises the squared sliced Wasserstein distance to the data.

    References:
        | Generative Modeling using the Sliced Wasserstein Distance (Deshpande et al., 2018), equation 9

    Differences: multi-layer perceptrons in place of convolutions, and no discriminator's features.

    Arguments:
        spec: The shape and kind of a point.
        rng: Draws the initial weights, one row per seed.
        directions: Random directions per round.
        hidden: Widths of the generator's hidden layers.
        lr: Adam's step size.
    """

    taxonomy = "implicit/direct"
    family = "moment"  # no adversary, of which most models at that place of the taxonomy have one
    paper = "Deshpande et al., 2018"
    year = 2018

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        directions: int = 32,
        hidden: tuple[int, ...] = (128, 128),
        lr: float = 2e-3,
    ) -> None:
        super().__init__(spec, rng)
        self.noise, self.directions, self.optimizer = noise_size(spec), directions, adam(lr)
        self.generator = MLP(self.noise, spec.size, hidden, rng.fork("generator"))

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Returns why a data set cannot be done."""
        return only_continuous(spec)

    def players(self) -> tuple[Player, ...]:
        """Returns the generator, which plays alone."""
        return (Player("generator", self.generator, self.loss, self.optimizer),)

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns n points per seed, shape (S, n, *event)."""
        points = into_range(self.generator(rng.normal(n, self.noise)), self.spec)
        return points.unflatten(-1, self.spec.event)

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the squared distance of sorted projections, one value per seed."""
        real, fake = flat(batch.x), flat(self.sample(batch.x.shape[1], rng))
        directions = torch.nn.functional.normalize(
            rng.normal(self.spec.size, self.directions), dim=1
        )
        sides = (torch.sort(x @ directions, dim=1).values for x in (real, fake))
        return torch.sub(*sides).square().mean((1, 2))


# %% [markdown]
# Does it keep what the harness relies on? Every rule is a sentence; a broken one says how and what to do.

# %%
results = list(check_plugin("model", "sliced_generator"))
for result in results:
    if result.status == "broken":
        print(f"BROKEN {result.sentence}: {result.reason}")
kept = sum(result.status == "kept" for result in results)
print(f"{kept} rules kept, {sum(result.status == 'broken' for result in results)} broken")

# %% [markdown]
# Beside a GAN, at equal rounds.

# %%
suite = {
    "description": "a new model beside a GAN",
    "seeds": 5,
    "batch": 128,
    "budget": {"steps": 200},
    "samples": 1000,
    "metrics": ["mmd", "modes"],
    "curve": 0,
    "cells": [{"models": ["sliced_generator", "gan"], "datasets": ["ring"]}],
}
genbench.run(suite, results="runs")
print(genbench.leaderboard("runs"))
