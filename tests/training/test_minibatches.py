"""Minibatches, and which training labels a seed is shown."""

import pytest
import torch
from small_suites import do, suite_of

from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError
from genbench.core.model import MODELS
from genbench.core.rng import Rng
from genbench.core.spec import Budget, CellSpec
from genbench.report.groups import make_labels
from genbench.training.minibatches import HIDDEN, Minibatches, training_set, visible_labels
from genbench.training.trainer import Trainer


@pytest.fixture(scope="module")
def digits():
    return DATASETS.get("digits")()


def spec(**changed):
    fields = {"model": "gan", "model_version": 1, "options": {}, "dataset": "digits"}
    fields |= {"dataset_version": 1, "budget": Budget(steps=5), "batch": 8, "seed": 0}
    return CellSpec(**(fields | changed))


@pytest.mark.parametrize("labelled", [10, 25, 100, 1097])
def test_visible_labels_are_true_and_balanced(digits, labelled):
    visible = visible_labels(digits, labelled, Rng([0, 1, 2]))
    truth = digits.labels("train")
    for row in visible:
        chosen = row != HIDDEN
        assert int(chosen.sum()) == labelled
        assert torch.equal(row[chosen], truth[chosen])
        counts = row[chosen].bincount(minlength=10)
        if labelled < 1000:
            assert counts.max() - counts.min() <= (0 if labelled % 10 == 0 else 1)


def test_every_seed_has_its_own_split_the_same_in_any_stack(digits):
    visible = visible_labels(digits, 20, Rng([5, 6, 7]))
    assert len({tuple(row.tolist()) for row in visible}) == 3
    assert torch.equal(visible[2:], visible_labels(digits, 20, Rng([7])))
    assert torch.equal(visible[1:2], visible_labels(digits, 20, Rng([5, 6, 7]).only(1)))


def test_labels_are_seen_of_the_points_that_unpaired_training_shows(digits):
    edges = DATASETS.get("edges")(paired=False)
    visible = visible_labels(edges, 100, Rng([0, 1]))
    shown = Minibatches(edges, Rng([0, 1]), 8, labels=visible).labels
    for row in shown:
        assert row[row != HIDDEN].bincount(minlength=10).tolist() == [10] * 10
    with pytest.raises(DataError, match="at most the 548 training labels of edges, got 549"):
        visible_labels(edges, 549, Rng([0]))


def test_a_larger_choice_holds_the_smaller(digits):
    few, more = (visible_labels(digits, n, Rng([0])) for n in (20, 50))
    assert torch.equal(more[few != HIDDEN], few[few != HIDDEN])


def test_more_labels_than_there_are_or_none_at_all_is_an_error(digits):
    with pytest.raises(DataError, match="at most the 1097 training labels of digits, got 1098"):
        visible_labels(digits, 1098, Rng([0]))
    with pytest.raises(DataError, match="0 training labels of ring"):
        visible_labels(DATASETS.get("ring")(), 5, Rng([0]))
    assert visible_labels(DATASETS.get("ring")(), None, Rng([0])) is None


def test_minibatches_show_the_labels_of_their_points(digits):
    rng = Rng([0, 1])
    visible = visible_labels(digits, 300, rng)
    plain = Minibatches(digits, rng.fork("data"), 64)()
    batch = Minibatches(digits, rng.fork("data"), 64, labels=visible)()
    assert torch.equal(batch.x, plain.x)
    assert ((batch.labels == plain.labels) | (batch.labels == HIDDEN)).all()
    assert 0 < int((batch.labels != HIDDEN).sum()) < 64
    whole = training_set(digits, MODELS.get("gan"), rng, labels=visible)
    assert torch.equal(whole.labels, visible)


def test_the_trainer_and_prepare_see_one_choice(digits):
    rng = Rng([3, 4])
    model = MODELS.get("gan")(digits.spec, rng.fork("init"), hidden=(4,))
    trainer = Trainer(model, digits, Budget(steps=1), batch=8, rng=rng, labelled=30)
    assert torch.equal(trainer.minibatches.labels, visible_labels(digits, 30, Rng([3, 4])))


def test_visible_labels_are_the_same_on_resume(digits):
    def trainer():
        rng = Rng([3, 4])
        model = MODELS.get("gan")(digits.spec, rng.fork("init"), hidden=(4,))
        return Trainer(model, digits, Budget(steps=6), batch=8, rng=rng, labelled=30)

    first, again = trainer(), trainer()
    for _ in range(3):
        first.round()
    again.restore(*first.state())
    one, other = first.minibatches(), again.minibatches()
    assert torch.equal(one.x, other.x)
    assert torch.equal(one.labels, other.labels)


def test_cells_without_the_key_keep_their_names():
    assert spec().cell == spec(labelled=None).cell == "5ecc4472d3d5011a"
    assert spec(labelled=100).cell != spec().cell
    assert spec(labelled=100).group != spec(labelled=20).group


LABELLED = {
    "labelled": 30,
    "models": [{"name": "gan", "options": {"hidden": [8]}}],
    "datasets": ["digits", "ring"],
}


def test_a_suite_hides_labels_and_skips_data_without_any(tmp_path):
    cells = [LABELLED, {**LABELLED, "labelled": None}]
    suite = suite_of(tmp_path, cells=cells, samples=50, metrics=["mmd"], curve_metrics=[])
    plan, records = do(suite, tmp_path / "results")
    skipped = [r for r in records if r.status == "skipped"]
    assert {r.reason for r in skipped} == {"labelled needs a data set with labels, ring has none"}
    members = {r.group: [r] for r in records if r.status == "ok" and r.spec.dataset == "digits"}
    assert sorted(make_labels(members).values()) == ["gan (labelled=30)", "gan (labelled=all)"]
    assert len(plan.cells) == 8
