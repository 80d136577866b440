"""Scores samples from anywhere against a reference, in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import Tensor

from genbench.core.asked import as_path
from genbench.core.errors import SpecError
from genbench.core.files import RUNS
from genbench.core.metric import METRICS as REGISTRY
from genbench.core.metric import find
from genbench.core.spec import Part, parse_part
from genbench.evaluation.arguments import (
    parse_channels,
    parse_count,
    parse_memory,
    parse_size,
    parse_stats_file,
)
from genbench.evaluation.batches import ReadOptions
from genbench.evaluation.degradation import find_map, name_map
from genbench.evaluation.recording import record_samples
from genbench.evaluation.requests import MetricRequest, make_requests
from genbench.evaluation.result import Evaluation
from genbench.evaluation.single import Setup
from genbench.points.ranges import parse_ranges

METRICS = "fid,kid,mmd,prdc"
#: what is measured beside them of images that were made from something
OF_PAIRS = ("psnr", "ssim")
#: and of those whose sources are known to be a map of the points
OF_KNOWN = "consistency"
#: the name that stands for every metric of points
ALL = "all"
#: what endless samples would score, beside what few do
UNBIASED = "fid_infinity"
#: the fewest points of a side
FEWEST = 2

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
    source: Any = None,
    degrade: str | Callable[[Tensor], Tensor] | None = None,
    limit: int | None = None,
    batch: int = 64,
    memory: str | int = "4GiB",
    seed: int = 0,
    resize: str | None = None,
    channels: int | None = None,
    range: Any = None,
    save_stats: str | Path | None = None,
    record: str | None = None,
    as_dataset: str | None = None,
    cache: bool = True,
    results: str | Path = RUNS,
    data_dir: str | Path | None = None,
    offline: bool = False,
    progress: Callable[[str, int, int | None], None] = lambda label, count, total: None,
) -> Evaluation:
    """Scores samples against a reference; a metric that cannot be computed is None with its reason.

    Below 10,000 points each score of two samples has a floor: what real points score, of the training
    points if there are any, otherwise of one half of the reference against the other.

    Arguments:
        samples: An array or tensor (on any device) of shape (N, D), (N, H, W), (N, C, H, W) or
            (N, H, W, C), with pixels in [0, 1] or bytes; the path of a file (.npy, .npz, `file.npz:key`,
            .pt, .safetensors, .csv, .parquet), of an archive of images (.zip, .tar) or of a folder of
            images, of shards of files, or of a Hugging Face data set on disk; a split of a data set
            ("digits:test"), perhaps with options ("super_resolution:of=fashion_mnist,scale=4:test"); a
            recorded cell's id; or what yields batches, perhaps with labels: an iterable, a data loader, a
            function that returns one, or "module:callable".
        reference: Likewise, or an .npz file of `mu` and `sigma`, for metrics that need no more; None takes
            the test split of the data set that the samples belong to.
        metrics: Names with options, "prdc:neighbours=3,mmd", or a list of such texts, of `Part`s or
            of {"name": …, "options": {…}}, as in a suite; "all" stands for every metric that needs no
            trained model. None takes fid, kid, mmd and prdc, below 10,000 points fid_infinity too, psnr
            and ssim where `source` is given, and consistency where `degrade` is.
        features: The extractor: a registered name with options, "module:function" or a file by
            TorchScript or torch.export; None takes what suits the reference's data set, otherwise
            `identity`.
        weights: The extractor's option of that name.
        device: Where features are extracted and compared: auto, cpu, cuda, cuda:N, or mps, which
            extracts alone, since it has no float64.
        precision: In which networks compute: float32, tf32, bfloat16 or float16; the protocol names
            any but the first.
        train: The training points, like the samples, for metrics of memorisation.
        source: What the samples were made from, like the samples, for metrics of pairs (psnr, ssim,
            consistency): a source for each sample and each true point of the reference. Pictures of
            folders and archives belong together by their names, all else by its order. Data sets with
            sources of their own need none.
        degrade: The known map from points to sources, for `consistency`: a data set with options, whose grey
            levels count, as in "super_resolution:of=photographs,scale=4", or a function from points
            (N, *event) in data space to their sources (N, *source.event); None takes that of the data set
            of the reference or of `source`.
        limit: Take so many points of each, drawn at random where all are at hand, otherwise the first; of
            pairs the first.
        batch: How many points are read and extracted at once.
        memory: The most that points and the work on them may take, in bytes or as "512MiB"; more goes
            to a temporary file.
        seed: For metrics that subsample.
        resize: "WIDTHxHEIGHT", to which all pictures are resized (bicubic, antialiased).
        channels: 3 reads grey pictures as colour, 1 those in colour whose channels are alike as grey; None
            leaves them as they are.
        range: The range of pixel values, (low, high) or "low,high", where it is neither [0, 1] of floats
            nor 0 to 255 of bytes; or a mapping from `samples`, `reference`, `train`, `source` to theirs. Data
            sets' own splits know theirs.
        save_stats: A file into which the mean and covariance of the reference's features are written, or
            of the samples' without a reference; it can be the reference of later evaluations.
        record: A name under which the samples' scores become records of the results folder, as those of
            a model from elsewhere. Then `samples` may be several sets, one for each seed: a list of
            names, a pattern such as "runs/*.npz", or a mapping from seeds; the scores are means.
        as_dataset: The data set that those records belong to; None takes the reference's.
        cache: Whether the reference's features are kept in the cache folder.
        results: The folder in which cells are looked up and recorded.
        data_dir: A folder with data sets' files.
        offline: Whether downloads are forbidden.
        progress: Called with what is read, how many points of it, and of how many (None: unknown).

    Raises:
        SpecError, DataError, UnknownName: If something named is not there, or points cannot be read
            or compared.
    """
    files = None if data_dir is None else as_path(data_dir, "data_dir")
    where = as_path(results), parse_size(resize), parse_channels(channels), files, offline
    most = None if limit is None else parse_count("--limit", limit, FEWEST)
    how = (
        *(parse_count("--batch", batch, 1), most, parse_memory(memory), progress),
        *(parse_ranges(range), parse_count("--seed", seed, 0)),
    )
    options = ReadOptions(*where, *how)
    usual = choose_usual(pairs=source is not None, known=degrade is not None)
    parts = parse_parts(usual if metrics is None else metrics)
    setup = Setup(
        requests=request_metrics(parts),
        options=options,
        of_few=request_metrics(UNBIASED) if metrics is None else [],
        reference=reference,
        train=train,
        source=source,
        degrade=find_map(degrade, options),
        known_by=name_map(degrade),
        features=None if features is None else make_part(features),
        weights=weights,
        device=device,
        precision=precision,
        save_stats=parse_stats_file(save_stats),
        cache=cache,
        named=() if metrics is None else request_names(parts),
    )
    if record is not None:
        return record_samples(setup, samples, record, as_dataset)
    if as_dataset is not None:
        raise SpecError("--as-dataset is for records; name what is recorded by --record NAME")
    return setup.score(samples)


def choose_usual(*, pairs: bool, known: bool) -> str:
    """Returns the names of what is measured where nobody names metrics.

    Arguments:
        pairs: Whether it is named what samples were made from.
        known: Whether it is named how that comes from the points.
    """
    return ",".join([METRICS, *(OF_PAIRS if pairs else ()), *([OF_KNOWN] if known else [])])


def request_metrics(metrics: str | Iterable[PartLike]) -> list[MetricRequest]:
    """Returns the requests for metrics named as in `evaluate`, each metric once.

    Raises:
        SpecError, UnknownName: If there are none, or one is unknown or named with two sets of options.
    """
    parts = expand_all(parse_parts(metrics))
    if not parts:
        raise SpecError("--metrics needs at least one name, got none; try --metrics fid,kid")
    requests = make_requests(parts)
    names = [request.metric.name for request in requests]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise SpecError(f"metric {twice} is named twice with other options; evaluate it twice")
    return requests


def request_parts(metrics: str | Iterable[PartLike]) -> list[Part]:
    """Returns the metrics named as in `evaluate`, as a suite names them.

    Raises:
        SpecError, UnknownName: As `request_metrics` does.
    """
    requests = (r for r in request_metrics(metrics) if not r.brought)
    return [Part(name=r.metric.name, options=dict(r.options)) for r in requests]


def request_names(metrics: str | Iterable[PartLike]) -> tuple[str, ...]:
    """Returns the names of metrics and columns as they are given, each once, without `all`."""
    return tuple(dict.fromkeys(part.name for part in parse_parts(metrics) if part.name != ALL))


def parse_parts(metrics: str | Iterable[PartLike]) -> list[Part]:
    """Returns what is named as in `evaluate`, as it is given.

    Raises:
        SpecError: If it is neither a text nor several.
    """
    if not isinstance(metrics, Iterable):
        raise SpecError(f"--metrics needs names such as fid,kid, got {metrics!r}")
    texts = metrics.split(",") if isinstance(metrics, str) else metrics
    return [make_part(part) for part in texts if not isinstance(part, str) or part.strip()]


def expand_all(parts: list[Part]) -> list[Part]:
    """Returns the metrics named, and in place of `all` every other one that needs no trained model."""
    if all(part.name != ALL for part in parts):
        return parts
    named = [part for part in parts if part.name != ALL]
    metrics = {metric.name for metric in find([part.name for part in named])}
    others = [m.name for m in REGISTRY.all().values() if m.view != "model"]
    return [*named, *(Part(name=name) for name in others if name not in metrics)]


def make_part(part: PartLike) -> Part:
    """Returns a plugin with options, given as text, as a `Part` or as its mapping.

    Raises:
        SpecError: If it is something else.
    """
    if isinstance(part, str):
        return parse_part(part.strip())
    try:
        return part if isinstance(part, Part) else Part.model_validate(part)
    except ValidationError:
        raise SpecError(
            f"a metric or an extractor needs a name, perhaps with options, such as 'kid:subsets=10' or "
            f"{{'name': 'kid', 'options': {{'subsets': 10}}}}, got {part!r}"
        ) from None
