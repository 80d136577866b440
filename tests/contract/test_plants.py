"""The rules see what is planted in data sets of pairs, in translators' networks and in hidden images."""

from dataclasses import replace

import pytest
import torch
from rule_plants import find
from torch import nn

from genbench.contracts.check import load_rules
from genbench.core.dataset import dataset
from genbench.core.feature import Extractor, HiddenImages, extractor
from genbench.core.model import MODELS, model
from genbench.datasets.captioned_digits import CaptionedDigits
from genbench.datasets.edges import Edges
from genbench.datasets.holes import Holes
from genbench.models.translation.regression import Regression

pytestmark = pytest.mark.usefixtures("registered")
load_rules()


class Deaf(Edges):
    """Pairs whatever is asked for."""

    def __init__(self, *, paired=True, **options):
        super().__init__(paired=True, **options)


class Leaking(Edges):
    """Shows the same rows on both sides, where it is asked for unpaired ones."""

    def __init__(self, *, paired=True, **options):
        super().__init__(paired=paired, **options)

    def unpaired_rows(self):
        """All rows, twice."""
        rows = torch.arange(len(self.points("train")))
        return rows, rows


@pytest.mark.parametrize(
    ("cls", "text"),
    [(Deaf, "paired=False needs a spec of that"), (Leaking, "without a common one")],
)
def test_an_unpaired_option_is_checked_too(cls, text):
    """By default both show pairs, so that nothing was seen before."""
    dataset("planted")(cls)
    finding = find("dataset", "planted", "unpaired training shows no pair")
    assert finding.status == "broken"
    assert text in str(finding.reason)


DESCRIPTIONS = {
    "one word for all": (
        lambda old, x: torch.zeros_like(old(x)),
        "what was wanted of true points of train in 80%",
    ),
    "real numbers": (lambda old, x: old(x).float(), "needs torch.int64"),
    "a column too few": (lambda old, x: old(x)[:, 1:], "needs shape"),
}


@pytest.mark.parametrize("plant", DESCRIPTIONS)
def test_descriptions_that_are_not_read_are_seen(plant):
    read, text = DESCRIPTIONS[plant]

    class Planted(CaptionedDigits):
        def __init__(self, **options):
            super().__init__(**options)
            old = self.truth.described.read
            described = replace(self.truth.described, read=lambda x: read(old, x))
            self.truth = replace(self.truth, described=described)

    dataset("planted")(Planted)
    finding = find("dataset", "planted", "what points show is what was asked for")
    assert finding.status == "broken"
    assert text in str(finding.reason)


def test_what_sources_show_is_not_hidden():
    class Planted(Holes):
        def __init__(self, **options):
            super().__init__(**options)
            everything = torch.ones(self.spec.event, dtype=torch.bool)
            self.truth = replace(self.truth, hidden=everything, degrade=lambda x: x[:, :, :2])

    dataset("planted")(Planted)
    finding = find("dataset", "planted", "what is hidden is a part of a point")
    assert finding.status == "broken"
    assert "hide what no source shows" in str(finding.reason)


def test_networks_beside_the_small_one_are_checked():
    """A U-Net that looks at the whole minibatch, in a model whose perceptron does not."""

    class Planted(Regression):
        def __init__(self, spec, rng, *, network="unet", **options):
            super().__init__(spec, rng, network=network, **options)
            self.mixes = network == "unet"

        def translate(self, source, rng):
            x = super().translate(source, rng)
            return (x + x.mean(1, keepdim=True)) / 2 if self.mixes else x

    model("planted")(Planted)
    finding = find("model", "planted", "a translation is of its own source")
    assert finding.status == "broken"
    assert "unet" in str(finding.reason)
    assert MODELS.get("planted") is Planted


class Network(nn.Module):
    """Two grey levels of an image as a vector of length at most 1."""

    def __init__(self, change):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1), requires_grad=change == "trained")
        self.change = change

    def forward(self, x):
        """Maps images (N, C, H, W) to (N, 2)."""
        if self.change == "detached":
            x = x.detach() + 0 * x
        means = x.mean((1, 2, 3))
        y = torch.stack([means, means.square()], 1) * self.scale / 2
        if self.change == "mixed":
            y = y / (1 + y.mean(0))
        return 9 * y if self.change == "long" else y


def plant_images(change):
    @extractor("planted")
    class Planted(Extractor, HiddenImages):
        taps = () if change == "no taps" else (1,)
        protocol = "planted"
        digest = "0" * (8 if change == "short" else 64)

        def extract(self, x):
            return x.double().flatten(1)

        def perceptual_network(self, *, side=None):
            return Network(change)

    return find("extractor", "planted", "hidden images make distances")


IMAGES = {
    "trained": "needs frozen weights, got gradients of scale",
    "detached": "pass gradients on to images",
    "mixed": "treat each image on its own",
    "long": "vectors need length at most 1",
    "no taps": "taps needs the numbers of hidden images",
    "short": "digest needs the sha256",
}


@pytest.mark.parametrize("change", ["", *IMAGES])
def test_hidden_images_keep_their_rule(change):
    finding = plant_images(change)
    assert finding.status == ("broken" if change else "kept"), finding.reason
    assert not change or IMAGES[change] in str(finding.reason)
