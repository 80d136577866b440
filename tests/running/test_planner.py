import math

import pytest
import torch
from small_suites import do, suite_of

from genbench.core.dataset import DATASETS
from genbench.core.registry import load_plugin
from genbench.running import planner
from genbench.running.footprint import footprint, kept_bytes
from genbench.running.sorter import make_plan, make_settings
from genbench.store import Store

PLUGIN = """
from genbench import Model, Player, model
from genbench.nn.conv import Conv2d
from genbench.nn.optim import adam

@model("convolving")
class Convolving(Model):
    taxonomy = "reference"
    def __init__(self, spec, rng):
        super().__init__(spec, rng)
        self.net = Conv2d(1, 1, 3, rng)
    def players(self):
        return (Player("net", self.net, self.loss, adam(1e-2)),)
    def loss(self, batch, rng):
        return self.net(batch.x).square().mean((1, 2, 3, 4))
    def sample(self, n, rng):
        return rng.uniform(n, *self.spec.event)
"""
GAN = {"name": "gan", "options": {"hidden": [16]}}
VAE = {"name": "vae", "options": {"hidden": [16]}}


def jobs(folder, *models, workers=1, dataset="ring", plugins=(), **changed):
    suite = suite_of(folder, cells=[{"models": list(models), "datasets": [dataset]}], **changed)
    root = folder / "r"
    settings = make_settings(suite, root, device="cpu", workers=workers, plugins=plugins)
    return make_plan(suite, Store(root), settings).jobs


def sizes(made):
    return [len(job.specs) for job in made]


def test_alone_all_seeds_of_a_group_are_one_stack(tmp_path):
    assert sizes(jobs(tmp_path, GAN, VAE, seeds=8)) == [8, 8]


def test_groups_too_few_for_the_workers_are_shared_out(tmp_path):
    assert sizes(jobs(tmp_path, GAN, seeds=9, workers=2)) == [5, 4]
    assert sizes(jobs(tmp_path, GAN, VAE, seeds=8, workers=2)) == [8, 8]
    assert sizes(jobs(tmp_path, GAN, VAE, seeds=8, workers=4)) == [4, 4, 4, 4]
    assert sizes(jobs(tmp_path, GAN, seeds=8, workers=2, seeds_at_once=3)) == [3, 3, 2]


def test_convolutions_go_one_seed_a_job_to_cpu_workers(tmp_path, registered):
    path = tmp_path / "convolving_file.py"
    path.write_text(PLUGIN)
    load_plugin(str(path))
    given = {"dataset": "digits", "seeds": 3, "plugins": (str(path),)}
    assert sizes(jobs(tmp_path, "convolving", workers=2, **given)) == [1, 1, 1]
    assert sizes(jobs(tmp_path, "convolving", workers=1, **given)) == [3]


EDITED = """
from genbench import Model, Player, model
from genbench.nn.mlp import MLP
from genbench.nn.optim import adam
from own_width import WIDTH

@model("edited")
class Edited(Model):
    taxonomy = "implicit/direct"
    def __init__(self, spec, rng):
        super().__init__(spec, rng)
        self.net = MLP(spec.size, spec.size, (WIDTH,), rng)
    def players(self):
        return (Player("net", self.net, self.loss, adam(1e-3)),)
    def loss(self, batch, rng):
        return self.net(batch.x).square().mean((1, 2))
    def sample(self, n, rng):
        return self.net(rng.normal(n, self.spec.size)).unflatten(-1, self.spec.event)
"""


def test_done_cells_of_another_source_are_said(tmp_path, monkeypatch):
    """Also where what the plugin imports from its own folder was edited; nothing is said otherwise."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_width.py").write_text("WIDTH = 4\n")
    path = tmp_path / "edited_plugin.py"
    path.write_text(EDITED)
    load_plugin(str(path))
    models = [{"name": "edited"}, {"name": "gan", "options": {"hidden": [4]}}]
    suite = suite_of(
        tmp_path, samples=50, curve=0, cells=[{"models": models, "datasets": ["ring"]}]
    )
    _, records = do(suite, tmp_path / "r")
    assert {"source" in r.environment for r in records if r.spec.model == "edited"} == {True}
    assert {"source" in r.environment for r in records if r.spec.model == "gan"} == {False}

    def plan():
        store = Store(tmp_path / "r")
        return make_plan(suite, store, make_settings(suite, tmp_path / "r", device="cpu"))

    assert plan().changed == []
    assert "another source" not in plan().describe()
    (tmp_path / "own_width.py").write_text("WIDTH = 8\n")
    assert plan().changed == ["edited", "edited"]
    assert (
        "2 done cells of edited were made with another source than its file has now; train them anew "
        "with --force, or raise the model's version, which keeps both"
    ) in plan().describe()


METRIC = """
from genbench import metric
from genbench.core.metric import Column

