"""The commands that a report prints give the rows that they stand under again."""

import html
import os
import re
import shlex
from pathlib import Path

import numpy
import pytest
import yaml
from report_records import measured, record

from genbench.core.metric import METRICS
from genbench.core.spec import Part
from genbench.evaluation.asked_before import find_asked
from genbench.evaluation.requests import make_requests
from genbench.report.reproduce import Rerun
from genbench.report.tables import make_leaderboards
from genbench.store import Store

SUITES = """
schema: 1
suites:
  wave: &wave
    description: options of data, model, training and metrics, and fewer points than there are
    seeds: [0, 3]
    batch: 8
    budget: {steps: 4}
    precision: float64
    samples: 120
    metrics: [mmd, {name: prdc, options: {neighbours: 3}}]
    curve: 0
    cells:
      - models: [{name: gan, options: {hidden: [8]}}]
        datasets: [{name: ar_wave, options: {length: 32}}]
        training: {decay: linear, rates: {discriminator: 0.5}}
  more:
    <<: *wave
    description: the same cells, other questions, fewer seeds
    seeds: [3]
    samples: 150
    metrics: [{name: mmd, options: {kernel: linear}}, {name: prdc, options: {neighbours: 3}}]
  digits:
    <<: *wave
    samples: 100
    features: random_conv
    metrics: [fid, mmd]
    cells: [{models: [gan], datasets: [digits], labelled: 100}]
"""
PLUGIN = """
from genbench import dataset, model
from genbench.datasets.ring import Ring
from genbench.models.control.gaussian import Gaussian

@model("own_gaussian")
class OwnGaussian(Gaussian):
    pass

@dataset("own_ring")
class OwnRing(Ring):
    pass
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def measurements(root):
    """What was measured: by cell, keys, columns, splits and protocols."""
    return {
        r.cell: {
            (m.key, m.id, m.split, re.sub(r"bandwidth=\S+|ties=\S+", "", m.protocol))
            for m in r.metrics
        }
        for r in Store(root).records()
    }


def find_commands(folder):
    pages = [path.read_text() for path in Path(folder).glob("data-*.html")]
    found = [re.findall(r"<code>(genbench run row-[^<]*)</code>", page) for page in pages]
    return dict.fromkeys(html.unescape(text) for texts in found for text in texts)


def test_a_row_is_made_again_with_its_own_questions(place, genbench):
    Path("mine.yaml").write_text(SUITES)
    for suite in ("wave", "more", "digits"):
        code, _, err = genbench("run", suite, "-c", "mine.yaml", "-q", "--device", "cpu")
        assert code == 0, err
    assert genbench("report")[0] == 0
    commands = find_commands("report")
    assert len(commands) == 3, "two rows, one of which was asked twice"
    (place / "empty").mkdir()
    (place / "empty" / "reproduce.yaml").write_bytes(Path("report/reproduce.yaml").read_bytes())
    os.chdir("empty")
    for command in commands:
        code, _, err = genbench(*shlex.split(command)[1:], "-q", "--device", "cpu")
        assert code == 0, err
    again, before = measurements("runs"), measurements("../runs")
    assert again == before
    assert len(again) == 4
    values = [
        {(r.cell, m.key, m.id, m.split): m.value for r in Store(root).records() for m in r.metrics}
        for root in ("runs", "../runs")
    ]
    assert values[0] == pytest.approx(values[1], nan_ok=True)


def test_a_row_of_ones_own_plugins_is_made_again(place, genbench, registered):
    Path("own.py").write_text(PLUGIN)
    asked = ("-m", "own_gaussian", "-m", "gaussian", "-d", "own_ring", "-d", "ring")
    small = ("--seeds", "1", "--steps", "2", "--metrics", "mmd", "-q", "--device", "cpu")
    assert genbench("run", "--plugin", "own.py", *asked, *small)[0] == 0
    assert genbench("report", "--plugin", "own.py", "--to", "out/pages")[0] == 0
    commands = find_commands("out/pages")
    assert len(commands) == 4
    for command in commands:
        own = (
            "own_"
            in yaml.safe_load(Path("out/pages/reproduce.yaml").read_text())["suites"][
                command.split()[2]
            ]["description"]
        )
        assert ("--plugin ../../own.py" in command) == own
    os.chdir("out/pages")
    for command in commands:
        code, _, err = genbench(*shlex.split(command)[1:], "-q", "--device", "cpu")
        assert code == 0, err
    assert measurements("runs") == measurements("../../runs")


def test_samples_from_elsewhere_are_scored_again_as_they_were(place, genbench, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(place / "cache"))
    Path("mine").mkdir()
    for seed in range(2):
        points = numpy.random.default_rng(seed).random((60, 1, 8, 8))
        numpy.save(f"mine/{seed}.npy", points.astype("f4"))
    asked = ("--metrics", "prdc:neighbours=3,mmd", "--features", "identity")
    code, _, err = genbench("evaluate", "mine/*", "--record", "mine", "-r", "digits:test", *asked)
    assert code == 0, err
    (table,) = make_leaderboards(Store("runs").records())
    (command,) = Rerun(table.groups[0]).list_commands()
    code, _, err = genbench(*shlex.split(command)[1:], "-o", "again")
    assert code == 0, err
    assert measurements("again") == measurements("runs")


@pytest.mark.parametrize(
    ("name", "options", "samples"),
    [("mmd", {}, 1234), ("prdc", {"neighbours": 7}, 10_000), ("mmd", {"kernel": "linear"}, 0)],
)
def test_what_was_asked_is_found_by_its_key(name, options, samples):
    (request,) = make_requests([Part(name=name, options=options)], samples=samples)
    said = ", ".join(f"{key}={value}" for key, value in request.options.items())
    row = measured(
        name, 1.0, f"n=100/100, {said}", key=request.key, version=METRICS.get(name).version
    )
    asked = find_asked(row)
    assert asked is not None
    assert (asked.to_part(name).options, asked.samples) == (options, samples)


def test_a_row_says_what_its_records_do_not_tell(place):
    made = record(Store(place), "gan", "ring", 0, with_samples=False)
    (table,) = make_leaderboards([made])
    rerun = Rerun(table.groups[0])
    assert "no record tells the options and numbers of points of " in rerun.note
    (suite,) = rerun.suites.values()
    assert rerun.note in suite["description"]
    for metric in {m.metric for m in made.metrics}:
        assert metric in rerun.note


def test_a_row_of_an_older_version_says_so(place):
    about = {"dataset_version": 1, "model_version": 0}
    made = record(Store(place), "gan", "ring", 0, with_samples=False, **about)
    (table,) = make_leaderboards([made])
    assert "model gan is at version 1, this is of 0" in Rerun(table.groups[0]).note
