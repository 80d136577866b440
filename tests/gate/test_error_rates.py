"""The gate's error rates by simulation; `simulate.py` prints the table."""

import math
from pathlib import Path

import pytest
from simulate import MIXED, Recorded, law_alarms, planted

RESULTS = Path(__file__).parents[2] / "results"


def most(repeats):
    """5 %, and twice the error of a simulation of so many gates."""
    return 0.05 + 2 * math.sqrt(0.05 * 0.95 / repeats)


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 8])
@pytest.mark.parametrize("law", ["normal", "log-normal(1)", "Student(3)", MIXED])
def test_unchanged_code_raises_a_false_alarm_in_one_gate_of_twenty_at_most(law, n):
    assert law_alarms(law, n, 300) <= most(300)


@pytest.mark.slow
def test_planted_shifts_are_caught():
    assert law_alarms("normal", 5, 60, plant=planted(6)) >= 0.9
    assert law_alarms("normal", 8, 60, plant=planted(3)) >= 0.9
    assert law_alarms("normal", 8, 60, plant=planted(6, columns=1)) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 8])
def test_on_recorded_scores(n):
    pool = Recorded(RESULTS)
    assert len(pool.groups) >= 20
    rate, tested = pool.alarms(n, 100)
    assert (rate <= most(100), tested >= 200) == (True, True), rate
    ring = {name: pool.find(name, "ring") for name in ("wgan_gp", "gan", "uniform")}
    assert pool.alarms(n, 20, acting={ring["wgan_gp"]: ring["gan"]})[0] >= 0.9
    assert pool.alarms(n, 20, acting={ring["gan"]: ring["uniform"]})[0] >= 0.9
    assert pool.alarms(n, 20, change=pool.slower("realnvp", "ring", 2.0))[0] >= 0.9
