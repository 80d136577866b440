"""Feature extractors as a spec names them: registered ones, a user's function, a network in a file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from genbench.core import options
from genbench.core.dataset import Dataset
from genbench.core.declarations import check_whole
from genbench.core.device import choose_device
from genbench.core.errors import ContractError, DataError, SpecError
from genbench.core.feature import EXTRACTORS, Extractor
from genbench.core.files import read_file
from genbench.core.guard import blamed, is_own
from genbench.core.registry import named_callable
from genbench.core.spec import Part
from genbench.evaluation.placing import place_extractor
from genbench.evaluation.provenance import tag_code
from genbench.nn.programs import ExportedProgram, load_script

#: suffixes of files of torch.export, and of TorchScript
EXPORTED = ".pt2"
SUFFIXES = (".pt", ".pth", ".ts", ".torchscript", EXPORTED)


class FunctionExtractor(Extractor):
    """A user's map from points (N, *event) in data space to features (N, F).

    Arguments:
        dataset: The data set, or None.
        label: What the protocol says.
        function: The map; it must treat every point on its own.
        by_content: Whether the label changes whenever the map does.
    """

    def __init__(
        self,
        dataset: Dataset | None,
        label: str,
        function: Callable[[Tensor], Any],
        *,
        by_content: bool = False,
    ) -> None:
        super().__init__(dataset)
        self.label, self.function, self.by_content = label, function, by_content

    @property
    def protocol(self) -> str:
        """The user's name for it, and a digest where it is a file."""
        return self.label

    @torch.no_grad()
    def extract(self, x: Tensor) -> Tensor:
        """Calls the function, and checks what it returns."""
        if self.dataset is not None:
            x = x.reshape(-1, *self.dataset.spec.event)
        if isinstance(self.function, nn.Module):
            self.function.to(x.device)
        try:
            features = self.function(x)
        except (Exception, SystemExit) as error:
            text = " ".join(str(error).split())[:200]
            raise DataError(
                f"{self.label} failed on points {tuple(x.shape)}: {type(error).__name__}: {text}"
            ) from error
        if not isinstance(features, Tensor) or features.dim() != 2 or len(features) != len(x):
            got = (
                tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
            )
            raise DataError(f"{self.label} needs to return a tensor ({len(x)}, F), got {got}")
        if not features.isfinite().all():
            raise DataError(f"{self.label} returned features that are NaN or infinite")
        return features.detach().cpu().float()


def default_features(dataset: Dataset | None) -> Part:
    """Returns what suits a data set: its own classifier for labelled images, otherwise identity."""
    labelled = dataset is not None and dataset.spec.is_image and dataset.spec.classes
    return Part(name="classifier" if labelled else "identity")


def resolve_features(features: Part) -> Part:
    """Returns an extractor's spec with its name as registered and the options that are not defaults.

    Arguments:
        features: A registered name (hyphens and underscores are the same) with options,
            `module:function`, or the path of a file by TorchScript or torch.export (.pt2).

    Raises:
        SpecError, UnknownName: If there is none such, or it has no such option.
    """
    if _is_file(features.name) or ":" in features.name:
        if features.options:
            raise SpecError(f"extractor {features.name} takes no options, got {features}")
        if not _is_file(features.name):
            named_callable(features.name)
        return features
    name = features.name.replace("-", "_")
    cls = EXTRACTORS.get(name)
    values = options.resolve(cls, features.options, who=f"extractor {features.name}")
    defaults = options.defaults(cls)
    return Part(name=name, options={k: v for k, v in values.items() if v != defaults[k]})


def features_key(features: Part) -> str:
    """Returns what stands for an extractor in the key of a request; a file counts by its content.

    So does the source of an extractor, or a function, that is not genbench's own.
    """
    name = features.name
    if _is_file(name):
        return f"{name} {_digest(Path(name))}"
    part = resolve_features(features)
    code = tag_code(named_callable(name) if ":" in name else EXTRACTORS.get(part.name))
    return f"{part} code={code}" if code else str(part)


def make_extractor(
    features: Part, dataset: Dataset | None, *, device: str = "cpu", precision: str = "float32"
) -> Extractor:
    """Returns the extractor that a spec names, for the points of a data set or of no known origin.

    Arguments:
        features: As `resolve_features` takes it.
        dataset: The data set, or None.
        device: Where networks work: auto, cpu, cuda, cuda:N or mps. A module:function is called with
            points on the CPU, and may move them.
        precision: Of `placing.PRECISIONS`.

    Raises:
        SpecError, DataError, UnknownName: If there is none such, or it cannot be made.
    """
    features, place = resolve_features(features), choose_device(device, mps=True)
    if _is_file(features.name):
        inner: Extractor = _load_program(Path(features.name), dataset)
    elif ":" in features.name:
        inner, place = (
            FunctionExtractor(dataset, features.name, named_callable(features.name)),
            torch.device("cpu"),
        )
    else:
        cls = EXTRACTORS.get(features.name)
        check_whole("extractor", features.name, cls)
        with blamed(f"extractor {features.name}", cls):
            inner = cls(dataset, **features.options)
            if not is_own(cls) and not isinstance(inner.protocol, str):
                raise ContractError(
                    f"extractor {features.name} needs a protocol that is a text, got {inner.protocol!r}"
                )
    return place_extractor(inner, place, precision)


def _is_file(name: str) -> bool:
    return Path(name).suffix in SUFFIXES


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(read_file(path, None)).hexdigest()[:8]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def _load_program(path: Path, dataset: Dataset | None) -> FunctionExtractor:
    exported = path.suffix == EXPORTED
    digest = _digest(path)
    function = ExportedProgram(path) if exported else load_script(path)
    return FunctionExtractor(dataset, f"{path.name} {digest}", function, by_content=True)
