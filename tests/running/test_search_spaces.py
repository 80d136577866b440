"""Every trained model says what may be tuned, and whatever is drawn of it trains."""

from __future__ import annotations

import pytest

from genbench.core.dataset import open_named
from genbench.core.model import MODELS, build, parameter_count
from genbench.core.rng import Rng
from genbench.core.search import Choice, draw_point, split_point
from genbench.core.spec import Budget, Training
from genbench.training.adjust import adjust_players
from genbench.training.minibatches import prepare
from genbench.training.trainer import Trainer

DATA = ("ring", "digits", "binary_digits", "template_text", "super_resolution")
#: narrow where the default takes long
SMALL = {
    "dcgan": {"width": 4},
    "lapgan": {"width": 4},
    "progan": {"width": 4},
    "resgan": {"width": 4},
    "pixelcnn": {"channels": 4, "depth": 1},
    "pixelrnn": {"channels": 4},
    "wavenet": {"channels": 4, "skip": 8},
    "pix2pix": {"network": "mlp"},
    "regression": {"network": "mlp"},
    "cyclegan": {"network": "mlp"},
    "exgan": {"network": "mlp"},
}
TRAINED = [name for name in MODELS.names() if MODELS.get(name).taxonomy != "reference"]


def data_for(name):
    more = (
        open_named("holes"),
        open_named("captioned_digits"),
        open_named("captioned_digits", to="text"),
        open_named("ar_wave", length=32),
    )
    every = (*map(open_named, DATA), *more)
    return next(d for d in every if MODELS.get(name).refuses(d.spec) is None)


@pytest.mark.parametrize("name", TRAINED)
def test_a_point_of_a_models_search_space_trains(name):
    space, data = MODELS.get(name).search, data_for(name)
    assert "lr" in space
    options, training = split_point(draw_point(space, "test", name))
    rng = Rng([0, 1])
    model = prepare(build(name, data.spec, rng, {**SMALL.get(name, {}), **options}), data, rng)
    trainer = Trainer(
        model, data, Budget(steps=2), rng=rng, batch=8, training=Training(**training)
    ).run()
    assert trainer.step == 2
    with trainer.averaged() as final:
        assert final.sample(3, rng.fork("sample")).shape[:2] == (2, 3)


@pytest.mark.parametrize("name", TRAINED)
def test_every_choice_is_an_option_that_the_model_takes(name):
    space, data = MODELS.get(name).search, data_for(name)
    players = None
    for dimension, one in space.items():
        values = one.values if isinstance(one, Choice) else (one.at(0.0), one.at(0.999999))
        for value in values:
            options, training = split_point({dimension: value})
            model = build(name, data.spec, Rng([0]), {**SMALL.get(name, {}), **options})
            if training:
                players = players or prepare(model, data, Rng([0])).players()
                assert adjust_players(players, Training(**training))


@pytest.mark.parametrize(
    "data", ["ring", "digits", pytest.param("fashion_mnist", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", [n for n in TRAINED if "hidden" in MODELS.get(n).search])
def test_shapes_have_as_many_weights_give_or_take_a_quarter(name, data):
    spec = open_named(data).spec
    if MODELS.get(name).refuses(spec) is not None:
        pytest.skip(f"{name} does not do {data}")
    counts = [
        parameter_count(build(name, spec, Rng([0]), {"hidden": hidden}))
        for hidden in MODELS.get(name).search["hidden"].values
    ]
    assert max(counts) <= 1.25 * min(counts), counts
