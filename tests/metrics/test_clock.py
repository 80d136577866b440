"""Times that were measured on a loaded machine say so."""

from __future__ import annotations

import pytest
from small_suites import built

from genbench.core.metric import METRICS, Score
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.core.trained import Trained
from genbench.evaluation.requests import make_requests
from genbench.evaluation.scoring import Facts, make_row
from genbench.metrics import _clock
from genbench.metrics._clock import Load
from genbench.store import Measurement


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Two cores, whose load and stolen time a test sets."""
    stat = tmp_path / "stat"
    monkeypatch.setattr(_clock, "COUNTS", stat)
    monkeypatch.setattr(_clock.os, "cpu_count", lambda: 2)

    def set_to(average, whole=1000, stolen=0):
        monkeypatch.setattr(_clock.os, "getloadavg", lambda: (average, 0.0, 0.0))
        stat.write_text(f"cpu  {whole - stolen} 0 0 0 0 0 0 {stolen} 0 0\ncpu0 0\n")

    return set_to


def test_a_load_is_more_processes_than_cores_or_stolen_time(machine):
    machine(0.5)
    load = Load.now()
    assert load.describe() is None
    machine(0.5, 2000, 5)
    assert load.describe() is None
    machine(0.5, 2000, 200)
    assert load.describe() == "the machine was loaded: 20% of its time stolen"
    machine(3.25)
    assert load.describe() == "the machine was loaded: load average 3.2 on 2 cores"


def test_a_system_that_counts_no_time_is_no_failure(monkeypatch, tmp_path):
    monkeypatch.setattr(_clock, "COUNTS", tmp_path / "nothing")
    monkeypatch.setattr(_clock.os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    assert Load.now().describe() is None


@pytest.mark.parametrize("name", ["latency", "throughput"])
def test_timing_metrics_note_the_load(name, machine):
    model, data, _ = built("gan", "ring", seeds=(0,), hidden=[4])
    trained = Trained(model, data)
    options = {"seconds": 0.01} | ({"repeats": 1} if name == "latency" else {"largest": 4})
    for average, loaded in ((0.1, False), (9.0, True)):
        machine(average)
        result = METRICS.get(name).function(trained, None, rng=Rng([0]), **options)
        scores = result if isinstance(result, dict) else {name: result}
        times = {c: s for c, s in scores.items() if c != "sequential_steps"}
        assert all((score.note is not None) == loaded for score in times.values())
    assert name == "throughput" or scores["sequential_steps"].note is None


def test_a_note_is_in_the_row_and_absent_where_there_is_none():
    (request,) = make_requests([Part(name="throughput")])
    with_note = make_row(request, "throughput", Score(3.0, note="the machine was loaded"), Facts())
    assert with_note.note == "the machine was loaded"
    assert Measurement.model_validate_json(with_note.model_dump_json()) == with_note
    without = make_row(request, "throughput", Score(3.0), Facts())
    assert "note" not in without.model_dump_json()
