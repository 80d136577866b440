"""Models and data whose divergences, bounds and costs are known in closed form."""

import math

import torch

from genbench.core.dataset import Dataset, DataSpec
from genbench.core.model import Density, MarkovChain, Model
from genbench.core.truth import Truth


class Normal(Dataset):
    """A standard normal law in D dimensions; model space is twice as wide."""

    name, stream = "normal", True

    def __init__(self, size=2):
        super().__init__()
        self.spec = DataSpec("normal", (size,))
        self.truth = Truth(lambda x: log_normal(x, 0.0, 1.0))

    def points(self, split):
        seed = {"train": 1, "validation": 2, "test": 3}[split]
        made = torch.Generator().manual_seed(seed)
        return torch.randn(8000, self.spec.size, generator=made)

    def to_model(self, x, rng=None):
        return 2 * x

    def to_data(self, y):
        return y / 2

    @property
    def log_volume(self):
        return self.spec.size * math.log(2)


def log_normal(x, mean, std):
    square = ((x - mean) / std).square().sum(-1)
    return -0.5 * square - x.shape[-1] * math.log(std * math.sqrt(2 * math.pi))


class Shifted(Model):
    """Draws N(a, s²) in data space, without a density."""

    name, taxonomy = "shifted", "reference"

    def __init__(self, dataset, rng, *, mean=0.0, std=1.0):
        super().__init__(dataset.spec, rng)
        self.mean, self.std = mean, std

    def players(self):
        return ()

    def sample(self, n, rng):
        return 2 * (self.mean + self.std * rng.normal(n, *self.spec.event))


class ShiftedDensity(Shifted, Density):
    """The same with its density in model space."""

    def log_prob(self, x, rng):
        return log_normal(x, 2 * self.mean, 2 * self.std)


class Bound(Model, Density):
    """p(z) = N(0, 1), p(x|z) = N(z, 1) and a posterior N(x/2, v) that is too wide or too narrow."""

    name, taxonomy, bound = "bound", "reference", "lower"

    def __init__(self, dataset, rng, *, variance=0.5, importance=64):
        super().__init__(dataset.spec, rng)
        self.variance, self.importance = variance, importance

    def players(self):
        return ()

    def sample(self, n, rng):
        return 2 * math.sqrt(2) * rng.normal(n, 1)

    def log_prob(self, x, rng):
        x = x.double() / 2
        noise = rng.normal(x.shape[1], self.importance).double()
        std = math.sqrt(self.variance)
        z = x / 2 + std * noise
        log_w = sum(log_normal(a.unsqueeze(-1), 0.0, s) for a, s in ((z, 1.0), (x - z, 1.0)))
        log_w = log_w - log_normal((z - x / 2).unsqueeze(-1), 0.0, std)
        return log_w.logsumexp(-1) - math.log(self.importance) - math.log(2)


class Autoregressive(Model, MarkovChain):
    """The chain x' = a x + sqrt(1 - a²) e, stationary at a standard normal law."""

    name, taxonomy = "autoregressive", "implicit/markov chain"

    def __init__(self, dataset, rng, *, slope=0.9):
        super().__init__(dataset.spec, rng)
        self.slope = slope

    def players(self):
        return ()

    def chain_start(self, n, rng):
        return rng.normal(n, *self.spec.event)

    def chain_step(self, x, rng):
        return self.slope * x + math.sqrt(1 - self.slope**2) * rng.normal(*x.shape[1:])

    def sample(self, n, rng):
        return rng.normal(n, *self.spec.event)
