"""The classifier's network and its training, apart from every global generator."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.rng import Rng
from genbench.nn.optim import Adam

#: the size of the penultimate layer
FEATURES = 64
BATCH = 64
LEARNING_RATE = 5e-3
DROPPED = 0.3
EPOCHS = 5
#: the fewest steps, for data sets of a thousand points
LEAST = 600


class ClassifierNetwork(nn.Module):
    """Creates a small classifier: two convolutions (dense where points are no images), two layers.

    Arguments:
        event: The shape of a point.
        classes: The number of labels.
        rng: Draws the weights; of one seed.
    """

    def __init__(self, event: tuple[int, ...], classes: int, rng: Rng) -> None:
        super().__init__()
        # skip_init leaves out the layers' own draws, which move the global generator
        layer = nn.utils.skip_init
        if len(event) == 3 and min(event[1:]) >= 8:
            # 8 x 8 has no pixels to lose; from 16 x 16 on a stride halves the cost twice
            stride = 2 if min(event[1:]) >= 16 else 1
            height, width = (((side - 1) // stride + 1) // 2 for side in event[1:])
            wide = 32 * height * width
            self.body = nn.Sequential(
                layer(nn.Conv2d, event[0], 16, 3, stride=stride, padding=1),
                nn.ReLU(),
                layer(nn.Conv2d, 16, 32, 3, padding=1),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.Flatten(),
            )
        else:
            wide = 256
            dense = layer(nn.Linear, math.prod(event), wide)
            self.body = nn.Sequential(nn.Flatten(), dense, nn.ReLU())
        self.neck = layer(nn.Linear, wide, FEATURES)
        self.head = layer(nn.Linear, FEATURES, classes)
        self._draw(rng)

    def features(self, x: Tensor) -> Tensor:
        """Maps points (N, *event) to features (N, 64)."""
        return torch.relu(self.neck(self.body(2 * x - 1)))

    def forward(self, x: Tensor) -> Tensor:
        """Maps points (N, *event) to class logits (N, classes)."""
        return self.head(self.features(x))

    def loss(self, x: Tensor, labels: Tensor, rng: Rng) -> Tensor:
        """Returns the mean cross-entropy with 30 % of the upper layers' inputs dropped by rng."""
        wide = _drop(self.body(2 * x - 1), rng)
        narrow = _drop(torch.relu(self.neck(wide)), rng)
        return functional.cross_entropy(self.head(narrow), labels)

    @torch.no_grad()
    def _draw(self, rng: Rng) -> None:
        for name, weight in self.named_parameters():
            if weight.dim() == 1:
                weight.zero_()
                continue
            reach = 1 / math.sqrt(weight[0].numel())
            weight.copy_(rng.fork(name).uniform(*weight.shape, low=-reach, high=reach)[0])


def train(network: ClassifierNetwork, x: Tensor, labels: Tensor, rng: Rng) -> None:
    """Trains by Adam with a cosine schedule for 5 epochs but at least 600 steps, in place.

    Arguments:
        network: What is to be trained.
        x: Points, float32, shape (N, *event).
        labels: Class indices, shape (N,).
        rng: Draws the order of the points and what is dropped; of one seed.
    """
    batch = min(BATCH, len(x))
    each = len(x) // batch
    steps = max(LEAST, EPOCHS * each)
    optimizer = Adam(network.parameters(), lr=LEARNING_RATE, weight_decay=1e-2)
    order = torch.empty(0, dtype=torch.int64)
    with _one_thread(), torch.enable_grad():
        for step in range(steps):
            if step % each == 0:
                order = rng.permutation(len(x))[0]
            rows = order[(step % each) * batch : (step % each + 1) * batch]
            rate = LEARNING_RATE * (1 + math.cos(math.pi * step / steps)) / 2
            optimizer.param_groups[0]["lr"] = rate
            network.zero_grad()
            network.loss(x[rows], labels[rows], rng).backward()
            optimizer.step()


def _drop(x: Tensor, rng: Rng) -> Tensor:
    return x * (rng.uniform(*x.shape)[0] >= DROPPED) / (1 - DROPPED)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Trains alike on any number of cores: sums split over threads differ in their last bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
