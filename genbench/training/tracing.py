"""A player's loss and gradients as a graph of operations, traced on tensors without values.

What is traced sees the model's tensors, the minibatch's and all draws as arguments; nothing of the model
and no stream of random numbers moves. A loss that a graph cannot be is refused with its reason (`Refused`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from genbench.core.model import Batch
from genbench.core.rng import Rng
from genbench.nn.stacked import differentiable_twice
from genbench.training.players import PlayerState

#: a call of a stream's method
Draw = Callable[[Rng], Tensor]


class Refused(Exception):
    """Why a loss is not compiled."""


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


class Tensors:
    """Every weight and buffer of a model once, where it stands now.

    Arguments:
        model: Whose they are.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        modules = dict(model.named_modules())
        self._places: list[tuple[str, dict[str, Any], str]] = []
        for kind, named in (
            ("_parameters", model.named_parameters),
            ("_buffers", model.named_buffers),
        ):
            for path, _ in named():
                owner, _, name = path.rpartition(".")
                self._places.append((path, getattr(modules[owner], kind), name))

    @property
    def names(self) -> list[str]:
        """Their names in the model."""
        return [path for path, *_ in self._places]

    def read(self) -> list[Tensor]:
        """Returns them, detached."""
        return [place[name].detach() for _, place, name in self._places]

    def find(self, weights: Sequence[Tensor]) -> list[int]:
        """Returns the numbers of a player's weights among them.

        Raises:
            Refused: If one is not among them.
        """
        numbers = {id(place[name]): i for i, (_, place, name) in enumerate(self._places)}
        if any(id(w) not in numbers for w in weights):
            raise Refused("it moves weights that are not the model's")
        return [numbers[id(w)] for w in weights]

    @torch.no_grad()
    def put(self, values: Sequence[Tensor]) -> None:
        """Copies values into them."""
        for tensor, value in zip(self.read(), values, strict=True):
            tensor.copy_(value)


@dataclass(frozen=True)
class Traced:
    """A player's loss and gradients as a graph.

    Arguments:
        graph: Maps the model's tensors, the minibatch's and the draws to the loss (S,) and the gradients.
        examples: Such tensors.
        draws: What it draws, in order.
        moved: Of the player's weights, those that have a gradient.
    """

    graph: torch.fx.GraphModule
    examples: list[Tensor]
    draws: list[Draw]
    moved: list[int]


def points_of(batch: Batch) -> list[Tensor]:
    """Returns the tensors of a minibatch that are there, and the progress as one without axes."""
    progress = torch.full((), batch.progress, dtype=torch.float64, device=batch.x.device)
    return [*(x for x in _points(batch) if x is not None), progress]


def trace_loss(
    tensors: Tensors,
    state: PlayerState,
    batch: Batch,
    noise: Rng,
    *,
    others: Mapping[Any, Callable[..., Any]],
) -> Traced:
    """Traces a player's loss and gradients, first to know its draws, then as a graph.

    Arguments:
        tensors: Those of the stack that the player belongs to.
        state: The player.
        batch: A minibatch of the shapes that are meant.
        noise: The stream that the loss draws from, which does not move.
        others: Functions in place of operations; they may return NotImplemented.

    Raises:
        Refused: If it can be no graph.
    """
    from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
    from torch.fx.experimental.proxy_tensor import make_fx

    mode, inputs = FakeTensorMode(), [*tensors.read(), *points_of(batch)]
    fakes = [mode.from_tensor(x) for x in inputs]
    with mode, _unchanged(tensors.model):
        stream = Stream(noise)
        try:
            _, moved = _differentiate(tensors, state, batch, fakes, stream)
        except DataDependentOutputException:
            raise Refused("what it does depends on a value") from None
        except AssertionError as error:
            if "non_fake" not in str(error):
                raise
            raise Refused("it reads a tensor that is no weight, buffer or draw") from None
        draws = [draw(Stream(noise)) for draw in stream.calls]

        def function(*inputs: Tensor) -> list[Tensor]:
            again = Stream(noise, inputs[len(fakes) :])
            return _differentiate(tensors, state, batch, inputs[: len(fakes)], again)[0]

        graph = make_fx(function, dict(others), tracing_mode="real")(*fakes, *draws)
    examples = [*inputs, *(draw(Stream(noise)) for draw in stream.calls)]
    return Traced(graph, examples, stream.calls, moved)


def _differentiate(
    tensors: Tensors,
    state: PlayerState,
    batch: Batch,
    inputs: Sequence[Tensor],
    stream: Rng,
) -> tuple[list[Tensor], list[int]]:
    """Returns the loss and gradients of inputs in place of the model's tensors, and of which weights."""
    own = tensors.find(state.weights)
    leaves = [x.detach().requires_grad_() if i in own else x for i, x in enumerate(inputs)]
    values = {f"model.{name}": x for name, x in zip(tensors.names, leaves, strict=False)}
    rest = iter(leaves[len(values) :])
    x, labels, source = (None if part is None else next(rest) for part in _points(batch))
    progress: Any = next(rest)
    stood_in = replace(batch, x=x, labels=labels, source=source, progress=progress)
    loss_of = _Loss(tensors.model, state.player.loss)
    with differentiable_twice(), torch.enable_grad():
        loss = torch.func.functional_call(loss_of, values, (stood_in, stream))
        gradients = torch.autograd.grad(loss.sum(), [leaves[i] for i in own], allow_unused=True)
    moved = [i for i, gradient in enumerate(gradients) if gradient is not None]
    return [loss.detach(), *(g for g in gradients if g is not None)], moved


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
