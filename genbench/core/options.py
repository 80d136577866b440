"""Options are keyword-only arguments: their names, types and defaults are read from the signature.

A class whose constructor takes `**inherited` has its base's options, too, as a variant of a model does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from genbench.core.errors import ContractError, SpecError, nearest


def defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """Returns the options of a callable (its keyword-only arguments that have defaults)."""
    return dict(_defaults(function))


@lru_cache(maxsize=1024)
def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    own = {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is not parameter.empty
    }
    base = _inherits(function)
    return (
        own if base is None else own | {k: v for k, v in _defaults(base).items() if k not in own}
    )


def _inherits(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """The base of a class that hands on what it does not name."""
    if not inspect.isclass(function):
        return None
    kinds = {parameter.kind for parameter in inspect.signature(function).parameters.values()}
    return function.__mro__[1] if inspect.Parameter.VAR_KEYWORD in kinds else None


def resolve(
    function: Callable[..., Any], chosen: Mapping[str, Any], *, who: str
) -> dict[str, Any]:
    """Returns every option of a callable: the chosen ones, checked and converted, over the defaults.

    Raises:
        SpecError: For an option it does not have or a value of the wrong type, naming both.
    """
    own = defaults(function)
    for name in chosen:
        if name not in own:
            raise SpecError(f"{who} has no option {name!r}{nearest(name, own)}")
    try:
        schema, hints = _schema(function)
    except Exception as error:  # of the annotations of a plugin, which may be any code
        text = " ".join(str(error).split())[:200]
        raise ContractError(
            f"{who} needs options with types that can be read from its signature, got "
            f"{type(error).__name__}: {text}; repair its annotations"
        ) from None
    chosen = {name: _literal(hints.get(name), value) for name, value in chosen.items()}
    try:
        checked = schema(**chosen)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        raise SpecError(
            f"{who} option {name!r} needs {_readable(hints.get(name))}, got {chosen.get(name)!r}"
            + (_near(hints.get(name), chosen.get(name)) or f"; its default is {own.get(name)!r}")
        ) from None
    return {name: getattr(checked, name) for name in own}


def alternatives(function: Callable[..., Any]) -> dict[str, list[Any]]:
    """Returns the values beside the default of every option that takes a few: a flag or a Literal."""
    hints, choices = _schema(function)[1], {}
    for name, default in defaults(function).items():
        hint = hints.get(name)
        values = get_args(hint) if get_origin(hint) is Literal else (False, True)
        if hint is bool or get_origin(hint) is Literal:
            choices[name] = [value for value in values if value != default]
    return choices


@lru_cache(maxsize=1024)
def _schema(function: Callable[..., Any]) -> tuple[type[BaseModel], dict[str, Any]]:
    """What checks the options of a callable, and their annotations."""
    base = _inherits(function)
    hints = {} if base is None else dict(_schema(base)[1])
    own = function.__init__ if inspect.isclass(function) else function
    hints |= get_type_hints(own, include_extras=True)
    fields: dict[str, Any] = {
        name: (hints.get(name, Any), default) for name, default in defaults(function).items()
    }
    config = ConfigDict(extra="forbid", strict=False, allow_inf_nan=False)
    return create_model("Options", __config__=config, **fields), hints


def _literal(hint: Any, value: Any) -> Any:
    """Returns the member of a Literal that a text spells, as command lines do; any other value as it is."""
    spelt = [one for one in _listed(hint) if isinstance(value, str) and str(one) == value]
    return spelt[0] if spelt else value


def _listed(hint: Any) -> list[Any]:
    """Returns the values that Literals among the types of a union list."""
    literals = [one for one in _members(hint) if get_origin(one) is Literal]
    return [value for one in literals for value in get_args(one)]


def _readable(hint: Any) -> str:
    """Returns what an option may be, in the words of `core/allowed.py` where its type has some."""
    *others, last = (word for member in _members(hint) for word in _words(member))
    return f"{', '.join(others)} or {last}" if others else last


def _members(hint: Any) -> tuple[Any, ...]:
    """Returns the types of a union, or the one type."""
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _words(hint: Any) -> list[str]:
    """Returns the values of a Literal, or what a type is called."""
    if get_origin(hint) is Literal:
        return [repr(value) for value in get_args(hint)]
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    told = [mark.description for mark in marks if getattr(mark, "description", None)]
    if inspect.isclass(hint):
        return ["None" if hint is NoneType else hint.__name__]
    return told or [str(hint).replace("typing.", "")]


def _near(hint: Any, value: Any) -> str:
    """Returns "; did you mean 'conv'?" for a text like a value of a Literal, otherwise an empty text."""
    near = nearest(str(value), map(str, _listed(hint)))
    return near if near.endswith("?") else ""
