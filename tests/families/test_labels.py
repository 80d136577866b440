import torch
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch
from genbench.core.rng import Rng
from genbench.families.labels import LabelledPoints, label_loss, needs_labels, one_hot

LABELS = torch.tensor([[0, -1, 2, -1], [-1, 1, -1, 1]])
X = torch.arange(16.0).view(2, 4, 2)


def test_minibatches_hold_each_seeds_labelled_points_alone():
    labelled = LabelledPoints()
    labelled.keep(Batch(X, LABELS))
    minibatch = labelled.minibatch(Batch(torch.zeros(2, 50, 2), None, 0.5), Rng([0, 1]))
    assert minibatch.x.shape == (2, 50, 2)
    assert minibatch.progress == 0.5
    for x, labels, all_x, all_labels in zip(minibatch.x, minibatch.labels, X, LABELS, strict=True):
        rows = (x[:, None] == all_x).all(-1).float().argmax(-1)
        assert torch.equal(all_labels[rows], labels)
        assert set(rows.tolist()) == set((all_labels >= 0).nonzero().flatten().tolist())


def test_nothing_is_kept_where_nothing_is_hidden():
    labelled, batch = LabelledPoints(), Batch(X, LABELS.clamp_min(0))
    labelled.keep(batch)
    assert labelled.minibatch(batch, Rng([0, 1])) is batch
    assert not labelled.state_dict()


def test_the_loss_is_the_cross_entropy_of_what_is_shown():
    logits = Rng([0, 1]).normal(4, 3)
    expected = [
        functional.cross_entropy(row[labels >= 0], labels[labels >= 0])
        for row, labels in zip(logits, LABELS, strict=True)
    ]
    torch.testing.assert_close(label_loss(logits, LABELS), torch.stack(expected))
    assert label_loss(logits, torch.full((2, 4), -1)).tolist() == [0.0, 0.0]


def test_indicators_and_refusals():
    assert one_hot(torch.tensor([[1]]), 3, X).tolist() == [[[0.0, 1.0, 0.0]]]
    assert needs_labels(DataSpec("d", (2,), classes=3)) is None
    assert needs_labels(DataSpec("d", (2,))) == "needs labels, d has none"
