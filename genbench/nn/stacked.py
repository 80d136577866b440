"""Stacked multi-layer perceptrons as one node of autograd's graph, with kernels that work in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

_aten: Any = torch.ops.aten
#: whether some caller is about to differentiate twice
_twice = [False]


@dataclass(frozen=True)
class Activation:
    """A pointwise function, and how a gradient is pulled back through it in place.

    Arguments:
        function: Maps a tensor to a new one, differentiably.
        in_place: Replaces a tensor by its image; None where the derivative needs what stood there.
        pull_: Multiplies a gradient, in place, by the derivative; its second argument is the image
            where `in_place` exists, else what was mapped.
    """

    function: Callable[[Tensor], Tensor]
    in_place: Callable[[Tensor], Tensor] | None
    pull_: Callable[[Tensor, Tensor], Tensor]

    def __call__(self, x: Tensor) -> Tensor:
        """Maps a tensor to a new one, differentiably."""
        return self.function(x)


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(
        functional.relu,
        torch.relu_,
        lambda g, y: _aten.threshold_backward.grad_input(g, y, 0, grad_input=g),
    ),
    "leaky_relu": Activation(
        lambda x: functional.leaky_relu(x, 0.2),
        lambda x: functional.leaky_relu_(x, 0.2),
        lambda g, y: _aten.leaky_relu_backward.grad_input(g, y, 0.2, True, grad_input=g),
    ),
    "tanh": Activation(
        torch.tanh,
        torch.tanh_,
        lambda g, y: _aten.tanh_backward.grad_input(g, y, grad_input=g),
    ),
    "elu": Activation(
        functional.elu,
        functional.elu_,
        lambda g, y: _aten.elu_backward.grad_input(g, 1.0, 1.0, 1.0, True, y, grad_input=g),
    ),
    "silu": Activation(
        functional.silu,
        None,
        lambda g, x: _aten.silu_backward.grad_input(g, x, grad_input=g),
    ),
    "softplus": Activation(
        functional.softplus,
        None,
        lambda g, x: _aten.softplus_backward.grad_input(g, x, 1.0, 20.0, grad_input=g),
    ),
}


@contextmanager
def differentiable_twice() -> Iterator[None]:
    """Runs perceptrons operation by operation, which costs less where gradients are differentiated again.

    Without it the second derivative is right as well, after one more pass.
    """
    before, _twice[0] = _twice[0], True
    try:
        yield
    finally:
        _twice[0] = before


def run_layers(x: Tensor, weights: Sequence[Tensor], activation: Activation) -> Tensor:
    """Runs S perceptrons, (S, B, inputs) to (S, B, outputs).

    On a CPU without autocast it is one node of the graph: products, then biases and activations in
    place, and of the backward pass the same. Gradients agree with autograd's to rounding.

    Arguments:
        x: Inputs, shape (S, B, inputs).
        weights: Weight (S, a, b) and bias (S, 1, b) of one layer after the other.
        activation: Between layers.
    """
    if _twice[0] or x.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return _run_plainly(x, weights, activation)
    return _StackedLayers.apply(activation, x, *weights)


def _run_plainly(x: Tensor, weights: Sequence[Tensor], activation: Activation) -> Tensor:
    for weight, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        x = activation(torch.baddbmm(bias, x, weight))
    return torch.baddbmm(weights[-1], x, weights[-2])


class _StackedLayers(torch.autograd.Function):
    """The node: inputs are the activation, x, then weight and bias of one layer after the other."""

    @staticmethod
    def forward(ctx: Any, activation: Activation, x: Tensor, *weights: Tensor) -> Tensor:
        layers = len(weights) // 2
        inputs, pulls, y = [x], [], x
        for i in range(layers):
            y = torch.bmm(y, weights[2 * i]).add_(weights[2 * i + 1])
            if i < layers - 1:
                before = y
                y = activation(y) if activation.in_place is None else activation.in_place(y)
                pulls.append(before)  # the image itself where the activation works in place
                inputs.append(y)
        ctx.activation, ctx.inputs, ctx.pulls = activation, inputs, pulls
        ctx.save_for_backward(x, *weights)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        of_x, *needed = _wanted(ctx)
        (x, *weights), inputs, count = ctx.saved_tensors, ctx.inputs, len(needed)
        if torch.is_grad_enabled():
            return (None, *_differentiate(x, weights, ctx, gradient))
        gradients: list[Tensor | None] = [None] * count
        for i in reversed(range(count // 2)):
            if needed[2 * i]:
                gradients[2 * i] = torch.bmm(inputs[i].mT, gradient)
            if needed[2 * i + 1]:
                gradients[2 * i + 1] = gradient.sum(1, keepdim=True)
            if i:
                gradient = torch.bmm(gradient, weights[2 * i].mT)
                ctx.activation.pull_(gradient, ctx.pulls[i - 1])
        of_input = torch.bmm(gradient, weights[0].mT) if of_x else None
        return (None, of_input, *gradients)


def _wanted(ctx: Any) -> Sequence[bool]:
    """Returns of which tensors the running backward pass wants gradients.

    A player's pass runs through the other's network: `needs_input_grad` is true for weights that
    `backward(inputs=…)` leaves out, where half of the products would be for nothing.
    """
    try:
        return [
            node is not None and torch._C._will_engine_execute_node(node)
            for node, _ in ctx.next_functions
        ]
    except RuntimeError:  # not to be known of leaves under torch.autograd.grad
        return ctx.needs_input_grad[1:]


def _differentiate(
    x: Tensor, weights: Sequence[Tensor], ctx: Any, gradient: Tensor
) -> list[Tensor | None]:
    """Returns the gradients of x and of the weights as functions that can be differentiated again."""
    y = _run_plainly(x, weights, ctx.activation)
    places = [i for i, need in enumerate(ctx.needs_input_grad[1:]) if need]
    everything = (x, *weights)
    parts = torch.autograd.grad(y, [everything[i] for i in places], gradient, create_graph=True)
    gradients: list[Tensor | None] = [None] * len(everything)
    for place, part in zip(places, parts, strict=True):
        gradients[place] = part
    return gradients
