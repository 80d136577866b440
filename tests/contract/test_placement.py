"""The stand-in device tells what a GPU would, and all that training keeps lies on its device."""

import copy

import numpy
import pytest
import torch

from genbench.contracts.placement import find, with_few_labels
from genbench.contracts.small import BATCH, open_small, small_options
from genbench.contracts.standin import DEVICE, MixedDevices, StandInTensor, stand_in, values
from genbench.core.constant import Constant
from genbench.core.model import MODELS, build, only_seed
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.nn.stacked import differentiable_twice
from genbench.training.checkpoint import Checkpoint
from genbench.training.minibatches import prepare
from genbench.training.trainer import Trainer

READS = {
    "item": lambda x: x.sum().item(),
    "float": lambda x: float(x.sum()),
    "bool": lambda x: bool((x < 0).any()),
    "tolist": lambda x: x.tolist(),
    "cpu": lambda x: x.cpu(),
    "nonzero": lambda x: x.nonzero(),
    "where": lambda x: torch.where(x > 0),
    "a mask": lambda x: x[x > 0],
    "equal": lambda x: torch.equal(x, x),
    "unique": lambda x: x.unique(),
    "bincount": lambda x: x.long().bincount(),
    "repeats": lambda x: x.repeat_interleave(torch.ones_like(x).long()),
    "as_tensor": lambda x: torch.as_tensor([1.0], device=x.device),
    "tensor": lambda x: torch.tensor([1.0], device=x.device),
    "new_tensor": lambda x: x.new_tensor([1.0]),
    "to": lambda x: torch.ones(1).to(x),
    "indices": lambda x: x[torch.tensor([0])],
    "filled": lambda x: x.copy_(torch.ones(3)),
    "cholesky": lambda x: torch.linalg.cholesky(torch.eye(2, device=x.device)),
}
FREE = {
    "arange": lambda x: torch.arange(3, device=x.device) + x,
    "zeros": lambda x: torch.zeros_like(x) + x.new_zeros(3),
    "a number": lambda x: x * torch.tensor(2.0) + 1,
    "where": lambda x: torch.where(x > 0, x, 0.0),
    "masked_fill": lambda x: x.masked_fill(x > 0, 1.0),
    "one_hot": lambda x: torch.nn.functional.one_hot(x.long(), 4),
    "indices": lambda x: x[torch.arange(3, device=x.device)],
    "assigned": lambda x: x.clone().__setitem__(slice(0, 2), 0.0),
    "view": lambda x: x.view(3, 1).expand(3, 2).sum(),
}
MIXED = {
    "add": lambda x: x + torch.ones(3),
    "cat": lambda x: torch.cat([x, torch.ones(3)]),
    "matmul": lambda x: x @ torch.ones(3, 2),
    "gather": lambda x: x.gather(0, torch.zeros(3).long()),
    "stack of numbers": lambda x: torch.stack([x.sum(), torch.tensor(1.0)]),
}


@pytest.mark.parametrize("what", READS)
def test_a_wait_for_the_device_is_noted_with_its_line(what):
    with stand_in() as standin:
        x = torch.ones(3).to(DEVICE)
        with standin.watch() as waits:
            READS[what](x)
        READS[what](x)  # unwatched
    assert len(waits) == 1
    assert waits[0].startswith("contract/test_placement.py:")


@pytest.mark.parametrize("what", FREE)
def test_what_needs_no_wait_is_not_noted(what):
    with stand_in() as standin:
        x = torch.ones(3).to(DEVICE)
        with standin.watch() as waits:
            FREE[what](x)
    assert waits == []


@pytest.mark.parametrize("what", MIXED)
def test_tensors_of_two_devices_do_not_mix(what):
    with stand_in():
        x = torch.ones(3).to(DEVICE)
        with pytest.raises(MixedDevices, match=r"test_placement\.py:\d+; make them on the device"):
            MIXED[what](x)


def test_its_tensors_are_no_arrays_of_the_host():
    with stand_in():
        x = torch.ones(3).to(DEVICE)
        with pytest.raises((TypeError, RuntimeError)):
            x.numpy()
        with pytest.raises((TypeError, RuntimeError, ValueError)):
            numpy.asarray(x)
        assert x.device == DEVICE
        assert x.to(DEVICE) is x
        assert not x.is_cuda


def test_a_constant_is_copied_once():
    constant = Constant(torch.ones(3, dtype=torch.float64))
    with stand_in() as standin:
        x = torch.zeros(3, device=DEVICE)
        first = constant.like(x)
        with standin.watch() as waits:
            assert constant.on(DEVICE, torch.float32) is first
        assert waits == []
    assert first.dtype == torch.float32
    assert constant.on(torch.device("cpu")) is constant.x


@pytest.mark.parametrize("name", [n for n in MODELS.names() if MODELS.get(n).waits])
def test_a_declared_wait_is_there(name):
    """An exception that is no longer needed is struck out."""
    seen = {
        what
        for case in with_few_labels(name)
        for what, places in find(name, *case).waits.items()
        if places
    }
    assert seen == set(MODELS.get(name).waits)


def start(name, data, device, steps=4):
    """Returns the trainer of a small model on a device."""
    dataset, rng = open_small(data), Rng([0, 1], device=device)
    model = prepare(build(name, dataset.spec, rng, small_options(name)), dataset, rng)
    return Trainer(model, dataset, Budget(steps=steps), batch=BATCH, rng=rng)


@pytest.mark.parametrize(("name", "data"), [("wgan", "ring"), ("iwae", "digits")])
def test_training_there_gives_the_bits_of_the_cpu(name, data):
    with differentiable_twice():  # elsewhere perceptrons run operation by operation
        here = start(name, data, "cpu").run().state()[0]
    with stand_in():
        there = start(name, data, DEVICE).run().state()[0]
    assert here.keys() == there.keys()
    for key, x in here.items():
        assert torch.equal(x, values(there[key])), key
        assert isinstance(there[key], StandInTensor) != key.startswith("rng."), key


@pytest.mark.parametrize("name", ["progan", "vae"])
def test_a_checkpoint_goes_to_the_host_and_comes_back(name, tmp_path):
    """Weights, optimisers, running averages and streams; a run that is resumed there goes on bit for bit."""
    with stand_in():
        trainer = start(name, "digits", DEVICE)
        trainer.model.train()
        for _ in range(2):
            trainer.round()
        checkpoint = Checkpoint(tmp_path / "checkpoint", 0.0, (0, 1))
        checkpoint.save(trainer)
        other = start(name, "digits", DEVICE)
        assert checkpoint.restore(other)
        for one in (trainer, other):
            one.run()
        for key, x in trainer.state()[0].items():
            y = other.state()[0][key]
            assert type(x) is type(y)
            assert torch.equal(values(x), values(y)), key


def test_the_present_growth_of_progan_is_read_where_it_was_written():
    trainer = start("progan", "digits", "cpu")
    model = trainer.model.train()
    for _ in range(3):
        trainer.round()
        assert model.present() == float(model.growth)
    dataset, rng = open_small("digits"), Rng([0])
    fresh = build("progan", dataset.spec, rng, small_options("progan"))
    assert fresh.present() == 0.0
    sliced = only_seed(model, fresh, 0)
    assert sliced.present() == float(model.growth) > 0.0
    assert copy.deepcopy(model).present() == model.present()
    model.growth.fill_(0.25)
    assert model.present() == 0.25
