"""Options are keyword-only arguments: their names, types and defaults are read from the signature.

A class whose constructor takes `**inherited` has its base's options, too, as a variant of a model does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

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
            f"{who} option {name!r} needs {_readable(hints.get(name))}, got {chosen.get(name)!r}; "
            f"its default is {own.get(name)!r}"
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
    hints |= get_type_hints(function.__init__ if inspect.isclass(function) else function)
    fields: dict[str, Any] = {
        name: (hints.get(name, Any), default) for name, default in defaults(function).items()
    }
    config = ConfigDict(extra="forbid", strict=False, allow_inf_nan=False)
    return create_model("Options", __config__=config, **fields), hints


def _literal(hint: Any, value: Any) -> Any:
    """Returns the member of a Literal that a text spells, as command lines do; any other value as it is."""
    literals = [one for one in (hint, *get_args(hint)) if get_origin(one) is Literal]
    members = [member for one in literals for member in get_args(one)]
    spelt = [member for member in members if isinstance(value, str) and str(member) == value]
    return spelt[0] if spelt else value


def _readable(hint: Any) -> str:
    return hint.__name__ if inspect.isclass(hint) else str(hint).replace("typing.", "")
