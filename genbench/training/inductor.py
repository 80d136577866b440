"""Losses with their gradients as programs compiled by Inductor, torch's compiler, which needs a C++ compiler.

Round by round, a small stack spends most of its time between kernels. Here a player's loss and the gradients
of its weights become one program: pointwise operations are fused, buffers are planned, and Python is called
once. A program is traced on tensors without values, so that neither weights nor streams of random numbers
move, and is taken only where it is the loss itself:

- what it draws are its arguments, drawn by the same calls in the same order as without it;
- a loss that reads the progress, draws by forks, changes plain attributes or puts new tensors in place of
  its buffers is not compiled, nor one that waits for values;
- before its first use its loss, gradients and buffers are compared with those of the model's own code.

A player without a program trains as always, and `CompiledLosses.reasons` says why. Sums are in another order,
so that weights agree with those of other runs to rounding alone: cells with compiled losses are cells of
their own (`CellSpec.compiled`).
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from genbench.core.model import Batch
from genbench.core.rng import Rng
from genbench.nn.stacked import differentiable_twice
from genbench.training.graphs import Watched
from genbench.training.players import PlayerState

#: makes a function of the same tensors from a traced graph
Compile = Callable[[torch.fx.GraphModule, list[Tensor]], Callable[..., Sequence[Tensor]]]
#: C++ compilers that torch looks for, beside the one that CXX names
COMPILERS = ("g++", "clang++", "c++")
#: how far a program's numbers may be from the model's own, as a share of their norm
CLOSE = 1e-3
#: rows or columns of a product below which it is computed as a sum
THINNEST = 4
#: shapes of minibatches a player may have programs for
SHAPES = 4


class Refused(Exception):
    """Why a loss is not compiled."""


def find_compiler() -> str | None:
    """Returns the C++ compiler by which Inductor builds programs, or None."""
    names = [os.environ["CXX"]] if os.environ.get("CXX") else COMPILERS
    return next((path for path in map(shutil.which, names) if path), None)


def compile_graph(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Callable[..., Any]:
    """Compiles a graph of tensors for these inputs, in this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch itself
        from torch._inductor import compile_fx, config
    with suppress(ImportError):
        from tqdm import tqdm

        tqdm.set_lock(
            RLock()
        )  # its own is a semaphore of processes, which workers would leave behind
    with config.patch(compile_threads=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch itself
        program: Any = compile_fx.compile_fx(graph, inputs)
    return program


class Draw(Protocol):
    """A call of a stream's method."""

    def __call__(self, rng: Rng) -> Tensor:
        """Draws from a stream."""
        ...


class Stream(Rng):
    """A stream for tracing: notes what is drawn, and hands out given tensors where there are some.

    Arguments:
        like: The stream it stands for, which does not move.
        given: What to hand out, call by call; None hands out tensors without meaning.
    """

    def __init__(self, like: Rng, given: Sequence[Tensor] | None = None) -> None:
        super().__init__(like.seeds, device=like.device, dtype=like.dtype, path=like.path)
        self.calls: list[Draw] = []
        self.given = None if given is None else iter(given)

    def normal(self, *shape: int) -> Tensor:
        """Hands out what stands for normal draws, shape (S, *shape)."""
        return self._note(lambda rng: rng.normal(*shape), shape, self.dtype)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Hands out what stands for uniform draws, shape (S, *shape)."""
        return self._note(lambda rng: rng.uniform(*shape, low=low, high=high), shape, self.dtype)

    def integers(self, high: int, *shape: int) -> Tensor:
        """Hands out what stands for integers, shape (S, *shape)."""
        return self._note(lambda rng: rng.integers(high, *shape), shape, torch.int64)

    def permutation(self, n: int) -> Tensor:
        """Hands out what stands for orders, shape (S, n)."""
        return self._note(lambda rng: rng.permutation(n), (n,), torch.int64)

    def fork(self, *purpose: str | int) -> Rng:
        """Refuses: a fork would draw the same in every round, or move where no program sees it."""
        raise Refused("it draws by a fork")

    @property
    def generators(self) -> list[torch.Generator]:
        """Refuses: what is drawn by them is not seen."""
        raise Refused("it draws by generators")

    def _note(self, call: Draw, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        self.calls.append(call)
        if self.given is not None:
            return next(self.given)
        return torch.zeros((len(self), *shape), dtype=dtype, device=self.device)


@dataclass(frozen=True)
class Program:
    """A player's loss and gradients as a function of tensors.

    Arguments:
        run: Maps the model's tensors, the minibatch's and the draws to the loss (S,) and the gradients.
        draws: What it draws, in order.
        moved: Of the player's weights, those that have a gradient.
    """

    run: Callable[..., Sequence[Tensor]]
    draws: list[Draw]
    moved: list[int]


class CompiledLosses:
    """Differentiates players' losses by programs where there can be one, else as `differentiate` does.

    Arguments:
        model: The stack whose players train.
        compile: Makes a function from a traced graph.
    """

    def __init__(self, model: nn.Module, compile: Compile = compile_graph) -> None:
        self.model, self.compile = model, compile
        self.programs: dict[Any, Program | None] = {}
        #: by player, why its loss is not compiled
        self.reasons: dict[str, str] = {}
        self._places = _find_tensors(model)

    def __call__(self, state: PlayerState, batch: Batch, noise: Rng) -> Tensor:
        """Returns the loss, shape (S,), and leaves the gradients of its sum in the weights' `.grad`."""
        points = _points(batch)
        key = (state.player.name, *(None if x is None else x.shape for x in points))
        if key not in self.programs:
            self.programs[key] = self._make(state, batch, noise)
        program = self.programs[key]
        if program is None:
            return differentiate(state, batch, noise)
        given = [x for x in points if x is not None]
        draws = [draw(noise) for draw in program.draws]
        with torch.no_grad():
            loss, *gradients = program.run(*self._tensors(), *given, *draws)
        for weight in state.weights:
            weight.grad = None
        for i, gradient in zip(program.moved, gradients, strict=True):
            state.weights[i].grad = gradient
        return loss

    def check(self, state: PlayerState) -> None:
        """Refuses players for whom a program is not worth its compilation (docs/speed.md)."""
        if any(w.dim() > 3 for w in state.weights):  # the seed's axis, channels, a kernel's axes
            raise Refused("it convolves, where programs gain nothing")

    def describe(self) -> str:
        """Returns which players' losses are compiled, and why others are not."""
        made = dict.fromkeys(
            key[0] for key, program in self.programs.items() if program is not None
        )
        return "; ".join([*made, *(f"not {name}: {why}" for name, why in self.reasons.items())])

    def _tensors(self) -> list[Tensor]:
        return [place[name].detach() for _, place, name in self._places]

    def _make(self, state: PlayerState, batch: Batch, noise: Rng) -> Program | None:
        name = state.player.name
        if name in self.reasons:
            return None
        try:
            self.check(state)
            if sum(key[0] == name for key in self.programs) >= SHAPES:
                raise Refused("its minibatches have many shapes")
            program = self._compile(state, batch, noise)
            self._compare(program, state, batch, noise)
            return program
        except Exception as error:
            self.reasons[name] = " ".join(f"{error or type(error).__name__}".split())[:200]
            return None

    def _compile(self, state: PlayerState, batch: Batch, noise: Rng) -> Program:
        """Traces a loss, first to know its draws, then as a graph; compiles it."""
        from torch._subclasses.fake_tensor import FakeTensorMode
        from torch.fx.experimental.proxy_tensor import make_fx

        given = [x for x in _points(batch) if x is not None]
        mode = FakeTensorMode()
        fakes = [mode.from_tensor(x) for x in (*self._tensors(), *given)]
        with mode, _unchanged(self.model):
            stream = Stream(noise)
            _, moved = self._differentiate(state, batch, fakes, stream)
            shown = [torch.zeros_like(x) for x in self._draw(stream.calls, Stream(noise))]

            def function(*inputs: Tensor) -> list[Tensor]:
                count = len(fakes)
                again = Stream(noise, inputs[count:])
                values, _ = self._differentiate(state, batch, list(inputs[:count]), again)
                return values

            graph = make_fx(function, THIN, tracing_mode="real")(*fakes, *shown)
        examples = [*self._tensors(), *given, *self._draw(stream.calls, Stream(noise))]
        with torch.no_grad():
            return Program(self.compile(graph, examples), stream.calls, moved)

    @staticmethod
    def _draw(calls: Sequence[Draw], stream: Rng) -> list[Tensor]:
        return [call(stream) for call in calls]

    def _differentiate(
        self, state: PlayerState, batch: Batch, inputs: Sequence[Tensor], stream: Rng
    ) -> tuple[list[Tensor], list[int]]:
        """Returns the loss and gradients of inputs in place of the model's tensors, and of which weights."""
        numbers = {id(place[name]): i for i, (_, place, name) in enumerate(self._places)}
        if any(id(w) not in numbers for w in state.weights):
            raise Refused("it moves weights that are not the model's")
        own = [numbers[id(w)] for w in state.weights]
        tensors = [x.detach().requires_grad_() if i in own else x for i, x in enumerate(inputs)]
        values = {name: x for (name, *_), x in zip(self._places, tensors, strict=False)}
        shown = iter(tensors[len(values) :])
        x, labels, source = (None if part is None else next(shown) for part in _points(batch))
        watched: Any = Watched(float(batch.progress))
        stood_in = replace(batch, x=x, labels=labels, source=source, progress=watched)
        leaf = _Loss(self.model, state.player.loss)
        inside = {f"model.{name}": value for name, value in values.items()}
        with differentiable_twice(), torch.enable_grad():
            loss = torch.func.functional_call(leaf, inside, (stood_in, stream))
            gradients = torch.autograd.grad(
                loss.sum(), [tensors[i] for i in own], allow_unused=True
            )
        if watched.read:
            raise Refused("it reads the progress")
        moved = [i for i, gradient in enumerate(gradients) if gradient is not None]
        return [loss.detach(), *(g for g in gradients if g is not None)], moved

    def _compare(self, program: Program, state: PlayerState, batch: Batch, noise: Rng) -> None:
        """Refuses a program that does not compute what the model's own code does."""
        before = noise.state()
        draws = self._draw(program.draws, noise)
        noise.restore(before)
        given = [x for x in _points(batch) if x is not None]
        kept = [x.clone() for x in self._tensors()]
        loss = differentiate(state, batch, Stream(noise, draws))
        own = [loss, *(w.grad for w in state.weights if w.grad is not None)]
        expected = [x.clone() for x in (*own, *self._tensors())]
        self._put(kept)
        with torch.no_grad():
            got = list(program.run(*self._tensors(), *given, *draws))
        got += [x.clone() for x in self._tensors()]
        self._put(kept)
        far = [
            float((a - b).detach().norm() / b.detach().norm().clamp(min=1e-6))
            for a, b in zip(got, expected, strict=True)
            if b.is_floating_point()
        ]
        if not max(far) < CLOSE:
            raise Refused(f"its program is {max(far):.1g} from the loss as it stands")

    @torch.no_grad()
    def _put(self, values: Sequence[Tensor]) -> None:
        for tensor, value in zip(self._tensors(), values, strict=True):
            tensor.copy_(value)


def differentiate(state: PlayerState, batch: Batch, noise: Rng) -> Tensor:
    """Returns a player's loss, shape (S,), and leaves the gradients of its sum in the weights' `.grad`."""
    loss = state.player.loss(batch, noise)
    state.differentiate(loss)
    return loss


def multiply(a: Tensor, b: Tensor) -> Tensor:
    """Multiplies stacks of matrices, (S, m, k) by (S, k, n), where a side is thin; else is not implemented.

    A library's kernel takes as long for two columns as for 64. As sums of pointwise products they are fused
    with what surrounds them, vectors running along the axis that is contiguous.
    """
    m, k, n = *a.shape[1:], b.shape[2]
    if min(m, n) > THINNEST or k <= THINNEST:  # of few terms Inductor makes such sums itself
        return NotImplemented
    if m > n and a.stride(2) != 1:
        return multiply(b.mT, a.mT).mT
    if n <= THINNEST:
        return (a.unsqueeze(2) * b.mT.unsqueeze(1)).sum(3)
    return (a.unsqueeze(3) * b.unsqueeze(1)).sum(2)


def multiply_and_add(bias: Tensor, a: Tensor, b: Tensor, **scales: float) -> Tensor:
    """Adds a bias to a product of stacks of matrices where a side is thin; else is not implemented."""
    product = NotImplemented if scales else multiply(a, b)
    return product if product is NotImplemented else bias + product


#: how operations of a graph are computed by others
THIN = {torch.ops.aten.bmm.default: multiply, torch.ops.aten.baddbmm.default: multiply_and_add}


class _Loss(nn.Module):
    """A loss as a module around the model, whose tensors may then be replaced."""

    def __init__(self, model: nn.Module, loss: Callable[[Batch, Rng], Tensor]) -> None:
        super().__init__()
        self.model, self.loss = model, loss

    def forward(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the loss, shape (S,)."""
        before = [id(x) for x in self.model.buffers()]
        loss = self.loss(batch, rng)
        if [id(x) for x in self.model.buffers()] != before:
            raise Refused("it puts new tensors in place of its buffers")
        return loss


def _find_tensors(model: nn.Module) -> list[tuple[str, dict[str, Any], str]]:
    """Returns every weight and buffer once: its name, and the dictionary and key where it stands."""
    modules = dict(model.named_modules())
    found = []
    for kind, named in (
        ("_parameters", model.named_parameters),
        ("_buffers", model.named_buffers),
    ):
        for path, _ in named():
            owner, _, name = path.rpartition(".")
            found.append((path, getattr(modules[owner], kind), name))
    return found


def _points(batch: Batch) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    return batch.x, batch.labels, batch.source


@contextmanager
def _unchanged(model: nn.Module) -> Iterator[None]:
    """Refuses where plain attributes of a module change inside, and puts them back."""
    modules = [*model.modules()]
    before = [_plain(module) for module in modules]
    changed = False
    try:
        yield
    finally:
        for module, attributes in zip(modules, before, strict=True):
            now = _plain(module)
            if now.keys() != attributes.keys() or any(
                not _same(now[name], value) for name, value in attributes.items()
            ):
                changed = True
                for name in now.keys() - attributes.keys():
                    delattr(module, name)
                module.__dict__.update(attributes)
    if changed:
        raise Refused("it changes plain attributes")


def _same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return a is b or (isinstance(a, int | float | str) and a == b)


def _plain(module: nn.Module) -> dict[str, Any]:
    """Attributes that are numbers, words or collections of such; collections are copied."""
    return {
        name: type(value)(value) if isinstance(value, list | dict) else value
        for name, value in vars(module).items()
        if not name.startswith("_") or isinstance(value, int | float)
        if isinstance(value, int | float | str | tuple | list | dict | type(None))
        if name != "training"
    }
