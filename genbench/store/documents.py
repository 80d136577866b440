"""Hand-edited files (suites in YAML; baselines and published numbers in JSON), read by a schema.

Errors name the file, the line, the key, what is allowed and the nearest match.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from genbench.core.errors import SpecError, StoreError, nearest
from genbench.core.files import read_file, read_text
from genbench.core.spec import Suite, SuiteFile, Tuning
from genbench.core.version import PACKAGE
from genbench.store.yaml_trees import compose_json, find_twice, parse_yaml

M = TypeVar("M", bound=BaseModel)

MAX_JSON_BYTES = 20_000_000
#: pydantic's errors of what is no mapping, which name classes of ours
NO_MAPPING = ("model_type", "model_attributes_type", "dict_type", "dataclass_type")
#: the most signs of a wrong value that a message shows
MOST_SHOWN = 200
WIDTH = 110


def list_shipped(name: Path | str, named: Path | None = None) -> list[Path]:
    """Returns the working folder's file of a name, then that which genbench ships, those that are there.

    Arguments:
        name: Relative to the working folder.
        named: A file that somebody named, in place of both.
    """
    return [path for path in list_places(name, named) if path.is_file()]


def list_places(name: Path | str, named: Path | None = None) -> list[Path]:
    """Returns where `list_shipped` looks, each place once, whether a file lies there or not."""
    candidates = [Path(name), PACKAGE / name, PACKAGE.parent / name] if named is None else [named]
    places: dict[Path, Path] = {}
    for path in candidates:
        places.setdefault(path.resolve(), path)
    return [*places.values()]


def load_suites(path: Path) -> dict[str, Suite]:
    """Reads the suites of a suite file.

    Raises:
        SpecError: Naming the file, the line, the key, what is allowed and the nearest match.
    """
    return load_suite_file(path).suites


def load_tuning(path: Path) -> dict[str, Tuning]:
    """Reads how models are tuned, by data set, from a suite file.

    Raises:
        SpecError: As `load_suites` does.
    """
    return load_suite_file(path).tuning


def load_suite_file(path: Path) -> SuiteFile:
    """Reads a suite file.

    Raises:
        SpecError: Naming the file, the line, the key, what is allowed and the nearest match.
    """
    try:
        text = read_text(path)
    except OSError as error:
        raise SpecError(
            f"cannot read the suite file {path}: {error.strerror or error}; give another by --config"
        ) from None
    tree, data = parse_yaml(text, path)
    try:
        return SuiteFile.model_validate(data)
    except ValidationError as error:
        raise SpecError(f"{path}:{describe_invalid(tree, SuiteFile, error)}") from None


def read_suite(data: Any) -> Suite:
    """Returns a suite given as an entry of a suite file.

    Raises:
        SpecError: Naming the key, what is allowed and the nearest match.
    """
    try:
        return Suite.model_validate(data)
    except ValidationError as error:
        # without a file there is no line to name
        place = describe_invalid(None, Suite, error).removeprefix("1: ").removeprefix("the file: ")
        raise SpecError(f"the suite: {place}") from None


def read_json(path: Path, schema: type[M], *, what: str, make: str) -> M:
    """Returns a JSON file's content as a schema's object.

    Arguments:
        path: The file.
        schema: What it must be.
        what: What the file is called in errors, e.g. "baseline".
        make: What to do where there is none.

    Raises:
        StoreError: Naming the file, the line, the key and what is wrong.
    """
    try:
        content = read_file(path)
    except OSError as error:
        raise StoreError(
            f"cannot read the {what} {path}: {error.strerror or error}; {make}"
        ) from None
    if len(content) > MAX_JSON_BYTES:
        raise StoreError(
            f"{path} is too large for a {what} ({MAX_JSON_BYTES // 10**6} MB at most)"
        )
    try:
        text = content.decode()
        data = json.loads(text, parse_constant=_refuse, object_pairs_hook=_refuse_twice)
        from_json(text)  # which refuses half characters, such as \ud800, that could not be written
    except json.JSONDecodeError as error:
        raise StoreError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from None
    except _Twice as error:
        twice = find_twice(compose_json(text), set())
        lines = f", on lines {twice[1]} and {twice[2]}" if twice else ""
        raise StoreError(f"{path}: key {error} is there twice{lines}; leave one out") from None
    except UnicodeDecodeError:
        raise StoreError(
            f"{path} is not a {what}: it is not a text file (UTF-8); {make}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is not a {what}: {str(error) or 'nested too deeply'}") from None
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        raise StoreError(f"{path}:{describe_invalid(compose_json(text), schema, error)}") from None


def reviewable(value: Any, depth: int = 0) -> str:
    """Returns JSON in which whatever fits a line stands in one, so that a diff shows what moved."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(line) + depth <= WIDTH or not isinstance(value, (dict, list)) or not value:
        return line
    inner = " " * (depth + 1)
    if isinstance(value, dict):
        parts = [
            f"{inner}{json.dumps(str(key), ensure_ascii=False)}: {reviewable(part, depth + 1)}"
            for key, part in value.items()
        ]
    else:
        parts = [inner + reviewable(part, depth + 1) for part in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n" + ",\n".join(parts) + f"\n{' ' * depth}{closing}"


class _Twice(ValueError):
    """An object has a key twice."""


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _Twice(repr(next(key for key in keys if keys.count(key) > 1)))
    return content


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number that can be compared")


def describe_invalid(
    tree: yaml.Node | None, schema: type[BaseModel], error: ValidationError
) -> str:
    """Returns the line, the key and what is wrong of the deepest error, unknown keys first."""
    first = min(error.errors(), key=lambda e: (-len(e["loc"]), e["type"] != "extra_forbidden"))
    loc, line = _place(tree, first["loc"])
    key = ".".join(str(part) for part in loc) or "the file"
    what = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        unknown = str(first["loc"][-1])
        what = f"unknown key {unknown!r}{nearest(unknown, _allowed(schema, loc[:-1]))}"
    elif first["type"] != "missing":
        if first["type"] in NO_MAPPING:
            what = f"needs a mapping of {', '.join(_allowed(schema, loc))}"
        given = repr(first["input"])
        what = f"{what}, got {given}" if len(given) <= MOST_SHOWN else what
    return f"{line}: {key}: {what}"


def _allowed(schema: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Returns the keys that a schema allows at a place in a file."""
    models = [schema]
    for part in loc:
        fields = [
            (f.alias or name, f) for model in models for name, f in model.model_fields.items()
        ]
        inner = [model for name, f in fields if name == part for model in _models(f.annotation)]
        models = inner or models  # an index, or a name of the file's own
    return [f.alias or name for model in models for name, f in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yields the schemas that an annotation names."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _place(node: yaml.Node | None, parts: Sequence[str | int]) -> tuple[list[str | int], int]:
    """Returns the part of a validation error's path that the file has, and the line of its end.

    Pydantic's path also names the branch of a union that was tried, which no file holds.
    """
    loc: list[str | int] = []
    line = 1
    for part in parts:
        if isinstance(node, yaml.MappingNode):
            pair = next(
                ((key, value) for key, value in node.value if key.value == str(part)), None
            )
            if isinstance(part, int) and pair is None:
                continue  # a lone thing where a list was allowed
            line = pair[0].start_mark.line + 1 if pair else line
            node = pair[1] if pair else None
            loc.append(part)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            child = node.value[part] if part < len(node.value) else node
            node, line = child, child.start_mark.line + 1
            loc.append(part)
    return loc, line
