"""What is told of a model without building it: its family, its abilities, what it is compared with."""

from __future__ import annotations

from typing import Any

from genbench.core import options
from genbench.core.errors import GenbenchError
from genbench.core.model import ABILITIES, MODELS, Classifier, Conditional, Density, Model

#: families of models from elsewhere, by their place in the taxonomy
FAMILIES: dict[str, str] = {
    "explicit/tractable/fully visible": "autoregressive",
    "explicit/tractable/change of variables": "flow",
    "explicit/approximate/variational": "variational",
    "explicit/approximate/markov chain": "energy",
    "implicit/markov chain": "chain",
    "implicit/direct": "adversarial",
    "reference": "control",
}


def family_of(name: str, taxonomy: str = "") -> str:
    """Returns a model's family: "adversarial", "flow" …, the folder of its file where genbench ships it.

    Arguments:
        name: The model.
        taxonomy: Its place in the taxonomy, for models that are not installed.
    """
    try:
        model = MODELS.get(name) if name in MODELS else None
    except GenbenchError:
        model = None
    place = model.__module__.split(".") if model is not None else []
    if place[:2] == ["genbench", "models"]:
        return place[2]
    own = model.taxonomy if model is not None else taxonomy
    return FAMILIES.get(own, own.rpartition("/")[-1] or "unknown")


def is_null(name: str) -> bool:
    """Returns whether a model is a null row; one that is not installed or is broken is none."""
    try:
        return name in MODELS and MODELS.get(name).null
    except GenbenchError:
        return False


def is_baseline(name: str) -> bool:
    """Returns whether a model is a simple fit to beat, or a null row; one that is not installed is none."""
    try:
        return name in MODELS and (MODELS.get(name).simple_fit or MODELS.get(name).null)
    except GenbenchError:
        return False


def uses_labels(name: str) -> bool:
    """Returns whether a model learns from labels, by its abilities; one that is not installed does not."""
    try:
        return name in MODELS and issubclass(MODELS.get(name), (Conditional, Classifier))
    except GenbenchError:
        return False


def describe(cls: type[Model]) -> dict[str, Any]:
    """Returns a model's taxonomy, abilities and options for `list` and `show`."""
    return {
        "name": cls.name,
        "version": cls.version,
        "taxonomy": cls.taxonomy,
        "family": family_of(cls.name, cls.taxonomy),
        "density": cls.bound if issubclass(cls, Density) else None,
        "abilities": [name for name, ability in ABILITIES.items() if issubclass(cls, ability)],
        "paper": cls.paper,
        "year": cls.year or None,
        "summary": (cls.__doc__ or "").strip().split("\n")[0],
        "options": options.defaults(cls),
    }
