"""Small data sets of every kind, and small versions of models trained on them."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from genbench.contracts.rules import Case, Cases
from genbench.contracts.tiny import TINY
from genbench.core import options
from genbench.core.dataset import DATASETS, Dataset, DataSpec
from genbench.core.errors import SpecError
from genbench.core.guard import unchanged
from genbench.core.model import MODELS, Batch, Cyclic, Density, Model, Translator, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training.minibatches import Minibatches, training_set
from genbench.training.trainer import Trainer

#: one data set of every kind of point, with its options
DATA: dict[str, dict[str, Any]] = {
    "ring": {},
    "grid": {},
    "digits": {},
    "binary_digits": {},
    "bars_and_stripes": {"size": 3},
    "markov_text": {"tokens": 4, "length": 5},
    "ar_wave": {"length": 32},
}
#: those with sources, for models that make points from them, the smaller one first
PAIRS: dict[str, dict[str, Any]] = {
    "super_resolution": {},
    "quarter_turn": {},
    "holes": {},
    "moving_digits": {},
    "captioned_digits": {},
    "captioned_digits:text": {"to": "text"},
}
#: those that are for models with an option of a name, or an ability, alone, so that the others are not
#: checked on all; models that take none of the others have them too
OWN: dict[str, str | type] = {
    "ar_wave": "taps",
    "quarter_turn": Cyclic,
    "holes": "exemplar",
    "captioned_digits": "units",
    "captioned_digits:text": "units",
}
#: options that keep networks small, for the models that have them
SMALL: dict[str, Any] = {
    "hidden": (16, 16),
    "layers": 4,
    "latent": 4,
    "units": 16,
    "width": 4,
    "importance": 8,
    "channels": 6,
    "depth": 2,
    "head": 8,
    "generator": (16, 16),
    "skip": 8,
    "cycle": 2,
    "network": "mlp",
}
#: other options, by what they are called behind a data set's name, for models that have the first of them
VARIANTS: dict[str, dict[str, Any]] = {
    "unet of patches": {"network": "unet", "patch": 4},
    "encoder_decoder": {"network": "encoder_decoder"},
    "resnet": {"network": "resnet"},
    "perceptual loss": {"loss": "perceptual", "side": 16},
    "perceptual content": {"content": "perceptual", "side": 16},
}
BATCH = 32
BEHIND = ", "
#: rounds of variants, which are more expensive
BRIEF = 3


def open_small(data: str) -> Dataset:
    """Returns one of the small data sets, whatever variant of a model is named behind it.

    What stands behind a colon tells two of one name apart.
    """
    name = data.partition(BEHIND)[0]
    return _open(name, TINY[name] if name in TINY else DATASETS.get(name.partition(":")[0]))


@functools.cache
def _open(data: str, cls: type[Dataset]) -> Dataset:
    return cls(**{**DATA, **PAIRS}.get(data, {}))


def taken(name: str) -> list[str]:
    """Returns the small data sets that a model does not refuse; those with sources for translators alone.

    A model that takes none of them is checked on the tiny ones and on those that plugins bring.
    """
    cls = MODELS.get(name)
    if issubclass(cls, Translator):
        pairs = _taken(cls, PAIRS)
        usual = _taken(cls, DATA, spare=not pairs) + pairs
    else:
        usual = _taken(cls, DATA)
    return usual or _taken(cls, (*TINY, *_list_brought()))


def _list_brought() -> list[str]:
    """Returns the data sets that plugins have registered."""
    return [data for data in DATASETS.registered() if not DATASETS.is_built_in(data)]


def _taken(cls: type[Model], every: Iterable[str], *, spare: bool = True) -> list[str]:
    """Those of the data sets that a model does not refuse, without those that are other models' own.

    Of a model that takes none else, with those too, unless they are not to be `spare` ones.
    """
    takes = [data for data in every if cls.refuses(open_small(data).spec) is None]
    usual = [data for data in takes if data not in OWN or _is_for(cls, OWN[data])]
    return usual or (takes if spare else [])


def _is_for(cls: type[Model], whose: str | type) -> bool:
    """Whether a model has an option of a name, or an ability."""
    if isinstance(whose, str):
        return whose in options.defaults(cls)
    return issubclass(cls, whose)


def small_options(name: str, data: str = "") -> dict[str, Any]:
    """Returns options that keep a model small; those of a variant hold where one stands behind the data."""
    defaults, chosen = options.defaults(MODELS.get(name)), {}
    for key, value in SMALL.items():
        if key in defaults and isinstance(defaults[key], str) == isinstance(value, str):
            alike = isinstance(defaults[key], tuple) == isinstance(value, tuple)
            chosen[key] = value if alike else value[0]
    own = VARIANTS.get(data.partition(BEHIND)[2], {})
    return chosen | {key: value for key, value in own.items() if key in defaults}


def find_variants(name: str, option: str) -> list[Case]:
    """Returns the variants of a translator by an option, on one data set of images; none without it."""
    cls = MODELS.get(name)
    if not issubclass(cls, Translator) or not isinstance(options.defaults(cls).get(option), str):
        return []
    takes = {data: open_small(data).spec for data in taken(name)}
    images = [data for data, s in takes.items() if s.is_image and s.source and s.source.is_image]
    if option == "network":  # which neither enlarges an image nor makes it smaller
        images = [data for data in images if _keeps_size(takes[data])]
    kinds = [k for k, own in VARIANTS.items() if next(iter(own)) == option and _has(cls, own)]
    return [(BEHIND.join((data, kind)),) for data in images[:1] for kind in kinds]


def _has(cls: type[Model], variant: dict[str, Any]) -> bool:
    """Whether a model's first option of a variant may have that value."""
    name, value = next(iter(variant.items()))
    try:
        options.resolve(cls, {name: value}, who=cls.name)
    except SpecError:
        return False
    return True


