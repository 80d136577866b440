"""The rules of `genbench test-plugin` over the built-in plugins, as cases for pytest."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from genbench.contracts.check import KINDS, load_rules
from genbench.contracts.rules import RULES
from genbench.contracts.small import BEHIND
from genbench.core.registry import REGISTRIES

load_rules()
BUILT_IN = {kind: REGISTRIES[kind].names() for kind in KINDS}
#: by rule, plugins on which it takes minutes: with the slow tests
SLOW = {
    "training_improves_the_model": ("mmd_gan_conv", "resgan", "progan", "lapgan"),
    "a_seed_in_a_stack_is_the_seed_alone": ("mmd_gan_conv", "resgan", "progan"),
}
#: rules whose variants of models take long
SLOW_VARIANTS = ("a_seed_in_a_stack_is_the_seed_alone",)


def over_rules(kind: str, names: Iterable[str] | None = None, *, without: Iterable[str] = ()):
    """Returns what parametrises a test over (rule, name, case): every rule of a kind, wherever it applies.

    Arguments:
        kind: The kind of plugin.
        names: Which plugins; all built-in ones if None.
        without: Rules, by their functions' names, that the test file holds more tightly itself.
    """
    rules = [one for one in RULES if one.kind == kind and one.check.__name__ not in without]
    cases = [
        pytest.param(
            one,
            name,
            case,
            id="-".join((one.check.__name__, name, *case)),
            marks=[pytest.mark.slow] if is_slow(one.check.__name__, name, case) else [],
        )
        for one in rules
        for name in (BUILT_IN[kind] if names is None else names)
        for case in one.cases(name)
    ]
    return pytest.mark.parametrize(("rule", "name", "case"), cases)


def is_slow(rule: str, name: str, case: tuple[str, ...]) -> bool:
    """Whether a rule takes long on a plugin, or on a variant of one."""
    variant = rule in SLOW_VARIANTS and any(BEHIND in part for part in case)
    return variant or name in SLOW.get(rule, ())


def file_of(thing) -> str:
    """Returns the stem of the file that registers a plugin."""
    return getattr(thing, "function", thing).__module__.rpartition(".")[2]
