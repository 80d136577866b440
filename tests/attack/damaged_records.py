"""Results folders of which one record is damaged, hostile or no file; the others must come through."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

from outcome import End, Try

from results import contents, copy, reseal

VERBS = {
    "validate": ["validate", "results"],
    "report": ["report", "-o", "results", "--to", "page"],
    "leaderboard": ["leaderboard", "-o", "results"],
    "export": ["export", "out.csv", "-o", "results"],
    "merge": ["merge", "results", "-o", "union"],
    "accept": ["baseline", "accept", "--from", "results", "--to", "b.json"],
    "check": ["check", "--baseline", "baseline.json", "--candidate", "results"],
    "run": ["run", "tiny", "-c", "tiny.yaml", "-o", "results", "--dry-run"],
    "doctor-free list": ["list", "suites", "-c", "tiny.yaml"],
}
HOSTILE = (
    None,
    {},
    [],
    "",
    "\x1b]0;x\x07",
    "=cmd()",
    "<script>",
    -1,
    1e308,
    10**400,
    True,
    [[]],
    {"a": {}},
    "a" * 10_000,
    "../../x",
    "\ud800",
)


def fuzz(random: Random, folder: Path) -> Iterator[Try]:
    """Yields tries without end."""
    number = 0
    while True:
        number += 1
        for old in folder.glob("r*"):
            shutil.rmtree(old, ignore_errors=True)
        place = copy(folder, f"r{number}")
        os.chdir(place)
        path = random.choice(sorted(place.glob("results/*/*/*.json")))
        name = random.choice(list(KINDS))
        damaged = KINDS[name](random, path)
        before = contents(place / "results")
        verb = random.choice(list(VERBS))
        yield Try(
            f"records/{name}",
            VERBS[verb],
            judge=lambda end, place=place, before=before, damaged=damaged, verb=verb, path=path: (
                check(end, place, before, damaged, verb, path)
            ),
        )


def check(end: End, place: Path, before: dict, damaged: bool, verb: str, path: Path):
    """Nothing is changed or gone; what is not read is said."""
    if contents(place / "results") != before or not os.path.lexists(path):
        return "lost", "records were changed"
    if not damaged or verb in ("run", "doctor-free list"):
        return None
    if end.code == 0:
        return "silent wrong", f"exit 0 with a record that was not read: {end.out[-200:]}"
    if verb == "export" and end.code == 3 and "not read" not in end.err:
        return "silent wrong", f"unread records are not said: {end.err}"
    return None


def flipped(random, path):
    """Bytes flipped, cut off or put in."""
    content = bytearray(path.read_bytes())
    for _ in range(random.choice((1, 3, 20))):
        at = random.randrange(len(content))
        match random.randrange(3):
            case 0:
                content[at] ^= 1 << random.randrange(7)
            case 1:
                content[at:at] = random.choice((b"0", b"{", b'"', b"\xff", b"\n"))
            case _:
                del content[at:]
                content += b" "
    path.write_bytes(bytes(content))
    return True


def other_json(random, path):
    """JSON of another kind."""
    texts = (
        "{}",
        "[]",
        "null",
        "1",
        '"x"',
        '{"schema": {}}',
        '{"schema": []}',
        '{"schema": null}',
        '{"schema": "genbench.record/1"}',
        "[" * 3000,
        '{"schema": "genbench.record/9"}',
        '{"schema": "genbench.record/2"}',
        "",
        "\x00",
        "NaN",
        '{"a": 1' + "0" * 5000 + "}",
    )
    path.write_text(random.choice(texts))
    return True


def unsealed(random, path):
    """Without its seal, perhaps of an older schema, perhaps with another value."""
    raw = json.loads(path.read_text())
    del raw["seal"]
    raw["schema"] = random.choice((raw["schema"], "genbench.record/1"))
    if random.random() < 0.5:
        raw["metrics"][0]["value"] = 0.0
    path.write_text(json.dumps(raw, indent=1))
    return True


def hostile(random, path):
    """Sealed anew with a value of another kind somewhere; it may be read, or refused."""
    raw = json.loads(path.read_text())
    spot, key = raw, random.choice(list(raw))
    while isinstance(spot[key], (dict, list)) and spot[key] and random.random() < 0.8:
        spot = spot[key]
        key = random.choice(list(spot)) if isinstance(spot, dict) else random.randrange(len(spot))
    spot[key] = random.choice(HOSTILE)
    try:
        path.write_bytes(reseal(raw))
    except (AttributeError, UnicodeEncodeError, ValueError):
        path.write_text("{}")
    return False


def no_file(random, path):
    """A pipe, a device, a link to one, a folder."""
    path.unlink()
    match random.randrange(5):
        case 0:
            os.mkfifo(path)
        case 1:
            path.symlink_to("/dev/zero")
        case 2:
            path.mkdir()
        case 3:
            path.symlink_to(path)
        case _:
            with path.open("wb") as file:
                file.truncate(2**40)
    return True


def misplaced(random, path):
    """In another folder, or under another name."""
    path.rename(
        path.with_name("0123456789abcdef.json")
        if random.random() < 0.5
        else path.parent.parent / "x.json"
    )
    if not path.exists():
        path.write_text("{}")
    return True


KINDS = {f.__name__: f for f in (flipped, other_json, unsealed, hostile, no_file, misplaced)}
