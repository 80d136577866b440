"""Rules, and what tells a plugin that breaks one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from genbench.core.guard import unchanged
from genbench.core.splits import fault_of_tensor

#: on what a rule is checked, such as a data set; empty where there is nothing to choose
Case = tuple[str, ...]
#: maps a plugin's name to the cases of a rule; none where the rule does not apply
Cases = Callable[[str], Sequence[Case]]


class Broken(AssertionError):
    """A rule is broken; the text says what was expected, what was got and what to do."""


class Unchecked(Exception):
    """A rule applies and could not be checked; the text says why, so that nobody takes it for kept."""


@dataclass(frozen=True)
class Rule:
    """A rule that plugins of one kind keep.

    Arguments:
        kind: The kind, as its registry calls it.
        check: Called with a plugin's name and a case; raises Broken, or whatever the plugin raises.
        cases: On what it is checked.
        first: Whether the others say nothing where this one is broken.
    """

    kind: str
    check: Callable[..., None]
    cases: Cases
    first: bool = False

    @property
    def name(self) -> str:
        """The function's name, in words."""
        return self.check.__name__.replace("_", " ")

    @property
    def sentence(self) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(self.check) or "").split("\n")[0]


RULES: list[Rule] = []
#: stands for code that the guard trusts in nothing, so that it compares checksums, of built-in plugins too
STRANGER = object()


def once(name: str) -> list[Case]:
    """Returns the one case of a rule that has nothing to choose."""
    return [()]


def rule(
    kind: str, cases: Cases = once, *, first: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Returns a decorator that makes a function a rule of a kind; the function is handed back."""

    def register(check: Callable[..., None]) -> Callable[..., None]:
        RULES.append(Rule(kind, check, cases, first))
        return check

    return register


def rules_of(kind: str) -> list[Rule]:
    """Returns the rules of a kind; those that come first are first."""
    return sorted((one for one in RULES if one.kind == kind), key=lambda one: not one.first)


def expect(condition: Any, sentence: str) -> None:
    """Raises Broken with a sentence unless a condition holds."""
    if not bool(condition):
        raise Broken(sentence)


def expect_none(fault: str | None) -> None:
    """Raises Broken with a fault, if there is one."""
    expect(fault is None, fault or "")


def left_alone(who: str, *inputs: object) -> AbstractContextManager[None]:
    """Refuses a body that writes into the tensors that it is given, by whatever way.

    Arguments:
        who: What is called, as the error names it.
        inputs: What it is given; all but tensors are left out.

    Raises:
        ChangedInput: If an input is not what it was, whatever else the body raised.
    """
    return unchanged(who, inputs, code=STRANGER)


def expect_tensor(
    x: Any, what: str, shape: Sequence[int], dtype: torch.dtype | None = None, *, fix: str
) -> None:
    """Raises Broken unless x is a finite tensor of a shape (and a type, where one is given)."""
    expect_none(fault_of_tensor(x, what, shape, dtype, fix))


def expect_equal(one: Tensor, two: Tensor, what: str, *, fix: str) -> None:
    """Raises Broken unless two tensors are the same, bit for bit."""
    same = one.shape == two.shape and torch.equal(one, two)
    if not same:  # to say how they differ takes copies of both
        raise Broken(f"{what} needs the same bits, got {_difference(one, two)}; {fix}")


def expect_close(
    one: Tensor, two: Tensor, what: str, tolerance: float = 1e-9, *, fix: str
) -> None:
    """Raises Broken unless two tensors are the same up to a relative and absolute tolerance."""
    same = one.shape == two.shape and one.dtype == two.dtype
    same = same and torch.allclose(one, two, rtol=tolerance, atol=tolerance, equal_nan=True)
    if not same:
        raise Broken(f"{what} needs the same values, got {_difference(one, two)}; {fix}")


def _difference(one: Tensor, two: Tensor) -> str:
    """How two tensors differ, in words."""
    if one.shape != two.shape:
        return f"shapes {tuple(one.shape)} and {tuple(two.shape)}"
    if one.dtype != two.dtype:
        return f"{one.dtype} and {two.dtype}"
    gap = (one.double() - two.double()).abs()
    return f"a difference of {gap.max().item():.3g} in {int((one != two).sum())} of {one.numel()} values"
