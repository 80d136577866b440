"""Trains the classifiers whose weights genbench ships, on whole data sets and as tuning sees them.

Processors train to different last bits, so that these files, once published, stay: an extractor of another
digest is another protocol. Run it for a data set whose files are missing:

    python tests/proof/classifiers.py [--again]
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from genbench.core.dataset import Dataset, open_named
from genbench.evaluation.validation import WithoutTest
from genbench.features import _cache
from genbench.features.classifier import ClassifierFeatures

NAMES = ("digits", "binary_digits", "fashion_mnist")


def make(dataset: Dataset, again: bool) -> str:
    """Trains a data set's classifier into the package, unless it is there; returns its protocol."""
    shipped = _cache.SHIPPED
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GENBENCH_CACHE"] = folder
        _cache.SHIPPED = Path(folder) / "none" if again else shipped
        try:
            protocol = ClassifierFeatures(dataset).protocol
        finally:
            _cache.SHIPPED = shipped
        for path in (Path(folder) / "features").glob("*"):
            shipped.mkdir(exist_ok=True)
            (shipped / path.name).write_bytes(path.read_bytes())
    return protocol


def main() -> None:
    """Prints a line a classifier."""
    parser = argparse.ArgumentParser(description="The classifiers that genbench ships")
    parser.add_argument("--again", action="store_true", help="train those that are there, too")
    again = parser.parse_args().again
    for name in NAMES:
        dataset = open_named(name)
        for seen, view in (("train, test", dataset), ("train, validation", WithoutTest(dataset))):
            print(f"{make(view, again)}  ({seen})", flush=True)


if __name__ == "__main__":
    main()
