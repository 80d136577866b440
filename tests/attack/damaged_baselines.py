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
        twice = False
        match random.randrange(6):
            case 0:
                content = bytearray(sound.encode())
                for _ in range(random.choice((1, 3, 30))):
                    content[random.randrange(len(content))] = random.randrange(256)
                path.write_bytes(bytes(content))
            case 1 | 2:
                raw = json.loads(sound)
                spot, key = raw, random.choice(list(raw))
                while isinstance(spot[key], (dict, list)) and spot[key] and random.random() < 0.85:
                    spot = spot[key]
                    key = random.choice(list(spot)) if isinstance(spot, dict) else random.randrange(len(spot))
                spot[key] = random.choice(HOSTILE)
                path.write_bytes(json.dumps(raw).encode("utf-8", "surrogatepass"))
            case 3:
                path.write_text(sound[: random.randrange(len(sound))])
            case 4:
                lines = sound.splitlines(keepends=True)
                k = random.randrange(1, 6)
                if lines[k].rstrip().endswith(","):
                    lines[k:k] = [lines[k]]
                    twice = True
                path.write_text("".join(lines))
            case _:
                make_odd(random, path)
        form = random.choice(([], ["--json"], ["--format", "junit"], ["--format", "markdown"]))
        if random.random() < 0.2:
            args = ["baseline", "accept", "--from", "results", "--to", path.name]
        else:
            args = ["check", "--baseline", path.name, "--candidate", "results", *form]
        yield Try("baselines", args, frozenset({2}) if twice else frozenset(range(5)))
        if not path.is_dir() or path.is_symlink():
            path.unlink(missing_ok=True)
        else:
            shutil.rmtree(path)


def make_odd(random: Random, path: Path) -> None:
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
