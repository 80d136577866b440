import hashlib
import json
import re

import pandas
import pytest
from held_cells import held

from genbench.core.errors import GenbenchError, SpecError, StoreError, UnknownName
from genbench.core.files import write_bytes
from genbench.core.spec import Budget, CellSpec, Training
from genbench.report.results import export_results, results
from genbench.running.cells import cell_specs
from genbench.store import SCHEMA, CurvePoint, Measurement, Record, Store, Used, form
from genbench.store.frame import make_frame
from genbench.store.suites import find_suite


def spec(**changed):
    given = {
        "model": "gan",
        "model_version": 1,
        "options": {"hidden": [8], "lr": 0.1},
        "dataset": "ring",
        "dataset_version": 1,
        "budget": Budget(steps=10),
        "batch": 4,
        "seed": 0,
    }
    return CellSpec(**(given | changed))


def record(**changed):
    about = spec(**changed)
    scores = [
        Measurement(id="fid", metric="fid", version=1, protocol="p", value=1.5),
        Measurement(id="fid", metric="fid", version=1, protocol="p", value=0.5, split="train"),
        Measurement(id="nll", metric="nll", version=1, protocol="", value=None, reason="none"),
    ]
    return Record(
        cell=about.cell,
        group=about.group,
        status="ok",
        spec=about,
        used=Used(steps=10, examples=40, seconds=0.25),
        curve=[CurvePoint(step=5, seconds=0.1, losses={"g": None}, metrics={"fid": 2.0})],
        metrics=scores,
    )


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


def test_a_record_comes_back_as_it_was_written(store):
    written = record()
    path = store.write(written)
    assert path == store.root / "ring" / "gan" / f"{written.cell}.json"
    assert store.read(written.spec) == written
    assert list(store.records()) == [written]
    assert store.problems() == []
    assert json.loads(path.read_text())["schema"] == "genbench.record/2"


def test_what_a_record_was_made_for_is_absent_from_most_files(store):
    assert '"scale"' not in store.write(record()).read_text()
    store.write(record(seed=1).model_copy(update={"scale": "quick"}))
    assert store.read(spec()).scale is None
    assert store.read(spec(seed=1)).scale == "quick"


def test_an_empty_folder_holds_nothing(store):
    assert list(store.records()) == store.problems() == []
    assert store.read(spec()) is None
    assert store.find("abcd") is None
    assert not store.root.exists()


def test_measurements_are_found_by_column_and_split():
    made = record()
    assert made.measurement("fid").value == 1.5
    assert made.measurement("fid", "train").value == 0.5
    assert made.measurement("mmd") is None


def test_records_come_in_the_order_of_paths(store):
    made = [record(dataset=d, model=m) for d in ("ring", "grid") for m in ("vae", "gan")]
    for each in made:
        store.write(each)
    found = [(r.spec.dataset, r.spec.model) for r in store.records()]
    assert found == [("grid", "gan"), ("grid", "vae"), ("ring", "gan"), ("ring", "vae")]


