"""Command lines: every verb with options and arguments that nobody would give, beside a folder of records."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy
from outcome import Try

from results import template

VALUES = (
    "",
    " ",
    "-1",
    "0",
    "1",
    "3",
    "nan",
    "inf",
    "1e400",
    "99999999999999999999999",
    "x",
    "é",
    "\x1b]0;x\x07",
    "a" * 3000,
    "../..",
    "/dev/null",
    "/proc",
    "a\nb",
    "a:b=c",
    ":",
    "=",
    "fid",
    "gan",
    "ring",
    "identity",
    "*",
    "None",
    "1x1",
    "0x0",
    "99999x99999",
    "0,0",
    "1,0",
    "nan,nan",
    "tiny",
    "512MiB",
    "1KiB",
    "-",
    "--",
    "@x",
    "{}",
    "[]",
    "%s",
    "\udcff",
)
#: what some option or other takes
SENSIBLE = (
    "runs",
    "ring",
    "gaussian",
    "uniform",
    "1",
    "2",
    "to",
    "table",
    "csv",
    "cpu",
    "sound.json",
)
BASES: dict[str, tuple[list[str], list[str]]] = {
    "evaluate": (
        ["evaluate", "a.npy", "-r", "b.npy", "--metrics", "fid,prdc"],
        [
            "--metrics",
            "--limit",
            "--batch",
            "--memory",
            "--seed",
            "--resize",
            "--channels",
            "--range",
            "--train",
            "--features",
            "--device",
            "--precision",
            "--record",
            "--as-dataset",
            "--save-stats",
            "--html",
            "-r",
            "--weights",
        ],
    ),
    "run": (
        ["run", "-m", "gaussian", "-d", "ring", "--dry-run"],
        [
            "-m",
            "-d",
            "--seeds",
            "--steps",
            "--labelled",
            "--claim",
            "--budget-scale",
            "--max-seeds",
            "--device",
            "--executor",
            "-j",
            "--checkpoint-every",
            "--timeout",
            "--plugin",
            "-c",
            "-o",
            "--data-dir",
            "--compile",
        ],
    ),
    "report": (["report"], ["-o", "--to", "--title", "-c", "--plugin"]),
    "leaderboard": (
        ["leaderboard"],
        ["-o", "-d", "--against", "--to", "--readme", "--title", "--format"],
    ),
    "pictures": (["pictures"], ["-o", "-d", "-m", "--at-most", "--device", "--plugin"]),
    "claims": (
        ["claims", "nash-oscillation", "--no-run"],
        ["-o", "--seeds", "--budget-scale", "--readme", "--against", "--format"],
    ),
    "sources": (["list", "sources"], ["--readme", "-c", "--plugin"]),
    "accept": (["tune", "--accept"], ["-m", "-d", "--tuned", "-c", "-o"]),
    "curves": (["tune", "--curves"], ["-m", "-d", "-o"]),
    "check": (["check", "--baseline", "sound.json"], ["--baseline", "--candidate", "--format"]),
    "baseline": (["baseline", "accept"], ["--suite", "--from", "--to", "--by", "--note", "-c"]),
    "validate": (["validate"], ["--plugin"]),
    "merge": (["merge", "empty", "runs", "-o", "union"], ["-o", "--keep"]),
    "export": (["export", "x.csv"], ["-o"]),
    "list": (["list"], ["-c", "--plugin"]),
    "show": (["show"], ["-c", "-o", "--plugin"]),
    "tune": (["tune", "--dry-run"], ["-m", "-d", "--trials", "--steps", "-c", "-o"]),
    "test-plugin": (["test-plugin"], []),
    "fetch": (["fetch", "--offline"], ["--data-dir", "--plugin"]),
    "nope": (["nope"], []),
}


def fuzz(random: Random, folder: Path) -> Iterator[Try]:
    """Yields tries without end."""
    rng = numpy.random.default_rng(0)
    for name in "ab":
        numpy.save(folder / f"{name}.npy", rng.normal(size=(20, 2)))
    (folder / "empty").mkdir(exist_ok=True)
    sound = template(folder.parent)
    shutil.copy(sound / "baseline.json", folder / "sound.json")
    while True:
        if not (folder / "runs").is_dir():
            shutil.copytree(sound / "results", folder / "runs")
        verb = random.choice(list(BASES))
        base, options = BASES[verb]
        args = list(base)
        for _ in range(random.randrange(1, 3)):
            if options and random.random() < 0.9:
                values = SENSIBLE if random.random() < 0.4 else VALUES
                args += [random.choice(options), random.choice(values)]
            else:
                args.append(
                    random.choice(
                        [*VALUES, "gan", "digits", "models", "ci", "x.csv", "--json", "--help"]
                    )
                )
        yield Try(f"options/{verb}", args)
