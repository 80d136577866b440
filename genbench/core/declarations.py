"""What a plugin says of itself is checked when it registers: one sentence with its file, no later crash."""

from __future__ import annotations

import difflib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from genbench.core.errors import ContractError

#: what plugins may be called, so that folders and commands can name them
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
#: whether a value will do, and what is needed in words
Need = tuple[Callable[[Any], bool], str]


def is_whole(value: object) -> bool:
    """Returns whether a value is a whole number, and not True or False."""
    return isinstance(value, int) and not isinstance(value, bool)


def are_texts(value: object) -> bool:
    """Returns whether a value is a tuple or a list of texts."""
    return isinstance(value, (tuple, list)) and all(isinstance(one, str) for one in value)


def one_of(allowed: Iterable[str]) -> Need:
    """Returns the need for one of some texts."""
    names = tuple(allowed)
    return (
        lambda value: isinstance(value, str) and value in names
    ), f"one of {', '.join(map(repr, names))}"


def instance_of(*types: type, what: str) -> Need:
    """Returns the need for an object of some types, called so."""
    return (lambda value: isinstance(value, types)), what


TEXT = instance_of(str, what="a text")
TEXTS: Need = (are_texts, "a tuple of texts")
FLAG = instance_of(bool, what="True or False")
WHOLE: Need = (is_whole, "a whole number")
VERSION: Need = (lambda value: is_whole(value) and value >= 1, "a whole number, 1 or more")


def check_name(kind: str, name: object, thing: object) -> None:
    """Refuses a name that no folder of results and no command could take.

    Raises:
        ContractError: With the file.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ContractError(
            f"{kind} {name!r} ({where(thing)}) needs a name of letters, digits, _ . - that begins with a "
            "letter or a digit; rename it"
        )


def check_class(kind: str, name: str, cls: object, base: type) -> None:
    """Refuses what is not a class of a kind.

    Raises:
        ContractError: With the file.
    """
    if not (inspect.isclass(cls) and issubclass(cls, base)):
        raise ContractError(
            f"{kind} {name!r} ({where(cls)}) must be a class made from {base.__module__}.{base.__name__}"
        )


def check_whole(kind: str, name: str, cls: type) -> None:
    """Refuses a class of which methods are still to be written.

    Raises:
        ContractError: With the file.
    """
    lacking = sorted(getattr(cls, "__abstractmethods__", ()))
    if lacking:
        raise ContractError(
            f"{kind} {name!r} ({where(cls)}) is abstract: it has no {' and no '.join(lacking)}; write it"
        )


def check_values(
    kind: str,
    name: str,
    thing: object,
    needs: Mapping[str, Need],
    *,
    of: Any = None,
    part: str = "",
) -> None:
    """Refuses an attribute that is absent or of another kind than is needed.

    Arguments:
        kind: What the plugin is.
        name: Its name.
        thing: The class or the function, which tells the file.
        needs: By attribute, what it needs.
        of: What has the attributes; None for the plugin itself.
        part: What that is, where it is a part of the plugin, e.g. "the column 'x' with ".

    Raises:
        ContractError: With the file, what is allowed and the nearest match.
    """
    for attribute, (fits, what) in needs.items():
        value = getattr(thing if of is None else of, attribute, None)
        if not fits(value):
            got = f"got {value!r}{_near(value, what)}" if value is not None else "got none"
            raise ContractError(
                f"{kind} {name!r} ({where(thing)}) needs {part}{attribute} = {what}, {got}"
            )


def where(thing: object) -> str:
    """Returns where a class or a function is defined, e.g. "class G in my_model.py"."""
    what = (
        "class" if inspect.isclass(thing) else "function" if inspect.isroutine(thing) else "object"
    )
    label = getattr(thing, "__qualname__", None) or type(thing).__qualname__
    return f"{what} {label} in {file_of(thing)}"


def file_of(thing: object) -> str:
    """Returns the file of a class or a function, from the working folder where it lies in it."""
    path = path_of(thing)
    if path is None:
        return module_of(thing)
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def path_of(thing: object) -> Path | None:
    """Returns the file of a class, a function or an object's class; None where it has none."""
    path = getattr(sys.modules.get(module_of(thing)), "__file__", None)
    return None if path is None else Path(path)


def module_of(thing: object) -> str:
    """Returns the name of the module of a class, a function or an object's class."""
    return str(getattr(thing, "__module__", None) or type(thing).__module__)


def _near(value: object, what: str) -> str:
    names = re.findall(r"'([^']+)'", what)
    near = difflib.get_close_matches(str(value), names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