@metric("edited_gap", view="points", columns={"edited_gap": Column("lower", "1", 0.0)})
def edited_gap(real, fake, *, rng):
    return 1.0
"""
EXTRACTOR = """
from genbench import extractor
from genbench.core.feature import Extractor

@extractor("edited_map")
class EditedMap(Extractor):
    protocol = "edited_map@1"
    def extract(self, x):
        return 1 * x.flatten(1)
"""


def measure(tmp_path, plugin, edit=("", ""), **changed):
    """Measures two seeds of a GAN by a plugin with an edit; returns the plan and the records."""
    path = tmp_path / "edited_plugin.py"
    path.write_text(plugin.replace(*edit))
    load_plugin(str(path))
    return do(suite_of(tmp_path, curve=0, **changed), tmp_path / "r")


def test_what_another_source_of_a_metric_has_measured_is_measured_anew(tmp_path, registered):
    """Old seeds stood beside new ones in one column, and a mean was of both."""
    measure(tmp_path, METRIC, metrics=["edited_gap", "mmd"])
    made, _ = measure(tmp_path, METRIC, metrics=["edited_gap", "mmd"])
    assert made.jobs == []
    edit = "return 1.0", "return 2.25"
    made, records = measure(tmp_path, METRIC, edit, metrics=["edited_gap", "mmd"], seeds=3)
    assert sorted((job.rescore, len(job.seeds)) for job in made.jobs) == [(False, 1), (True, 2)]
    rows = [m for record in records for m in record.metrics if m.id == "edited_gap"]
    assert [m.value for m in rows] == [2.25] * 3
    assert len({m.protocol for m in rows}) == 1
    assert len({m.key for r in records for m in r.metrics if m.id == "mmd"}) == 1


def test_numbers_of_two_sources_of_a_metric_never_share_a_column(tmp_path, registered):
    _, before = measure(tmp_path, METRIC, metrics=["edited_gap"])
    edit = "return 1.0", "return 2.25"
    _, after = measure(tmp_path, METRIC, edit, metrics=["edited_gap"])
    old, new = ([m.protocol for r in records for m in r.metrics] for records in (before, after))
    assert len(new) == 2
    assert set(old).isdisjoint(new)


def test_features_of_another_source_of_an_extractor_are_made_anew(tmp_path, registered):
    given = {"metrics": ["fid"], "features": "edited_map"}
    _, before = measure(tmp_path, EXTRACTOR, **given)
    made, after = measure(tmp_path, EXTRACTOR, ("1 * x", "3.0 * x"), **given)
    assert [job.rescore for job in made.jobs] == [True]
    old, new = ([r.measurement("fid") for r in records] for records in (before, after))
    assert [m.value for m in new] == pytest.approx([9 * m.value for m in old], rel=1e-3)
    assert {m.protocol for m in old}.isdisjoint(m.protocol for m in new)


def test_what_fails_before_it_starts_is_told_with_its_reason(tmp_path, registered):
    """A plan of nothing but such cells ended by "nothing to do", and no word of why."""
    path = tmp_path / "failing_plugin.py"
    path.write_text(
        PLUGIN.replace("convolving", "failing").replace(
            "    def players",
            "    @classmethod\n    def refuses(cls, spec):\n        return 1 / 0\n    def players",
        )
    )
    load_plugin(str(path))
    suite = suite_of(tmp_path, cells=[{"models": ["failing"], "datasets": ["ring"]}])
    made, _ = do(suite, tmp_path / "r")
    lines = made.describe().splitlines()
    assert len(lines) == 2  # once, not by seed
    assert lines[1].startswith("failing on ring fails: ZeroDivisionError: division by zero")


def test_other_points_are_no_measure_of_what_was_trained_before(tmp_path, monkeypatch):
    """A data set that was edited without another version: new metrics would be of other points."""
    root = tmp_path / "r"
    do(suite_of(tmp_path), root)
    before = {"train": "0" * 16}
    for record in list(Store(root).records()):
        Store(root).write(record.model_copy(update={"data_hashes": before}))
    made, records = do(suite_of(tmp_path, metrics=["fid", "mmd"]), root)
    assert [job.rescore for job in made.jobs] == [False]
    assert all(record.data_hashes != before for record in records)
    path = Store(root).write(records[0].model_copy(update={"data_hashes": before}))
    made, _ = do(suite_of(tmp_path, metrics=["fid", "mmd"], seeds=3), root)
    assert made.moved == ["ring"]
    assert "1 done cells on ring were made with other points than it has now" in made.describe()
    assert Store(root).parse(path)[0].data_hashes == before


def test_the_points_of_a_data_set_are_read_once_a_pass(tmp_path, monkeypatch):
    """They were read for every model of every claim: minutes of a dry run of all claims."""
    read = []

    class Counting:
        def __get__(self, dataset, cls):
            read.append(dataset.name)
            return {"train": "0"}

    monkeypatch.setattr(DATASETS.get("ring"), "hashes", Counting(), raising=False)
    had = {}
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        suite = suite_of(folder, cells=[{"models": [GAN, VAE], "datasets": ["ring"]}])
        made = make_plan(suite, Store(folder), make_settings(suite, folder, device="cpu"), had=had)
        assert made.pending
    assert read == ["ring"]


def test_stacks_fit_the_free_memory_and_are_even(tmp_path, monkeypatch):
    monkeypatch.setattr("genbench.running.footprint._trial", lambda spec, settings: None)
    suite = suite_of(tmp_path)
    spec = jobs(tmp_path, GAN)[0].specs[0]
    need = footprint(spec, make_settings(suite, tmp_path / "r", device="cpu"), math.inf)
    free = 4.5 * need.bytes / planner.SHARE
    monkeypatch.setattr(planner, "free_memory", lambda device: free)
    made = jobs(tmp_path, GAN, seeds=9)
    assert sizes(made) == [3, 3, 3]
    assert made[0].memory == 3 * need.bytes
    monkeypatch.setattr(planner, "free_memory", lambda device: 1)
    assert sizes(jobs(tmp_path, GAN, seeds=3)) == [1, 1, 1]


@pytest.mark.slow
def test_a_trial_step_of_another_process_says_that_more_seeds_fit(tmp_path):
    suite = suite_of(tmp_path)
    settings = make_settings(suite, tmp_path / "r", device="cpu")
    spec = jobs(tmp_path, GAN)[0].specs[0]
    guessed, measured = (footprint(spec, settings, fits) for fits in (math.inf, 0))
    assert measured.bytes < guessed.bytes
    assert guessed.bytes - measured.bytes == 4 * 8 * 16_000 - kept_bytes(spec, settings)


def test_what_the_backward_pass_keeps_is_measured(tmp_path):
    suite = suite_of(tmp_path)
    settings = make_settings(suite, tmp_path / "r", device="cpu")
    made = [jobs(tmp_path, GAN | {"options": {"hidden": [h]}})[0].specs[0] for h in (64, 640)]
    small, large = (kept_bytes(spec, settings) for spec in made)
    assert 5 < large / small < 11
    # two layers' inputs at the least, for real and for generated points
    assert large > 2 * 8 * 640 * 4
    double = made[0].model_copy(update={"batch": 16})
    assert kept_bytes(double, settings) == 2 * small


def test_the_longest_expected_come_first_by_earlier_records(tmp_path):
    slow = suite_of(tmp_path, cells=[{"models": [GAN, VAE], "datasets": ["ring"]}], seeds=1)
    do(slow, tmp_path / "r")
    store = Store(tmp_path / "r")
    for record in store.records():
        record.used.seconds = {"gan": 1.0, "vae": 9.0}[record.spec.model]
        store.write(record)
    made = jobs(tmp_path, GAN, VAE, workers=2, seeds=2)
    assert [job.specs[0].model for job in made] == ["vae", "gan"]
    # nothing is known of another model, so it is begun first
    made = jobs(tmp_path, GAN, VAE, "gaussian", workers=2, seeds=2)
    assert [job.specs[0].model for job in made] == ["gaussian", "vae", "gan"]
    assert [job.specs[0].model for job in jobs(tmp_path, GAN, VAE, seeds=2)] == ["gan", "vae"]


def test_scores_do_not_depend_on_how_seeds_are_grouped(tmp_path):
    found = []
    for at_once in (1, 2, 3):
        suite = suite_of(tmp_path, seeds=3, seeds_at_once=at_once, precision="float64")
        _, records = do(suite, tmp_path / str(at_once))
        ordered = sorted(records, key=lambda record: record.spec.seed)
        found.append(torch.tensor([[m.value for m in r.metrics] for r in ordered]).double())
    assert found[0].shape == (3, 2)
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("seeds", [1, 7, 65, 200])
def test_every_seed_is_in_one_job(tmp_path, seeds):
    made = jobs(tmp_path, GAN, seeds=seeds, workers=3)
    assert sorted(seed for job in made for seed in job.seeds) == list(range(seeds))
    assert max(sizes(made)) <= planner.MOST
