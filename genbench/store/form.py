"""The form of a record's file: sealed JSON, with older schemas brought to the present one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from genbench.store.record import SCHEMA, Record

_SEAL = re.compile(rb'\A(\{\n "schema": "[^"\n]*",\n) "seal": "([0-9a-f]{16})",\n')

#: schema → (the next schema, what makes a record of it); in version 2 files got their seal
STEPS: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "genbench.record/1": ("genbench.record/2", lambda raw: raw),
}


class NewerRecordError(ValueError):
    """A record of a schema that only a later genbench can read."""


def to_bytes(record: Record) -> bytes:
    """Returns a record's file: JSON with a line per field; the second seals the rest against damage."""
    fields = json.loads(
        record.model_copy(update={"schema_": SCHEMA}).model_dump_json(by_alias=True)
    )
    head, *rest = (f' "{name}": {_compact(value)}' for name, value in fields.items())
    seal = f' "seal": "{_digest(_join([head, *rest]))}"'
    return _join([head, seal, *rest])


def from_bytes(content: bytes, *, trusted: bool = False) -> Record:
    """Returns the record in a file's bytes.

    A seal guards against damage and slips, not against malice: whoever can write a record can seal it.

    Arguments:
        content: The bytes.
        trusted: Whether a record of the time before seals may be without one, to be migrated.

    Raises:
        ValueError: With what is wrong, in a few words; NewerRecordError where nothing is but its age.
    """
    seal = _SEAL.match(content)
    body = seal[1] + content[seal.end() :] if seal else content
    if seal and seal[2].decode() != _digest(body):
        raise ValueError("its content is not what was written (its seal is broken)")
    try:
        if seal and f'"{SCHEMA}"'.encode() in seal[1]:
            return Record.model_validate_json(body)
        return Record.model_validate(_current(from_json(body), trusted=trusted))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where or 'JSON'}: {first['msg'][:200]}") from None
    except RecursionError:
        raise ValueError("JSON: it is nested too deeply") from None


def _current(raw: Any, *, trusted: bool) -> dict[str, Any]:
    """Takes an unsealed record of any known schema through the steps that lead to the present one."""
    schema = raw.get("schema") if isinstance(raw, dict) else None
    if schema == SCHEMA:
        raise ValueError("it has no seal, or was written by something else than genbench")
    if isinstance(schema, str) and schema in STEPS and not trusted:
        raise ValueError(
            f"it is of {schema}, which had no seal; where you know that nobody changed it, seal it by: "
            "genbench validate --migrate"
        )
    while schema != SCHEMA:
        if not isinstance(schema, str) or schema not in STEPS:
            text = f"its schema is {schema!r:.40}, this genbench reads up to {SCHEMA!r}"
            raise NewerRecordError(text) if _is_newer(schema) else ValueError(text)
        schema, step = STEPS[schema]
        raw = {**step(raw), "schema": schema}
    return raw


def _is_newer(schema: Any) -> bool:
    name, _, number = str(schema).rpartition("/")
    ours, _, present = SCHEMA.rpartition("/")
    return name == ours and number.isdecimal() and int(number) > int(present)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ": "))


def _join(lines: list[str]) -> bytes:
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]
