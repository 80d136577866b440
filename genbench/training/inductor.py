"""Losses with their gradients as programs compiled by Inductor, torch's compiler, which needs a C++ compiler.

Round by round, a small stack spends most of its time between kernels. Here a player's loss and the gradients
of its weights become one program: pointwise operations are fused, buffers are planned, and Python is called
once. A program is traced on tensors without values, so that neither weights nor streams of random numbers
move, and is taken only where it is the loss itself:

- what it draws are its arguments, drawn by the same calls in the same order as without it;
- a loss that draws by forks, changes plain attributes or puts new tensors in place of its buffers is not
  compiled, nor one that does this or that depending on a value, be it the progress;
- before its first use its loss, gradients and buffers are compared with those of the model's own code.

A player without a program trains as always, and `CompiledLosses.reasons` says why. Sums are in another order,
which may depend on the number of seeds, so that weights agree with those of other runs to rounding alone:
cells with compiled losses are cells of their own (`CellSpec.compiled`).
"""

from __future__ import annotations

import os
import shutil
import sysconfig
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import Any

import torch
from torch import Tensor, nn

from genbench.core.model import Batch
from genbench.core.rng import Rng
from genbench.training.players import PlayerState
from genbench.training.tracing import Draw, Refused, Stream, Tensors, points_of, trace_loss

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


def find_lack() -> str | None:
    """Returns what Inductor lacks here to build programs, and what brings it, or None."""
    names = [os.environ["CXX"]] if os.environ.get("CXX") else COMPILERS
    if not any(map(shutil.which, names)):
        return "a C++ compiler, found none; install g++"
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        return "Python's header files, found none; install python3-dev"
    return None


def compile_graph(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Callable[..., Any]:
    """Compiles a graph of tensors for these inputs, in this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch itself
        from torch._inductor import compile_fx, config
    with suppress(ImportError):
        from tqdm import tqdm

        tqdm.set_lock(RLock())  # its own is a semaphore, which workers leave behind
    with config.patch(compile_threads=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch itself
        program: Any = compile_fx.compile_fx(graph, inputs)
    return program


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
    """Differentiates players' losses by programs where there can be one, else by the player itself.

    Arguments:
        model: The stack whose players train.
        compile: Makes a function from a traced graph.
    """

    def __init__(self, model: nn.Module, compile: Compile = compile_graph) -> None:
        self.compile = compile
        self.programs: dict[Any, Program | None] = {}
        #: by player, why its loss is not compiled
        self.reasons: dict[str, str] = {}
        self._tensors = Tensors(model)

    def __call__(self, state: PlayerState, batch: Batch, noise: Rng) -> Tensor:
        """Returns the loss, shape (S,), and leaves the gradients of its sum in the weights' `.grad`."""
        points = points_of(batch)
        key = (state.player.name, *(x.shape for x in points))
        if key not in self.programs:
            self.programs[key] = self._make(state, batch, noise)
        program = self.programs[key]
        if program is None:
            return state.differentiate(batch, noise)
        draws = [draw(noise) for draw in program.draws]
        with torch.no_grad():
            loss, *gradients = program.run(*self._tensors.read(), *points, *draws)
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
        names = dict.fromkeys(
            key[0] for key, program in self.programs.items() if program is not None
        )
        return "; ".join([*names, *(f"not {name}: {why}" for name, why in self.reasons.items())])

    def _make(self, state: PlayerState, batch: Batch, noise: Rng) -> Program | None:
        name = state.player.name
        if name in self.reasons:
            return None
        try:
            self.check(state)
            if sum(key[0] == name for key in self.programs) >= SHAPES:
                raise Refused("its minibatches have many shapes")
            traced = trace_loss(self._tensors, state, batch, noise, others=THIN)
            with torch.no_grad():
                run = self.compile(traced.graph, traced.examples)
            program = Program(run, traced.draws, traced.moved)
            self._compare(program, state, batch, noise)
            return program
        except Exception as error:
            self.reasons[name] = " ".join(f"{error or type(error).__name__}".split())[:200]
            return None

    def _compare(self, program: Program, state: PlayerState, batch: Batch, noise: Rng) -> None:
        """Refuses a program that does not compute what the model's own code does."""
        batch = replace(batch, progress=0.5)  # where nothing that rises or falls is at its end
        before, values = noise.state(), [x.clone() for x in self._tensors.read()]
        draws = [draw(noise) for draw in program.draws]
        noise.restore(before)
        try:
            loss = state.differentiate(batch, Stream(noise, draws))
            gradients = [w.grad for w in state.weights if w.grad is not None]
            own = [x.detach().clone() for x in (loss, *gradients, *self._tensors.read())]
            self._tensors.put(values)
            with torch.no_grad():
                numbers = list(program.run(*self._tensors.read(), *points_of(batch), *draws))
            numbers += [x.clone() for x in self._tensors.read()]
        finally:
            self._tensors.put(values)
        far = [_share_apart(a, b) for a, b in zip(numbers, own, strict=True)]
        if not all(share < CLOSE for share in far):  # nan is not
            raise Refused(f"its program is {max(far):.1g} from the loss as it stands")


def _share_apart(a: Tensor, b: Tensor) -> float:
    if not b.is_floating_point():
        return 0.0
    return float((a - b).norm() / b.norm().clamp(min=1e-6))


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
