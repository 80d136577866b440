"""Suite files: mutated texts, values of other types, keys that are there twice, tags, bombs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

from outcome import Try

SUITE = """schema: 1
suites:
  tiny:
    description: a test
    seeds: 2
    batch: 8
    budget: {steps: 4}
    samples: 50
    metrics: [fid, {name: kid, options: {subsets: 4}}]
    curve: 2
    curve_metrics: [mmd]
    cells:
      - models: [gaussian, {name: gan, options: {hidden: [16]}}]
        datasets: [ring]
tuning:
  small:
    dataset: ring
    budget: {steps: 4}
    batch: 8
    samples: 20
    criteria: {samples: mmd}
    rungs: [0.5, 1.0]
    trials: 5
    models: [vae]
    base: {vae: {hidden: [16]}}
"""
VALUES = (
    "null",
    "-1",
    "0",
    "1e99",
    ".nan",
    "[]",
    "{}",
    "'x'",
    "[[[1]]]",
    "true",
    "!!python/object:os.x 1",
    "!!binary a",
    "2020-13-40",
    "99999999999999999999",
    "0x7fffffffffffffff",
    "*a",
    "&a [*a]",
    "? [a]",
    "!!int x",
    "!!omap [a]",
    '"\\u0000"',
    "~",
    "!!timestamp 1",
    "<<",
    "{a: {b: {c: 1}}}",
    "1_000",
    "60:60",
    "!!set {a, b}",
    *(
        "1",
        "2",
        "3",
        "[gaussian]",
        "[ring]",
        "[fid]",
        "{steps: 1}",
        "fid",
        "[uniform]",
        "0.5",
        "x",
    ),
    *(
        "1",
        "2",
        "3",
        "[gaussian]",
        "[ring]",
        "[fid]",
        "{steps: 1}",
        "fid",
        "[uniform]",
        "0.5",
        "x",
    ),
    "!!float x",
    '"\\ud800"',
)
VERBS = (
    ["run", "tiny", "--dry-run"],
    ["show", "tiny"],
    ["list", "suites"],
    ["tune", "--dry-run"],
    ["tune", "--dry-run", "-d", "ring"],
)
PIECES = (
    "\t",
    "\x00",
    "\r",
    "\ufeff",
    "- ",
    ": ",
    "{",
    "[",
    "&x ",
    "*x",
    "!!",
    "|",
    ">",
    "%YAML 9.9\n",
    "---\n",
    "...\n",
    "\u2028",
    "é",
)


def fuzz(random: Random, folder: Path) -> Iterator[Try]:
    """Yields tries without end."""
    number = 0
    while True:
        number += 1
        path = folder / f"suite{number}.yaml"
        kind = random.choice(KINDS)
        twice = kind(random, path)
        verb = random.choice(VERBS)
        codes = frozenset({2}) if twice else frozenset({0, 2, 3})
        yield Try(f"suites/{kind.__name__}", [*verb, "--config", path.name], codes)


def piece(random: Random, path: Path) -> bool:
    """A sign that means something, somewhere."""
    at = random.randrange(len(SUITE))
    path.write_text(SUITE[:at] + random.choice(PIECES) + SUITE[at:])
    return False


def value(random: Random, path: Path) -> bool:
    """Other values."""
    lines = SUITE.splitlines(keepends=True)
    for _ in range(random.randrange(1, 3)):
        k = random.randrange(len(lines))
        head, colon, _ = lines[k].partition(": ")
        lines[k] = f"{head}{colon}{random.choice(VALUES)}\n"
    path.write_text("".join(lines))
    return False


def doubled(random: Random, path: Path) -> bool:
    """A key that is there twice, which must be refused: returns True."""
    lines = SUITE.splitlines(keepends=True)
    k = random.randrange(1, 11)
    block = "".join(lines[k:]) if k < 3 else lines[k]
    at = len(lines) if k < 3 else k + 1
    path.write_text("".join([*lines[:at], block, *lines[at:]]))
    return True


def order(random: Random, path: Path) -> bool:
    """Lines in another order, or only the first of them."""
    lines = SUITE.splitlines(keepends=True)
    if random.random() < 0.5:
        random.shuffle(lines)
    path.write_text("".join(lines[: random.randrange(1, len(lines) + 1)]))
    return False


def damaged(random: Random, path: Path) -> bool:
    """Other bytes."""
    content = bytearray(SUITE.encode())
    for _ in range(random.randrange(1, 6)):
        content[random.randrange(len(content))] = random.randrange(256)
    path.write_bytes(bytes(content))
    return False


def odd(random: Random, path: Path) -> bool:
    """What is no text of a suite."""
    match random.randrange(7):
        case 0:
            os.mkfifo(path)
        case 1:
            path.symlink_to("/dev/zero")
        case 2:
            path.mkdir()
        case 3:
            path.write_text("[" * 5000)
        case 4:
            path.write_text(
                "a: &a [x,x]\n"
                + "".join(
                    f"{c}: &{c} [*{p},*{p},*{p}]\n"
                    for p, c in zip("abcdefgh", "bcdefghi", strict=True)
                )
            )
        case 5:
            path.write_text("\n".join(f"k{k}: {k}" for k in range(20_000)))
        case _:
            path.write_bytes(b"\xff\xfe" + random.randbytes(200))
    return False


KINDS = (piece, value, value, doubled, order, damaged, odd)
