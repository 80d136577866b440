"""Images to be made from edges, turned images, grey images and images of another class."""

import pytest
import torch

from genbench.core.dataset import DATASETS, ImageDataset, open_named
from genbench.core.errors import ContractError, SpecError
from genbench.core.rng import Rng
from genbench.training.minibatches import Minibatches, training_set


@pytest.fixture
def colours(monkeypatch):
    """A data set of colour photographs, as CIFAR-10 is where its files are."""

    class Colours(ImageDataset):
        name = "colours"
        spec = open_named("digits").spec

        def load(self):
            rng = torch.Generator().manual_seed(0)
            return {
                split: (
                    torch.randint(0, 256, (n, 3, 8, 8), generator=rng).to(torch.uint8),
                    torch.zeros(n, dtype=torch.int64),
                )
                for split, n in (("train", 20), ("validation", 4), ("test", 8))
            }

    from dataclasses import replace

    Colours.spec = replace(Colours.spec, name="colours", event=(3, 8, 8), levels=256)
    find = DATASETS.get
    monkeypatch.setattr(DATASETS, "get", lambda name: Colours if name == "colours" else find(name))


@pytest.mark.parametrize("name", ["colourise", "edges"])
def test_images_of_a_users_data_set_that_breaks_its_contract_are_refused(
    colours, monkeypatch, name
):
    assert len(open_named(name, of="colours").points("train")) == 20
    monkeypatch.setattr(DATASETS.get("colours"), "labels", lambda self, split: torch.arange(3))
    with pytest.raises(ContractError, match=r"needs shape \(20,\), got \(3,\)"):
        open_named(name, of="colours").points("train")


def test_edges_are_where_the_gradient_is_steep():
    data = open_named("edges", threshold=0.5)
    x = torch.zeros(1, 1, 8, 8)
    x[..., 4:] = 0.8
    edges = data.degrade(x)[0, 0]
    assert edges[:, [3, 4]].eq(1).all()
    assert edges[:, [0, 1, 2, 5, 6, 7]].eq(0).all()
    assert data.degrade(0.6 * x).sum() == 0  # a step of .48 is below the threshold
    assert set(data.given.points("test").unique().tolist()) == {0.0, 1.0}


def test_coarse_edges_are_drawn_in_blocks_and_say_less():
    fine, coarse = (open_named("edges", coarse=k) for k in (1, 4))
    x = coarse.given.points("test")
    blocks = torch.nn.functional.avg_pool2d(x, 4)
    assert torch.equal(torch.nn.functional.interpolate(blocks, scale_factor=4), x)
    kinds = [len(data.given.points("test").flatten(1).unique(dim=0)) for data in (fine, coarse)]
    assert kinds[1] < 20 < kinds[0]


def test_edges_may_be_made_from_images():
    data, there = open_named("edges", reverse=True), open_named("edges")
    assert torch.equal(data.points("test"), there.given.points("test"))
    assert torch.equal(data.given.points("test"), there.points("test"))
    assert data.base is None
    assert data.truth.degrade is None


def test_a_quarter_turn_to_the_left_is_known():
    data, digits = open_named("quarter_turn"), open_named("digits")
    x, source = data.points("test"), data.given.points("test")
    assert torch.equal(x, digits.points("test"))
    assert torch.equal(source[:, 0, 7, 2], x[:, 0, 2, 0])  # the left column lies at the bottom
    assert torch.equal(data.degrade(x), source)
    assert not data.paired


def test_luma_has_the_weights_of_the_standard(colours):
    data = open_named("colourise", of="colours")
    x = torch.zeros(3, 3, 8, 8)
    for channel in range(3):
        x[channel, channel] = 1
    luma = data.degrade(x)[:, 0, 0, 0]
    assert luma.tolist() == pytest.approx([0.299, 0.587, 0.114], abs=0.5 / 255)
    assert data.spec.event == (3, 8, 8)
    assert data.given.points("train").shape == (20, 1, 8, 8)