def test_a_write_replaces_the_whole_file_and_leaves_nothing_beside(store):
    first = record()
    path = store.write(first)
    store.write(first.model_copy(update={"status": "diverged"}))
    assert store.read(first.spec).status == "diverged"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_content(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_bytes(path, b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match=re.escape(f"cannot write {path}: No space left")):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_write_leaves_the_old_content(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_bytes(path, b"old")

    def stop(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "name", ["..", "../x", "/etc", "a/b", "a\\b", "", ".hidden", "x" * 101, "a\n"]
)
@pytest.mark.parametrize("field", ["model", "dataset"])
def test_names_cannot_leave_the_folder(store, field, name):
    with pytest.raises(StoreError, match="cannot name a folder of results"):
        store.write(record(**{field: name}))
    assert not store.root.exists()


def broken(store, how):  # noqa: C901 - a list of ways
    """A file in the place of a record, which is none."""
    path = store.write(record(seed=1))
    content = json.loads(path.read_text())
    content.pop("seal")
    content["schema"] = "genbench.record/1"  # has no seal, so that other checks are reached
    if how == "flip":
        path.write_text(path.read_text().replace('"value": 1.5', '"value": 1.4'))
    elif how == "unsealed":
        path.write_text(json.dumps({**content, "schema": "genbench.record/2"}))
    elif how == "newer":
        path.write_text(json.dumps({**content, "schema": "genbench.record/99"}))
    elif how == "half":
        path.write_text(path.read_text()[:200])
    elif how == "binary":
        path.write_bytes(b"\xff\x00\x01")
    elif how == "other":
        path.write_text('{"a": 1}')
    elif how == "deep":
        path.write_text("[" * 100_000)
    elif how == "field":
        path.write_text(json.dumps({**content, "extra": 1}))
    elif how == "hash":
        path.write_text(json.dumps({**content, "spec": {**content["spec"], "batch": 5}}))
    elif how == "group":
        path.write_text(json.dumps({**content, "group": "0" * 16}))
    elif how == "hostile":
        hostile = spec(model="../x")
        content |= {"spec": hostile.model_dump(), "cell": hostile.cell, "group": hostile.group}
        path.write_text(json.dumps(content))
    elif how == "place":
        other = path.parent.parent / "vae" / path.name
        other.parent.mkdir()
        path = path.rename(other)
    elif how == "folder":
        path.unlink()
        path.mkdir()
    return path


KINDS = ["half", "binary", "other", "deep", "field", "hash", "group", "hostile", "place", "folder"]
KINDS += ["flip", "unsealed", "newer"]


@pytest.mark.parametrize("how", KINDS)
def test_what_is_no_record_is_reported_once_and_never_counted(store, how):
    good = record()
    store.write(good)
    path = broken(store, how)
    problems = store.problems()
    assert len(problems) == 1
    assert problems[0].startswith(str(path))
    assert "\n" not in problems[0]
    assert list(store.records()) == [good]
    assert store.read(spec(seed=1)) is None


@pytest.mark.parametrize("bit", range(8))
def test_no_flipped_bit_goes_unseen(store, bit):
    path = store.write(record())
    content = path.read_bytes()
    for at in range(bit, len(content), 29):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :])
        assert store.read(spec()) is None, content[at - 9 : at + 9]


def test_what_stands_in_a_records_place_is_set_aside_and_not_lost(store):
    path = broken(store, "half")
    junk = path.read_bytes()
    store.write(record(seed=1))
    path.write_bytes(b"again")
    store.write(record(seed=1))
    assert store.read(spec(seed=1)) == record(seed=1)
    kept = sorted((store.root / ".set-aside").rglob("*.json.*"))
    assert [p.read_bytes() for p in kept] == [junk, b"again"]
    assert store.problems() == []


def test_records_of_the_first_schema_are_refused_until_they_are_migrated(store):
    path = store.write(record())
    content = json.loads(path.read_text())
    del content["seal"]
    path.write_text(json.dumps({**content, "schema": "genbench.record/1"}))
    assert store.read(spec()) is None
    assert "validate --migrate" in store.problems()[0]
    assert store.migrate() == 1
    assert store.read(spec()) == record()
    assert json.loads(path.read_text())["schema"] == SCHEMA
    assert store.migrate() == 0


def test_a_record_is_a_line_per_field_and_one_indented_throughout_is_migrated(store):
    path = store.write(record())
    content = path.read_bytes()
    assert len(content.splitlines()) == len(json.loads(content)) + 2  # and the braces
    unsealed = {k: v for k, v in json.loads(content).items() if k != "seal"}
    body = (json.dumps(unsealed, indent=1, ensure_ascii=False) + "\n").encode()
    schema, rest = body.split(b"\n", 2)[1:]
    seal = f' "seal": "{hashlib.sha256(body).hexdigest()[:16]}",'.encode()
    path.write_bytes(b"\n".join([b"{", schema, seal, rest]))
    assert store.read(spec()) == record()
    assert store.problems() == []
    assert store.migrate() == 1
    path.write_bytes(b"\n".join([b"{", schema, seal, rest]))
    with held(store.root, path.stem):
        assert store.migrate() == 0, "what a run has in hand is left to it"
    assert store.migrate() == 1
    assert path.read_bytes() == content
    assert store.migrate() == 0


