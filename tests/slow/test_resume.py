"""A training that is stopped anywhere goes on to the bits it would have had, for every model."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path

import pytest

from genbench.core.spec import Budget
from genbench.training.checkpoint import Checkpoint
from genbench.training.trainer import Trainer

HERE = Path(__file__).parent
STEPS, POINTS = 40, 20


def _contract():
    """The contract tests, which know a small version of every registered model."""
    spec = importlib.util.spec_from_file_location(
        "contract_models", HERE.parent / "contract" / "test_models.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


CONTRACT = _contract()


def trainer(name, data, listener=None):
    made, rng = CONTRACT.make(name, data, [0, 1])
    source = CONTRACT.data_set(data)
    return Trainer(
        made, source, Budget(steps=STEPS), batch=16, rng=rng, curve=4, listener=listener
    )


def end(work):
    tensors, plain = work.state()
    points = [(point["step"], point["losses"]) for point in plain["points"]]
    return {key: value.clone() for key, value in tensors.items()}, repr(points)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "data"), CONTRACT.FIRST_TRAINED)
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
