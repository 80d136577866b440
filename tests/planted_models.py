"""A small labelled data set and a model whose abilities a test decides."""

import torch

from genbench.core.dataset import Dataset, DataSpec
from genbench.core.feature import Extractor, Logits
from genbench.core.model import (
    Classifier,
    Conditional,
    Encoder,
    Inpainter,
    Model,
    Reconstructor,
)
from genbench.core.rng import Rng
from genbench.core.trained import Trained

CLASSES = 3


class Corners(Dataset):
    """Three classes of points (4,): one around each of three corners, of variance 0.01 a coordinate."""

    name = "corners"
    spec = DataSpec("corners", (4,), classes=CLASSES)
    sizes = {"train": 300, "validation": 30, "test": 150}

    def labels(self, split):
        return torch.arange(self.sizes[split]) % CLASSES

    def points(self, split):
        noise = Rng([0]).fork(split).normal(self.sizes[split], 4)[0]
        return torch.eye(4)[self.labels(split)] + 0.1 * noise

    def to_model(self, x, rng=None):
        return 2 * x

    def to_data(self, y):
        return y / 2


DATA = Corners()


class Planted(Model, Classifier, Conditional, Encoder, Reconstructor, Inpainter):
    """Calls the function that it is given, in model space, whatever it is asked."""

    name = "planted"
    taxonomy = "reference"

    def __init__(self, function, categories=0):
        super().__init__(DATA.spec, Rng([0]))
        self.function, self.categories = function, categories

    def players(self):
        return ()

    def sample(self, n, rng):
        raise NotImplementedError

    def classify(self, x):
        return self.function(x)

    def encode(self, x, rng):
        return self.function(x)

    def reconstruct(self, x, rng):
        return self.function(x)

    def sample_class(self, labels, rng):
        return self.function(labels, rng)

    def inpaint(self, x, observed, rng):
        return torch.where(observed, x, self.function(x, rng))


class Nothing(Model):
    """A model without abilities."""

    name = "nothing"
    taxonomy = "reference"

    def players(self):
        return ()

    def sample(self, n, rng):
        raise NotImplementedError


class Nearest(Extractor, Logits):
    """Tells the corner that a point is nearest to, rightly up to the noise."""

    name = "nearest"
    protocol = "nearest corner"

    def extract(self, x):
        return x

    def logits(self, x):
        return x.flatten(1)[:, :CLASSES]


def planted(function, categories=0, dataset=DATA):
    return Trained(Planted(function, categories), dataset, lambda: Nearest(dataset))


def unable():
    return Trained(Nothing(DATA.spec, Rng([0])), DATA, lambda: Nearest(DATA))


class Unlabelled(Corners):
    """The same without labels."""

    name = "unlabelled"
    spec = DataSpec("unlabelled", (4,))

    def labels(self, split):
        return None

    def points(self, split):
        return DATA.points(split)
