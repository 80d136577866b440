"""Hand-edited JSON: read by a schema, with errors that name file, line and key; written for review."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from genbench.core.errors import StoreError

M = TypeVar("M", bound=BaseModel)

MAX_BYTES = 20_000_000
WIDTH = 110


def read_json(path: Path, schema: type[M], *, what: str, make: str) -> M:
    """Returns a file's content as a schema's object.

    Arguments:
        path: The file.
        schema: What it must be.
        what: What the file is called in errors, e.g. "baseline".
        make: What to do where there is none.

    Raises:
        StoreError: Naming the file, the line, the key and what is wrong.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"cannot read the {what} {path}: {error.strerror or error}; {make}"
        ) from None
    if len(content) > MAX_BYTES:
        raise StoreError(f"{path} is too large for a {what} ({MAX_BYTES // 10**6} MB at most)")
    try:
        text = content.decode()
        data = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise StoreError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is not a {what}: {str(error) or 'nested too deeply'}") from None
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        raise StoreError(_told(path, text, error)) from None


def reviewable(value: Any, depth: int = 0) -> str:
    """Returns JSON in which whatever fits a line stands in one, so that a diff shows what moved."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(line) + depth <= WIDTH or not isinstance(value, (dict, list)) or not value:
        return line
    inner = " " * (depth + 1)
    if isinstance(value, dict):
        parts = [
            f"{inner}{json.dumps(str(key), ensure_ascii=False)}: {reviewable(each, depth + 1)}"
            for key, each in value.items()
        ]
    else:
        parts = [inner + reviewable(each, depth + 1) for each in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n" + ",\n".join(parts) + f"\n{' ' * depth}{closing}"


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number that can be compared")


def _told(path: Path, text: str, error: ValidationError) -> str:
    first = next((e for e in error.errors() if e["type"] == "extra_forbidden"), error.errors()[0])
    loc, line = _place(text, first["loc"])
    key = ".".join(str(part) for part in loc) or "the file"
    what = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        what = f"unknown key {first['loc'][-1]!r}"
    elif first["type"] != "missing" and not isinstance(first["input"], (dict, list)):
        what += f", got {first['input']!r}"[:100]
    return f"{path}:{line}: {key}: {what}"


def _place(text: str, loc: Sequence[str | int]) -> tuple[list[str | int], int]:
    """The part of an error's path that the file has, and the line of its end (JSON is YAML)."""
    node, line, known = yaml.compose(text.replace("\t", " "), Loader=yaml.SafeLoader), 1, []
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                known.append(part)
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
        known.append(part)
    return known, line
