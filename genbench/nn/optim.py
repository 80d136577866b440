"""Optimisers that act on every weight on its own, so that seeds in a stack do not meet."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from genbench.core.errors import SpecError
from genbench.core.model import Optimizer

#: makes an optimiser of weights, as `Player` wants it
Maker = Callable[[Iterable[nn.Parameter]], Optimizer]


class Elementwise(ABC):
    """The skeleton of optimisers whose update of one weight reads that weight's gradient and state alone.

    Arguments:
        parameters: The weights.
        lr: The step size.
        kinds: Names of the tensors of state that a weight has, of its shape and zero at first.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, *kinds: str) -> None:
        if not 0 <= lr < math.inf:
            raise SpecError(f"an optimiser needs lr >= 0, got {lr}; the usual are 1e-4 to 1e-2")
        self.parameters = list(parameters)
        self.param_groups: list[dict[str, Any]] = [{"params": self.parameters, "lr": lr}]
        self.states = {kind: [torch.zeros_like(p) for p in self.parameters] for kind in kinds}

    @abstractmethod
    def step(self) -> None:
        """Moves the weights by their `.grad`; weights without one stay."""

    def state_dict(self) -> dict[str, Any]:
        """Returns tensors only, by name."""
        return {f"{k}.{i}": x for k, tensors in self.states.items() for i, x in enumerate(tensors)}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """Takes up a state of `state_dict`."""
        with torch.no_grad():
            for name, tensor in self.state_dict().items():
                tensor.copy_(state[name])


class Adam(Elementwise):
    """Adam and AdamW (decoupled decay) by torch's fused kernel, called directly.

    `torch.optim.Adam` imports torch._dynamo on first use, 2.5 s; the kernel under it does not. Where
    the kernel is missing or the device has none, the update is computed with foreach operations.

    References:
        | Adam: A Method for Stochastic Optimization (Kingma and Ba, 2015), algorithm 1
        | Decoupled Weight Decay Regularization (Loshchilov and Hutter, 2019), algorithm 2

    Arguments:
        parameters: The weights.
        lr: The step size.
        betas: The decays of the two moments.
        eps: Added to the root of the second moment.
        weight_decay: The decoupled decay, times lr; 0 is plain Adam.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        if not all(0 <= beta < 1 for beta in betas) or not weight_decay >= 0:
            raise SpecError(
                f"Adam needs decays of at least 0 and below 1, and weight_decay >= 0, got betas={betas} and "
                f"weight_decay={weight_decay}; the usual are (0.9, 0.999) and 0"
            )
        super().__init__(parameters, lr, "first", "second")
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay
        device = self.parameters[0].device if self.parameters else None
        #: updates of every weight; `states` holds its entries, which share its memory
        self._updates = torch.zeros(len(self.parameters), dtype=torch.float32, device=device)
        self.states["steps"] = list(self._updates.unbind())
        self._kernel: Callable[..., None] | None = getattr(torch, "_fused_adamw_", None)

    @torch.no_grad()
    def step(self) -> None:
        """Moves the weights by their `.grad`; weights without one stay."""
        params, grads = self.parameters, [p.grad for p in self.parameters]
        first, second, steps = self.states.values()
        if any(g is None for g in grads):
            live = [i for i, g in enumerate(grads) if g is not None]
            if not live:
                return
            params, grads = [params[i] for i in live], [grads[i] for i in live]
            first, second, steps = ([x[i] for i in live] for x in self.states.values())
            torch._foreach_add_(steps, 1)
        else:
            self._updates.add_(1)
        if self._kernel is not None:
            self._kernel(
                params,
                grads,
                first,
                second,
                [],
                steps,
                lr=self.param_groups[0]["lr"],
                beta1=self.betas[0],
                beta2=self.betas[1],
                weight_decay=self.weight_decay,
                eps=self.eps,
                amsgrad=False,
                maximize=False,
            )
        else:
            self._plain(params, grads, first, second, steps)

    def _plain(
        self,
        params: list[nn.Parameter],
        grads: list[Tensor | None],
        first: list[Tensor],
        second: list[Tensor],
        steps: list[Tensor],
    ) -> None:
        lr, (beta1, beta2) = self.param_groups[0]["lr"], self.betas
        for p, g, m, v, t in zip(params, grads, first, second, steps, strict=True):
            assert g is not None
            p.mul_(1 - lr * self.weight_decay)
            m.lerp_(g, 1 - beta1)
            v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
            count = t.item()  # a power of a float32 tensor would round 1 - beta2**t to four digits
            root = (v / (1 - beta2**count)).sqrt_().add_(self.eps)
            p.addcdiv_(m, root, value=-lr / (1 - beta1**count))


class SGD(Elementwise):
    """Stochastic gradient descent with heavy-ball momentum (torch's convention, no dampening)."""

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, momentum: float = 0.0
    ) -> None:
        super().__init__(parameters, lr, "velocity")
        self.momentum = momentum

    @torch.no_grad()
    def step(self) -> None:
        """Moves the weights by their `.grad`; weights without one stay."""
        for p, velocity in zip(self.parameters, self.states["velocity"], strict=True):
            if p.grad is not None:
                velocity.mul_(self.momentum).add_(p.grad)
                p.add_(velocity, alpha=-self.param_groups[0]["lr"])


