"""Published numbers beside ours: one file per source, and what must be equal to compare them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from genbench.core.spec import Strict
from genbench.core.version import PACKAGE
from genbench.store.documents import read_json

FOLDER = "baselines/published"
#: what stands before the name of a model or data set that genbench does not have
EXTERNAL = "external:"


class PublishedValue(Strict):
    """One published number.

    Arguments:
        model: A model of genbench, or `external:` and the paper's name for it.
        column: A column of genbench's metrics; values are in its unit and direction.
        value: The number.
        error: What stands behind its ±, or None.
        label: The source's name for the row, where it differs from the model's.
        options: Options of the model that the row asks for.
        bound: Whether the number is a bound on what the column means.
        note: What sets this row apart from the source's others.
    """

    model: str
    column: str
    value: float
    error: float | None = Field(default=None, ge=0)
    label: str = ""
    options: dict[str, int | float | str] = {}
    bound: bool = False
    note: str = ""


class PublishedPart(Strict):
    """Numbers of a source that share data set, protocol and training.

    Arguments:
        where: The table in the source.
        dataset: A data set of genbench, or `external:` and a name.
        beside: For an external one, the data set of genbench beside whose numbers these are shown, of the
            same task on other data; `differences` must say so.
        beside_options: Options of that data set, as far as they decide which task it is.
        protocol: What was measured how, with the keys that genbench's protocols have where they have them.
        differences: What keeps the numbers from being ours, beside the protocol.
        training: Networks, optimiser and length, in short.
        error: What the ± is.
        runs: How many runs a number summarises, or None where the source does not say.
        values: The numbers.
    """

    where: str
    dataset: str
    beside: str = ""
    beside_options: dict[str, bool | int | float | str] = {}
    protocol: dict[str, str] = {}
    differences: list[str] = []
    training: str = ""
    error: Literal["standard error", "standard deviation", "not said", "none"] = "none"
    runs: int | None = Field(default=None, gt=0)
    values: list[PublishedValue] = Field(min_length=1)

    def is_shown_beside(self, dataset: str, options: Mapping[str, object]) -> bool:
        """Returns whether the numbers stand beside those of a data set with these options."""
        if not self.beside:
            return self.dataset == dataset
        fits = all(options.get(name) == value for name, value in self.beside_options.items())
        return self.beside == dataset and fits

    @model_validator(mode="after")
    def _says_its_errors(self) -> PublishedPart:
        if self.beside and not (self.dataset.startswith(EXTERNAL) and self.differences):
            raise ValueError(
                "beside needs a dataset that is external, and differences that say how"
            )
        if self.error == "none" and any(v.error is not None for v in self.values):
            raise ValueError("error needs to say what the ± of the values is")
        return self


class PublishedSource(Strict):
    """The whole of a file: one paper or code repository.

    Arguments:
        read_in_source: Whether every number was read in the source itself; if not, it was read where
            `quoted_in` says.
        quoted_in: The text that quotes the numbers, for those that were not read in the source.
    """

    version: Literal["genbench.published/1"] = Field(alias="schema")
    title: str
    authors: str
    year: int | None = Field(default=None, ge=1980, le=2100)
    kind: Literal["paper", "repository"]
    read_in_source: bool
    quoted_in: str = ""
    note: str = ""
    parts: list[PublishedPart] = Field(min_length=1)

    @property
    def cited(self) -> str:
        """The short citation, e.g. "Lin et al., 2018", and where it was quoted, if it was not read itself."""
        cited = f"{self.authors}, {self.year}" if self.year else self.authors
        return cited if self.read_in_source else f"{cited} (quoted)"

    @model_validator(mode="after")
    def _says_who_quotes(self) -> PublishedSource:
        if self.read_in_source == bool(self.quoted_in):
            raise ValueError(
                "quoted_in needs to say where numbers were read that were not read in the source, and "
                "nothing where they were"
            )
        return self


@dataclass(frozen=True)
class Published:
    """A published value, and what is different from how genbench measured.

    Arguments:
        source: Where it stands.
        part: The part of the source.
        value: The number.
        differences: What keeps it from being compared; empty under the same protocol.
    """

    source: PublishedSource
    part: PublishedPart
    value: PublishedValue
    differences: tuple[str, ...]

    @property
    def text(self) -> str:
        """The value ± its error, e.g. "6.3 ± 0.5"."""
        bound = "≤ " if self.value.bound else ""
        error = "" if self.value.error is None else f" ± {self.value.error:g}"
        return f"{bound}{self.value.value:g}{error}"

    @property
    def comparable(self) -> str:
        """Returns "same protocol" or "different: " and what, with the training there."""
        text = f"different: {'; '.join(self.differences)}" if self.differences else "same protocol"
        return f"{text}; trained there: {self.part.training}" if self.part.training else text


def load_sources(folder: Path | None = None) -> tuple[PublishedSource, ...]:
    """Reads every source of a folder; by default those that come with genbench.

    Raises:
        StoreError: Naming the file, the line, the key and what is wrong.
    """
    return _load(folder or own_folder())


def own_folder() -> Path:
    """Returns where genbench's own files are: beside the package, or within it once installed."""
    inside = PACKAGE / FOLDER
    return inside if inside.is_dir() else PACKAGE.parent / FOLDER


@lru_cache(maxsize=8)
def _load(folder: Path) -> tuple[PublishedSource, ...]:
    make = "every file holds one source"
    return tuple(
        read_json(path, PublishedSource, what="file of published numbers", make=make)
        for path in sorted(folder.glob("*.json"))
    )


def find_differences(
    part: PublishedPart,
    value: PublishedValue,
    protocol: str,
    options: Mapping[str, object],
    kind: str = "exact",
) -> tuple[str, ...]:
    """Returns what differs: the protocol's facts, the options that the row asks for, what the file says.

    Arguments:
        part: The part of the source.
        value: The number.
        protocol: The protocol of the number that it is compared with, as records have it.
        options: The model's options there.
        kind: Whether that number is exact, a bound or an estimate.
    """
    ours = facts(protocol)
    differences = [
        f"{key} {theirs} there, {ours[key]} here" if key in ours else f"{key} {theirs} there"
        for key, theirs in part.protocol.items()
        if ours.get(key) != theirs
    ]
    differences += [
        f"{key} {theirs} there, {options[key]} here"
        for key, theirs in value.options.items()
        if key in options and options[key] != theirs
    ]
    if value.bound != (kind == "bound"):
        differences.append("a bound there" if value.bound else "a bound here")
    return (*differences, *part.differences, *([value.note] if value.note else []))


def facts(protocol: str) -> dict[str, str]:
    """Returns the facts of a record's protocol; what stands before the first of them are features."""
    parts = [part.strip() for part in protocol.split(",") if part.strip()]
    named = dict(part.split("=", 1) for part in parts if re.match(r"\w+=", part))
    if parts and "=" not in parts[0]:
        named["features"] = parts[0]
    return named
