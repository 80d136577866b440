"""What plugins must keep on another device than the CPU, looked at on the stand-in (`contracts/standin.py`).

A GPU is seldom at hand where a plugin is written, and what goes wrong there goes wrong in few ways: a tensor
is made on the CPU and meets one of the device, or the host waits for the device in every round.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from genbench.contracts import datasets, extractors
from genbench.contracts.metrics import TIMED, expect_numbers
from genbench.contracts.planted import draw, measure
from genbench.contracts.rules import Case, expect, rule
from genbench.contracts.small import BATCH, on_all, open_small, small_options
from genbench.contracts.standin import DEVICE, StandIn, StandInTensor, stand_in, values
from genbench.core import options
from genbench.core.dataset import DATASETS
from genbench.core.feature import Logits
from genbench.core.metric import METRICS
from genbench.core.model import (
    MODELS,
    Autoregressive,
    Batch,
    Classifier,
    Conditional,
    ConditionalDensity,
    Cyclic,
    Density,
    Encoder,
    Inpainter,
    MarkovChain,
    Model,
    Reconstructor,
    Translator,
    build,
)
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training.minibatches import prepare
from genbench.training.trainer import Trainer

#: the second part of a case in which a seed sees so many of its labels
FEW, LABELLED = "few labels", 40
POINTS = 4
#: points on each side of a metric
FEW_POINTS = 300
#: lengths of chains, for the models that have them: what happens in a step happens in the first ones
BRIEF = {"chain_steps": 4, "gibbs_steps": 4, "ais_chains": 4, "ais_temperatures": 8, "steps": 4}
ON_DEVICE = "make it on the device of the tensors that it meets: rng.device, x.device, or a buffer"
NO_WAIT = (
    "keep numbers as Python's or in a buffer, a constant in a core.constant.Constant, ask for no shape that "
    "depends on values, or declare `waits` with the reason"
)


@dataclass
class Findings:
    """What was seen of a model on the stand-in.

    Arguments:
        away: Tensors that are not on the device, by name.
        waits: Where the host waits, by what was called: `round`, `sample` or an ability's method.
    """

    away: list[str] = field(default_factory=list)
    waits: dict[str, list[str]] = field(default_factory=dict)


def with_few_labels(name: str) -> list[Case]:
    """Returns the data sets on which a model is checked, those with labels again with most of them hidden."""
    cases = on_all(name)
    if ("bars_and_stripes",) in cases:  # of two sets of bits the smaller one
        cases = [case for case in cases if case != ("binary_digits",)]
    learns = issubclass(MODELS.get(name), Conditional | Classifier)
    hidden = [(d, FEW) for (d,) in cases if learns and open_small(d).spec.classes is not None]
    return [*cases, *hidden]


@rule("model", with_few_labels)
def it_stays_on_its_device(name: str, *case: str) -> None:
    """On another device than the CPU it is built, trained, sampled and asked without a tensor of the CPU."""
    away = find(name, *case).away
    expect(not away, f"{', '.join(away[:3])} needs to be on the model's device; {ON_DEVICE}")


@rule("model", with_few_labels)
def the_host_waits_for_no_device(name: str, *case: str) -> None:
    """Rounds, samples and abilities make the host wait for a GPU only where `waits` gives a reason."""
    declared = MODELS.get(name).waits
    for what, places in find(name, *case).waits.items():
        expect(
            not places or declared.get(what),
            f"{what} needs to leave the host free, but it waits for the device at "
            f"{', '.join(places[:3])}; {NO_WAIT}",
        )


def find(name: str, data: str, hidden: str = "") -> Findings:
    """Returns what is seen of a model on the stand-in, once for all rules."""
    return _find(MODELS.get(name), data, LABELLED if hidden else None)


@functools.cache
def _find(cls: type[Model], data: str, labelled: int | None) -> Findings:
    findings, dataset = Findings(), open_small(data)
    with stand_in() as standin:
        rng = Rng([0, 1], device=DEVICE)
        model = build(cls.name, dataset.spec, rng, brief_options(cls))
        prepare(model, dataset, rng, labelled=labelled)
        trainer = Trainer(model, dataset, Budget(steps=4), batch=BATCH, rng=rng, labelled=labelled)
        model.train()
        findings.away += _away(model_tensors(model))
        if trainer.players:
            trainer.round()  # constants are copied once, at first use
            with standin.watch() as findings.waits["round"]:
                trainer.round()
            state = {k: v for k, v in trainer.state()[0].items() if not k.startswith("rng.")}
            findings.away += _away(state)
        with trainer.averaged(), torch.no_grad():
            _call_all(model, trainer, rng, standin, findings)
    return findings


def brief_options(cls: type[Model], data: str = "") -> dict[str, Any]:
    """Returns options that keep a model's networks small and its chains short, of a variant its own."""
    defaults = options.defaults(cls)
    brief = {key: min(value, defaults[key]) for key, value in BRIEF.items() if key in defaults}
    return {**small_options(cls.name, data), **brief}


