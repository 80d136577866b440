"""What the shipped suites of pairs show beside their models: controls, and a distance that sees something."""

from pathlib import Path

import pytest

from genbench.core.dataset import open_named
from genbench.core.metric import METRICS, columns
from genbench.core.model import MODELS
from genbench.evaluation.extractors import default_features
from genbench.store.documents import load_suites

SUITES = load_suites(Path(__file__).parents[2] / "benchmarks.yaml")
#: what every task of pairs shows, as far as its data allow
CONTROLS = ("copy", "mean_answer", "retrieval", "random_target")


def tasks(suite):
    """Returns the data sets with sources of a suite, each with its models, by its name and options."""
    found = {}
    for cells in suite.cells:
        for part in cells.datasets:
            data = open_named(part.name, **part.options)
            if data.given is not None:
                models = found.setdefault(repr(part), (data, set()))[1]
                models |= {model.name for model in cells.models}
    return found


TASKS = {name: found for name, suite in SUITES.items() if (found := tasks(suite))}


@pytest.mark.parametrize("name", TASKS)
def test_every_task_of_pairs_has_the_controls_that_its_data_allow(name):
    for task, (data, models) in TASKS[name].items():
        allowed = {c for c in CONTROLS if MODELS.get(c).refuses(data.spec) is None}
        assert allowed <= models, f"{name}, {task} lacks {sorted(allowed - models)}"


def test_controls_are_refused_where_there_is_nothing_to_copy_or_to_retrieve():
    refused = {
        (data.name, control)
        for found in TASKS.values()
        for data, _ in found.values()
        for control in CONTROLS
        if MODELS.get(control).refuses(data.spec) is not None
    }
    captions = {("captioned_digits", control) for control in CONTROLS}
    unpaired = {(name, "retrieval") for name in ("edges", "quarter_turn", "attribute")}
    assert refused == captions | unpaired


@pytest.mark.parametrize("name", TASKS)
def test_the_distance_beside_pairs_is_of_learned_or_random_features(name):
    """A Fréchet distance of raw pixels is no headline, so that PSNR would stand alone in tables."""
    suite = SUITES[name]
    asked = {metric.name for metric in map(find_metric, suite.metrics)}
    beside = {other for metric in asked for other in METRICS.get(metric).beside}
    for task, (data, _) in TASKS[name].items():
        if "fid" in asked | beside and data.spec.is_image:
            features = suite.features or default_features(data.base or data)
            assert features.name != "identity", f"{name}, {task} has a FID of raw pixels"


def find_metric(part):
    return METRICS.get(part.name) if part.name in METRICS else columns()[part.name][0]


@pytest.mark.parametrize(
    "name", ["super_photos", "translate", "complete", "captions", "captioning", "attributes"]
)
def test_there_is_a_suite_of_the_same_tasks_for_a_gpu(name):
    large = SUITES[f"{name}_gpu"]
    assert set(TASKS[f"{name}_gpu"]) == set(TASKS[name])
    assert large.budget.steps > SUITES[name].budget.steps
    assert large.metrics == SUITES[name].metrics
    assert large.features == SUITES[name].features
