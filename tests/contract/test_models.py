"""What every registered model owes the harness, on small data sets of every kind it takes."""

from __future__ import annotations

import functools
import inspect

import pytest
import torch
from integrals import integral
from torch.nn import functional

from genbench.core import options
from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.model import (
    MODELS,
    Autoregressive,
    Classifier,
    Conditional,
    Density,
    Encoder,
    Inpainter,
    Model,
    Reconstructor,
    build,
    only_seed,
)
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training.minibatches import Minibatches, training_set
from genbench.training.trainer import Trainer

DATA = {
    "ring": {},
    "grid": {},
    "digits": {},
    "binary_digits": {},
    "bars_and_stripes": {"size": 3},
    "markov_text": {"tokens": 4, "length": 5},
}
#: options that keep networks small, for the models that have them
SMALL = {
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
}
BATCH = 32
NAMES = MODELS.names()


@functools.cache
def data_set(name):
    return DATASETS.get(name)(**DATA[name])


def takes(name):
    """The data sets that a model does not refuse, of those here."""
    return [data for data in DATA if MODELS.get(name).refuses(data_set(data).spec) is None]


def trains(name):
    return bool(make(name, takes(name)[0], [0])[0].players())


def small(name):
    defaults = options.defaults(MODELS.get(name))
    chosen = {}
    for key, value in SMALL.items():
        if key not in defaults:
            continue
        same_kind = isinstance(defaults[key], tuple) == isinstance(value, tuple)
        chosen[key] = value if same_kind else value[0]
    return chosen


def make(name, data, seeds, dtype=torch.float32):
    """A model built and prepared, with the rng that did it."""
    rng, source = Rng(seeds, dtype=dtype), data_set(data)
    model = build(name, source.spec, rng, small(name))
    model.prepare(training_set(source, type(model), rng), rng.fork("prepare"))
    return model, rng


def trained(name, data, seeds, steps, dtype=torch.float32):
    model, rng = make(name, data, seeds, dtype)
    trainer = Trainer(model, data_set(data), Budget(steps=max(steps, 1)), batch=BATCH, rng=rng)
    if steps:
        trainer.run()
    return model, rng, trainer


def minibatch(data, rng):
    return Minibatches(data_set(data), rng.fork("data"), BATCH)()


def samples(model, rng, n=64):
    with torch.no_grad():
        return model.eval().sample(n, rng.fork("sample"))


CASES = [(name, data) for name in NAMES for data in takes(name) if data != "grid"]
TRAINED = [(name, data) for name, data in CASES if trains(name)]
#: one data set a model, where the check does not depend on it
FIRST = list({name: (name, data) for name, data in reversed(CASES)}.values())
FIRST_TRAINED = [case for case in FIRST if trains(case[0])]
DENSITIES = [case for case in CASES if issubclass(MODELS.get(case[0]), Density)]


# --- what a model says of itself


@pytest.mark.parametrize("name", NAMES)
def test_name_docstring_and_options(name):
    cls = MODELS.get(name)
    assert issubclass(cls, Model)
    assert cls.name == name == inspect.getmodule(cls).__name__.rsplit(".", 1)[-1]
    assert cls.taxonomy
    if cls.taxonomy != "reference":
        assert "References:" in cls.__doc__
        assert "Differences:" in cls.__doc__
        assert cls.paper
        assert 1980 < cls.year < 2100
    for parameter in list(inspect.signature(cls).parameters.values())[2:]:
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.default is not parameter.empty
        assert f"{parameter.name}:" in cls.__doc__, f"{parameter.name} is not documented"


@pytest.mark.parametrize("name", NAMES)
def test_no_model_is_made_from_another(name):
    """What models share lies in genbench.families, or beside them in files that are no models."""
    ancestors = MODELS.get(name).__mro__[1:]
    assert not [cls for cls in ancestors if cls.__module__.startswith("genbench.models.")]
    module = inspect.getmodule(MODELS.get(name))
    folder = module.__name__.rpartition(".")[0]
    source = inspect.getsource(module)
    assert source.count("genbench.models") == source.count(f"from {folder}._")


