"""A slice of `make attack`: a few seeded tries of every kind, none of which may go wrong."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fuzzers import FUZZERS
from outcome import FAULTS, End, Try, attack, judge

#: tries of each kind; `make attack` makes hundreds
COUNTS = {
    "inputs": 40,
    "suites": 30,
    "records": 4,
    "trials": 6,
    "baselines": 30,
    "plugins": 16,
    "options": 40,
    "environment": 4,
}


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("kind", COUNTS)
def test_nothing_breaks_lies_hangs_or_is_lost(kind, tmp_path):
    tally = attack(FUZZERS[kind], COUNTS[kind], 1, tmp_path / kind)
    assert tally.tried == COUNTS[kind]
    assert set(tally.codes) != {2}, "all tries were refused: the fuzzer reaches nothing"
    assert {fault: texts for fault, texts in tally.faults.items() if texts} == {}


def test_the_harness_sees_what_goes_wrong(monkeypatch):
    """Each fault is planted once, and is put into its column."""
    ends = {
        "traceback": End(70, "", "genbench: an error that nobody expected"),
        "wrong exit": End(2, "", ""),
        "silent wrong": End(0, "", ""),
        "lost": End(0, "", ""),
    }
    for fault in FAULTS:
        if fault == "hang":
            continue
        monkeypatch.setattr("outcome.call", lambda trial, fault=fault: ends[fault])
        trial = Try("x", ["y"], judge=lambda end, fault=fault: (fault, "planted"))
        assert [kind for kind, _ in judge(trial, {})] == [fault]


def test_a_hang_is_seen(monkeypatch):
    def forever(args):
        while True:
            pass

    monkeypatch.setattr("outcome.PATIENCE", 0.2)
    monkeypatch.setattr("outcome.main", forever)
    assert [kind for kind, _ in judge(Try("x", []), {})] == ["hang"]
