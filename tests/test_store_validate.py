import json
import math
import re

import pytest
from test_store import record

from genbench.core.model import MODELS
from genbench.store import Store
from genbench.store.validate import validate


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


def kinds(store):
    return [finding.kind for finding in validate(store)[1]]


def with_artifact(store, **changed):
    made = record(**changed)
    made.artifacts = {"samples": store.put(b"points", ".npz")}
    store.write(made)
    return made


def test_a_sound_folder_has_no_findings(store):
    with_artifact(store)
    assert validate(store) == (1, [])


def test_damaged_records_are_wrong(store):
    store.write(record())
    path = store.write(record(seed=1))
    path.write_text(path.read_text().replace('"value": 1.5', '"value": 1.6'))
    sound, found = validate(store)
    assert sound == 1
    assert [(f.kind, f.bad, f.path) for f in found] == [("record", True, str(path))]
    assert "its seal is broken" in found[0].problem


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: setattr(r, "status", "diverged"), "it is diverged and has scores of fid"),
        (lambda r: r.metrics.append(r.metrics[0]), r"fid \(test\) is there 2 times"),
        (
            lambda r: setattr(r.metrics[0], "value", math.inf),
            r"value of fid \(test\) cannot be inf",
        ),
        (lambda r: setattr(r.metrics[1], "n_fake", -3), r"n_fake of fid \(train\) cannot be -3"),
        (lambda r: setattr(r.used, "seconds", -1.0), "what training used is negative"),
    ],
)
def test_edits_that_no_run_could_have_written_are_wrong_under_any_seal(
    store, monkeypatch, change, says
):
    made = record()
    change(made)
    path = store.write(made)
    monkeypatch.setattr(Store, "parse", lambda *given: (made, None))  # infinity is written as null
    (found,) = validate(store)[1]
    assert (found.kind, found.bad, found.path) == ("record", True, str(path))
    assert re.search(says, found.problem)


def test_a_record_in_another_place_is_misplaced_and_beside_its_own_a_duplicate(store):
    path = store.write(record())
    other = store.root / "grid" / "gan" / path.name
    other.parent.mkdir(parents=True)
    other.write_bytes(path.read_bytes())
    found = validate(store)[1]
    assert [(f.kind, f.path, f.bad) for f in found] == [("duplicate", str(other), True)]
    path.unlink()
    assert kinds(store) == ["place"]


def test_artifacts_must_hash_to_their_names(store):
    made = with_artifact(store)
    path = store.artifact(made.artifacts["samples"])
    path.write_bytes(b"pointz")
    found = validate(store)[1]
    assert [(f.kind, f.bad, f.path) for f in found] == [("artifact", True, str(path))]
    path.unlink()
    found = validate(store)[1]
    assert [(f.kind, f.bad) for f in found] == [("absent", False)]
    assert "samples or weights of 1 records" in found[0].problem


def test_records_of_older_versions_and_unknown_plugins_are_told_of(store, monkeypatch):
    store.write(record())
    assert kinds(store) == []
    monkeypatch.setattr(MODELS.get("gan"), "version", 99)
    store.write(record(model="of_a_plugin"))
    found = {f.kind: f for f in validate(store)[1]}
    assert found["stale"].problem == "model gan is at version 99, this is of 1"
    assert "model 'of_a_plugin' is not installed" in found["unknown"].problem
    assert not any(f.bad for f in found.values())


def test_foreign_files_and_leftovers_are_told_of(store):
    path = store.write(record())
    path.with_name(f".{path.name}.x1.tmp").write_text("{")
    (store.root / "notes.txt").write_text("mine")
    (store.root / ".checkpoints").mkdir()
    (store.root / ".checkpoints" / "a.safetensors").write_bytes(b"x")
    path.write_text("{")
    store.write(record())
    assert kinds(store) == ["foreign", "leftover", "set aside"]
    assert json.loads(path.read_text())["cell"] == record().cell
