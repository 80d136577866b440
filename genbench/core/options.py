"""Options are keyword-only arguments: their names, types and defaults are read from the signature.

A class whose constructor takes `**inherited` has its base's options, too, as a variant of a model does.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from genbench.core.allowed import LARGEST
from genbench.core.errors import ContractError, SpecError, nearest, text_of

T = TypeVar("T")

#: the most signs of a wrong value that a message shows
MOST_SHOWN = 200


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
        text = " ".join(text_of(error).split())[:200]
        raise ContractError(
            f"{who} needs options with types that can be read from its signature, got "
            f"{type(error).__name__}: {text}; repair its annotations"
        ) from None
    chosen = {name: _literal(hints.get(name), value) for name, value in chosen.items()}
    for name, value in chosen.items():
        if _is_flag(value) and not _takes_flags(hints.get(name)):
            raise _refusal(f"{who} option {name!r}", hints.get(name), value, own[name])
    try:
        checked = schema(**chosen)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        what, most = f"{who} option {name!r}", first.get("ctx", {}).get("le")
        raise _refusal(what, hints.get(name), chosen.get(name), own.get(name), most) from None
    return {name: getattr(checked, name) for name in own}


def checked(function: Callable[..., T], *, who: str) -> Callable[..., T]:
    """Returns a function that checks its options whenever it is called, as `resolve` does."""

    @functools.wraps(function)
    def call(*arguments: Any, **given: Any) -> T:
        chosen = {name: given[name] for name in defaults(function).keys() & given.keys()}
        values = resolve(function, chosen, who=who) if chosen else {}
        return function(*arguments, **given | {name: values[name] for name in chosen})

    return call


def _refusal(what: str, hint: Any, value: Any, usual: Any, most: object = None) -> SpecError:
    """Returns the error for a value, with what its type allows and the bound that it is above, if any."""
    words = _readable(hint)
    words += f" and at most {LARGEST}" if most == LARGEST else ""
    ending = _near(hint, value) or f"; its default is {usual!r}"
    return SpecError(f"{what} needs {words}, got {_shorten(value)}{ending}")


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


def _is_flag(value: Any) -> bool:
    """Whether a value is true or false, or holds one, which would count as 1 or 0."""
    return isinstance(value, bool) or (
        isinstance(value, (list, tuple)) and any(_is_flag(part) for part in value)
    )


def _takes_flags(hint: Any) -> bool:
    """Whether a type, or one of a union, is of flags, lists them, or is of anything."""
    listed = any(isinstance(value, bool) for value in _listed(hint))
    return listed or any(
        one in (bool, Any, object, None) or _takes_inside(one) for one in _members(hint)
    )


def _takes_inside(hint: Any) -> bool:
    """Whether a list, tuple or mapping is of flags, or is of anything."""
    return get_origin(hint) not in (None, Literal) and any(
        _takes_flags(part) for part in get_args(hint) if part is not Ellipsis
    )


def _shorten(value: Any) -> str:
    """Returns a value as it is written, the middle of a long one left out."""
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


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
    words = [mark.description for mark in marks if getattr(mark, "description", None)]
    if inspect.isclass(hint):
        return ["None" if hint is NoneType else hint.__name__]
    return words or [str(hint).replace("typing.", "")]


def _near(hint: Any, value: Any) -> str:
    """Returns "; did you mean 'conv'?" for a text like a value of a Literal, otherwise an empty text."""
    near = nearest(str(value), map(str, _listed(hint)))
    return near if near.endswith("?") else ""
