"""What all functions of the front door have in common: their own modes of torch, and names that are known."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from genbench.core.asked import as_path, list_names, refuse_names
from genbench.core.modes import in_own_modes
from genbench.running.suites import RunOptions

P = ParamSpec("P")
T = TypeVar("T")
#: what `run` and `tune` hand on to how something is run
HOW = tuple(field.name for field in fields(RunOptions) if field.name not in ("root", "named"))


def make_options(results: Any, options: Mapping[str, Any]) -> RunOptions:
    """Returns how something is run, from a results folder and fields of `RunOptions` as a caller has them.

    Raises:
        SpecError: If a path is none, or a field has a value that is not allowed.
    """
    read = dict(options)
    if read.get("data_dir") is not None:
        read["data_dir"] = as_path(read["data_dir"], "data_dir")
    if "plugins" in read:
        read["plugins"] = tuple(list_names(read["plugins"]))
    return RunOptions(root=as_path(results), **read)


def front_door(more: Iterable[str] = ()) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Returns a decorator of public functions.

    What they return does not depend on what a session has set torch to, and an argument that they do not
    have is refused with its nearest match.

    Arguments:
        more: Names that the function takes beside those in its signature.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        parameters = inspect.signature(function).parameters.values()
        named = {one.name for one in parameters if one.kind is not one.VAR_KEYWORD} | {*more}
        inner = in_own_modes(function)

        @wraps(function)
        def call(*args: P.args, **options: P.kwargs) -> T:
            refuse_names(function.__name__, options, named)
            return inner(*args, **options)

        return call

    return decorate
