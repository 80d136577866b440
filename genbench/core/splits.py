"""What the splits of a data set must be, whoever made it: the contract's tests and every run ask this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from genbench.core.declarations import where
from genbench.core.errors import ContractError
from genbench.core.guard import blamed, is_own

if TYPE_CHECKING:
    from genbench.core.dataset import Dataset, DataSpec

#: the least splits that an evaluation needs
NEEDED = ("train", "test")
#: the share of points that two splits may have in common, as published data sets do
SHARED = 0.01
#: rounding of single precision in points, relative to their size
ROUNDING = 1e-5
#: points that go to model space and back at once
ROWS = 2000
DATA_SPACE = "return them in data space"


def check_splits(dataset: Dataset, names: Sequence[str]) -> None:
    """Refuses a user's data set whose splits are not what every score takes for granted.

    Arguments:
        dataset: The data set; genbench's own are tested for it.
        names: The splits to look at.

    Raises:
        ContractError: With what was expected, what came, and what to do.
    """
    if is_own(type(dataset)):
        return
    who = f"data set {dataset.name!r}"
    with blamed(who, type(dataset)):
        fault = next(_faults(dataset, names), None)
    if fault is not None:
        raise ContractError(f"{who} ({where(type(dataset))}) breaks its contract: {fault}")


def _faults(dataset: Dataset, names: Sequence[str]) -> Iterator[str]:
    splits = {name: dataset.points(name) for name in names}
    if fault := fault_of_absence(splits):
        yield fault
    splits = {name: x for name, x in splits.items() if len(x)}
    for name, x in splits.items():
        what = f"points({name!r})"
        if fault := fault_of_points(x, dataset.spec, what):
            yield fault
        if not torch.equal(x, dataset.points(name)):
            yield f"{what} needs the same points at each call; draw them from {own_rng(repr(name))} alone"
        if fault := fault_of_spaces(dataset, x, what) or fault_of_labels(dataset, name, len(x)):
            yield fault
    if fault := fault_of_shares(splits, dataset.stream) or _fault_of_sources(dataset, splits):
        yield fault


def _fault_of_sources(dataset: Dataset, splits: Mapping[str, Tensor]) -> str | None:
    """What is wrong with the sources of points, where these have some."""
    if dataset.given is None:
        return None
    sources = {name: dataset.given.points(name) for name in splits}
    for name, x in sources.items():
        what = f"given.points({name!r})"
        if isinstance(x, Tensor) and len(x) != len(splits[name]):
            return f"{what} needs a source for each of {len(splits[name])} points, got {len(x)}"
        if fault := fault_of_points(x, dataset.given.spec, what):
            return fault
    return None


def own_rng(split: str) -> str:
    """Returns how a split's generator is made, in code."""
    return f"Rng([0]).fork('dataset', self.name, {split})"


def fault_of_absence(splits: Mapping[str, Tensor]) -> str | None:
    """Returns what is wrong where splits are no tensors, or one that is needed has no points; else None."""
    for name, x in splits.items():
        if not isinstance(x, Tensor) or not x.dim():
            return f"points({name!r}) needs to be a tensor of points, got {type(x).__name__}; {DATA_SPACE}"
    absent = [name for name in NEEDED if name in splits and not len(splits[name])]
    return f"points({absent[0]!r}) needs points, got none; return some" if absent else None


def fault_of_tensor(
    x: Any, what: str, shape: Sequence[int], dtype: torch.dtype | None, fix: str
) -> str | None:
    """Returns what is wrong where x is no finite tensor of a shape (and a type, where one is given)."""
    if not isinstance(x, Tensor):
        return f"{what} needs to be a tensor, got {type(x).__name__}; {fix}"
    if tuple(x.shape) != tuple(shape):
        return f"{what} needs shape {tuple(shape)}, got {tuple(x.shape)}; {fix}"
    if dtype not in (None, x.dtype):
        return f"{what} needs {dtype}, got {x.dtype}; {fix}"
    bad = int((~x.isfinite()).sum()) if x.is_floating_point() else 0
    return (
        f"{what} needs finite values, got NaN or infinity in {bad} places; {fix}" if bad else None
    )


