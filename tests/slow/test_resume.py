"""A training that is stopped anywhere goes on to the bits it would have had, for every model."""

from __future__ import annotations

import random

import pytest

from genbench.contracts.small import first_when_trained, make, open_small
from genbench.core.model import MODELS
from genbench.core.spec import Budget
from genbench.training.checkpoint import Checkpoint
from genbench.training.trainer import Trainer

STEPS, POINTS = 40, 20


CASES = [(name, data) for name in MODELS.names() for (data,) in first_when_trained(name)]


def trainer(name, data, listener=None):
    model, rng = make(name, data, [0, 1])
    dataset = open_small(data)
    return Trainer(
        model, dataset, Budget(steps=STEPS), batch=16, rng=rng, curve=4, listener=listener
    )


def end(work):
    tensors, plain = work.state()
    points = [(point["step"], point["losses"]) for point in plain["points"]]
    return {key: value.clone() for key, value in tensors.items()}, repr(points)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "data"), CASES)
def test_twenty_interruptions_end_in_the_same_bits(name, data, tmp_path):
    draw = random.Random(name)
    at = sorted(draw.sample(range(1, STEPS + 1), POINTS))

    def save(work):
        if work.step in at:
            Checkpoint(tmp_path / f"{work.step}.safetensors", 0).save(work)

    whole, points = end(trainer(name, data, save).run())
    for step in at:
        work = trainer(name, data)
        assert Checkpoint(tmp_path / f"{step}.safetensors", 0).restore(work), step
        assert work.step == step
        again, found = end(work.run())
        assert found == points, step
        assert again.keys() == whole.keys()
        different = [key for key, value in whole.items() if not _same(value, again[key])]
        assert different == [], step


def _same(one, other):
    """Bit for bit, so that a NaN is like itself."""
    return one.shape == other.shape and one.numpy().tobytes() == other.numpy().tobytes()
