"""Losses as programs: the same numbers, the same draws, and refused where they would not be."""

from __future__ import annotations

import sys
import sysconfig

import pytest
import torch

from genbench.contracts.small import BATCH, open_small, small_options
from genbench.core.errors import SpecError
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.running.suites import RunOptions
from genbench.training.inductor import (
    CompiledLosses,
    compile_graph,
    find_lack,
    multiply,
    multiply_and_add,
)
from genbench.training.minibatches import prepare
from genbench.training.players import PlayerState
from genbench.training.trainer import Trainer


def interpret(graph, inputs):
    """Stands for the compiler: the traced graph itself, operation by operation."""
    return graph


def make_trainer(name, data, compile=None, steps=4):
    dataset, rng = open_small(data), Rng([0, 1])
    model = prepare(build(name, dataset.spec, rng, small_options(name)), dataset, rng)
    trainer = Trainer(model, dataset, Budget(steps=steps), batch=BATCH, rng=rng)
    trainer.compiled = None if compile is None else CompiledLosses(model, compile)
    return trainer


def share_apart(a, b):
    return float((a - b).norm() / b.norm().clamp(min=1e-9))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("gan", "ring"),
        ("r1_gan", "digits"),  # differentiates twice
        ("wgan_gp", "ring"),  # clips, differentiates twice, and one player moves five times
        ("ali", "ring"),
        ("gmmn", "digits"),
        ("realnvp", "digits"),
        ("rbm", "digits"),  # its samples are Markov chains
        ("ddpm", "ring"),
        ("vae", "ring"),  # reads the progress
        ("acgan", "digits"),  # labels
    ],
)
def test_a_program_is_the_loss_its_gradients_and_its_draws(name, data):
    plain, made = make_trainer(name, data), make_trainer(name, data, interpret)
    for one, two in zip(plain.players, made.players, strict=True):
        for progress in (0.1, 0.9):
            first, second = plain.minibatches(progress), made.minibatches(progress)
            loss, other = plain.differentiate(one, first), made.differentiate(two, second)
            assert torch.allclose(loss, other, rtol=1e-5)
            for w, v in zip(one.weights, two.weights, strict=True):
                assert (w.grad is None) == (v.grad is None)
                assert w.grad is None or share_apart(v.grad, w.grad) < 1e-4
    assert made.compiled.reasons == {}
    assert {key[0] for key in made.compiled.programs} == {s.player.name for s in made.players}
    assert torch.equal(plain.noise.state(), made.noise.state())
    assert torch.equal(plain.draws.state(), made.draws.state())


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("dbm", "digits", "what it does depends on a value"),  # of the progress
        ("hinge_sn", "ring", "it puts new tensors in place of its buffers"),
        ("dcgan", "digits", "it convolves"),
        ("cgan", "digits", "what it does depends on a value"),
    ],
)
def test_a_loss_that_no_program_can_be_trains_as_ever(name, data, why):
    plain, made = make_trainer(name, data).run(), make_trainer(name, data, interpret).run()
    assert all(why in reason for reason in made.compiled.reasons.values())
    assert made.compiled.reasons.keys() == {state.player.name for state in made.players}
    for key, x in plain.state()[0].items():
        assert torch.equal(x, made.state()[0][key]), key


def test_a_wrong_program_is_refused():
    def spoil(graph, inputs):
        return lambda *tensors: [x * 1.01 for x in graph(*tensors)]

    plain, made = make_trainer("gan", "ring").run(), make_trainer("gan", "ring", spoil).run()
    assert made.compiled.describe().startswith("not discriminator: its program is 0.01 from")
    for key, x in plain.state()[0].items():
        assert torch.equal(x, made.state()[0][key]), key


def count_up(model):
    model.calls = getattr(model, "calls", 0) + 1


def draw_by_a_fork(model):
    model.stream.fork("more").normal(3)


def draw_by_generators(model):
    torch.rand(1, generator=model.stream.generators[0])


def read_a_tensor_of_its_own(model):
    return model.aside * 1.0


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (count_up, "it changes plain attributes"),
        (draw_by_a_fork, "it draws by a fork"),
        (draw_by_generators, "it draws by generators"),
        (read_a_tensor_of_its_own, "it reads a tensor that is no weight, buffer or draw"),
    ],
)
def test_what_no_program_would_see_is_noticed(act, why):
    trainer = make_trainer("gan", "ring", interpret)
    model, state = trainer.model, trainer.players[0]
    model.__dict__["aside"] = torch.ones(2)

    def loss(batch, rng):
        model.__dict__["stream"] = rng
        act(model)
        return state.player.loss(batch, rng)

    changed = type(state.player)(**{**vars(state.player), "loss": loss})
    model.__dict__["stream"] = None
    before = dict(vars(model))
    trainer.compiled._make(PlayerState(changed, 2), trainer.minibatches(0.0), trainer.noise)
    assert why in trainer.compiled.reasons["discriminator"]
    if act is count_up:
        assert vars(model).keys() == before.keys()


def test_a_killed_run_goes_on_to_the_same_bits():
    whole = make_trainer("gan", "ring", interpret, steps=6).run()
    first = make_trainer("gan", "ring", interpret, steps=6)
    for _ in range(3):
        first.round()
    tensors, plain = first.state()
    second = make_trainer("gan", "ring", interpret, steps=6)
    second.restore({key: x.clone() for key, x in tensors.items()}, plain)
    second.run()
    for key, x in whole.state()[0].items():
        assert torch.equal(x, second.state()[0][key]), key


@pytest.mark.parametrize(("m", "k", "n"), [(16, 16, 2), (2, 16, 16), (3, 9, 1), (16, 8, 1)])
def test_thin_products_are_products(m, k, n):
    a, b = torch.randn(3, m, k, dtype=torch.float64), torch.randn(3, k, n, dtype=torch.float64)
    bias = torch.randn(3, 1, n, dtype=torch.float64)
    for left in (a, a.mT.contiguous().mT):
        assert torch.allclose(multiply(left, b), torch.bmm(left, b))
        assert torch.allclose(multiply_and_add(bias, left, b), torch.baddbmm(bias, left, b))


def test_other_products_are_left_to_the_library():
    wide, few = torch.zeros(1, 8, 8), torch.zeros(1, 8, 2)
    assert multiply(wide, wide) is NotImplemented
    assert multiply(few, few.mT) is NotImplemented  # of two terms
    assert multiply_and_add(few, wide, few, beta=2.0) is NotImplemented


@pytest.mark.skipif(find_lack() is not None, reason=f"it needs {find_lack()}")
def test_compiled_by_inductor(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    plain, made = make_trainer("gmmn", "ring"), make_trainer("gmmn", "ring", compile_graph)
    for trainer in (plain, made):
        trainer.round()
    assert made.compiled.describe() == "generator"
    assert list(tmp_path.rglob("*.so")), "nothing was compiled"
    for name, loss in plain.losses.items():
        assert torch.allclose(loss, made.losses[name], rtol=1e-4)


def test_it_needs_a_compiler_and_headers(tmp_path, monkeypatch):
    options = RunOptions(root=tmp_path, device="cpu", compile="inductor")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setenv("CXX", sys.executable)  # which is there
    with pytest.raises(
        SpecError, match="needs Python's header files, found none; install python3"
    ):
        options.check()
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(SpecError, match=r"needs a C\+\+ compiler, found none; install g\+\+"):
        options.check()
