"""What every data set must keep: its splits, its two spaces, and the truth that it claims to know."""

from __future__ import annotations

import functools
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genbench.contracts.rules import (
    Case,
    expect,
    expect_close,
    expect_equal,
    expect_none,
    expect_tensor,
    left_alone,
    rule,
)
from genbench.core.dataset import DATASETS, SPLITS, Dataset, DataSpec
from genbench.core.rng import Rng
from genbench.core.splits import (
    ROUNDING,
    fault_of_absence,
    fault_of_labels,
    fault_of_points,
    fault_of_shares,
    own_rng,
)

N = 500
F64 = torch.float64
KINDS = ("continuous", "binary", "tokens")
#: where data sets' files are, unless in their usual places
DATA_DIR: ContextVar[Path | None] = ContextVar("data_dir", default=None)


@functools.cache
def _opened(cls: type[Dataset], data_dir: Path | None, **chosen: Any) -> Dataset:
    return cls(data_dir=data_dir, offline=True, **chosen)


def open_once(name: str, **chosen: Any) -> Dataset:
    """Returns a data set, of which all rules see the same one; by default with its default options."""
    return _opened(DATASETS.get(name), DATA_DIR.get(), **chosen)


def splits(dataset: Dataset) -> dict[str, Tensor]:
    """Returns the points of every split that has some."""
    points = {split: dataset.points(split) for split in SPLITS}
    return {split: x for split, x in points.items() if len(x)}


def sample(dataset: Dataset, seeds: list[int], n: int = N) -> Tensor:
    """Returns points in data space, float64 where they are real numbers, shape (S, n, *event)."""
    rng = Rng(seeds, dtype=F64)
    if dataset.stream:
        return dataset.draw(n, rng)
    x = dataset.points("train")[:n]
    x = x.double() if x.is_floating_point() else x
    return x.expand(len(seeds), *x.shape)


@rule("dataset", first=True)
def it_can_be_opened(name: str) -> None:
    """It is a Dataset with a DataSpec and a version, whose splits can be read."""
    dataset = open_once(name)
    spec = getattr(dataset, "spec", None)
    expect(isinstance(spec, DataSpec), f"spec needs a DataSpec, got {spec!r}; set it")
    expect_none(fault_of_absence({split: dataset.points(split) for split in SPLITS}))


@rule("dataset")
def its_spec_is_consistent(name: str) -> None:
    """The spec's name, event, kind, range, levels and tokens go together."""
    spec = open_once(name).spec
    expect(spec.name == name, f"spec.name needs to be {name!r}, got {spec.name!r}")
    expect(spec.kind in KINDS, f"spec.kind needs one of {', '.join(KINDS)}, got {spec.kind!r}")
    event = spec.event
    whole = isinstance(event, tuple) and all(isinstance(size, int) and size > 0 for size in event)
    expect(whole and event, f"spec.event needs a tuple of sizes, got {event!r}")
    expect(
        (spec.kind == "tokens") == (spec.tokens is not None),
        f"spec.tokens needs the alphabet's size for kind 'tokens' alone, got {spec.tokens}",
    )
    if spec.range is not None:
        expect(spec.range[0] < spec.range[1], f"spec.range needs low < high, got {spec.range}")
    alphabet = open_once(name).alphabet
    expect(
        not alphabet or len(alphabet) == spec.tokens,
        f"alphabet needs {spec.tokens} characters or words, got {len(alphabet)}",
    )


@rule("dataset")
def points_are_as_the_spec_says(name: str) -> None:
    """Every split has finite points (N, *event), float32 (int64 for tokens), of the spec's kind."""
    dataset = open_once(name)
    for split, x in splits(dataset).items():
        expect_points(x, dataset.spec, f"points({split!r})")


def expect_points(x: Tensor, spec: DataSpec, what: str) -> None:
    """Raises Broken unless x holds points of a spec in data space, (N, *event)."""
    expect_none(fault_of_points(x, spec, what))


@rule("dataset")
def splits_are_the_same_every_time(name: str) -> None:
    """Opened twice it has the same points, labels and hashes, and leaves the global generator alone."""
    dataset, before = open_once(name), torch.get_rng_state()
    again = DATASETS.get(name)(data_dir=DATA_DIR.get(), offline=True)
    for split, x in splits(dataset).items():
        fix = f"draw from {own_rng('split')} alone"
        expect_equal(x, again.points(split), f"points({split!r}), opened twice", fix=fix)
        expect_equal(x, dataset.points(split), f"points({split!r}), called twice", fix=fix)
    expect(dataset.hashes == again.hashes, f"hashes need to stay, got {again.hashes}")
    expect_equal(torch.get_rng_state(), before, "torch's global generator", fix="use an Rng")


@rule("dataset")
def splits_share_no_points(name: str) -> None:
    """No point is in two splits, but where the data set is a stream; a stream's splits differ."""
    dataset = open_once(name)
    expect_none(fault_of_shares(splits(dataset), dataset.stream))