def _keeps_size(spec: DataSpec) -> bool:
    return spec.source is not None and spec.event[1:] == spec.source.event[1:]


def count_rounds(data: str, usual: int) -> int:
    """Returns how many rounds a model is trained for a rule: few where a variant stands behind the data."""
    return min(usual, BRIEF) if BEHIND in data else usual


def with_networks(cases: Cases) -> Cases:
    """Returns what chooses cases, and for translators every network beside the small one."""
    return lambda name: [*cases(name), *find_variants(name, "network")]


def make(
    name: str, data: str, seeds: list[int], dtype: torch.dtype = torch.float32
) -> tuple[Model, Rng]:
    """Returns a small model, built and prepared, and the rng that did it."""
    rng, dataset = Rng(seeds, dtype=dtype), open_small(data)
    model = build(name, dataset.spec, rng, small_options(name, data))
    batch = training_set(dataset, type(model), rng)
    with unchanged("prepare", (batch.x, batch.labels, batch.source), code=type(model)):
        model.prepare(batch, rng.fork("prepare"))
    return model, rng


def train(
    name: str, data: str, seeds: list[int], steps: int, dtype: torch.dtype = torch.float32
) -> tuple[Model, Rng, Trainer]:
    """Returns a small model after some rounds, its rng and its trainer."""
    model, rng = make(name, data, seeds, dtype)
    trainer = make_trainer(model, data, rng, steps)
    if steps:
        trainer.run()
    return model, rng, trainer


def make_trainer(model: Model, data: str, rng: Rng, steps: int) -> Trainer:
    """Returns what trains a model on a small data set."""
    return Trainer(model, open_small(data), Budget(steps=max(steps, 1)), batch=BATCH, rng=rng)


def draw_batch(data: str, rng: Rng) -> Batch:
    """Returns a minibatch of a small data set."""
    return Minibatches(open_small(data), rng.fork("data"), BATCH)()


def draw_samples(model: Model, rng: Rng, n: int = 64) -> Tensor:
    """Returns n samples per seed, shape (S, n, *event)."""
    with torch.no_grad():
        return model.eval().sample(n, rng.fork("sample"))


@functools.cache
def _has_players(cls: type[Model], data: str) -> bool:
    return bool(make(cls.name, data, [0])[0].players())


def on_all(name: str) -> list[Case]:
    """Returns the data sets on which a model is checked."""
    return [(data,) for data in taken(name) if data != "grid"]


def on_first(name: str) -> list[Case]:
    """Returns one data set, where the rule does not depend on it."""
    return on_all(name)[:1]


def when_trained(name: str) -> list[Case]:
    """Returns the data sets of a model that is trained, none of one in closed form."""
    cases = on_all(name)
    return cases if cases and _has_players(MODELS.get(name), cases[0][0]) else []


def first_when_trained(name: str) -> list[Case]:
    """Returns one data set of a model that is trained."""
    return when_trained(name)[:1]


def with_ability(ability: type) -> Cases:
    """Returns what chooses the data sets of models with an ability, and none for other models."""
    return lambda name: on_all(name) if issubclass(MODELS.get(name), ability) else []


on_densities = with_ability(Density)