def test_attributes_are_two_classes_without_answers():
    data, digits = open_named("attribute", source=1, target=7), open_named("digits")
    for split in ("train", "test"):
        x, labels = digits.points(split), digits.labels(split)
        sources, targets = data.given.points(split), data.points(split)
        count = min(int((labels == k).sum()) for k in (1, 7))
        assert len(sources) == len(targets) == count
        assert torch.equal(sources, x[labels == 1][:count])
        assert torch.equal(targets, x[labels == 7][:count])
        assert (data.labels(split) == 7).all()
    assert not data.matched


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("quarter_turn", {}),
        ("edges", {"paired": False}),
        ("edges", {"paired": False, "reverse": True}),
        ("colourise", {"of": "colours", "paired": False}),
        ("attribute", {}),
    ],
)
def test_unpaired_training_shows_no_point_whose_source_it_shows(name, options, colours):
    """The rows are disjoint, and so is what minibatches and `prepare` show."""
    data = open_named(name, **options)
    rows, others = data.unpaired_rows()
    assert not set(rows.tolist()) & set(others.tolist())
    assert min(len(rows), len(others)) >= len(data.points("train")) // 2
    x, source = data.points("train"), data.given.points("train")
    theirs = {tuple(s.flatten().tolist()) for s in source[others]}
    batches = Minibatches(data, Rng([0]), 500)
    for batch in (batches(), batches()):
        shown = data.given.to_data(batch.source)[0]
        assert all(tuple(s.flatten().tolist()) in theirs for s in shown)
    from genbench.core.model import MODELS

    whole = training_set(data, MODELS.get("copy"), Rng([0]))
    assert torch.equal(data.to_data(whole.x)[0], x[rows])
    assert torch.equal(data.given.to_data(whole.source)[0], source[others])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("edges", {"threshold": 0.0}),
        ("edges", {"of": "ring"}),
        ("quarter_turn", {"of": "ring"}),
        ("colourise", {"of": "digits"}),
        ("attribute", {"source": 3, "target": 3}),
        ("attribute", {"target": 10}),
    ],
)
def test_impossible_ones_are_refused(name, options):
    with pytest.raises(SpecError, match=f"{name} needs"):
        open_named(name, **options)


def test_holes_hide_the_middle_and_views_are_of_the_same_thing():
    data = open_named("holes", hole=2)
    x, source = data.points("test"), data.given.points("test")
    hidden = data.truth.hidden
    assert hidden.sum() == 4
    assert hidden[0, 3:5, 3:5].all()
    assert torch.equal(source[:, :1], x.masked_fill(hidden, 0))
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
    moved = torch.stack([padded[:, 0, a : a + 8, b : b + 8] for a in range(3) for b in range(3)])
    view = source[:, 1]
    light = (moved * view).sum((2, 3)) / moved.square().sum((2, 3))
    rest = (moved * light[..., None, None] - view).flatten(2).norm(dim=2) / view.flatten(1).norm(
        dim=1
    )
    best = rest.amin(0)
    dark = light.gather(0, rest.argmin(0, keepdim=True))[0] < 1  # brighter ones are clipped
    assert best[dark].max() < 0.1
    assert 0.3 < dark.double().mean() < 0.7
    assert (rest.argmin(0) != 4).double().mean() > 0.7  # most are moved
    bright = source[:, 1].flatten(1).amax(1) / x.flatten(1).amax(1)
    assert 0.65 < bright.min() < 0.8


def test_wrong_exemplars_are_the_tests_alone():
    right, wrong = (open_named("holes", exemplar=kind) for kind in ("view", "wrong"))
    for split in ("train", "validation"):
        assert torch.equal(right.given.points(split), wrong.given.points(split))
    one, two = right.given.points("test"), wrong.given.points("test")
    assert torch.equal(one[:, 0], two[:, 0])
    assert torch.equal(one[:-1, 1], two[1:, 1])
    assert open_named("holes", exemplar="none").given.points("test").shape[1] == 1
    with pytest.raises(SpecError, match="holes needs a hole of 1 to 7 pixels"):
        open_named("holes", hole=8)


def test_few_pairs_and_unseen_classes():
    few, unseen, whole = (open_named("edges", **o) for o in ({"pairs": 30}, {"unseen": True}, {}))
    assert torch.equal(few.points("train"), whole.points("train")[:30])
    assert torch.equal(few.given.points("train"), whole.given.points("train")[:30])
    assert torch.equal(few.points("test"), whole.points("test"))
    assert unseen.labels("train").max() == unseen.labels("validation").max() == 7
    assert set(unseen.labels("test").tolist()) == {8, 9}
    assert (
        len(unseen.points("test"))
        == len(unseen.given.points("test"))
        == int((whole.labels("test") >= 8).sum())
    )
    with pytest.raises(SpecError, match="edges needs pairs of 2 or more"):
        open_named("edges", pairs=1)
    with pytest.raises(
        SpecError, match="no more pairs than there are for training, got 1097 for train"
    ):
        open_named("edges", pairs=1098).points("train")


@pytest.mark.parametrize(("name", "options"), [("attribute", {}), ("edges", {"unseen": True})])
def test_splits_without_an_image_are_refused(name, options):
    """Of the classes that a data set of one class says it has, most have no image."""
    with pytest.raises(SpecError, match=f"{name} needs images .*in each split"):
        open_named(name, of="attribute", **options).points("train")
