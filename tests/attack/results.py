"""A small results folder with an accepted baseline, made once, that attacks get copies of."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

from outcome import Try, call

SUITE = """schema: 1
suites:
  tiny:
    description: a test
    seeds: 2
    batch: 8
    budget: {steps: 2}
    samples: 60
    metrics: [fid, prdc]
    curve: 1
    cells:
      - models: [gaussian, uniform, resample]
        datasets: [ring]
"""


@cache
def template(folder: Path) -> Path:
    """Returns a folder with tiny.yaml, results of six cells, and baseline.json."""
    place = folder / "template"
    place.mkdir(parents=True)
    (place / "tiny.yaml").write_text(SUITE)
    made = call(
        Try("", ["run", "tiny", "-c", str(place / "tiny.yaml"), "-o", str(place / "results")])
    )
    assert made.code == 0, made.err
    accept = [
        "baseline",
        "accept",
        "--from",
        str(place / "results"),
        "--to",
        str(place / "baseline.json"),
    ]
    accepted = call(Try("", accept))
    assert accepted.code == 0, accepted.err
    assert len(list((place / "results").glob("*/*/*.json"))) == 6
    return place


def copy(folder: Path, name: str) -> Path:
    """Returns a fresh copy of the template in a folder."""
    place = folder / name
    shutil.copytree(template(folder.parent), place)
    return place


def contents(place: Path) -> dict[str, bytes]:
    """The bytes of all records, by path."""
    paths = [path for path in place.glob("*/*/*.json") if path.is_file() and not path.is_symlink()]
    small = [path for path in paths if path.stat().st_size < 2**24]
    return {str(path.relative_to(place)): path.read_bytes() for path in small}


def reseal(raw: dict) -> bytes:
    """A record's bytes with the right seal, whatever is in it."""
    from genbench.store.form import _digest

    raw = {key: value for key, value in raw.items() if key != "seal"}
    body = (json.dumps({"schema": raw.pop("schema", None), **raw}, indent=1) + "\n").encode()
    lines = body.split(b"\n", 2)
    return b"\n".join([*lines[:2], f' "seal": "{_digest(body)}",'.encode(), lines[2]])
