"""What the sources of this project name, beside what answers it here: from one list and the registries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import yaml
from pydantic import Field

from genbench.core import options
from genbench.core.claim import CLAIMS
from genbench.core.dataset import DATASETS
from genbench.core.errors import GenbenchError, SpecError, unknown
from genbench.core.feature import EXTRACTORS
from genbench.core.metric import METRICS
from genbench.core.model import MODELS
from genbench.core.registry import Registry
from genbench.core.spec import Strict, Suite
from genbench.core.version import PACKAGE
from genbench.store.documents import load_suites
from genbench.store.suites import suite_file

#: the list, beside the package's code
FILE = PACKAGE / "sources.json"
Kind = Literal["system", "claim", "application", "metric", "question"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TITLES: dict[Kind, str] = {
    "system": "Systems",
    "claim": "Claims",
    "application": "Applications",
    "metric": "Metrics",
    "question": "Questions",
}
REGISTRIES: dict[str, Registry[Any]] = {
    "model": MODELS,
    "dataset": DATASETS,
    "metric": METRICS,
    "claim": CLAIMS,
    "extractor": EXTRACTORS,
}
#: the folders whose every file stands on the page, named by a source or not
EVERY = ("model", "dataset", "metric", "claim")
WORDS = {"dataset": "data set"}


class Item(Strict):
    """Something that a source names.

    Arguments:
        kind: What it is.
        name: In words; claims may have none, as their own sentence says it.
        said: The documents that name it, where that is known.
        here: What answers it, as KIND:NAME or KIND:NAME(option=value,…).
        missing: What is not here, and why.
        command: What would run it.
    """

    kind: Kind
    name: str
    said: tuple[str, ...] = ()
    here: tuple[str, ...] = ()
    missing: str = ""
    command: str = ""

    @property
    def references(self) -> list[PluginReference]:
        """What answers it."""
        return [PluginReference.parse(text) for text in self.here]


class SourceFile(Strict):
    """The whole of sources.json."""

    version: Literal[1] = Field(default=1, alias="schema")
    about: str
    documents: dict[str, str]
    items: tuple[Item, ...]


@dataclass(frozen=True)
class PluginReference:
    """A plugin or a suite, with options.

    Arguments:
        kind: One of `REGISTRIES`, or `suite`.
        name: Its registered name.
        options: Those that it is named with.
    """

    kind: str
    name: str
    options: dict[str, Any]

    @classmethod
    def parse(cls, text: str) -> PluginReference:
        """Reads KIND:NAME(option=value,…); claims may have hyphens, as people read them.

        Raises:
            SpecError: If it is not of that form.
        """
        match = re.fullmatch(r"(\w+):([\w-]+)(?:\((\w+=[\w.]+(?:,\w+=[\w.]+)*)\))?", text)
        if match is None:
            raise SpecError(f"sources.json needs KIND:NAME(option=value), got {text!r}")
        kind, name, inside = match.groups()
        name = name.replace("-", "_") if kind == "claim" else name
        pairs = [part.partition("=") for part in inside.split(",")] if inside else []
        return cls(kind, name, {key: yaml.safe_load(value) for key, _, value in pairs})

    @property
    def label(self) -> str:
        """The name as people read it, with options."""
        name = self.name.replace("_", "-") if self.kind == "claim" else self.name
        inside = ", ".join(f"{key}={value}" for key, value in self.options.items())
        return f"{name}({inside})" if inside else name

    def check(self) -> None:
        """Looks up the plugin and its options.

        Raises:
            GenbenchError: If there is no such thing, with the nearest match.
        """
        if self.kind == "suite":
            if self.name not in _read_suites():
                raise unknown("suite", self.name, _read_suites())
            return
        if self.kind not in REGISTRIES:
            raise unknown("kind of plugin", self.kind, [*REGISTRIES, "suite"])
        plugin = REGISTRIES[self.kind].get(self.name)
        if self.options:
            options.resolve(plugin, self.options, who=f"{self.kind} {self.name}")

    @property
    def absent(self) -> bool:
        """Whether there is no such thing here."""
        try:
            self.check()
        except GenbenchError:
            return True
        return False


@cache
def read_sources() -> SourceFile:
    """Returns the list."""
    return SourceFile.model_validate_json(FILE.read_bytes())


def list_faults(file: SourceFile) -> Iterator[str]:
    """Yields a sentence for whatever is wrong: what a row names is not here, or it says nothing."""
    names = [(item.kind, item.name or item.here) for item in file.items]
    for item in file.items:
        title = f"{item.kind} {item.name or ', '.join(item.here)!r}"
        if names.count((item.kind, item.name or item.here)) > 1:
            yield f"{title} stands in the list twice"
        yield from (f"{title} {fault}" for fault in _faults_of_row(item, file.documents))
        for text in item.here:
            try:
                PluginReference.parse(text).check()
            except GenbenchError as error:
                yield f"{title}: {error}"


def _faults_of_row(item: Item, documents: Mapping[str, str]) -> Iterator[str]:
    if not item.here and not item.missing:
        yield "needs what answers it, or what is missing"
    if bool(item.missing) != bool(item.command):
        yield "needs what is missing and the command that would run it, both or neither"
    if not item.name and (item.kind != "claim" or len(item.here) != 1):
        yield "needs a name"
    for document in item.said:
        if document not in documents:
            yield f"names the document {document!r}, which is not listed"


def list_unnamed(file: SourceFile) -> dict[str, list[str]]:
    """Returns the built-in plugins that no row names, by kind: what is here beyond the sources."""
    named = {(r.kind, r.name) for item in file.items for r in item.references}
    return {
        kind: [
            name
            for name, plugin in REGISTRIES[kind].all().items()
            if (kind, name) not in named and _home(plugin).startswith("genbench.")
        ]
        for kind in EVERY
    }


def title_of(item: Item) -> str:
    """Returns what a row is about: its name, or the sentence of the claim that answers it."""
    if item.name:
        return item.name
    reference = item.references[0]
    return reference.label if reference.absent else CLAIMS.get(reference.name).statement


def said_by(item: Item) -> str:
    """Returns who says so: the documents in a word each, or what the claim itself names."""
    if item.kind == "claim" and not item.references[0].absent:
        return CLAIMS.get(item.references[0].name).source
    return ", ".join(item.said) or "–"


def group_answers(item: Item) -> dict[str, list[PluginReference]]:
    """Returns what answers a row by its kind in words, e.g. "models"."""
    groups: dict[str, list[PluginReference]] = {}
    for reference in item.references:
        groups.setdefault(reference.kind, []).append(reference)
    return {
        f"{WORDS.get(kind, kind)}{'s' if len(many) > 1 else ''}": many
        for kind, many in groups.items()
    }


def answer_of(item: Item) -> str:
    """Returns what answers a row in words, e.g. "model srgan; metrics psnr, ssim"."""
    return "; ".join(
        f"{kind} {', '.join(f'{r.label} (not installed)' if r.absent else r.label for r in many)}"
        for kind, many in group_answers(item).items()
    )


@cache
def _read_suites() -> Mapping[str, Suite]:
    return load_suites(suite_file())


def _home(plugin: Any) -> str:
    return getattr(plugin, "function", plugin).__module__
