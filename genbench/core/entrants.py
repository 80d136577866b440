"""Entrants: who stands for its family where claims compare families, from one list for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from pydantic import Field

from genbench.core.dataset import DataSpec
from genbench.core.errors import unknown
from genbench.core.evidence import Run
from genbench.core.spec import Strict
from genbench.core.version import PACKAGE

#: the list, beside the package's code
FILE = PACKAGE / "entrants.json"
#: what `make_runs` is given for data on which there is no tuning
UNTUNED: dict[str, Any] = {"tuned": False, "untuned": "refuse"}
Kind = Literal["plane", "image", "bits", "tokens"]


class EntrantSettings(Strict):
    """A model, with what it is given that is not its default or its kind's."""

    model: str
    options: dict[str, Any] = {}
    steps: int | None = None
    batch: int | None = None


class EntrantField(Strict):
    """All entrants for a kind of data: `criterion` is the column by which they are tuned."""

    tuned: bool = False
    criterion: str
    steps: int
    batch: int
    families: dict[str, list[EntrantSettings]]


class EntrantFile(Strict):
    """The whole of entrants.json."""

    version: Literal[1] = Field(default=1, alias="schema")
    about: str
    kinds: dict[Kind, EntrantField]


@cache
def read_entrants() -> EntrantFile:
    """Returns the list."""
    return EntrantFile.model_validate_json(FILE.read_bytes())


def kind_of(spec: DataSpec) -> Kind:
    """Returns the kind of data whose entrants are meant."""
    if spec.kind == "tokens":
        return "tokens"
    if spec.kind == "binary":
        return "bits"
    return "image" if spec.is_image else "plane"


def list_models(kind: Kind) -> dict[str, str]:
    """Returns the family of every entrant for a kind of data, by model."""
    families = read_entrants().kinds[kind].families
    return {one.model: family for family, many in families.items() for one in many}


def make_runs(
    kind: Kind,
    families: Sequence[str],
    dataset: str,
    metrics: tuple[str, ...],
    *,
    only: Sequence[str] = (),
    **settings: Any,
) -> dict[str, Run]:
    """Returns the runs of families' entrants on a data set, by model, in the list's order.

    Where the list says `tuned`, options are as tuned, and defaults where there are none as yet.

    Arguments:
        kind: The kind of data.
        families: Their names in the list.
        dataset: The data set.
        metrics: What is measured.
        only: Keep these models alone, where a claim is about some of a family.
        settings: Other fields of `Run`; `steps` and `batch` take the place of the list's.

    Raises:
        UnknownName: If the list has no such family or entrant.
    """
    field = read_entrants().kinds[kind]
    for family in families:
        if family not in field.families:
            raise unknown("family", family, field.families)
    entrants = {one.model: one for family in families for one in field.families[family]}
    for name in only:
        if name not in entrants:
            raise unknown("entrant", name, entrants)
    return {
        name: _make_run(field, one, dataset, metrics, settings)
        for name, one in entrants.items()
        if not only or name in only
    }


def _make_run(
    field: EntrantField,
    one: EntrantSettings,
    dataset: str,
    metrics: tuple[str, ...],
    settings: Mapping[str, Any],
) -> Run:
    about: dict[str, Any] = {"steps": one.steps or field.steps, "batch": one.batch or field.batch}
    about |= {"tuned": True, "untuned": "default"} if field.tuned else UNTUNED
    return Run(one.model, dataset, metrics, dict(one.options), **{**about, **settings})
