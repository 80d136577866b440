"""The form of a record's file: sealed JSON, with older schemas brought to the present one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from genbench.store.record import SCHEMA, Record

_SEAL = re.compile(rb'\A(\{\n "schema": "[^"\n]*",\n) "seal": "([0-9a-f]{16})",\n')

#: schema → (the next schema, what makes a record of it); in version 2 files got their seal
STEPS: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "genbench.record/1": ("genbench.record/2", lambda raw: raw),
}


def to_bytes(record: Record) -> bytes:
    """Returns a record's file: JSON, whose second line seals the rest against silent damage."""
    current = record.model_copy(update={"schema_": SCHEMA})
    body = (current.model_dump_json(by_alias=True, indent=1) + "\n").encode()
    head, rest = body.split(b"\n", 2)[:2], body.split(b"\n", 2)[2]
    return b"\n".join([*head, f' "seal": "{_digest(body)}",'.encode(), rest])


def from_bytes(content: bytes) -> Record:
    """Returns the record in a file's bytes.

    Raises:
        ValueError: With what is wrong, in a few words.
    """
    seal = _SEAL.match(content)
    body = seal[1] + content[seal.end() :] if seal else content
    if seal and seal[2].decode() != _digest(body):
        raise ValueError("its content is not what was written (its seal is broken)")
    try:
        if seal and f'"{SCHEMA}"'.encode() in seal[1]:
            return Record.model_validate_json(body)
        return Record.model_validate(_current(json.loads(body), sealed=seal is not None))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where or 'JSON'}: {first['msg']}") from None
    except RecursionError:
        raise ValueError("JSON: it is nested too deeply") from None


def _current(raw: Any, *, sealed: bool) -> dict[str, Any]:
    """Takes a record of any known schema through the steps that lead to the present one."""
    schema = raw.get("schema") if isinstance(raw, dict) else None
    if schema == SCHEMA and not sealed:
        raise ValueError("it has no seal, or was written by something else than genbench")
    while schema != SCHEMA:
        if schema not in STEPS:
            raise ValueError(f"its schema is {schema!r:.40}, this genbench reads up to {SCHEMA!r}")
        schema, step = STEPS[schema]
        raw = {**step(raw), "schema": schema}
    return raw


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]
