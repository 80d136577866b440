"""How long a run will take, by what was recorded."""

import pytest
from small_suites import SUITE, do, suite_of

from genbench import api
from genbench.cli.run_text import expect_time, expected_text
from genbench.running.cell_costs import GROWTH, SOURCES, CellCosts, Expected, _trial_cost, expect
from genbench.running.job import RunSettings, TrialJob
from genbench.store import Store
from genbench.store.trial import Trial, Trials


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A folder with records whose training took 0.5 s a round and seed, and scoring 3 s a seed."""
    folder = tmp_path_factory.mktemp("costs")
    _, records = do(suite_of(folder), folder / "runs")
    store = Store(folder / "runs")
    for record in records:
        used = record.used.model_copy(
            update={"seconds": 0.5 * record.used.steps * record.used.seeds_sharing}
        )
        share = 3.0 / len([m for m in record.metrics if m.metric == "fid"])
        metrics = [m.model_copy(update={"seconds": share}) for m in record.metrics]
        store.write(record.model_copy(update={"used": used, "metrics": metrics}))
    return store


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A folder without committed results."""
    monkeypatch.chdir(tmp_path)


def planned(store, **changes):
    """What a suite in the folder of the records would take."""
    return api.run({**SUITE, **changes}, results=store.root, dry_run=True, device="cpu")


def test_the_same_cells_take_what_they_took(recorded):
    assert expect_time(planned(recorded)).seconds == 0.0
    more = planned(recorded, seeds=5, budget={"steps": 40})
    expected = expect_time(more)
    assert expected.seconds == pytest.approx(5 * (40 * 0.5 + 3.0))
    assert expected.sources == dict.fromkeys(SOURCES, 0) | {"cells": 1}


def test_other_data_and_other_models_are_guesses_and_say_so(recorded):
    gan = {"name": "gan", "options": {"hidden": [16]}}
    other = planned(recorded, cells=[{"models": [gan], "datasets": ["grid"]}])
    text = expected_text(expect_time(other), 1)
    assert "about 0:20 one after the other" in text
    assert "1 of 1 jobs guessed from other data" in text
    vae = planned(recorded, cells=[{"models": ["vae"], "datasets": ["ring"]}])
    assert "guessed from other models" in expected_text(expect_time(vae), 1)


def test_other_options_and_sizes_of_data_are_told_apart(tmp_path):
    """A network of another width is a guess; of other data of the same name, too, by size."""
    store = Store(tmp_path / "runs")
    pair = {"models": ["srresnet:width=8"], "datasets": ["super_resolution"]}
    small = api.run(**pair, metrics="psnr", seeds=1, steps=2, results=store.root, device="cpu")
    (record,) = small.records
    used = record.used.model_copy(update={"seconds": 0.5 * 2})
    store.write(record.model_copy(update={"used": used, "metrics": []}))

    def guess(model, data, steps=40):
        plan = api.run(
            models=[model],
            datasets=[data],
            metrics="psnr",
            seeds=1,
            steps=steps,
            results=store.root,
            dry_run=True,
            device="cpu",
        )
        expected = expect(plan.plans, CellCosts(store))
        (source,) = (name for name, count in expected.sources.items() if count)
        return expected.seconds, source

    assert guess("srresnet:width=8", "super_resolution") == (40 * 0.5, "cells")
    assert guess("srresnet:width=8:lr=0.01", "super_resolution") == (40 * 0.5, "cells")
    assert guess("srresnet:width=16", "super_resolution") == (40 * 0.5, "other options")
    enlarged = "super_resolution:of=photographs"  # 3 × 32 × 32 in place of 8 × 8
    seconds, source = guess("srresnet:width=8", enlarged)
    assert (source, seconds) == ("other data", pytest.approx(40 * 0.5 * 48**GROWTH))


def test_experiments_are_guessed_from_other_numbers_of_rounds(tmp_path):
    trials = Trials(tmp_path)

    def record(version, rounds, seconds):
        options, columns = {"rounds": rounds, "shown": [1, 4]}, {"cost": {0: 1.0, 1: 2.0}}
        about = {"claim": "imitation", "version": version, "options": options}
        trials.save(Trial(**about, columns=columns, seconds=seconds))

    def guess(rounds):
        job = TrialJob(
            settings=RunSettings(),
            claim="imitation",
            version=2,
            options={"rounds": rounds, "shown": [1, 4]},
            trial_seeds=(0, 1, 2, 3),
        )
        return _trial_cost(job, CellCosts(Store(tmp_path)))

    assert guess(200) == (0.0, "nothing")
    record(1, 100, 7.0)
    assert guess(200) == (4 * 3.5 * 2, "other options")
    record(2, 100, 10.0)
    assert guess(200) == (4 * 5.0 * 2, "other options"), "trials of the same version come first"
    record(2, 400, 30.0)
    assert guess(390) == (pytest.approx(4 * 15.0 * 390 / 400), "other options"), (
        "the nearest counts"
    )
    assert guess(100) == (4 * 5.0, "cells")


def test_what_nothing_is_known_of_is_not_guessed(tmp_path):
    empty = expect(planned(Store(tmp_path)).plans, CellCosts(Store(tmp_path)))
    assert empty.sources["nothing"] == 1
    assert expected_text(empty, 2) == (
        "expected time: unknown, as nothing like this has been recorded"
    )


def test_side_by_side_the_longest_job_is_the_least():
    expected = Expected(100.0, 80.0, dict.fromkeys(SOURCES, 0) | {"cells": 3})
    assert (expected.wall(2), expected.wall(1)) == (80.0, 100.0)
    text = expected_text(expected, 2)
    assert "about 1:20 with 2 side by side, about 1:40 one after the other" in text
