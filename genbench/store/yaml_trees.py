"""YAML as a tree of nodes, which know their lines, and what makes it unusable: bombs, keys given twice."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml

from genbench.core.errors import SpecError

MAX_SUITE_BYTES = 1_000_000
MAX_ALIASES = 100
#: libyaml's parser where PyYAML was built with it: ten times as fast
QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: entries once every alias is written out: a few nested aliases can mean billions
MAX_ENTRIES = 100_000


def parse_yaml(text: str, path: Path, what: str = "suite file") -> tuple[yaml.Node | None, Any]:
    """Returns YAML as a tree of nodes, which know their lines, and as plain values.

    Raises:
        SpecError: Naming the file and the line: if it is not YAML, too large, or has a key twice.
    """
    if len(text) > MAX_SUITE_BYTES or len(re.findall(r"(?m)[\s\[{,]\*\w", text)) > MAX_ALIASES:
        raise SpecError(f"{path} is too large for a {what} (1 MB, {MAX_ALIASES} aliases at most)")
    try:
        tree = _read("get_single_node", text)
        if _entries(tree, {}) > MAX_ENTRIES:
            raise ValueError(f"its aliases unfold to more than {MAX_ENTRIES} entries")
        twice = find_twice(tree, set())
        if twice is not None:
            key, first, second = twice
            raise SpecError(
                f"{path}:{second}: key {key!r} is there twice, on lines {first} and {second}; "
                f"leave one out"
            )
        _refuse_half_characters(text)
        return tree, _read("get_single_data", text)
    except SpecError:
        raise
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise SpecError(
            f"{where} is not valid YAML: {getattr(error, 'problem', None) or error}"
        ) from None
    except Exception as error:  # tags make values of texts, in many ways
        text = " ".join(str(error).split())[:200]
        raise SpecError(f"{path} is not a usable {what}: {text or type(error).__name__}") from None


def _read(how: str, text: str) -> Any:
    """Reads a text by the quick parser; what it refuses by PyYAML's own, whose errors say more."""
    try:
        return _read_by(QUICK, how, text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return _read_by(yaml.SafeLoader, how, text)


def _read_by(parser: Any, how: str, text: str) -> Any:
    loader = parser(text)
    try:
        return getattr(loader, how)()
    finally:
        loader.dispose()


def _refuse_half_characters(text: str) -> None:
    r"""Refuses escapes such as \ud800, which YAML takes and no file can be written with."""
    if not re.search(r"\\[uU]0*[dD][89a-fA-F]", text):
        return
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.ScalarToken) and re.search("[\ud800-\udfff]", token.value):
            line = token.start_mark.line + 1
            raise ValueError(f"line {line} holds half a character, {token.value[:40]!r}")


def find_twice(node: yaml.Node | None, before: set[int]) -> tuple[str, int, int] | None:
    """Returns a key that a mapping of a tree has twice, with both lines, or None.

    Arguments:
        node: The tree.
        before: Nodes that were looked at, to which aliases lead again.
    """
    if node is None or id(node) in before or isinstance(node, yaml.ScalarNode):
        return None
    before.add(id(node))
    lines: dict[tuple[str, str], int] = {}
    children = []
    for part in node.value:
        key, value = part if isinstance(node, yaml.MappingNode) else (None, part)
        children += [value] if key is None else [key, value]
        if isinstance(key, yaml.ScalarNode):
            line, name = key.start_mark.line + 1, (key.tag, key.value)
            if name in lines:
                return key.value, lines[name], line
            lines[name] = line
    return next((twice for child in children if (twice := find_twice(child, before))), None)


def compose_json(text: str) -> yaml.Node | None:
    """Returns the tree of a JSON text, as YAML; None where YAML does not know it."""
    try:
        return yaml.compose(text.replace("\t", " "), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _entries(node: yaml.Node | None, counts: dict[int, float]) -> float:
    """Counts a tree's nodes with every alias written out; infinite where one holds itself."""
    if node is None or isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) not in counts:
        counts[id(node)] = math.inf
        pairs = isinstance(node, yaml.MappingNode)
        below = [part for pair in node.value for part in pair] if pairs else node.value
        counts[id(node)] = 1 + sum(_entries(part, counts) for part in below)
    return counts[id(node)]