class RMSProp(Elementwise):
    """RMSProp without momentum: the step over the root of the squared gradient's running average.

    Torch's convention: the average starts at zero without correction, eps is added to the root.

    References:
        | Neural Networks for Machine Learning, lecture 6e (Tieleman and Hinton, 2012)

    Arguments:
        parameters: The weights.
        lr: The step size.
        decay: The decay of the running average.
        eps: Added to the root.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        decay: float = 0.99,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr, "second")
        self.decay, self.eps = decay, eps

    @torch.no_grad()
    def step(self) -> None:
        """Moves the weights by their `.grad`; weights without one stay."""
        for p, second in zip(self.parameters, self.states["second"], strict=True):
            if p.grad is not None:
                second.mul_(self.decay).addcmul_(p.grad, p.grad, value=1 - self.decay)
                root = second.sqrt().add_(self.eps)
                p.addcdiv_(p.grad, root, value=-self.param_groups[0]["lr"])


#: optimisers whose update of one weight reads that weight's gradient and state alone
ELEMENTWISE: tuple[type, ...] = (Adam, SGD, RMSProp)


def adam(lr: float, betas: tuple[float, float] = (0.9, 0.999), weight_decay: float = 0.0) -> Maker:
    """Returns a maker of Adam optimisers."""
    return partial(Adam, lr=lr, betas=betas, weight_decay=weight_decay)


def sgd(lr: float, momentum: float = 0.0) -> Maker:
    """Returns a maker of SGD optimisers."""
    return partial(SGD, lr=lr, momentum=momentum)


def rmsprop(lr: float, decay: float = 0.99) -> Maker:
    """Returns a maker of RMSProp optimisers."""
    return partial(RMSProp, lr=lr, decay=decay)


def linear_decay(last: float = 0.0) -> Callable[[float], float]:
    """Returns a schedule that falls from 1 to `last` over the budget."""
    return lambda progress: 1.0 - (1.0 - last) * min(progress, 1.0)


def clip_by_seed(weights: list[nn.Parameter], largest: float) -> None:
    """Scales every seed's gradient so that its norm over all weights is at most `largest`."""
    grads = [w.grad for w in weights if w.grad is not None]
    squares = torch._foreach_mul(grads, grads)
    square = torch.stack([q.flatten(1).sum(1) for q in squares]).sum(0)
    factor = (largest / (square.sqrt() + 1e-12)).clamp(max=1.0)
    torch._foreach_mul_(grads, [factor.view(-1, *(1 for _ in g.shape[1:])) for g in grads])
