"""Scores samples from anywhere against a reference, in one call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.device import choose_device
from genbench.core.errors import DataError, SpecError
from genbench.core.feature import Extractor
from genbench.core.rng import Rng
from genbench.core.spec import Part, parse_part
from genbench.evaluation.comparison import Reference, Side
from genbench.evaluation.extractors import default_features, make_extractor
from genbench.evaluation.floors import find_spare, measure_floors
from genbench.evaluation.reading import read_points
from genbench.evaluation.requests import MetricRequest, find_spaces, make_requests
from genbench.evaluation.result import Evaluation
from genbench.evaluation.scoring import measure
from genbench.evaluation.sources import Points, ReadOptions, open_points, open_split

#: the least that the memory may be
LEAST = 64 << 20
METRICS = "fid,kid,mmd,prdc"
#: below so many points a Frechet distance is mostly its bias: what endless samples would have, and what
#: real points have, stand beside it
SMALL, UNBIASED = 10_000, "fid_infinity"

PartLike = str | Part | Mapping[str, Any]


def evaluate(
    samples: Any,
    reference: Any = None,
    *,
    metrics: str | Iterable[PartLike] | None = None,
    features: PartLike | None = None,
    weights: str | Path | None = None,
    device: str = "auto",
    precision: str = "float32",
    train: Any = None,
    limit: int | None = None,
    batch: int = 64,
    memory: str | int = "4GiB",
    seed: int = 0,
    resize: str | None = None,
    channels: int | None = None,
    cache: bool = True,
    results: str | Path = "results",
    data_dir: str | Path | None = None,
    offline: bool = False,
    progress: Callable[[str, int, int | None], None] = lambda label, count, total: None,
) -> Evaluation:
    """Scores samples against a reference; a metric that cannot be computed is None with its reason.

    Below 10,000 points each score of two samples has a floor: what real points score, of the training
    points if there are any, otherwise of one half of the reference against the other.

    Arguments:
        samples: An array or tensor (on any device) of shape (N, D), (N, H, W) or (N, C, H, W), with
            pixels in [0, 1] or bytes; the path of a .npy or .npz file or of a folder of images; a
            split of a data set ("digits:test"); a recorded cell's id; or what yields batches: an
            iterable, a function that returns one, or "module:callable".
        reference: Likewise; None takes the test split of the data set that the samples belong to.
        metrics: Names with options, "prdc:neighbours=3,mmd", or a list of such texts, of `Part`s or
            of {"name": …, "options": {…}}, as in a suite; None takes fid, kid, mmd and prdc, and below
            10,000 points fid_infinity too.
        features: The extractor: a registered name with options, "module:function" or a file by
            TorchScript or torch.export; None takes what suits the reference's data set, otherwise
            `identity`.
        weights: The extractor's option of that name.
        device: Where features are extracted and compared: auto, cpu, cuda, cuda:N, or mps, which
            extracts alone, since it has no float64.
        precision: In which networks compute: float32, tf32, bfloat16 or float16; the protocol names
            any but the first.
        train: The training points, like the samples, for metrics of memorisation.
        limit: Take the first so many points of each.
        batch: How many points are read and extracted at once.
        memory: The most that points and the work on them may take, in bytes or as "512MiB"; more goes
            to a temporary file.
        seed: For metrics that subsample.
        resize: "WIDTHxHEIGHT", to which images of folders are resized (bicubic, antialiased).
        channels: 1 or 3, to read images of folders as grey or colour; None takes the first one's.
        cache: Whether the reference's features are kept in the cache folder.
        results: The folder in which cells are looked up.
        data_dir: A folder with data sets' files.
        offline: Whether downloads are forbidden.
        progress: Called with what is read, how many points of it, and of how many (None: unknown).

    Raises:
        SpecError, DataError, UnknownName: If something named is not there, or points cannot be read
            or compared.
    """
    requests = request_metrics(METRICS if metrics is None else metrics)
    files = Path(data_dir) if data_dir else None
    where = Path(results), parse_size(resize), channels, files, offline
    options = ReadOptions(*where, batch, limit, parse_memory(memory), progress)
    fake = open_points(samples, options)
    real = _open_reference(reference, fake, options)
    data = real.dataset or fake.dataset
    extractor = _make_extractor(features, weights, data, device=device, precision=precision)
    spaces = find_spaces(requests, extractor)

    def read(points: Points, cache: bool) -> Side:
        side = read_points(points, spaces, extractor, options, cache=cache)
        if limit is None:
            side = replace(side, labels=_find_labels(points))
        return side.to(choose_device(device, mps=True))

    real_side, fake_side = read(real, cache), read(fake, False)
    _refuse_other_shapes(fake_side, real_side)
    trained_on = None if train is None else open_points(train, options, label="training points")
    training = None if trained_on is None else read(trained_on, cache)
    against = Reference(real_side, real.dataset, training, memory=options.memory)
    small = min(real_side.count, fake_side.count) < SMALL
    if metrics is None and small:
        requests += request_metrics(UNBIASED)
    rng = Rng([seed]).fork("evaluate")
    calls = [against.make_call(r, fake_side, rng) for r in requests]
    notes = [f"{points.label}: {points.note}" for points in (fake, real) if points.note]
    held_out = real.dataset is not None and real.label == f"{real.dataset.name}:test"
    spare = find_spare(against, fake_side.count, held_out=held_out) if small else None
    if spare is not None:
        floors = measure_floors(spare.reference, spare.points, requests, lenient=True)
        calls = [
            replace(call, facts=replace(call.facts, floors=floors.get(call.request.key, {})))
            for call in calls
        ]
        notes += [spare.note] if floors else []
    rows = measure(calls, lenient=True)
    return Evaluation(tuple(rows), tuple(notes), fake_side, real_side)


def request_metrics(metrics: str | Iterable[PartLike]) -> list[MetricRequest]:
    """Returns the requests for metrics named as in `evaluate`, each metric once.

    Raises:
        SpecError, UnknownName: If there are none, or one is unknown or named with two sets of options.
    """
    texts = metrics.split(",") if isinstance(metrics, str) else metrics
    parts = [make_part(part) for part in texts if not isinstance(part, str) or part.strip()]
    if not parts:
        raise SpecError("--metrics needs at least one name, got none; try --metrics fid,kid")
    requests = make_requests(parts)
    names = [request.metric.name for request in requests]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise SpecError(f"metric {twice} is named twice with other options; evaluate it twice")
    return requests


def make_part(part: PartLike) -> Part:
    """Returns a plugin with options, given as text, as a `Part` or as its mapping."""
    if isinstance(part, str):
        return parse_part(part.strip())
    return part if isinstance(part, Part) else Part.model_validate(part)


def parse_memory(memory: str | int) -> int:
    """Returns the bytes of a size such as 512MiB or 4GiB.

    Raises:
        SpecError: If it is no size, or less than blocks of points take.
    """
    size = memory if isinstance(memory, int) else 0
    if isinstance(memory, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT])i?B?", memory.strip(), re.IGNORECASE)
        if match is None or not float(match[1]):
            raise SpecError(f"--memory needs a size such as 512MiB or 4GiB, got {memory!r}")
        size = int(float(match[1]) * 1024 ** ("KMGT".index(match[2].upper()) + 1))
    if size < LEAST:
        raise SpecError(
            f"--memory needs at least {LEAST >> 20}MiB, which blocks of points take, got {memory!r}; "
            f"compare fewer points by --limit"
        )
    return size


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Returns (height, width) of a size such as 32x24, which names the width first; None of None.

    Raises:
        SpecError: If it is another text.
    """
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if match is None:
        raise SpecError(f"--resize needs WIDTHxHEIGHT, got {text!r}; try 32x32")
    return int(match[2]), int(match[1])


