"""Results folders of which a file of trials, of a claim or of tuning, or a picture is damaged or hostile.

The folder is named by -o, or is the `runs/` that verbs look into where none is named.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

from damaged_records import HOSTILE, flipped, misplaced, no_file, other_json
from outcome import End, Try

from results import copy

ROOT = Path(__file__).parents[2]
TUNING = """tuning:
  ring: {budget: {steps: 4}, batch: 8, samples: 20, criteria: {samples: mmd}, trials: 5}
"""
PAGE = "<!-- sources:begin -->\n<!-- sources:end -->\n"
#: verbs that read trials, and those that read one kind of them or none
VERBS = {
    "validate": ["validate"],
    "report": ["report", "--to", "page"],
    "leaderboard": ["leaderboard", "-d", "ring"],
    "against": ["leaderboard", "--against", "other"],
    "export": ["export", "out.csv"],
    "merge": ["merge"],
    "claims": ["claims", "nash-oscillation", "--no-run"],
    "reproduce": ["claims", "nash-oscillation", "--against", "other"],
    "accept": ["tune", "--accept", "--tuned", "tuned.yaml", "-c", "tiny.yaml"],
    "curves": ["tune", "--curves"],
    "costs": ["tune", "--dry-run", "-m", "vae", "-c", "tiny.yaml"],
    "pictures": ["pictures", "-d", "ring"],
    "sources": ["list", "sources", "--readme", "page.md"],
}
#: verbs that must not end well where one of these files is damaged
TELLS = {
    "claims": {"validate", "report", "leaderboard", "against", "export", "merge", "pictures"}
    | {"claims", "reproduce"},
    "tuning": {"validate", "report", "leaderboard", "against", "export", "merge", "pictures"}
    | {"accept", "curves"},
    "pictures": set(),
}


def fuzz(random: Random, folder: Path) -> Iterator[Try]:
    """Yields tries without end."""
    number = 0
    while True:
        number += 1
        for old in folder.glob("r*"):
            shutil.rmtree(old, ignore_errors=True)
        place = copy(folder, f"r{number}")
        os.chdir(place)
        add_trials(place)
        part = random.choice(list(FOLDERS))
        path = random.choice(sorted((place / "results" / part).rglob("*.*")))
        name = random.choice(list(FOLDERS[part]))
        damaged = FOLDERS[part][name](random, path)
        before = contents(place)
        verb = random.choice(list(VERBS))
        root = random.choice(("results", "runs"))
        if root == "runs":
            move(random, place)
        yield Try(
            f"trials/{part} {name}",
            [*VERBS[verb], *name_folder(verb, root)],
            judge=lambda end, place=place, before=before, told=damaged and verb in TELLS[part]: (
                check(end, place, before, told)
            ),
        )


def name_folder(verb: str, root: str) -> list[str]:
    """The arguments by which a verb gets the folder; `runs` is looked into without any."""
    if verb == "merge":
        return [root, "other", "-o", "union"]
    if verb == "sources" or root == "runs":
        return []
    return [root] if verb == "validate" else ["-o", root]


def move(random: Random, place: Path) -> None:
    """Makes the results folder the default one, or a link to it."""
    if random.random() < 0.5:
        (place / "runs").symlink_to("results")
    else:
        (place / "results").rename(place / "runs")


def add_trials(place: Path) -> None:
    """Puts trials of claims and tuning, pictures, a second folder and a page into a copy of the template."""
    results = place / "results"
    for part, name in (("claims", "nash-oscillation-*.json"), ("claims", "one-pass-*.json")):
        (results / part).mkdir(exist_ok=True)
        source = sorted((ROOT / "results" / part).glob(name))[0]
        shutil.copy(source, results / part / source.name)
    (results / "tuning").mkdir()
    for source in sorted((ROOT / "results" / "tuning").glob("cgan-digits-*.json"))[:1]:
        shutil.copy(source, results / "tuning" / source.name)
    for record in sorted(results.glob("ring/*/*.json")):
        raw = json.loads(record.read_text())
        group, model = raw["group"], raw["spec"]["model"]
        picture = results / "pictures" / "ring" / model / f"{group}-0.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(png())
    shutil.copytree(results, place / "other")
    (place / "page.md").write_text(PAGE)
    with (place / "tiny.yaml").open("a") as suite:
        suite.write(TUNING)


@cache
def png() -> bytes:
    """The bytes of a picture."""
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (255, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def contents(place: Path) -> dict[tuple[str, ...], bytes]:
    """The bytes of all trials and records, by path in the results folder."""
    root = next(
        r for name in ("results", "runs") if (r := place / name).is_dir() and not r.is_symlink()
    )
    paths = [*root.glob("*/*/*.json"), *root.glob("claims/*"), *root.glob("tuning/*")]
    small = [p for p in paths if p.is_file() and not p.is_symlink() and p.stat().st_size < 2**24]
    return {p.relative_to(root).parts: p.read_bytes() for p in small}


def check(end: End, place: Path, before: dict, told: bool):
    """Nothing is changed, gone or written elsewhere; what is not read is said."""
    if contents(place) != before:
        return "lost", "records or trials were changed"
    strange = [p.name for p in place.parent.iterdir() if p.name not in ("template", place.name)]
    if strange:
        return "lost", f"written outside of what was named: {strange}"
    if told and end.code == 0:
        return "silent wrong", f"exit 0 with trials that were not read: {end.out[-200:]}"
    if told and end.code == 3 and "not read" not in end.err:
        return "silent wrong", f"unread trials are not said: {end.err}"
    return None


def hostile(random: Random, path: Path) -> bool:
    """Sealed anew with a value of another kind somewhere; it may be read, or refused."""
    raw = json.loads(path.read_text())
    spot, key = raw, random.choice(list(raw))
    while isinstance(spot[key], (dict, list)) and spot[key] and random.random() < 0.85:
        spot = spot[key]
        key = random.choice(list(spot)) if isinstance(spot, dict) else random.randrange(len(spot))
    spot[key] = random.choice(HOSTILE)
    try:
        path.write_bytes(reseal(raw, path.parent.name))
    except ValueError:
        path.write_text(json.dumps(raw))
    return False


def renamed(random: Random, path: Path) -> bool:
    """Sound, under the name of other trials."""
    name = random.choice(("other-0123456789ab.json", f"x{path.name}", "x.json"))
    path.rename(path.with_name(name))
    return True


def as_folder(random: Random, path: Path) -> bool:
    """A file, a pipe or a link in the place of the folder."""
    folder = path.parent
    shutil.rmtree(folder)
    match random.randrange(4):
        case 0:
            folder.write_text("x")
        case 1:
            os.mkfifo(folder)
        case 2:
            folder.symlink_to("/dev/zero")
        case _:
            folder.symlink_to(folder)
    return True


def linked(random: Random, path: Path) -> bool:
    """A link to a folder elsewhere in the place of the folder; it is read."""
    aside = path.parents[2] / f"aside-{path.parent.name}"
    path.parent.rename(aside)
    path.parent.symlink_to(aside)
    return False


def other_picture(random: Random, path: Path) -> bool:
    """A picture of a kind that is not drawn, of a wrong size, or a text."""
    contents = (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        b"",
        png()[:40],
        random.randbytes(300),
        b"GIF89a" + bytes(20),
        b"x" * 2**21,
        b"<svg onload='alert(1)'></svg>",
    )
    path.write_bytes(random.choice(contents))
    if random.random() < 0.3:
        path.rename(path.with_suffix(random.choice((".txt", ".webp"))))
    return False


def reseal(raw: dict, part: str) -> bytes:
    """The bytes of trials with the right seal; ValueError where there can be none."""
    from genbench.store import trial, tuning, tunings

    if part == "tuning":
        return tunings.to_bytes(tuning.TuningFile.model_validate_json(json.dumps(raw)))
    sound = trial.Trial.model_validate_json(json.dumps(raw))
    sealed = sound.model_copy(update={"seal": trial._seal(sound)})
    return (sealed.model_dump_json(by_alias=True, indent=1) + "\n").encode()


COMMON = {f.__name__: f for f in (flipped, other_json, no_file, misplaced, renamed, as_folder)}
FOLDERS = {
    "claims": {**COMMON, "hostile": hostile, "linked": linked},
    "tuning": {**COMMON, "hostile": hostile, "linked": linked},
    "pictures": {
        f.__name__: f for f in (flipped, no_file, renamed, as_folder, linked, other_picture)
    },
}
