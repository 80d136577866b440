"""What every feature extractor must keep, on points of the plane and on small images."""

from __future__ import annotations

from string import hexdigits

import torch
from torch import Tensor

from genbench.contracts.rules import (
    Case,
    expect,
    expect_close,
    expect_equal,
    expect_tensor,
    rule,
)
from genbench.contracts.small import open_small
from genbench.core.errors import DataError
from genbench.core.feature import EXTRACTORS, Extractor, HiddenImages, Logits
from genbench.core.rng import Rng

#: data sets on which an extractor is checked, as far as it takes them
DATA = ("ring", "digits", "stacked_digits")
N = 40
FEATURES = "return one row of numbers per point, shape (N, F)"
#: between a row alone and the same row in a batch, whose sums go in another order
TOLERANCE = 1e-4
#: images that a network of hidden images sees, and their side
FEW, SIDE = 4, 16


def make(name: str, data: str) -> Extractor:
    """Returns an extractor for a data set, with its default options."""
    return EXTRACTORS.get(name)(open_small(data))


def real_points(data: str) -> Tensor:
    """Returns the first held-out points of a data set."""
    return open_small(data).points("test")[:N]


def refusals(name: str) -> dict[str, str | None]:
    """Returns, by data set, why an extractor refuses its points, or None where it takes them."""
    reasons: dict[str, str | None] = {}
    for data in DATA:
        try:
            make(name, data)
            reasons[data] = None
        except DataError as error:
            reasons[data] = str(error)
    return reasons


def taken(name: str) -> list[Case]:
    """Returns the data sets that an extractor takes."""
    return [(data,) for data, reason in refusals(name).items() if reason is None]


@rule("extractor", first=True)
def it_can_be_made(name: str) -> None:
    """It is an Extractor, made of a data set, and refuses by a DataError."""
    expect(
        taken(name), f"it needs to take points of one of {', '.join(DATA)}, got refusals of all"
    )
    data = taken(name)[0][0]
    make(name, data).extract(real_points(data))


@rule("extractor", taken)
def features_are_one_row_per_point(name: str, data: str) -> None:
    """`extract` returns finite numbers (N, F), float32 or float64, without a gradient."""
    features = make(name, data).extract(real_points(data))
    expect(
        features.dim() == 2,
        f"extract needs shape ({N}, F), got {tuple(features.shape)}; {FEATURES}",
    )
    expect_tensor(features, "extract", (N, features.shape[1]), fix=FEATURES)
    expect(
        features.dtype in (torch.float32, torch.float64),
        f"features need float32 or float64, got {features.dtype}; convert them by .float()",
    )
    expect(not features.requires_grad, "features need no gradient; use torch.no_grad")


@rule("extractor", taken)
def a_row_depends_on_its_point_alone(name: str, data: str) -> None:
    """A point has the same features alone, in a batch, and in another order."""
    extractor, x = make(name, data), real_points(data)
    features, order = extractor.extract(x), Rng([9]).permutation(N)[0]
    fix = "treat each point on its own: no statistics of the batch (call .eval() on networks)"
    alone = torch.cat([extractor.extract(x[i : i + 1]) for i in range(4)])
    expect_close(features[:4], alone, "features in a batch and alone", TOLERANCE, fix=fix)
    moved = extractor.extract(x[order])
    expect_close(features[order], moved, "features in another order", TOLERANCE, fix=fix)


@rule("extractor", taken)
def two_calls_agree_and_change_nothing(name: str, data: str) -> None:
    """Two calls, and two extractors, agree bit for bit; the points and global generator stay."""
    extractor, x = make(name, data), real_points(data)
    copy, before = x.clone(), torch.get_rng_state()
    features = extractor.extract(x)
    fix = "draw weights from Rng([0]).fork(…) alone"
    expect_equal(features, extractor.extract(x), "features of two calls", fix=fix)
    expect_equal(features, make(name, data).extract(x), "features of two extractors", fix=fix)
    expect_equal(torch.get_rng_state(), before, "torch's global generator", fix=fix)
    expect_equal(x, copy, "the points after a call", fix="do not edit them in place")