@pytest.mark.parametrize("name", NAMES)
def test_refusals_give_a_reason_and_something_is_left(name):
    refuses = MODELS.get(name).refuses
    specs = [data_set(data).spec for data in DATA]
    specs.append(DataSpec("words", (8,), kind="tokens", tokens=5))
    for spec in specs:
        reason = refuses(spec)
        assert reason is None or (isinstance(reason, str) and spec.name in reason)
    assert takes(name)


# --- samples


@pytest.mark.parametrize(("name", "data"), CASES)
def test_samples_have_their_shape_and_range_and_seed(name, data):
    model, rng, _ = trained(name, data, [0, 1], 2)
    spec = data_set(data).spec
    x = samples(model, rng)
    assert x.shape == (2, 64, *spec.event)
    assert x.dtype == (torch.int64 if spec.kind == "tokens" else torch.float32)
    assert not x.requires_grad
    assert x.isfinite().all()
    if spec.range is not None:
        assert x.min() >= spec.range[0]
        assert x.max() <= spec.range[1]
    if spec.kind == "binary":
        assert ((x == 0) | (x == 1)).all()
    if spec.kind == "tokens":
        assert x.min() >= 0
        assert x.max() < spec.tokens
    assert torch.equal(x, samples(model, rng))
    assert not torch.equal(x[0], x[1])


@pytest.mark.parametrize(("name", "data"), CASES)
def test_the_same_seed_gives_the_same_bits(name, data):
    first, rng, _ = trained(name, data, [3], 3)
    second, again, _ = trained(name, data, [3], 3)
    for key, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[key]), key
    assert torch.equal(samples(first, rng), samples(second, again))


@pytest.mark.parametrize(("name", "data"), FIRST)
def test_the_global_generator_is_neither_read_nor_moved(name, data):
    draws = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        model, rng, _ = trained(name, data, [0], 3)
        draws.append(samples(model, rng))
        if isinstance(model, Density):
            model.log_prob(minibatch(data, rng).x, rng.fork("density"))
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(*draws)


# --- seeds are apart