@rule("dataset")
def labels_fit_their_points(name: str) -> None:
    """Labels are int64 in 0 … classes - 1, one per point; without classes there are none."""
    dataset = open_once(name)
    for split, x in splits(dataset).items():
        expect_none(fault_of_labels(dataset, split, len(x)))


def when_streamed(name: str) -> list[Case]:
    """Returns one case for streams, none for fixed data sets."""
    return [()] if DATASETS.get(name).stream else []


@rule("dataset", when_streamed)
def draws_follow_their_rng(name: str) -> None:
    """A stream draws (S, n, *event) from the rng alone, each seed by itself, in the rng's dtype."""
    dataset, before = open_once(name), torch.get_rng_state()
    both = dataset.draw(N, Rng([4, 7]))
    real = torch.int64 if dataset.spec.kind == "tokens" else torch.float32
    expect_tensor(both, "draw", (2, N, *dataset.spec.event), real, fix="draw in data space")
    double = torch.int64 if dataset.spec.kind == "tokens" else F64
    expect_tensor(
        sample(dataset, [4]),
        "draw in float64",
        (1, N, *dataset.spec.event),
        double,
        fix="take the rng's dtype",
    )
    fix = "draw from the rng, whose leading axis is the seed, and from nothing else"
    expect(not torch.equal(both[0], both[1]), f"draws of two seeds need to differ; {fix}")
    expect_equal(both, dataset.draw(N, Rng([4, 7])), "draws of one rng", fix=fix)
    expect_equal(both[1:], dataset.draw(N, Rng([7])), "a seed in a stack and alone", fix=fix)
    expect_equal(torch.get_rng_state(), before, "torch's global generator", fix=fix)


# --- data space and model space


@rule("dataset")
def model_space_and_back_is_the_identity(name: str) -> None:
    """`to_data(to_model(x))` is x, with and without noise: exactly where points are quantised."""
    dataset = open_once(name)
    x = sample(dataset, [0, 1])
    for what, rng in (("with an rng", Rng([0, 1], dtype=F64)), ("without", None)):
        with left_alone("to_model", x):
            y = dataset.to_model(x, rng)
        expect(y.shape == x.shape, f"to_model needs {tuple(x.shape)}, got {tuple(y.shape)}")
        with left_alone("to_data", y):
            back = dataset.to_data(y)
        expect_close(
            back,
            x,
            f"to_data(to_model(x)) {what}",
            ROUNDING,
            fix="let to_data undo to_model",
        )


@rule("dataset")
def model_space_is_as_the_spec_says(name: str) -> None:
    """`to_model` gives points of the spec's kind in its range; dequantisation noise is per seed."""
    dataset = open_once(name)
    spec, x = dataset.spec, sample(dataset, [0, 0])
    y = dataset.to_model(x, Rng([0, 1], dtype=F64))
    low, high = y.min().item(), y.max().item()
    if spec.range is not None:
        expect(
            spec.range[0] <= low and high <= spec.range[1],
            f"to_model needs values in spec.range {spec.range}, got {low:.4g} to {high:.4g}",
        )
    if spec.kind != "continuous":
        expect_equal(y, x, f"to_model of {spec.kind}", fix="leave bits and tokens as they are")
    elif spec.dequantisation is not None and not dataset.stream:
        fix = "draw noise from the rng, shape (S, …)"
        expect(not torch.equal(y[0], y[1]), f"noise of two seeds needs to differ; {fix}")
        again = dataset.to_model(x, Rng([0, 1], dtype=F64))
        expect_equal(y, again, "to_model, called twice with one rng", fix=fix)


@rule("dataset")
def log_volume_is_the_jacobian(name: str) -> None:
    """`log_volume` is log |det| of to_model's derivative; for grey levels, the log volume of a cell."""
    dataset = open_once(name)
    volume = dataset.log_volume
    expected = _log_jacobian(dataset)
    expect(
        abs(volume - expected) <= 1e-6 * max(1.0, abs(expected)),
        f"log_volume needs to be {expected:.8g}, got {volume:.8g}; it is the c in "
        "log p_data(x) = log p_model(to_model(x)) + c",
    )


def _log_jacobian(dataset: Dataset) -> float:
    spec = dataset.spec
    if spec.kind != "continuous":
        return 0.0
    if spec.levels is not None:  # from the middle of a cell to that of the next
        low = torch.zeros(1, 1, *spec.event, dtype=F64)
        side = dataset.to_model(low + 1 / (spec.levels - 1)) - dataset.to_model(low)
        return side.abs().log().sum().item()
    x = sample(dataset, [0], 1).flatten()

    def to_model(flat: Tensor) -> Tensor:
        return dataset.to_model(flat.view(1, 1, *spec.event)).flatten()

    derivative: Any = torch.autograd.functional.jacobian(to_model, x)
    return torch.linalg.slogdet(derivative).logabsdet.item()
