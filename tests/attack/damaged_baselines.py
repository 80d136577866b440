"""Baselines of `genbench check` that are damaged, of other values, or no files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

from damaged_records import HOSTILE
from outcome import Try

from results import copy


def fuzz(random: Random, folder: Path) -> Iterator[Try]:
    """Yields tries without end."""
    place = copy(folder, "base")
    os.chdir(place)
    sound = (place / "baseline.json").read_text()
    number = 0
    while True:
        number += 1
        path = place / f"b{number}.json"
        kind = random.choice(KINDS)
        twice = kind(random, path, sound)
        form = random.choice(([], ["--json"], ["--format", "junit"], ["--format", "markdown"]))
        args = ["check", "--baseline", path.name, "--candidate", "results", *form]
        if random.random() < 0.2:
            args = ["baseline", "accept", "--from", "results", "--to", path.name]
        yield Try(f"baselines/{kind.__name__}", args, frozenset({2} if twice else range(5)))
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def damaged(random: Random, path: Path, sound: str) -> bool:
    """Other bytes, or not all of them."""
    content = bytearray(sound.encode())
    for _ in range(random.choice((1, 3, 30))):
        content[random.randrange(len(content))] = random.randrange(256)
    path.write_bytes(
        bytes(content[: random.choice((len(content), random.randrange(len(content))))])
    )
    return False


def value(random: Random, path: Path, sound: str) -> bool:
    """Other values, of the same kind or not."""
    raw = json.loads(sound)
    spot, key = raw, random.choice(list(raw))
    while isinstance(spot[key], (dict, list)) and spot[key] and random.random() < 0.9:
        spot = spot[key]
        key = random.choice(list(spot)) if isinstance(spot, dict) else random.randrange(len(spot))
    spot[key] = other(random, spot[key])
    path.write_bytes(json.dumps(raw).encode("utf-8", "surrogatepass"))
    return False


def other(random: Random, value):
    """A number of another size, or something that is no number at all."""
    if isinstance(value, float | int) and random.random() < 0.7:
        return value * random.choice((0, 0.5, 1.5, -1, 1000, 1e-9)) if value else 1
    return random.choice(HOSTILE)


def doubled(random: Random, path: Path, sound: str) -> bool:
    """A key that is there twice, which must be refused: returns whether there is one."""
    lines = sound.splitlines(keepends=True)
    k = random.randrange(1, 6)
    whole = lines[k].rstrip().endswith(",")
    path.write_text("".join([*lines[:k], *([lines[k]] if whole else []), *lines[k:]]))
    return whole


def odd(random: Random, path: Path, sound: str) -> bool:
    """What is no text."""
    match random.randrange(6):
        case 0:
            os.mkfifo(path)
        case 1:
            path.symlink_to("/dev/zero")
        case 2:
            path.mkdir()
        case 3:
            path.write_text('{"a": ' * 3000)
        case 4:
            path.symlink_to(path)
        case _:
            path.write_bytes(random.randbytes(300))
    return False


KINDS = (damaged, value, value, value, doubled, odd)
