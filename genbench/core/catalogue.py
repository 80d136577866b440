"""What is told of a model without building it: its family, its abilities, what it is compared with."""

from __future__ import annotations

from typing import Any

from genbench.core import options
from genbench.core.errors import GenbenchError
from genbench.core.model import (
    ABILITIES,
    MODELS,
    Classifier,
    Conditional,
    Density,
    Model,
    Translator,
)

#: of models that make points from sources
TRANSLATION = "translation"
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


#: models that genbench ships lie in the folder of their family
SHIPPED = "genbench.models."


def family_of(name: str, taxonomy: str = "", recorded: str = "") -> str:
    """Returns a model's family: "adversarial", "flow" …, the folder of its file where genbench ships it.

    Arguments:
        name: The model.
        taxonomy: Its place in the taxonomy, for models that are not installed.
        recorded: What their records call it, where that is not what the taxonomy says.
    """
    try:
        model = MODELS.get(name) if name in MODELS else None
    except GenbenchError:
        model = None
    if model is None:
        return recorded or _usual_family(taxonomy)
    if model.__module__.startswith(SHIPPED):
        return model.__module__.split(".")[2]
    return family_to_record(name) or _usual_family(model.taxonomy)


def family_to_record(name: str) -> str:
    """Returns the family of a plugin's model where its taxonomy does not say it, else an empty string."""
    model = MODELS.get(name)
    if model.__module__.startswith(SHIPPED):
        return ""
    return model.family or (TRANSLATION if issubclass(model, Translator) else "")


def place_to_record(name: str) -> dict[str, Any]:
    """Returns the taxonomy and the family in a record of a model, whatever becomes of the run.

    Nothing is said of a model that cannot be had here, such as one of a plugin that cannot be imported.
    """
    try:
        return {"taxonomy": MODELS.get(name).taxonomy, "family": family_to_record(name)}
    except GenbenchError:
        return {}


def _usual_family(taxonomy: str) -> str:
    return FAMILIES.get(taxonomy, taxonomy.rpartition("/")[-1] or "unknown")


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