def test_a_record_without_its_seal_passes_under_no_schema(store):
    path = store.write(record())
    lines = [line for line in path.read_text().splitlines() if '"seal"' not in line]
    for schema in ("genbench.record/2", "genbench.record/1"):
        path.write_text("\n".join(lines).replace("genbench.record/2", schema))
        assert store.read(spec()) is None
        assert "seal" in store.problems()[0]


def test_older_schemas_are_brought_up_step_by_step(store, monkeypatch):
    """A fabricated version 0 called the status `state` and had seconds alone in place of `used`."""

    def from_zero(raw):
        kept = {k: v for k, v in raw.items() if k not in ("state", "seconds")}
        return {**kept, "status": raw["state"], "used": {"seconds": raw["seconds"]}}

    steps = {"genbench.record/0": ("genbench.record/1", from_zero), **form.STEPS}
    path = store.write(record())
    content = json.loads(path.read_text())
    for key in ("seal", "status", "used"):
        del content[key]
    old = {**content, "schema": "genbench.record/0", "state": "diverged", "seconds": 2.5}
    path.write_text(json.dumps(old))
    assert "its schema is 'genbench.record/0'" in store.problems()[0]
    monkeypatch.setattr(form, "STEPS", steps)
    assert "had no seal" in store.problems()[0]
    assert store.migrate() == 1
    found = store.read(spec())
    assert (found.status, found.used.seconds, found.schema_) == ("diverged", 2.5, SCHEMA)


def test_temporary_and_foreign_files_are_no_records(store):
    path = store.write(record())
    path.with_name(f".{path.name}.x1.tmp").write_text("{")
    (path.parent / "notes.txt").write_text("mine")
    (store.root / ".checkpoints").mkdir()
    (store.root / ".checkpoints" / "a.safetensors").write_bytes(b"x")
    assert len(list(store.records())) == 1
    assert store.problems() == []


def test_a_cell_is_found_by_its_first_digits_if_they_are_its_own(store):
    made = [record(seed=k) for k in range(40)]
    for each in made:
        store.write(each)
    assert store.find(made[3].cell) == made[3]
    assert store.find(made[3].cell[:12]) == made[3]
    assert store.find("f" * 17) is None
    for text in ("", "a", "abc", "zzzz", "../.."):
        assert store.find(text) is None


def test_an_ambiguous_prefix_finds_nothing(store):
    folder = store.root / "ring" / "gan"
    folder.mkdir(parents=True)
    for end in "ab":
        (folder / f"0123{'0' * 11}{end}.json").write_text("{}")
    assert store.find("0123") is None


def test_artifacts_are_named_by_their_content(store):
    name = store.put(b"abc", ".npz")
    assert name == store.put(b"abc", ".npz")
    assert name == ("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.npz")
    assert store.artifact(name).read_bytes() == b"abc"
    assert store.artifact(name.replace("ba", "bb", 1)) is None


def test_damaged_artifacts_are_not_handed_out_and_are_written_again(store):
    name = store.put(b"abc", ".npz")
    store.artifact(name).write_bytes(b"abd")
    assert store.content(name) is None
    assert store.put(b"abc", ".npz") == name
    assert store.content(name) == b"abc"


@pytest.mark.parametrize("name", ["", "sha256:../../x", "/etc/passwd", "sha256:" + "0" * 64])
def test_an_artifacts_name_cannot_leave_the_folder(store, name):
    assert store.artifact(name) is None


def test_results_are_a_frame_of_measurements(store):
    store.write(record())
    failed = record(seed=1).model_copy(update={"status": "error", "reason": "why", "metrics": []})
    store.write(failed)
    frame = results(store.root)
    assert isinstance(frame, pandas.DataFrame)
    assert len(frame) == 4
    assert set(frame[frame.status == "ok"].id) == {"fid", "nll"}
    assert frame[frame.status == "error"].reason.tolist() == ["why"]
    assert frame[(frame.id == "fid") & (frame.split == "train")].value.tolist() == [0.5]
    with pytest.raises(StoreError, match="none"):
        results(store.root / "none")


