"""Points of `genbench evaluate`: in every container, sound, damaged, of odd types and shapes, no files."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy
import torch
from outcome import End, Try
from PIL import Image
from safetensors.torch import save_file

METRICS = (
    "fid",
    "prdc",
    "mmd",
    "kid",
    "fid,prdc",
    "energy_distance",
    "sliced_wasserstein",
    "c2st",
)
ODD_METRICS = (
    "nll",
    "latency",
    "modes",
    "c_t",
    "psnr",
    "vendi",
    "nope",
    "",
    ",",
    "fid:x=1",
    "mmd:",
    "prdc:neighbours=0",
)
RIGHT = frozenset({0, 2})
REFUSED = frozenset({2})
#: what is sound must be scored
SCORED = frozenset({0})


def fuzz(random: Random, folder: Path) -> Iterator[Try]:
    """Yields tries without end."""
    rng = numpy.random.default_rng(random.randrange(2**32))
    points = rng.normal(size=(40, 3)).astype(numpy.float32)
    numpy.save(folder / "real.npy", rng.normal(size=(48, 3)).astype(numpy.float32))
    numpy.save(folder / "plain.npy", points)
    truth: dict[str, list] = {}
    number = 0
    while True:
        number += 1
        kind = random.choice(KINDS)
        metrics = random.choice(METRICS if random.random() < 0.8 else ODD_METRICS)
        name, codes, same = kind(random, folder, number, points)
        reference = "real.npy"
        if kind is pictures:
            reference, metrics = name, "fid"
        args = ["evaluate", name, "-r", reference, "--metrics", metrics, "--json", "--no-cache"]
        if random.random() < 0.1:
            args[1], args[3] = args[3], args[1]
        sound = same and metrics in METRICS and args[1] == name
        yield Try(
            f"inputs/{kind.__name__}",
            args,
            codes if metrics in METRICS else RIGHT,
            lambda end, metrics=metrics, sound=sound: check(end, metrics, sound, truth),
        )


def check(end: End, metrics: str, sound: bool, truth: dict[str, list]) -> tuple[str, str] | None:
    """Points that are the same have the same scores; nothing that is a number is not finite."""
    if end.code:
        return ("wrong exit", f"sound points are refused: {end.err[-200:]}") if sound else None
    if end.json is None:
        return "silent wrong", f"standard output is not JSON: {end.out[:100]!r}"
    rows = end.json["metrics"]
    values = [(name, row["value"]) for name, row in rows.items()]
    for row in rows.values():
        if row["value"] is None and not row.get("reason"):
            return "silent wrong", f"null without a reason: {row}"
    if not sound:
        return None
    first = truth.setdefault(metrics, values)
    close = len(first) == len(values) and all(
        a == b or (None not in (a, b) and abs(a - b) <= 1e-4 * max(1e-3, abs(a)))
        for (_, a), (_, b) in zip(first, values, strict=True)
    )
    return None if close else ("silent wrong", f"{values} for {first}")


def sound(random, folder, number, x):
    """The same points in another container or type."""
    path = folder / f"s{number}"
    match random.randrange(8):
        case 0:
            numpy.save(path.with_suffix(".npy"), numpy.asfortranarray(x))
            return f"s{number}.npy", RIGHT, True
        case 1:
            numpy.save(path.with_suffix(".npy"), x.astype(">f8"))
            return f"s{number}.npy", RIGHT, True
        case 2:
            numpy.savez(path.with_suffix(".npz"), samples=x)
            return f"s{number}.npz", RIGHT, True
        case 3:
            numpy.savez_compressed(path.with_suffix(".npz"), points=x)
            return f"s{number}.npz:points", RIGHT, True
        case 4:
            torch.save(torch.from_numpy(x), path.with_suffix(".pt"))
            return f"s{number}.pt", RIGHT, True
        case 5:
            save_file({"samples": torch.from_numpy(x)}, path.with_suffix(".safetensors"))
            return f"s{number}.safetensors", RIGHT, True
        case 6:
            numpy.savetxt(path.with_suffix(".csv"), x, delimiter=",", fmt="%.9g")
            return f"s{number}.csv", RIGHT, True
        case _:
            (folder / f"s{number}.py").write_text(
                "import numpy\ndef f():\n    b = numpy.empty((10, 3), numpy.float32)\n"
                "    x = numpy.load('plain.npy')\n    for k in range(4):\n"
                "        b[:] = x[10 * k : 10 * k + 10]\n        yield b\n"
            )
            return f"s{number}:f", RIGHT, True


def damaged(random, folder, number, x):
    """A sound file with bytes flipped, cut off, put in or doubled."""
    name, _, _ = sound(random, folder, number, x)
    path = folder / name.split(":")[0]
    if path.suffix in ("", ".py"):
        path = folder / "plain.npy"
        name = f"d{number}.npy"
    content = bytearray(path.read_bytes())
    for _ in range(random.choice((1, 1, 4, 40))):
        at = random.randrange(max(1, len(content)))
        match random.randrange(4):
            case 0:
                content[at] ^= 1 << random.randrange(8)
            case 1:
                del content[at:]
                content += b"\0"
            case 2:
                content[at:at] = random.randbytes(random.randrange(1, 9))
            case _:
                content[at : at + 8] = random.choice((b"\xff" * 8, b"\0" * 8, b"A" * 8))
    (folder / name.split(":")[0]).write_bytes(bytes(content))
    return name, RIGHT, False


def odd_type(random, folder, number, x):
    """An array of a type or with values that cannot be compared."""
    arrays = {
        "nan": numpy.where(x > 1, numpy.nan, x),
        "infinite": numpy.where(x > 1, numpy.inf, x),
        "complex": x.astype(complex),
        "text": x.astype("U8"),
        "dates": numpy.full(x.shape, numpy.datetime64("2020-01-01")),
        "records": numpy.zeros(40, dtype=[("a", "f4"), ("b", "f4")]),
        "objects": numpy.array([[1, None]] * 9, dtype=object),
        "huge": (x.astype(float) * 1e300),
        "long": x.astype(numpy.longdouble),
        "half": x.astype(numpy.float16),
        "bits": x > 0,
        "bytes": (x * 50).clip(0, 255).astype(numpy.uint8),
        "large": (x * 1e6).astype(numpy.int64),
        "same": numpy.ones_like(x),
        "tiny": x * 1e-300,
    }
    key = random.choice(list(arrays))
    numpy.save(folder / f"o{number}.npy", arrays[key], allow_pickle=True)
    bad = key in ("nan", "infinite", "complex", "text", "dates", "records", "objects")
    return f"o{number}.npy", REFUSED if bad else RIGHT, False


def odd_shape(random, folder, number, x):
    """An array of another shape."""
    shapes = [
        (),
        (0,),
        (0, 3),
        (1, 3),
        (40,),
        (3, 40),
        (2, 3),
        (40, 0),
        (40, 1),
        (40, 4),
        (5, 4, 4),
        (5, 3, 4, 4),
        (5, 4, 4, 3),
        (2, 2, 2, 2, 2),
        (40, 1, 3),
        (1000, 3),
        (6, 1, 1, 1),
    ]
    shape = random.choice(shapes)
    kind = random.choice(("float32", "uint8", "int16"))
    numpy.save(folder / f"h{number}.npy", numpy.ones(shape, kind))
    return f"h{number}.npy", RIGHT, False


NAMES = ("/dev/zero", "/dev/full", "/proc/self/mem", "/", "~nobody/x", "a\nb")
NOTHING = ("digits:tset", "ring:", ":test", "os:abort2", "a:b:c", "no_module:f", "ring")
ENTRIES = ("../a.png", "/a.png", "a.png", "b.eps")


def no_file(random, folder, number, x):
    """What is not a file."""
    path = folder / f"n{number}.npy"
    match random.randrange(6):
        case 0:
            os.mkfifo(path)
        case 1:
            path.symlink_to("/dev/zero")
        case 2:
            path.symlink_to(path)
        case 3:
            path.mkdir()
        case 4:
            path.write_bytes(b"")
        case _:
            with path.open("wb") as file:
                file.truncate(2**40)
    return path.name, REFUSED, False


def odd_name(random, folder, number, x):
    """A name of something else, or of nothing; an archive with names of its own."""
    if random.random() < 0.7:
        return random.choice((*NAMES, *NOTHING)), REFUSED, False
    path = folder / f"z{number}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(random.choice(ENTRIES), b"%!PS-Adobe-3.0 EPSF-3.0\n")
    return path.name, REFUSED, False


def pictures(random, folder, number, x):
    """A folder of pictures, some of which are something else."""
    place = folder / f"p{number}"
    place.mkdir()
    broken = False
    for k in range(5):
        image = Image.fromarray(
            numpy.random.default_rng(k).integers(0, 256, (8, 8, 3), numpy.uint8)
        )
        content = io.BytesIO()
        image.save(content, random.choice(("PNG", "JPEG", "BMP", "GIF", "TIFF")))
        data = bytearray(content.getvalue())
        if random.random() < 0.1:
            data[random.randrange(len(data))] ^= 0xFF
            broken = True
        (place / f"{k}.png").write_bytes(bytes(data))
    match random.randrange(6):
        case 0:
            broken = True
            (place / "x.png").write_bytes(
                b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n"
            )
        case 1:
            broken = True
            os.mkfifo(place / "y.png")
        case 2:
            broken = True
            (place / "z.png").symlink_to("/dev/zero")
    return place.name, RIGHT if broken else SCORED, False


def raising(random, folder, number, x):
    """A generator that raises, ends the program, or yields something else."""
    body = random.choice(
        (
            "import sys; sys.exit(0)",
            "raise SystemExit",
            "raise AttributeError('x')",
            "raise KeyError",
            "yield 1",
            "yield None; yield 'a'",
            "yield [[1, 2], [3]]",
            "yield {'a': 1}",
            "raise StopIteration",
            "return",
            "yield __import__('numpy').full((9, 3), float('nan'))",
            "print('hello'); yield __import__('numpy').ones((9, 3))",
            "yield __import__('numpy').ones((9, 3)); yield __import__('numpy').ones((9, 2))",
            "raise BaseException('x')",
            "raise RecursionError",
        )
    )
    (folder / f"r{number}.py").write_text(f"def f():\n    {body}\n    yield\n")
    return f"r{number}:f", RIGHT, False


KINDS = (
    sound,
    sound,
    damaged,
    damaged,
    damaged,
    odd_type,
    odd_shape,
    no_file,
    odd_name,
    pictures,
    raising,
)