def _make_extractor(
    features: PartLike | None,
    weights: str | Path | None,
    dataset: Dataset | None,
    *,
    device: str,
    precision: str,
) -> Extractor:
    part = default_features(dataset) if features is None else make_part(features)
    if weights:
        part = Part(name=part.name, options={**part.options, "weights": str(weights)})
    return make_extractor(part, dataset, device=device, precision=precision)


def _find_labels(points: Points) -> Tensor | None:
    """The labels of a data set's split, in the order of its points."""
    name, _, split = points.label.rpartition(":")
    whole = points.dataset is not None and points.dataset.name == name
    return points.dataset.labels(split) if whole and points.dataset is not None else None


def _open_reference(reference: Any, fake: Points, options: ReadOptions) -> Points:
    """The reference's points, or the test split of the samples' own data set."""
    if reference is not None:
        return open_points(reference, options, label="reference")
    if fake.dataset is None:
        raise SpecError(
            f"evaluate needs --reference for {fake.label}; give a folder, a file or digits:test"
        )
    return open_split(fake.dataset, "test")


def _refuse_other_shapes(fake: Side, real: Side) -> None:
    for space in set(fake.views) & set(real.views):
        shapes = tuple(fake.views[space].shape), tuple(real.views[space].shape)
        if shapes[0][1:] != shapes[1][1:]:
            raise DataError(
                f"evaluate needs points of one shape, got samples {shapes[0]} and "
                f"reference {shapes[1]}; compare like with like"
            )