def test_a_frame_has_a_column_for_whatever_sets_two_cells_apart(store):
    changes = {
        "model": "vae",
        "model_version": 2,
        "options": {"hidden": 1},
        "dataset": "grid",
        "dataset_version": 2,
        "dataset_options": {"n": 3},
        "budget": Budget(steps=7),
        "batch": 3,
        "labelled": 10,
        "precision": "float64",
        "autocast": "bf16",
        "compiled": "inductor",
        "training": Training(decay="linear"),
        "seed": 9,
        "samples": "0" * 64,
    }
    assert set(changes) == set(CellSpec.model_fields)
    first = make_frame([record()]).drop(columns=["cell", "group"])
    for field, value in changes.items():
        spec = record().spec.model_copy(update={field: value})
        other = record().model_copy(update={"spec": spec, "cell": spec.cell, "group": spec.group})
        frame = make_frame([other]).drop(columns=["cell", "group"])
        changed = [c for c in frame if frame[c].tolist() != first[c].tolist()]
        assert [c for c in changed if c.startswith(field)], field


def test_results_are_filtered_by_model_data_set_suite_and_scale(store, tmp_path):
    own, small = Budget(steps=400), Budget(steps=50)
    for model, budget, scale in (
        ("gan", own, None),
        ("gan", small, "quick"),
        ("vae", own, None),
        ("nade", small, "quick"),
    ):
        spec = record().spec.model_copy(update={"model": model, "budget": budget})
        about = {"spec": spec, "cell": spec.cell, "group": spec.group, "scale": scale}
        store.write(record().model_copy(update=about))

    def rows(**filters):
        frame = results(store.root, **filters)
        return sorted({*zip(frame.model, frame.budget_steps, strict=True)})

    assert rows() == [("gan", 400), ("nade", 50), ("vae", 400)], "nade has no other budget"
    assert len(rows(scale="all")) == 4
    assert rows(scale="quick") == [("gan", 50), ("nade", 50)]
    assert rows(model="vae") == [("vae", 400)]
    assert rows(model=["vae", "gan"]) == [("gan", 400), ("vae", 400)]
    with pytest.raises(UnknownName, match="'elsewhere'; allowed: ring"):
        results(store.root, dataset="elsewhere")
    suite = tmp_path / "suites.yaml"
    suite.write_text(
        "schema: 1\nsuites: {mine: {description: ours, seeds: 1, budget: {steps: 400}, metrics: [mmd],"
        " cells: [{models: [gan], datasets: [ring]}]}}"
    )
    with pytest.raises(StoreError, match="mine"):  # those there have other options and versions
        results(store.root, suite="mine", config=suite)
    mine = find_suite("mine", suite)
    cells = mine.cells[0]
    (spec,) = cell_specs(mine, cells, cells.models[0], cells.datasets[0], autocast=False)
    about = {"spec": spec, "cell": spec.cell, "group": spec.group}
    store.write(record().model_copy(update=about))
    assert set(results(store.root, suite="mine", config=suite).cell) == {spec.cell}
    with pytest.raises(GenbenchError, match="yours"):
        results(store.root, suite="yours", config=suite)


def test_measurements_are_exported_with_every_row(store, tmp_path):
    store.write(record())
    assert export_results(store.root, tmp_path / "a.csv") == (3, [])
    frame = pandas.read_csv(tmp_path / "a.csv")
    assert frame.value.tolist()[:2] == [1.5, 0.5]
    assert frame.cell.unique().tolist() == [record().cell]


def test_parquet_comes_back_as_the_frame(store, tmp_path):
    pytest.importorskip("pyarrow")
    store.write(record())
    export_results(store.root, tmp_path / "a.parquet")
    pandas.testing.assert_frame_equal(
        pandas.read_parquet(tmp_path / "a.parquet"), results(store.root), check_dtype=False
    )


def test_what_cannot_be_exported_is_said(store, tmp_path, monkeypatch):
    with pytest.raises(SpecError, match=r"ends in \.csv or \.parquet, got 'a\.xls'"):
        export_results(store.root, tmp_path / "a.xls")
    with pytest.raises(StoreError, match="make records with: genbench run"):
        export_results(store.root, tmp_path / "a.csv")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SpecError, match="needs pyarrow, which is not installed; pip install"):
        export_results(store.root, tmp_path / "a.parquet")
