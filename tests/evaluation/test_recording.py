"""Samples from elsewhere as records: true to what they are, and beside trained cells where that is fair."""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import pytest
from pydantic import ValidationError
from small_suites import do, suite_of

from genbench.api import evaluate, leaderboard
from genbench.cli import main
from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError, SpecError
from genbench.core.spec import Budget, CellSpec, NoBudget
from genbench.report.gate.accept import accept_results
from genbench.report.gate.check import check_results
from genbench.report.reproduce import make_suite_file
from genbench.report.site.build import write_report
from genbench.report.tables import make_leaderboards
from genbench.store import Record, Store
from genbench.store.merge import merge
from genbench.store.validate import validate_results

DIGITS = DATASETS.get("digits")()
SEEDS = 6
USUAL = {"reference": "digits:test", "metrics": "fd,prdc", "features": "identity"}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))


def samples(seed, n=100, noise=0.0):
    rng = numpy.random.default_rng(seed)
    x = DIGITS.points("train").numpy()
    return (
        (x[rng.permutation(len(x))[:n]] + noise * rng.normal(size=(n, 1, 8, 8)))
        .clip(0, 1)
        .astype("f4")
    )


def reference(n=100):
    return DIGITS.points("test")[:n].numpy()


def save(count=SEEDS, noise=0.0):
    for seed in range(count):
        numpy.save(f"s{seed}.npy", samples(seed, noise=noise))
    return [f"s{seed}.npy" for seed in range(count)]


def record(source, name="mine", **options):
    return evaluate(source, **{**USUAL, "record": name, **options})


def test_each_set_of_samples_is_a_record_that_says_what_it_is():
    result = record(save())
    records = list(Store("runs").records())
    assert {r.cell for r in result.records} == {r.cell for r in records}
    assert len({r.cell for r in records}) == SEEDS
    assert {r.group for r in records} == {records[0].group}
    assert sorted(r.spec.seed for r in records) == list(range(SEEDS))
    for r in records:
        assert r.taxonomy == "external"
        assert r.spec.external
        assert (r.used.seconds, r.used.steps, r.parameters, r.artifacts) == (0, 0, None, {})
        assert len(r.spec.samples) == 64
    values = [r.measurement("fd").value for r in records]
    assert result.fd == pytest.approx(numpy.mean(values))
    want = numpy.std(values, ddof=1) / SEEDS**0.5
    assert result.metrics["fd"].stderr == pytest.approx(want)
    assert any("95 % intervals: fd [" in note for note in result.notes)
    assert validate_results("runs") == (SEEDS, [])


def test_the_intervals_are_those_of_the_leaderboard():
    result = record(save(), metrics="prdc,mmd")
    (table,) = make_leaderboards(result.records)
    (note,) = (note for note in result.notes if "95 % intervals" in note)
    for column in (c for c in table.columns if c.split == "test"):
        cell = table.cell(table.groups[0], column)
        assert f"{column.id} [{cell.estimate.low:.4g}, {cell.estimate.high:.4g}]" in note
    assert any(table.cell(table.groups[0], c).error for c in table.columns), (
        "of mmd, by no features"
    )


def test_a_cell_is_its_content_and_not_its_file():
    first = record("s0.npy" if save(1) else "").records[0].cell
    numpy.savez("s0.npz", samples=samples(0))
    assert record("s0.npz").records[0].cell == first
    numpy.save("s0.npy", samples(0)[::-1])
    with pytest.raises(SpecError, match="other samples of seed 0 already"):
        record("s0.npy")


def test_more_metrics_join_the_record():
    save(1)
    record("s0.npy", metrics="fd")
    record("s0.npy", metrics="mmd")
    (only,) = Store("runs").records()
    assert [m.id for m in only.metrics] == ["fd", "mmd"]
    assert only.named == ["fd", "mmd"]
    assert "| fd ↓" in leaderboard("runs").to_markdown()


def test_nothing_is_written_unless_all_can_be():
    save(2)
    Path("s2.npy").write_bytes(b"no array")
    with pytest.raises(DataError, match=r"s2\.npy"):
        record(["s0.npy", "s1.npy", "s2.npy"])
    assert not Path("runs").exists()


def test_what_cannot_be_true_is_refused():
    save(2)
    with pytest.raises(DataError, match="seeds 0 and 1 are the same samples"):
        record(["s0.npy", "s0.npy"])
    with pytest.raises(SpecError, match="gan is a model of genbench"):
        record("s0.npy", "gan")
    with pytest.raises(SpecError, match="--as-dataset NAME"):
        record("s0.npy", reference="s1.npy")
    numpy.save("few.npy", samples(7, 60))
    with pytest.raises(DataError, match="as many samples of each seed, got 100, 60"):
        record(["s0.npy", "few.npy"])
    with pytest.raises(SpecError, match="letters"):
        record("s0.npy", "../mine")
    with pytest.raises(SpecError, match="no file fits"):
        record("none*.npy")
    with pytest.raises(SpecError, match="by --record"):
        evaluate("s0.npy", "digits:test", as_dataset="digits")
    with pytest.raises(SpecError, match="by seed"):
        record({"a": "s0.npy"})
    assert not Path("runs").exists()


def test_a_pattern_and_a_mapping_name_seeds():
    for seed in (2, 10):
        numpy.save(f"run{seed}.npy", samples(seed))
    assert [r.spec.seed for r in record("run*.npy").records] == [0, 1]
    by_seed = {2: samples(2), 10: samples(10)}
    assert sorted(r.spec.seed for r in record(by_seed, "other").records) == [2, 10]
    first = record({0: "run2.npy"}, "third").records[0].spec.samples
    assert Store("runs").find(record("run*.npy").records[0].cell).spec.samples == first