@rule("extractor", taken)
def its_protocol_says_what_it_is(name: str, data: str) -> None:
    """`protocol` is a text that names the extractor, the same for two that are alike."""
    protocols = [make(name, data).protocol for _ in range(2)]
    expect(
        isinstance(protocols[0], str) and protocols[0],
        f"protocol needs a text, got {protocols[0]!r}; say name and version, as a property",
    )
    expect(protocols[0] == protocols[1], f"protocol needs to be one text, got {protocols}")
    alike = name.replace("_", "-") in protocols[0].replace("_", "-")
    expect(alike, f"protocol needs to name {name}, got {protocols[0]!r}; begin with self.name")


def with_logits(name: str) -> list[Case]:
    """Returns the data sets of extractors that have logits."""
    return taken(name) if issubclass(EXTRACTORS.get(name), Logits) else []


@rule("extractor", with_logits)
def logits_are_one_row_per_point(name: str, data: str) -> None:
    """`logits` returns finite numbers (N, classes), of two classes or more, the same in a batch."""
    extractor, x = make(name, data), real_points(data)
    assert isinstance(extractor, Logits)
    logits = extractor.logits(x)
    wide = logits.dim() == 2 and logits.shape[1] >= 2
    expect(
        wide, f"logits need shape ({N}, classes), got {tuple(logits.shape)}; return all classes"
    )
    expect_tensor(logits, "logits", (N, logits.shape[1]), fix="return one logit per class")
    alone = extractor.logits(x[:1])
    fix = "treat each point on its own"
    expect_close(logits[:1], alone, "logits in a batch and alone", TOLERANCE, fix=fix)


def with_hidden_images(name: str) -> list[Case]:
    """Returns one case for extractors that show their hidden images and can be made, none for others."""
    return [()] if issubclass(EXTRACTORS.get(name), HiddenImages) and taken(name) else []


@rule("extractor", with_hidden_images)
def hidden_images_make_distances(name: str) -> None:
    """`perceptual_network` maps images to vectors of length at most 1, each alone, frozen, with gradients."""
    extractor = make(name, taken(name)[0][0])
    assert isinstance(extractor, HiddenImages)
    digest, taps = extractor.digest, extractor.taps
    whole = isinstance(digest, str) and len(digest) == 64 and set(digest) <= set(hexdigits)
    expect(whole, f"digest needs the sha256 of the weights, got {digest!r}")
    right = isinstance(taps, tuple) and taps and all(isinstance(tap, int) for tap in taps)
    expect(right, f"taps needs the numbers of hidden images, got {taps!r}; one or more")
    network = extractor.perceptual_network(side=SIDE)
    free = [key for key, w in network.named_parameters() if w.requires_grad]
    expect(
        not free,
        f"perceptual_network needs frozen weights, got gradients of {', '.join(free[:3])}; call "
        f".requires_grad_(False)",
    )
    for channels in (1, 3):
        x = Rng([3]).uniform(FEW, channels, SIDE, SIDE)[0].requires_grad_()
        with torch.enable_grad():
            vectors = network(x)
            expect(
                vectors.dim() == 2, f"vectors need shape ({FEW}, F), got {tuple(vectors.shape)}"
            )
            (slope,) = torch.autograd.grad(vectors.sum(), x, allow_unused=True)
        expect_tensor(vectors, "vectors", (FEW, vectors.shape[1]), fix=FEATURES)
        longest = float(vectors.detach().square().sum(1).max())
        expect(
            longest <= 1 + TOLERANCE,
            f"vectors need length at most 1, got {longest**0.5:.3g}; channels at unit length, then means",
        )
        passed = slope is not None and bool((slope != 0).flatten(1).any(1).all())
        expect(passed, "perceptual_network needs to pass gradients on to images, got none")
        alone = network(x[:1])
        fix = "treat each image on its own"
        expect_close(vectors[:1], alone, "vectors in a batch and alone", TOLERANCE, fix=fix)
