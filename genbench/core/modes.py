"""Torch's modes, which change what every computation in a process or a thread gives, and genbench's own.

A caller's `inference_mode`, `autocast` or default type would change numbers without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec("P")
T = TypeVar("T")
#: devices of which a caller may let operations run in half precision
CAST = ("cpu", "cuda")


@dataclass(frozen=True)
class Modes:
    """What a session of torch is set to.

    Arguments:
        device: Where new tensors are made.
        dtype: Their type.
        gradients: Whether operations are recorded for a backward pass.
        inference: Whether tensors are made that can never have gradients.
        products: How exact products of matrices are; "" where torch cannot say.
        casts: The types in which operations run, by device; without a device as they are.
    """

    device: torch.device
    dtype: torch.dtype = torch.float32
    gradients: bool = True
    inference: bool = False
    products: str = "highest"
    casts: tuple[tuple[str, torch.dtype], ...] = ()


#: those under which genbench computes, as its commands do
OWN = Modes(torch.device("cpu"))
_callers: ContextVar[Modes | None] = ContextVar("callers", default=None)


def find_modes() -> Modes:
    """Returns what this session is set to."""
    casts = (
        (kind, torch.get_autocast_dtype(kind)) for kind in CAST if torch.is_autocast_enabled(kind)
    )
    return Modes(
        torch.get_default_device(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        _find_products(),
        tuple(casts),
    )


@contextmanager
def hold(modes: Modes) -> Iterator[None]:
    """Lets a body compute under modes; afterwards those before hold again."""
    before = find_modes()
    with ExitStack() as stack:
        if modes.inference != before.inference:
            stack.enter_context(torch.inference_mode(modes.inference))
        stack.enter_context(torch.set_grad_enabled(modes.gradients))
        if modes.casts != before.casts:
            for kind in CAST:
                _cast(stack, kind, dict(modes.casts).get(kind))
        if modes.device != before.device:
            stack.enter_context(modes.device)
        if modes.dtype != before.dtype:
            stack.callback(torch.set_default_dtype, before.dtype)
            torch.set_default_dtype(modes.dtype)
        if modes.products != before.products and modes.products and before.products:
            stack.callback(torch.set_float32_matmul_precision, before.products)
            torch.set_float32_matmul_precision(modes.products)
        yield


def in_own_modes(function: Callable[P, T]) -> Callable[P, T]:
    """Returns a function that gives the same numbers whatever its caller has set torch to."""

    @wraps(function)
    def call(*args: P.args, **options: P.kwargs) -> T:
        token = _callers.set(find_modes())
        try:
            with hold(OWN):
                return function(*args, **options)
        finally:
            _callers.reset(token)

    return call


@contextmanager
def in_callers_modes() -> Iterator[None]:
    """Lets the caller's own code, in a function that holds genbench's modes, run as its author expects."""
    modes = _callers.get()
    with hold(find_modes() if modes is None else modes):
        yield


def _cast(stack: ExitStack, kind: str, dtype: torch.dtype | None) -> None:
    if dtype is not None or torch.is_autocast_enabled(kind):
        stack.enter_context(torch.autocast(kind, dtype=dtype, enabled=dtype is not None))


def _find_products() -> str:
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:  # set device by device, by torch's newer names
        return ""
