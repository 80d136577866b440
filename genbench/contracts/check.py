"""Runs the rules of a plugin's kind on it, whatever its code raises."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import torch

from genbench.contracts.datasets import DATA_DIR
from genbench.contracts.rules import Broken, Case, Rule, Unchecked, rules_of
from genbench.core.errors import SpecError, unknown
from genbench.core.registry import REGISTRIES, list_brought, list_registered, load_plugin
from genbench.running.job import classify

#: by kind, the module that holds its registry and the modules of its rules
KINDS = {
    "model": (
        "genbench.core.model",
        (
            *("models", "players", "disclosure", "abilities", "translators", "densities"),
            *("conditionals", "placement"),
        ),
    ),
    "dataset": (
        "genbench.core.dataset",
        ("datasets", "truths", "described", "sources", "placement"),
    ),
    "metric": ("genbench.core.metric", ("metrics", "disclosure", "placement")),
    "extractor": ("genbench.core.feature", ("extractors", "placement")),
    "claim": ("genbench.core.claim", ("claims",)),
    "executor": ("genbench.running.executor", ("executors",)),
}

Status = Literal["kept", "broken", "not applicable", "not checked"]


@dataclass(frozen=True)
class RuleResult:
    """What came of one rule.

    Arguments:
        kind: The plugin's kind.
        plugin: The plugin's name.
        rule: The rule's name.
        sentence: The rule.
        status: Whether it is kept; "not checked" where a rule that comes first is broken, or with a reason.
        cases: On what it was checked, up to where it was broken.
        reason: How it is broken and what to do, or why it could not be checked.
    """

    kind: str
    plugin: str
    rule: str
    sentence: str
    status: Status
    cases: tuple[str, ...] = ()
    reason: str | None = None


def load_rules() -> None:
    """Imports every kind's registry and rules."""
    for registry, modules in KINDS.values():
        importlib.import_module(registry)
        for module in modules:
            importlib.import_module(f"genbench.contracts.{module}")


def find_plugins(where: str) -> list[tuple[str, str]]:
    """Returns the (kind, name) of every plugin that a file or module registers, or that a name means.

    Raises:
        SpecError: If it cannot be imported or registers nothing.
        UnknownName: With the nearest match.
    """
    load_rules()
    if not where.endswith(".py") and "." not in where:
        name = where.replace("-", "_")
        plugins = [(kind, name) for kind in KINDS if name in REGISTRIES[kind]]
        if plugins:
            return plugins
        if find_spec(where) is None:
            names = {name for kind in KINDS for name in REGISTRIES[kind].names()}
            raise unknown("plugin", where, names)
    before = list_registered()
    with contextlib.redirect_stdout(sys.stderr):
        home = load_plugin(where)
    brought = list_brought(home, before)
    plugins = [key for kind in KINDS for key in brought if key[0] == kind]
    if not plugins:
        raise SpecError(
            f"{where} needs to register a plugin, got none; decorate it with one of "
            f"{', '.join('@' + kind for kind in KINDS)}"
        )
    return plugins


def check_plugin(kind: str, name: str, *, data_dir: Path | None = None) -> Iterator[RuleResult]:
    """Yields what comes of every rule of a kind on a registered plugin.

    Whatever the plugin raises breaks the rule; what it prints goes to stderr.

    Arguments:
        kind: The kind, as its registry calls it.
        name: The registered name.
        data_dir: A folder with a data set's files.
    """
    load_rules()
    reliable = True
    for rule in rules_of(kind):
        if not reliable:
            yield RuleResult(kind, name, rule.name, rule.sentence, "not checked")
            continue
        place = DATA_DIR.set(data_dir)
        with contextlib.redirect_stdout(sys.stderr), torch.random.fork_rng(devices=[]):
            finding = check_rule(rule, name)
        DATA_DIR.reset(place)
        reliable = not (rule.first and finding.status == "broken")
        yield finding


def check_rule(rule: Rule, name: str) -> RuleResult:
    """Returns what comes of one rule; its first broken case says how, one that cannot be checked why."""
    done: list[str] = []
    doubt: str | None = None
    try:
        REGISTRIES[rule.kind].get(name)
        cases: Sequence[Case] = rule.cases(name)
        for case in cases:
            done.append(" ".join(case))
            try:
                rule.check(name, *case)
            except Unchecked as error:
                doubt = _place(done) + " ".join(str(error).split())
                done.pop()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may raise SystemExit too
        return _finding(rule, name, "broken", done, _reason(error, done))
    if doubt is not None and not done:
        return _finding(rule, name, "not checked", done, doubt)
    return _finding(rule, name, "kept" if cases else "not applicable", done)


def _finding(
    rule: Rule, name: str, status: Status, done: list[str], reason: str | None = None
) -> RuleResult:
    cases = tuple(case for case in done if case)
    return RuleResult(rule.kind, name, rule.name, rule.sentence, status, cases, reason)


def _reason(error: BaseException, done: list[str]) -> str:
    sentence = str(error) if isinstance(error, Broken) else classify(error)[1]
    return _place(done) + " ".join(sentence.split())


def _place(done: list[str]) -> str:
    return f"on {done[-1]}: " if done and done[-1] else ""
