"""The verbs from outside: what they print, and how they end."""

import json
from pathlib import Path

import numpy
import pytest
import torch
import yaml
from PIL import Image
from small_suites import SUITE, do, suite_of

from genbench.cli import VERBS
from genbench.core.metric import METRICS
from genbench.core.rng import Rng
from genbench.store import Store

RNG = numpy.random.default_rng(0)
POINTS = RNG.normal(size=(40, 3)).astype("float32")
PLUGIN = """
from genbench import Model, Player, model
from genbench.nn.mlp import MLP
from genbench.nn.optim import adam

@model("raises")
class Raises(Model):
    taxonomy = "reference"
    def __init__(self, spec, rng):
        super().__init__(spec, rng)
        self.net = MLP(spec.size, spec.size, (4,), rng)
    def players(self):
        return (Player("net", self.net, self.loss, adam(1e-2)),)
    def loss(self, batch, rng):
        raise ZeroDivisionError("planted on purpose")
    def sample(self, n, rng):
        return self.net(rng.normal(n, 2))
"""
FILES = {
    "a.npy": POINTS,
    "b.npy": POINTS[::-1] + 1,
    "wide.npy": RNG.normal(size=(40, 5)),
    "empty.npy": numpy.zeros((0, 3)),
    "nan.npy": numpy.full((4, 3), numpy.nan),
    "flat.npy": numpy.zeros(9),
}
#: keys of a suite, or a whole file, by the name of the file
SUITES = {
    "good.yaml": {},
    "metric.yaml": {"metrics": ["fidd"]},
    "option.yaml": {"metrics": [{"name": "kid", "options": {"subset": 3}}]},
    "extractor.yaml": {"features": "identty"},
    "budget.yaml": {"budget": {"steps": 1, "seconds": 2}},
    "key.yaml": {"budgett": {"steps": 1}},
    "broken.yaml": "suites: {a: [",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, array in FILES.items():
        numpy.save(tmp_path / name, array)
    for name, suite in SUITES.items():
        whole = (
            {"schema": 1, "suites": {"tiny": SUITE | suite}} if isinstance(suite, dict) else suite
        )
        (tmp_path / name).write_text(whole if isinstance(whole, str) else yaml.safe_dump(whole))
    (tmp_path / "broken.py").write_text("1/0")
    (tmp_path / "raises.py").write_text(PLUGIN)
    return tmp_path


@pytest.fixture
def asjson(genbench):
    def asjson(*args):
        code, out, err = genbench(*args, "--json")
        assert code == 0, err
        return json.loads(out)

    return asjson


EVALUATE = ["evaluate", "a.npy", "-r", "b.npy"]
RUN = ["run", "tiny", "-c"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["run", "-m", "gam", "-d", "ring"], "unknown model 'gam'; did you mean 'gan'?"),
        (["run", "-m", "gan", "-d", "rign"], "unknown data set 'rign'; did you mean 'ring'?"),
        (["run", "dmeo"], "unknown suite 'dmeo'; did you mean 'demo'?"),
        (["run", "--executor", "cloud"], "unknown executor 'cloud'; allowed: inline, processes"),
        ([*RUN, "metric.yaml"], "unknown metric 'fidd'; did you mean 'fid'?"),
        ([*RUN, "option.yaml"], "metric kid has no option 'subset'; did you mean 'subsets'?"),
        ([*RUN, "extractor.yaml"], "unknown extractor 'identty'; did you mean 'identity'?"),
        (
            [*RUN, "budget.yaml"],
            "suites.tiny.budget: give exactly one of steps, examples, seconds",
        ),
        ([*RUN, "key.yaml"], "suites.tiny.budgett: unknown key 'budgett'; did you mean 'budget'?"),
        ([*RUN, "broken.yaml"], "broken.yaml:1 is not valid YAML"),
        ([*RUN, "none.yaml"], "cannot read the suite file none.yaml: No such file"),
        ([*RUN, "good.yaml", "-d", "grid"], "no cell is left to run"),
        (
            [*RUN, "good.yaml", "--device", "gpu"],
            "--device needs auto, cpu, cuda or cuda:N, got 'gpu'",
        ),
        ([*RUN, "good.yaml", "--device", "cuda:99"], "--device cuda:99 needs a CUDA GPU"),
        (
            [*RUN, "good.yaml", "--device", "cpu", "--bf16"],
            "--bf16 needs a CUDA GPU, got device cpu",
        ),
        ([*RUN, "good.yaml", "--plugin", "none.py"], "--plugin none.py is not a file"),
        (
            [*RUN, "good.yaml", "--plugin", "no_module_so_named"],
            "could not be imported: ModuleNotFound",
        ),
        ([*RUN, "good.yaml", "--plugin", "broken.py"], "could not be imported: ZeroDivisionError"),
        ([*EVALUATE, "--metrics", "fidd"], "unknown metric 'fidd'; did you mean 'fid'?"),
        ([*EVALUATE, "--metrics", ","], "--metrics needs at least one name"),
        (
            [*EVALUATE, "--features", "identty"],
            "unknown extractor 'identty'; did you mean 'identity'?",
        ),
        (
            [*EVALUATE, "--features", "classifier"],
            "the classifier extractor needs a data set with labels",
        ),
        (["evaluate", "a.npy", "-r", "none.npy"], "none.npy does not exist"),
        (
            ["evaluate", "a.npy", "-r", "rign:test"],
            "unknown data set 'rign'; did you mean 'ring'?",
        ),
        (
            ["evaluate", "a.npy", "-r", "ring:tset"],
            "ring has no split 'tset'; did you mean 'test'?",
        ),
        (["evaluate", "a.npy", "-r", "ring:test"], "needs points of one shape"),
        (["evaluate", "a.npy", "-r", "wide.npy"], "needs points of one shape"),
        (["evaluate", "a.npy"], "needs --reference for a.npy"),
        ([*EVALUATE, "--resize", "32"], "--resize needs WIDTHxHEIGHT, got '32'"),
        ([*EVALUATE, "--memory", "lots"], "--memory needs a size such as 512MiB"),
        ([*EVALUATE, "--memory", "1KiB", "--features", "identity"], "--limit"),
        ([*EVALUATE, "--weights", "a.npy"], "extractor identity has no option 'weights'"),
        ([*EVALUATE, "--features", "inception-v3-compat"], "genbench fetch inception_v3_compat"),
        (["fetch", "digitz"], "unknown data set or extractor 'digitz'; did you mean 'digits'?"),
        (["fetch", "inception-v3-compat", "--offline"], "without --offline"),
        (["evaluate", "empty.npy", "-r", "a.npy"], "empty.npy is empty, shape (0, 3)"),
        (
            ["evaluate", "nan.npy", "-r", "a.npy"],
            "nan.npy holds 12 numbers that are NaN or infinite",
        ),
        (["evaluate", "flat.npy", "-r", "a.npy"], "flat.npy needs shape (N, D)"),
        (["show", "gam"], "unknown name 'gam'; did you mean 'gan'?"),
        (["list", "suites", "-c", "key.yaml"], "did you mean 'budget'?"),
        (["report", "-o", "nothing_here"], "nothing_here is not a folder; make records with"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(genbench, args, said, folder):
    code, out, err = genbench(*args)
    assert code == 2
    assert said in err
    assert err.startswith("genbench: ")
    assert err.count("\n") == 1
    assert out == ""
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["rnu"], "did you mean 'run'"),
        (["run", "--sedes", "3"], "--seeds"),
        (["run", "--seeds", "0"], "--seeds"),
        (["run", "--steps", "many"], "--steps"),
        (["list", "modles"], "models"),
        (["report", "-o", "a.npy"], "a.npy"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_names_what_is_wrong(genbench, args, said):
    code, out, err = genbench(*args)
    assert code == 2
    assert said in err
    assert "Traceback" not in err
    assert err.startswith("Usage: genbench")
    assert out == ""


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_refused(genbench):
    code, _, err = genbench(*RUN, "good.yaml", "--device", "cuda")
    assert (code, err.startswith("genbench: --device cuda needs a CUDA GPU")) == (2, True)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(genbench, verb):
    code, out, _ = genbench(verb, "--help")
    assert code == 0
    told = out.split("Options:")[0].split("\n", 1)[1]
    assert any(line.strip().startswith(f"genbench {verb}") for line in told.splitlines())
    assert "\\b" not in told


def test_evaluate_gives_the_documented_json_with_the_metrics_own_values(asjson):
    found = asjson(*EVALUATE, "--metrics", "fid,kid", "--features", "identity")
    assert set(found) == {"metrics", "aliases", "citations", "notes"}
    assert set(found["metrics"]) == {"fid", "kid", "kid_subsets", "kid_subsets_std"}
    documented = {
        "value",
        "stderr",
        "protocol",
        "n_real",
        "n_fake",
        "direction",
        "unit",
        "seconds",
    }
    real, fake = torch.from_numpy(numpy.load("b.npy").copy()), torch.from_numpy(POINTS)
    fid = METRICS.get("fid").function(real, fake, rng=Rng([0]))
    kid = METRICS.get("kid").function(real, fake, rng=Rng([0]))
    for name, row in found["metrics"].items():
        assert documented <= set(row)
        direction = "none" if name == "kid_subsets_std" else "lower"
        assert (row["n_real"], row["n_fake"], row["direction"]) == (40, 40, direction)
        assert row["protocol"].startswith("identity, n=40/40")
    assert found["metrics"]["fid"]["value"] == fid
    assert found["metrics"]["kid"]["value"] == kid["kid"].value
    assert found["metrics"]["kid_subsets"]["stderr"] == kid["kid_subsets"].stderr
    assert found["aliases"] == {}  # of points torch-fidelity has no number


def test_evaluate_takes_splits_and_chooses_features_that_suit(asjson):
    found = asjson("evaluate", "digits:validation", "-r", "digits:test", "--metrics", "fid")
    row = found["metrics"]["fid"]
    assert row["protocol"].startswith("classifier:digits@1 ")
    assert (row["n_fake"], row["n_real"]) == (200, 500)


def test_evaluate_looks_through_folders_and_writes_a_page(genbench, tmp_path):
    for side, shift in (("real", 0), ("fake", 40)):
        (tmp_path / side).mkdir()
        for i in range(6):
            pixels = RNG.integers(shift, 200, (8, 8, 3), dtype=numpy.uint8)
            Image.fromarray(pixels).save(tmp_path / side / f"{i}.png")
    (tmp_path / "fake/readme.txt").write_text("not an image")
    sides = ["evaluate", "fake", "-r", "real", "--metrics", "fid,mmd", "--batch", "4"]
    code, out, err = genbench(*sides, "--features", "random-conv", "--html", "page.html")
    assert code == 0, err
    assert "random_conv@1" in out
    assert "fake: 1 files that are not images were left out" in out
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/png;base64,") == 2
    assert "random_conv@1" in page


def test_evaluate_scores_a_recorded_cell_against_its_own_data(genbench, asjson):
    assert genbench(*RUN, "good.yaml", "-o", "res")[0] == 0
    record = next(iter(Store(Path("res")).records()))
    few = ("--metrics", "mmd,modes", "--limit", "1000")
    found = asjson("evaluate", record.cell, "-o", "res", *few)
    assert found["metrics"]["mmd"]["value"] is not None
    assert found["metrics"]["modes"]["value"] is not None


def test_evaluate_prints_a_table(genbench):
    code, out, _ = genbench(*EVALUATE, "--metrics", "fid,nll")
    assert code == 0
    assert "fid" in out
    assert "nll needs a" in out


@pytest.mark.parametrize(
    "kind", ["models", "datasets", "metrics", "extractors", "claims", "suites"]
)
def test_lists_are_arrays_of_named_objects(asjson, genbench, kind):
    rows = asjson("list", kind)
    names = [row["name"] for row in rows]
    assert len(set(names)) == len(names)
    assert all(isinstance(name, str) and name for name in names)
    assert rows or kind == "claims"
    code, out, _ = genbench("list", kind)
    assert code == 0
    assert out.strip()


def test_a_report_of_a_suite_shows_its_cells_alone(genbench, asjson, tmp_path):
    root = str(tmp_path / "r")
    for steps in ("3", "4"):
        assert (
            genbench(
                "run", "-m", "uniform", "-d", "ring", "--seeds", "1", "--steps", steps, "-o", root
            )[0]
            == 0
        )
    suite = tmp_path / "one.yaml"
    suite.write_text(
        "schema: 1\nsuites: {one: {description: d, batch: 128, budget: {steps: 4}, metrics: [mmd], "
        "cells: [{models: uniform, datasets: ring}]}}"
    )
    to = str(tmp_path / "page")
    assert len(list(Store(root).records())) == 2
    assert asjson("report", "one", "-c", str(suite), "-o", root, "--to", to)["records"] == 1
    code, _, err = genbench("report", "onne", "-c", str(suite), "-o", root)
    assert code == 2
    assert "did you mean 'one'?" in err


@pytest.mark.parametrize(
    ("name", "kind", "key"),
    [
        ("gan", "model", "options"),
        ("ring", "dataset", "entropy_nats"),
        ("kid", "metric", "columns"),
        ("identity", "extractor", "documentation"),
        ("demo", "suite", "cells"),
    ],
)
def test_show_tells_all_about_one_thing(asjson, genbench, name, kind, key):
    found = asjson("show", name)
    assert (found["kind"], found.get("name", name)) == (kind, name)
    assert found[key]
    code, out, _ = genbench("show", name)
    assert code == 0
    assert key in out


def test_show_tells_what_a_data_set_takes_what_it_is_made_from_and_what_decides(asjson, genbench):
    found = asjson("show", "super_resolution")
    assert found["options"] == {"of": "digits", "scale": 2, "kernel": "box"}
    assert found["source"]["event"] == [1, 4, 4]
    assert found["known"] == ["the map from points to sources"]
    assert found["decided_by"] == ["fid"]
    assert (found["paired"], "paired" in found["source"]) == (True, False)
    frames = asjson("show", "moving_digits")
    assert frames["known"] == ["all right answers to a source"]
    assert frames["decided_by"] == ["near_answer", "fid"]
    ring = asjson("show", "ring")
    assert ring["known"] == ["the density", "its entropy", "modes"]
    assert (ring["options"], ring["to_be_passed"]) == ({}, ["modes_strict"])
    assert ring["paired"] is None
    code, out, _ = genbench("show", "digits")
    assert code == 0
    assert ("recall" in out, "None" in out) == (True, False)


def test_show_counts_a_models_weights_or_says_why_not(asjson):
    found = asjson("show", "gan")
    assert found["parameters"]["ring"] > 1000
    refused = found["refuses"]["bars_and_stripes"]
    assert refused == "needs continuous data, bars_and_stripes is binary"
    assert not set(found["parameters"]) & set(found["refuses"])


def test_show_finds_a_recorded_cell_by_its_first_digits(asjson, folder):
    do(suite_of(folder, seeds=1), folder / "runs")
    record = next(Store("runs").records())
    found = asjson("show", record.cell[:8])
    assert (found["kind"], found["cell"]) == ("cell", record.cell)
    assert found["spec"]["model"] == "gan"


def test_a_dry_run_says_what_it_would_do_and_does_nothing(genbench, folder):
    code, out, _ = genbench(*RUN, "good.yaml", "--dry-run")
    assert code == 0
    assert "2 cells, 0 done, 2 to train" in out
    assert not (folder / "runs").exists()


def test_run_prints_one_object_a_cell_and_a_second_run_does_nothing(genbench, asjson):
    rows = asjson(*RUN, "good.yaml")
    assert [(row["model"], row["seed"], row["status"]) for row in rows] == [
        ("gan", 0, "ok"),
        ("gan", 1, "ok"),
    ]
    for row in rows:
        assert {"cell", "status", "seconds", "record"} <= set(row)
        assert json.loads(Path(row["record"]).read_text())["cell"] == row["cell"]
    code, out, _ = genbench(*RUN, "good.yaml")
    assert code == 0
    assert "2 cells, 2 done, 0 to train; nothing to do" in " ".join(out.split())
    assert asjson(*RUN, "good.yaml") == rows


def test_options_change_the_suite(asjson):
    rows = asjson(*RUN, "good.yaml", "--seeds", "3", "--steps", "5", "--quiet")
    assert [row["seed"] for row in rows] == [0, 1, 2]
    assert {record.used.steps for record in Store("runs").records()} == {5}


def test_labels_are_hidden_from_the_command_line(asjson, tmp_path):
    root = str(tmp_path / "r")
    args = ["run", "-m", "uniform", "-d", "digits", "--seeds", "1", "-o", root, "--quiet"]
    cells = {asjson(*args, *more)[0]["cell"] for more in ([], ["--labelled", "20"])}
    assert {record.spec.labelled for record in Store(root).records()} == {None, 20}
    assert len(cells) == 2


def test_failed_cells_give_exit_code_3_and_leave_the_others(genbench, folder, registered):
    models = ["raises", {"name": "gan", "options": {"hidden": [8]}}]
    cells = [{"models": models, "datasets": ["ring"]}]
    text = yaml.safe_dump({"schema": 1, "suites": {"tiny": SUITE | {"cells": cells}}})
    (folder / "mixed.yaml").write_text(text)
    code, out, _ = genbench(*RUN, "mixed.yaml", "--plugin", "raises.py")
    assert code == 3
    assert "ZeroDivisionError: planted on purpose" in out
    status = {r.spec.model: (r.status, r.phase) for r in Store("runs").records()}
    assert status == {"raises": ("error", "train"), "gan": ("ok", None)}


def test_ctrl_c_is_exit_code_130_and_a_sentence(genbench, monkeypatch):
    def stop(job, report):
        raise KeyboardInterrupt

    monkeypatch.setattr("genbench.executors.inline.run_job", stop)
    code, _, err = genbench(*RUN, "good.yaml")
    assert code == 130
    assert err == "stopped; finished cells are kept, the same command goes on from here\n"


def test_doctor_says_what_is_there_and_what_is_wrong(genbench):
    code, out, _ = genbench("doctor", "--offline", "--json")
    found = json.loads(out)
    rows = {row["what"]: row for row in found["rows"]}
    assert found["ok"]
    assert code == 0
    assert rows["torch"]["found"] == torch.__version__
    assert rows["data set ring"]["ok"]
    assert rows["records"] == {"what": "records", "ok": True, "found": "0 in runs"}


def test_doctor_downloads_nothing_and_notes_what_is_absent(genbench, monkeypatch):
    from genbench.datasets import cifar10

    def never(folder):
        raise AssertionError("a download")

    monkeypatch.setattr(cifar10, "fetch", never)
    monkeypatch.setenv("GENBENCH_CACHE", "nowhere")
    code, out, err = genbench("doctor")
    assert code == 0, err
    assert "note data set cifar10: cifar10 needs the six .bin files" in out
    assert "FAIL" not in out


def test_a_range_is_declared_on_the_command_line(genbench):
    unit = numpy.random.default_rng(0).random((40, 3, 8, 8))
    numpy.save("unit.npy", unit)
    numpy.save("signed.npy", 2 * unit - 1)
    same = ("--metrics", "fid", "--json")
    code, _, err = genbench("evaluate", "signed.npy", "-r", "unit.npy", *same)
    assert code == 2
    assert "--range -1,1" in err
    code, out, _ = genbench(
        "evaluate", "signed.npy", "-r", "unit.npy", "--range", "samples=-1,1", *same
    )
    assert code == 0
    assert json.loads(out)["metrics"]["fid"]["value"] < 1e-10
    code, out, _ = genbench("evaluate", "signed.npy", "-r", "signed.npy", "--range", "-1,1", *same)
    assert code == 0


def test_doctor_fails_on_a_broken_record(genbench, folder, monkeypatch):
    monkeypatch.setattr("genbench.cli.doctor.data", lambda data_dir: [])  # they take seconds
    path = folder / "runs" / "ring" / "gan" / "0123.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    code, out, _ = genbench("doctor", "--offline")
    assert code == 1
    assert "FAIL records: 0 in runs; runs/ring/gan/0123.json is not a record" in out


def test_report_counts_records_and_says_what_it_did_not_read(genbench, folder):
    do(suite_of(folder, curve=0), folder / "runs")
    stray = folder / "runs" / "ring" / "gan" / "stray.json"
    stray.write_text("{}")
    code, out, err = genbench("report", "--to", "pages", "--json")
    found = json.loads(out)
    assert (code, found["records"]) == (3, 2)
    assert err.startswith("not read: runs")
    assert genbench("report", "--to", "pages", "--ignore-damaged")[0] == 0
    assert genbench("export", "a.csv")[0] == 3
    assert len(found["set_aside"]) == 1
    assert (folder / "pages" / "index.html").is_file()
