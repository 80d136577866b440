"""Short runs and evaluations where nothing is as it should be: output, locale, caches, homes, folders."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

from outcome import End, Try

from results import SUITE


class Failing(io.TextIOBase):
    """A standard output that fails at some write: a full disk, or a reader who has gone."""

    encoding = "utf-8"

    def __init__(self, number: int, after: int) -> None:
        self.number, self.left = number, after

    def write(self, text: str) -> int:
        self.left -= 1
        if self.left < 0:
            raise OSError(self.number, os.strerror(self.number))
        return len(text)


def ascii_stream() -> io.TextIOBase:
    """A standard output that knows no × and no ±."""
    return io.TextIOWrapper(io.BytesIO(), encoding="ascii")


def closed_stream() -> io.TextIOBase:
    """A standard output that was closed."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    stream.close()
    return stream


def fuzz(random: Random, folder: Path) -> Iterator[Try]:
    """Yields tries without end."""
    number = 0
    (folder / "file").write_text("x")
    os.mkfifo(folder / "pipe")
    (folder / "tiny.yaml").write_text(
        SUITE.replace("gaussian, uniform, resample", "gaussian, uniform")
    )
    while True:
        number += 1
        out = f"out{number}"
        variables = pick_variables(random)
        full = random.random() < 0.4
        stdout = random.choice(STREAMS)(random) if full else None
        extra, hurt = pick_extra(random, folder, out)
        args = ["run", "tiny", "-c", "tiny.yaml", "-o", out, *extra]
        codes = {0, 2, 3}
        yield Try(
            f"environment {variables} {extra}",
            args,
            frozenset(codes),
            lambda end, out=out, hurt=hurt: judge(end, folder / out, hurt),
            stdout,
            variables,
        )
        shutil.rmtree(folder / out, ignore_errors=True)


STREAMS = (
    lambda random: lambda: Failing(28, random.randrange(6)),
    lambda random: lambda: Failing(32, random.randrange(6)),
    lambda random: lambda: Failing(5, 0),
    lambda random: ascii_stream,
    lambda random: closed_stream,
)


def pick_variables(random: Random) -> dict[str, str | None]:
    """Environment variables that nobody sets on purpose."""
    choices = {
        "HOME": (None, "/nonexistent", "", "file"),
        "GENBENCH_CACHE": ("file", "/proc/nowhere", "pipe", "", "c\n d", "é"),
        "XDG_CACHE_HOME": ("file", "", "relative"),
        "TMPDIR": ("/nonexistent", "file"),
        "COLUMNS": ("0", "-1", "x", "5", "100000"),
        "LC_ALL": ("C", "xx_YY", ""),
        "TERM": ("dumb", "", "nonsense"),
        "NO_COLOR": ("1",),
        "OMP_NUM_THREADS": ("x", "-1", "0"),
        "GENBENCH_OFFLINE": ("1", "maybe", ""),
        "GENBENCH_DATA": ("file", "/nonexistent"),
        "GIT_AUTHOR_NAME": ("", "\x1b[2J"),
    }
    names = random.sample(list(choices), random.randrange(3))
    return {name: random.choice(choices[name]) for name in names}


def pick_extra(random: Random, folder: Path, out: str) -> tuple[list[str], bool]:
    """Options and things in the way; whether records cannot be had."""
    place = folder / out
    match random.randrange(8):
        case 0:
            return ["--tensorboard", "file/x"], True
        case 1:
            return ["--tensorboard", f"tb-{out}"], False
        case 2:
            place.mkdir()
            os.mkfifo(place / ".lock")
            return [], True
        case 3:
            place.mkdir()
            (place / ".lock").symlink_to("/dev/full")
            return [], True
        case 4:
            place.mkdir()
            (place / "ring").write_text("in the way")
            return [], True
        case 5:
            return ["-q"], False
        case 6:
            return ["-v"], False
        case _:
            return [], False


def judge(end: End, out: Path, hurt: bool):
    """What was trained is on disk, whatever became of the output; exit 0 means that all is."""
    if hurt:
        return (
            ("silent wrong", "exit 0 though records could not be written")
            if end.code == 0
            else None
        )
    records = len(list(out.glob("*/*/*.json")))
    if records == 4:
        return None
    if end.code == 2 and "Usage: " in end.err and not records:
        return None  # a variable stands for an option, and is refused like one
    return "lost", f"{records} of 4 records, exit {end.code}: {end.err[-200:]}"
