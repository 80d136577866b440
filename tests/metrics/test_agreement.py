"""The table of agreement with peers: all rows agree, and a wrong number would be told."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "speed"))
import agreement
from agreement import CLOSED, Row


def test_every_row_agrees():
    done = subprocess.run(
        [sys.executable, agreement.__file__, "--tiny"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *rows, last = done.stdout.splitlines()[1:]
    assert last == "0 disagree"
    told = {row.split()[0] for row in rows}
    assert told >= {"fid", "kid", "kid_subsets", "mmd", "precision", "inception_score", *CLOSED}
    assert told >= {"vendi", "cmmd", "mind", "fd", "recall"}
    assert len(rows) > 60


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({}, "agrees"),
        ({"ours": 1.1}, "DISAGREES"),
        ({"ours": 1.1, "reason": "ties"}, "peer off: ties"),
        ({"ours": 1.1, "scale": 1e6}, "agrees"),
        ({"ours": 1.1, "unit": 1e-6}, "DISAGREES"),
    ],
)
def test_verdicts(given, verdict):
    row = {"metric": "m", "case": "c", "peer": "p", "ours": 1.0, "theirs": 1.0} | given
    assert Row(tolerance=1e-6, **row).verdict == verdict