@pytest.mark.parametrize(("name", "data"), FIRST)
def test_a_seed_in_a_stack_is_the_seed_alone(name, data):
    stack, rng, _ = trained(name, data, [4, 0, 2], 200, torch.float64)
    alone, single, _ = trained(name, data, [2], 200, torch.float64)
    for (key, a), b in zip(stack.state_dict().items(), alone.state_dict().values(), strict=True):
        row = a if a.shape == b.shape else a[2:]
        torch.testing.assert_close(row, b, rtol=1e-9, atol=1e-9, msg=lambda m, k=key: f"{k}: {m}")
    torch.testing.assert_close(
        samples(stack, rng)[2:], samples(alone, single), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize(("name", "data"), CASES)
def test_a_slice_samples_what_the_stack_samples(name, data):
    stack, rng, _ = trained(name, data, [4, 2], 2, torch.float64)
    fresh, single = make(name, data, [2], torch.float64)
    alone = only_seed(stack, fresh, 1)
    torch.testing.assert_close(
        samples(stack, rng)[1:], samples(alone, single), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize(("name", "data"), FIRST_TRAINED)
def test_a_broken_seed_leaves_the_others_as_they_were(name, data):
    results = []
    for broken in (False, True):
        model, rng = make(name, data, [0, 1, 2])
        if broken:
            with torch.no_grad():
                for p in model.parameters():
                    p[1] = torch.nan
        trainer = Trainer(model, data_set(data), Budget(steps=5), batch=BATCH, rng=rng).run()
        results.append((model.state_dict(), trainer))
    (clean, before), (hurt, after) = results
    for key, value in clean.items():
        if value.shape[:1] == (3,):
            assert torch.equal(value[[0, 2]], hurt[key][[0, 2]]), key
    assert before.diverged.tolist() == [-1, -1, -1]
    assert after.diverged.tolist() == [-1, 0, -1]
    for player, loss in before.losses.items():
        assert torch.equal(loss[[0, 2]], after.losses[player][[0, 2]])


# --- players


@pytest.mark.parametrize(("name", "data"), TRAINED)
def test_losses_are_one_number_a_seed(name, data):
    model, rng = make(name, data, [0, 1])
    for player in model.players():
        loss = player.loss(minibatch(data, rng), rng.fork("train"))
        assert loss.shape == (2,)
        assert loss.isfinite().all()


@pytest.mark.parametrize(("name", "data"), FIRST_TRAINED)
def test_a_player_moves_its_own_weights_only_and_all_of_them(name, data):
    model, _, trainer = trained(name, data, [0, 1], 3)
    names = {id(p): key for key, p in model.named_parameters()}
    for state in trainer.players:
        before = {key: p.detach().clone() for key, p in model.named_parameters()}
        state.update(state.player.loss(trainer.minibatches(0.5), trainer.noise), 0.5)
        own = {names[id(w)] for w in state.weights}
        for key, p in model.named_parameters():
            changed = (p.detach() != before[key]).flatten(1).any(1)
            if key not in own:
                assert not changed.any(), (state.player.name, key)
            elif not key.endswith(
                "bias"
            ):  # a bias may cancel, as the last of a WGAN's critic does
                assert changed.all(), (state.player.name, key)
        for w in state.weights:
            assert w.grad is not None, names[id(w)]
            assert w.grad.isfinite().all(), names[id(w)]


@pytest.mark.parametrize(("name", "data"), FIRST_TRAINED)
def test_every_weight_belongs_to_a_player(name, data):
    model, _ = make(name, data, [0])
    moved = {id(p) for player in model.players() for p in player.module.parameters()}
    assert {id(p) for p in model.parameters() if p.requires_grad} <= moved
    held = [value.data_ptr() for value in model.state_dict().values() if value.numel()]
    assert len(set(held)) == len(held), "a tensor of two names cannot be stored"


def energy_distance(real, fake):
    """2 E|x - y| - E|x - x'| - E|y - y'|, of each seed; tokens as indicators."""
    if not real.is_floating_point():
        real, fake = (functional.one_hot(x).float() for x in (real, fake))

    def mean(a, b):
        return torch.cdist(a.flatten(2), b.flatten(2)).mean((1, 2))

    return 2 * mean(real, fake) - mean(real, real) - mean(fake, fake)


#: where small networks learn something in 300 steps, the first that a model takes
EASY = ("digits", "binary_digits", "bars_and_stripes", "markov_text", "ring", "grid")
LEARNS = [(name, min(takes(name), key=EASY.index)) for name, _ in FIRST_TRAINED]


@pytest.mark.parametrize(("name", "data"), LEARNS)
def test_training_improves_the_model(name, data):
    """In every seed: the likelihood where there is one, else the samples' distance to the data."""
    gaps, costs = [], []
    for steps in (0, 300):
        model, rng, _ = trained(name, data, [0, 1, 2, 3], steps)
        real = torch.cat([minibatch(data, rng.fork("real", i)).x for i in range(16)], dim=1)
        gaps.append(energy_distance(real, samples(model, rng, 512)))
        if isinstance(model, Density):
            with torch.no_grad():
                costs.append(-model.eval().log_prob(real, rng.fork("density")).mean(-1))
    if costs:
        # an adversary's generator may know its likelihood, but does not climb it
        least = 0.3 if MODELS.get(name).taxonomy.startswith("implicit") else 1
        assert (costs[1] < costs[0] - least).all()
    else:
        assert (gaps[1] < 0.85 * gaps[0]).all()


@pytest.mark.parametrize(("name", "data"), CASES)
def test_a_saved_state_samples_the_same(name, data, tmp_path):
    model, rng, _ = trained(name, data, [0, 1], 2)
    torch.save(model.state_dict(), tmp_path / "model.pt")
    fresh, _ = make(name, data, [0, 1])
    fresh.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    assert torch.equal(samples(model, rng), samples(fresh, rng))


# --- abilities


@pytest.mark.parametrize(("name", "data"), DENSITIES)
def test_log_prob_is_one_number_a_point(name, data):
    model, rng, _ = trained(name, data, [0, 1], 2)
    x = minibatch(data, rng).x
    with torch.no_grad():
        log_prob = model.eval().log_prob(x, rng.fork("density"))
    assert log_prob.shape == (2, BATCH)
    assert log_prob.isfinite().all()
    if data_set(data).spec.kind in ("binary", "tokens"):
        assert (log_prob <= 0).all()


EXACT = [case for case in DENSITIES if MODELS.get(case[0]).bound == "exact"]


@pytest.mark.parametrize("name", [name for name, data in EXACT if data == "bars_and_stripes"])
def test_exact_probabilities_sum_to_one_over_all_words(name):
    model, rng, _ = trained(name, "bars_and_stripes", [0, 1], 100, torch.float64)
    words = (torch.arange(512).unsqueeze(1) >> torch.arange(9)) & 1
    x = words.double().view(1, 512, 1, 3, 3).expand(2, -1, -1, -1, -1)
    with torch.no_grad():
        total = model.eval().log_prob(x, rng.fork("density")).exp().sum(-1)
    torch.testing.assert_close(total, torch.ones_like(total), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", [name for name, data in EXACT if data == "ring"])
@pytest.mark.parametrize("data", ["ring", "grid"])
def test_exact_densities_integrate_to_one(name, data):
    model, rng, _ = trained(name, data, [0], 400)

    def log_prob(points):
        with torch.no_grad():
            return torch.cat(
                [
                    model.eval().log_prob(part.unsqueeze(0), rng.fork("density"))[0]
                    for part in points.split(50_000)
                ]
            )

    assert integral(log_prob) == pytest.approx(1.0, abs=0.01)


INPAINTERS = [case for case in CASES if issubclass(MODELS.get(case[0]), Inpainter)]


@pytest.mark.parametrize(("name", "data"), INPAINTERS)
def test_inpainting_keeps_what_is_known(name, data):
    model, rng, _ = trained(name, data, [0, 1], 2)
    batch = minibatch(data, rng)
    observed = rng.fork("known").uniform(*batch.x.shape[1:]) < 0.5
    with torch.no_grad():
        filled = model.eval().inpaint(batch.x, observed, rng.fork("inpaint"))
    assert filled.shape == batch.x.shape
    assert torch.equal(filled[observed], batch.x[observed])


READERS = [
    (name, ability)
    for name in NAMES
    for ability in (Classifier, Conditional, Encoder, Reconstructor)
    if issubclass(MODELS.get(name), ability)
]


@pytest.mark.parametrize(("name", "ability"), READERS)
def test_classes_codes_and_points_from_them_have_their_shape(name, ability):
    data = [d for d in takes(name) if data_set(d).spec.classes is not None][-1]
    model, rng, _ = trained(name, data, [0, 1], 2)
    batch, spec = minibatch(data, rng), data_set(data).spec
    with torch.no_grad():
        if ability is Classifier:
            actual, shape = model.eval().classify(batch.x), (spec.classes,)
        elif ability is Conditional:
            actual, shape = model.eval().sample_class(batch.labels, rng.fork("class")), spec.event
        elif ability is Reconstructor:
            actual, shape = model.eval().reconstruct(batch.x, rng.fork("again")), spec.event
        else:
            actual = model.eval().encode(batch.x, rng.fork("code"))
            shape = actual.shape[2:]
            assert len(shape) == 1
            chosen = actual[..., : model.categories].sum(-1)
            assert not model.categories or torch.allclose(chosen, torch.ones_like(chosen))
    assert actual.shape == (2, BATCH, *shape)
    assert actual.isfinite().all()
    if shape == spec.event and spec.range is not None:
        assert actual.min() >= spec.range[0]
        assert actual.max() <= spec.range[1]


ENTRY_BY_ENTRY = [case for case in CASES if issubclass(MODELS.get(case[0]), Autoregressive)]


@pytest.mark.parametrize(("name", "data"), ENTRY_BY_ENTRY)
def test_sampling_with_a_cache_draws_what_whole_passes_draw(name, data):
    model, rng, _ = trained(name, data, [0, 1], 20, torch.float64)
    spec = data_set(data).spec
    with torch.no_grad():
        cached = model.eval().sample(16, rng.fork("sample"))
        naive = model.sample_naive(16, rng.fork("sample"))
    assert model.sequential_steps() == spec.size
    if spec.kind == "continuous":
        torch.testing.assert_close(cached, naive, rtol=1e-9, atol=1e-9)
    else:
        assert torch.equal(cached, naive)