def fault_of_points(x: Tensor, spec: DataSpec, what: str) -> str | None:
    """Returns what is wrong where x holds no points of a spec in data space, (N, *event)."""
    dtype = torch.int64 if spec.kind == "tokens" else torch.float32
    fix = f"{DATA_SPACE}, as {dtype}"
    if fault := fault_of_tensor(x, what, (len(x), *spec.event), dtype, fix):
        return fault
    if x.requires_grad:
        return f"{what} needs points without a gradient; return x.detach()"
    low, high = x.min().item(), x.max().item()
    if spec.kind == "binary" and not ((x == 0) | (x == 1)).all():
        return (
            f"{what} of kind 'binary' need to be 0 or 1, got {low:.4g} to {high:.4g}; {DATA_SPACE}"
        )
    if spec.kind == "tokens" and not 0 <= low <= high < (spec.tokens or 0):
        return f"{what} need tokens from 0 to {(spec.tokens or 0) - 1}, got {low} to {high}"
    if spec.is_image and not 0 <= low <= high <= 1:
        return f"{what}, images, need [0, 1], got {low:.4g} to {high:.4g}; {DATA_SPACE}"
    return None


def fault_of_spaces(dataset: Dataset, x: Tensor, what: str) -> str | None:
    """Returns what is wrong where model space is not in the spec's range, or to_data does not lead back."""
    if dataset.spec.kind != "continuous":
        return None
    levels = getattr(dataset, "levels", None)
    if None not in (levels, dataset.spec.levels) and levels != dataset.spec.levels:
        return (
            f"levels and spec.levels need to be one number, got {levels} and {dataset.spec.levels}"
        )
    low, high = dataset.spec.range or (-torch.inf, torch.inf)
    slack = ROUNDING * float(x.abs().max())
    for part in x.split(ROWS):
        y = dataset.to_model(part.unsqueeze(0))
        if y.min() < low or y.max() > high:
            return (
                f"to_model of {what} needs values in spec.range {(low, high)}, got {y.min().item():.4g} to "
                f"{y.max().item():.4g}; bring them there, or declare range=None"
            )
        back = dataset.to_data(y)[0]
        if back.shape != part.shape or not (back - part).abs().max() <= slack:
            return (
                f"to_data(to_model(x)) of {what} needs the same values; let to_data undo to_model"
            )
    return None


def fault_of_labels(dataset: Dataset, split: str, count: int) -> str | None:
    """Returns what is wrong with the labels of a split of `count` points."""
    classes, labels, what = dataset.spec.classes, dataset.labels(split), f"labels({split!r})"
    if classes is None or labels is None:
        right = (classes is None or dataset.stream) and labels is None
        return None if right else f"{what} and spec.classes need each other; declare both"
    if fault := fault_of_tensor(labels, what, (count,), torch.int64, "one per point"):
        return fault
    low, high = int(labels.min()), int(labels.max())
    if 0 <= low <= high < classes:
        return None
    return f"{what} need to be from 0 to {classes - 1}, got {low} to {high}; number them from 0"


def fault_of_shares(splits: Mapping[str, Tensor], stream: bool) -> str | None:
    """Returns what is wrong where two splits have points in common, or those of a stream are one draw."""
    if stream:
        same = [
            pair for pair in combinations(splits, 2) if torch.equal(*(splits[k] for k in pair))
        ]
        if not same:
            return None
        return f"{same[0][0]} and {same[0][1]} need draws of their own, got the same points"
    rows = {name: _hash_rows(x) for name, x in splits.items()}
    for one, other in combinations(splits, 2):
        share = len(rows[one] & rows[other]) / min(len(rows[one]), len(rows[other]))
        # data with few values repeat themselves inside a split too
        honest = max(SHARED, 1 - len(rows[one]) / len(splits[one]))
        if share > honest:
            return (
                f"{one} and {other} need to share no points, got {share:.1%} in both; "
                "put each row into one split, or say stream = True"
            )
    return None


def _hash_rows(x: Tensor) -> set[int]:
    """What tells distinct points apart, in a few bytes each."""
    return {hash(row.tobytes()) for row in x.flatten(1).numpy()}