def test_a_record_is_never_taken_for_a_trained_cell():
    spec = record(save(1)).records[0].spec
    trained = spec.model_dump() | {"budget": {"steps": 5}, "samples": None, "batch": 8}
    assert CellSpec(**trained).group != spec.group
    old = spec.model_copy(update={"budget": Budget(steps=5), "samples": None})
    assert not old.external
    assert '"samples"' not in old.model_dump_json()
    made = json.loads(record("s0.npy").records[0].model_dump_json(by_alias=True))
    for wrong in (
        {"taxonomy": "implicit/direct"},
        {"spec": {**made["spec"], "samples": None}},
        {"used": {"steps": 3, "seconds": 2.0}},
    ):
        with pytest.raises(ValidationError, match="samples from elsewhere"):
            Record.model_validate(made | wrong)
    with pytest.raises(ValidationError):
        NoBudget(steps=3)


def test_protocols_are_those_of_cells_for_the_data_sets_own_test_points_alone():
    save(1)
    own = record("s0.npy", metrics="fd,mmd").records[0]
    n = len(DIGITS.points("test"))
    assert own.measurement("fd").protocol == f"identity, n={n}/100"
    assert own.measurement("mmd").protocol.startswith(f"n={n}/100")
    numpy.save("real.npy", reference())
    theirs = record(
        "s0.npy", "theirs", reference="real.npy", as_dataset="digits", metrics="fd,mmd"
    ).records[0]
    for column in ("fd", "mmd"):
        assert ", reference=" in theirs.measurement(column).protocol
    few = record("s0.npy", "few", limit=50, metrics="fd").records[0]
    assert ", reference=" in few.measurement("fd").protocol


def test_they_stand_in_ranks_report_leaderboard_and_gate(tmp_path):
    """Beside a trained model, in its columns, marked."""
    whole = DIGITS.points("test")
    suite = suite_of(
        tmp_path,
        samples=len(whole),
        seeds=SEEDS,
        metrics=["fd"],
        features="identity",
        curve=0,
        cells=[
            {
                "models": [{"name": "gan", "options": {"hidden": [16]}}],
                "datasets": ["digits"],
            }
        ],
    )
    do(suite, tmp_path / "runs")
    record({k: samples(k, len(whole)) for k in range(SEEDS)}, metrics="fd")
    (table,) = leaderboard("runs").tables
    mine, gan = (next(g for g in table.groups if g.model == m) for m in ("mine", "gan"))
    assert mine.label == "mine (external)"
    column = next(c for c in table.columns if c.id == "fd" and c.split == "test")
    assert {len(table.cell(g, column).values) for g in (mine, gan)} == {SEEDS}
    assert (table.cell(mine, column).rank, table.cell(gan, column).rank) == (1, 2)
    costs = table.costs(mine)
    assert (costs["training, s per seed"], costs["parameters"]) == ("–", "–")
    assert mine.costs["budget"] == "none: samples from elsewhere"
    assert "mine (external)" in leaderboard("runs").to_markdown()
    assert "mine" not in make_suite_file([table])
    write_report(leaderboard("runs"), tmp_path / "page")
    pages = "".join(page.read_text() for page in (tmp_path / "page").rglob("*.html"))
    assert "mine (external)" in pages
    accept_results("runs", "base.json", by="a test")
    assert check_results("runs", "base.json").rows
    merge([Store("runs")], Store("copy"))
    assert len(list(Store("copy").records())) == 2 * SEEDS


def test_the_gate_sees_that_samples_became_worse():
    record(save(), metrics="fd")
    accept_results("runs", "base.json", by="a test")
    save(noise=0.5)
    record("s*.npy", metrics="fd", results="later")
    assert {row.verdict for row in check_results("later", "base.json").rows} == {"regression"}


def test_the_command_line_takes_a_set_for_each_seed(capsys):
    def genbench(*args):
        with pytest.raises(SystemExit) as end:
            main(["evaluate", *args])
        return end.value.code, *capsys.readouterr()

    names = save(3)
    code, out, err = genbench(
        *names,
        "--as-dataset",
        "digits",
        "--features",
        "identity",
        "--record",
        "mine",
        "--metrics",
        "fd",
        "--json",
    )
    assert (code, err) == (0, "")
    assert len(json.loads(out)["cells"]) == 3
    assert len(list(Store("runs").records())) == 3
    code, _, err = genbench(*names, "-r", "digits:test")
    assert code == 2
    assert "record several, one for each seed, by --record NAME" in err


def test_lines_to_cite_stand_under_every_result():
    result = evaluate(samples(0), "digits:test", metrics="fd,prdc", features="identity")
    n = f"{len(DIGITS.points('test')):,}"
    assert result.citations["fd"] == f"identity, n = {n}/100, against digits:test, genbench 0.1.0"
    line = f"fd (identity, n = {n}/100, against digits:test, genbench 0.1.0)"
    assert line in " ".join(str(result).split())
    assert max(map(len, str(result).splitlines())) <= 80
    assert result.to_dict()["citations"] == result.citations


def test_arrays_in_a_list_may_be_seeds_or_batches():
    """They were taken for batches of one seed."""
    sets = [samples(seed) for seed in range(3)]
    with pytest.raises(SpecError, match="whether arrays of a list are seeds or batches"):
        record(sets)
    assert len(record(dict(enumerate(sets))).records) == 3
