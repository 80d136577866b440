"""A folder of generated files, from which files of earlier calls that are no longer wanted are removed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from genbench.core.files import read_file, write_bytes

#: names what genbench wrote to a folder, with digests, so that nothing else is ever removed
LIST = ".genbench-files.json"


def write_folder(out: Path, files: Mapping[str, bytes]) -> None:
    """Writes files, and removes what an earlier call wrote and this one does not.

    A file that somebody has changed since, or that no call has written, is left alone. The list is
    written first too, so that a call that is interrupted forgets nothing.

    Arguments:
        out: The folder; it is made if need be.
        files: Contents by name, with "/" between folders.
    """
    before = _read_list(out)
    now = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    _write_list(out, before | now)
    for name, content in files.items():
        write_bytes(out / name, content)
    for name, digest in before.items():
        if name not in now:
            _remove(out, name, digest)
    _write_list(out, now)


def _write_list(out: Path, digests: Mapping[str, str]) -> None:
    write_bytes(out / LIST, json.dumps(digests, indent=0, sort_keys=True).encode())


def _read_list(out: Path) -> dict[str, str]:
    """What an earlier call wrote; nothing where there is no list that can be read."""
    try:
        digests = json.loads(read_file(out / LIST))
    except (OSError, ValueError):
        return {}
    return digests if isinstance(digests, dict) else {}


def _remove(out: Path, name: str, digest: str) -> None:
    """Removes a file of the folder if it is still what was written."""
    place = PurePosixPath(name)
    path = out / place
    inside = not place.is_absolute() and ".." not in place.parts
    if not inside or path.parent.resolve() != out.resolve() / place.parent:
        return
    if path.is_symlink() or not path.is_file():
        return
    if hashlib.sha256(read_file(path, None)).hexdigest() == digest:
        path.unlink()