def model_tensors(model: Model) -> dict[str, Tensor]:
    """Returns a model's weights and buffers, those that are not stored too."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def _away(tensors: dict[str, Tensor]) -> list[str]:
    return [key for key, x in tensors.items() if not isinstance(x, StandInTensor)]


def _call_all(
    model: Model, trainer: Trainer, rng: Rng, standin: StandIn, findings: Findings
) -> None:
    """Samples, and asks a model for all its abilities."""
    batch = trainer.minibatches(1.0)
    streams = rng.fork("sample")
    model.sample(POINTS, streams)
    calls = {"sample": lambda: model.sample(POINTS, streams), **ability_calls(model, batch, rng)}
    for what, call in calls.items():
        with standin.watch() as findings.waits[what]:
            out = call()
        findings.away += _away({f"what {what} returns": out})


def ability_calls(model: Any, batch: Batch, rng: Rng) -> dict[str, Callable[[], Tensor]]:
    """Calls of the methods that a model's abilities have, by name."""
    x = batch.x[:, :POINTS].contiguous()
    source = x if batch.source is None else batch.source[:, :POINTS].contiguous()
    mask = rng.fork("known").uniform(*x.shape[1:]) < 0.5
    labels = rng.fork("labels").integers(model.spec.classes or 1, POINTS)
    own = rng.fork("ability")
    calls: dict[type, dict[str, Callable[[], Tensor]]] = {
        Density: {"log_prob": lambda: model.log_prob(x, own)},
        Encoder: {"encode": lambda: model.encode(x, own)},
        Reconstructor: {"reconstruct": lambda: model.reconstruct(x, own)},
        Inpainter: {"inpaint": lambda: model.inpaint(x, mask, own)},
        Conditional: {"sample_class": lambda: model.sample_class(labels, own)},
        Classifier: {"classify": lambda: model.classify(x)},
        MarkovChain: {
            "chain_start": lambda: model.chain_start(POINTS, own),
            "chain_step": lambda: model.chain_step(x, own),
        },
        Autoregressive: {"sample_naive": lambda: model.sample_naive(POINTS, own)},
        Translator: {"translate": lambda: model.translate(source, own)},
        Cyclic: {"back": lambda: model.back(x, own)},
        ConditionalDensity: {"log_prob_given": lambda: model.log_prob_given(x, source, own)},
    }
    return {
        what: call
        for ability, methods in calls.items()
        if isinstance(model, ability)
        for what, call in methods.items()
    }


# --- data sets


def with_choices(name: str) -> list[Case]:
    """Returns one case for a data set as it is by default, and one for every other value of a choice."""
    return [(), *((case,) for case in _other_choices(name))]


def _other_choices(name: str) -> dict[str, dict[str, Any]]:
    """The values beside the default of options that take a few, by what a case is called."""
    choices = options.alternatives(DATASETS.get(name))
    return {f"{o}={v}": {o: v} for o, values in choices.items() if o != "offline" for v in values}


@rule("dataset", with_choices)
def it_serves_other_devices(name: str, choice: str = "") -> None:
    """Points are drawn and mapped on another device without tensors of the CPU or waiting for it."""
    dataset = datasets.open_once(name, **(_other_choices(name)[choice] if choice else {}))
    fixed = None if dataset.stream else dataset.points("train")[:BATCH]
    with stand_in() as standin:
        rng = Rng([0, 1], device=DEVICE)
        points = None if fixed is None else fixed.to(DEVICE).expand(2, *fixed.shape)

        def go_round() -> list[Tensor]:
            x = dataset.draw(BATCH, rng) if points is None else points
            y = dataset.to_model(x, rng)
            return [x, y, dataset.to_data(y)]

        def draw_pair() -> list[Tensor]:
            if dataset.given is None or not dataset.stream:
                return []
            x, source = dataset.draw_pairs(BATCH, rng)
            y = dataset.given.to_model(source, rng)
            return [x, source, y, dataset.given.to_data(y)]

        go_round()
        draw_pair()
        with standin.watch() as waits:
            results = go_round() + draw_pair()
        truth = dataset.truth
        for law in () if truth is None else (truth.log_prob, truth.distance):
            results += [] if law is None else [law(results[0])]
    away = [x for x in results if not isinstance(x, StandInTensor)]
    expect(not away, f"draw, to_model, to_data and the truth need to stay there; {ON_DEVICE}")
    expect(
        not waits, f"minibatches need to leave the host free, but it waits at {', '.join(waits)}"
    )


# --- metrics and extractors


@rule("metric")
def it_scores_points_on_other_devices(name: str) -> None:
    """Points, or a model, on another device are scored without tensors of the CPU, with the same values."""
    entry = METRICS.get(name)
    real, fake = draw(FEW_POINTS, 1), draw(FEW_POINTS, 2)
    with stand_in():
        there = measure(entry, fake.to(DEVICE), real=real.to(DEVICE))
    here = measure(entry, fake, real=real)
    expect_numbers(entry, here, there)
    for column, meaning in entry.columns.items():
        one, two = here[column].value, there[column].value
        if meaning.unit in TIMED:
            continue
        close = one == two or (None not in (one, two) and abs(one - two) <= 1e-3 * abs(one))  # type: ignore
        expect(close, f"{column!r} needs one value on every device, got {one} and {two}")


@rule("extractor", extractors.taken)
def it_extracts_on_other_devices(name: str, data: str) -> None:
    """Features, and logits, of points on another device are made there, the same as on the CPU."""
    extractor, x = extractors.make(name, data), extractors.real_points(data)
    calls = {"extract": extractor.extract}
    if isinstance(extractor, Logits):
        calls["logits"] = extractor.logits
    for what, call in calls.items():
        here = call(x)
        with stand_in():
            there = call(x.to(DEVICE))
        expect(isinstance(there, StandInTensor), f"{what} needs to stay there; {ON_DEVICE}")
        same = torch.allclose(here, values(there), rtol=1e-4, atol=1e-4)
        expect(same, f"{what} needs the same features on every device, got others")
        after = call(x)
        expect(torch.equal(here, after), f"{what} needs to serve the CPU again after a device")
