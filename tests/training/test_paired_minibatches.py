"""What training shows of data sets whose points are made from something."""

import pytest
import torch

from genbench.contracts.rules import Broken
from genbench.contracts.sources import expect_no_pair
from genbench.core.dataset import Dataset, DataSpec, open_named
from genbench.core.errors import ContractError
from genbench.core.model import Player, build
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.core.trained import Trained
from genbench.evaluation.evaluator import draw
from genbench.evaluation.requests import make_requests
from genbench.evaluation.validation import ValidationScorer, WithoutTest
from genbench.families.translation import TranslationModel
from genbench.models.control.resample import Resample
from genbench.training.minibatches import Minibatches, prepare, training_set
from genbench.training.stopping import Stopping

COUNT = 40


class Tags(Dataset):
    """Vectors that hold their row's number."""

    def __init__(self, spec):
        super().__init__()
        self.spec, self.name = spec, spec.name

    def points(self, split):
        return torch.arange(COUNT if split == "train" else 5).float().unsqueeze(1).repeat(1, 2)


class Tagged(Tags):
    """A point and its source hold the same number; labels hold it too."""

    def __init__(self, paired):
        source = DataSpec("tags", (2,))
        super().__init__(DataSpec("tagged", (2,), classes=COUNT, source=source, paired=paired))
        self.given = Tags(source)

    def labels(self, split):
        return torch.arange(len(self.points(split)))


def numbers(x):
    return x[..., 0].long()


def test_paired_training_shows_a_point_beside_its_source():
    draw = Minibatches(Tagged(True), Rng([0, 1]), 16)
    for _ in range(20):
        batch = draw()
        assert batch.source.shape == (2, 16, 2)
        assert torch.equal(batch.x, batch.source)
        assert torch.equal(numbers(batch.x), batch.labels)


def test_unpaired_training_never_sees_a_pair():
    """Tags of all points that were ever shown, and of all sources, have none in common."""
    draw, tags = Minibatches(Tagged(False), Rng([0, 1]), 16), (set(), set())
    for _ in range(100):
        batch = draw()
        assert torch.equal(numbers(batch.x), batch.labels)
        for seen, x in zip(tags, (batch.x, batch.source), strict=True):
            seen |= set(numbers(x).flatten().tolist())
    assert len(tags[0]) == len(tags[1]) == COUNT // 2
    assert not tags[0] & tags[1]


def test_prepare_sees_what_training_shows():
    for paired in (True, False):
        whole = training_set(Tagged(paired), Resample, Rng([0, 1]))
        points, sources = (set(numbers(x[0]).tolist()) for x in (whole.x, whole.source))
        assert torch.equal(numbers(whole.x), whole.labels)
        assert points == sources if paired else not points & sources


def test_a_planted_pair_breaks_the_rule(monkeypatch):
    monkeypatch.setattr(
        Tagged, "unpaired_rows", lambda self: (torch.arange(9), torch.arange(8, 20))
    )
    with pytest.raises(Broken, match="1 common"):
        expect_no_pair(Tagged(False), Tagged(False))


@pytest.mark.parametrize(
    ("halves", "fault"),
    [
        ((torch.arange(9), torch.arange(8, 20)), "1 common"),
        ((torch.arange(9), torch.arange(30, COUNT + 1)), f"from 0 to {COUNT - 1}"),
        ((torch.arange(9), torch.arange(0)), "or none"),
        ((torch.arange(9), torch.arange(10, 20).float()), "int64"),
    ],
)
def test_a_run_refuses_halves_that_are_none(halves, fault, monkeypatch):
    monkeypatch.setattr(Tagged, "unpaired_rows", lambda self: halves)
    with pytest.raises(ContractError, match=fault):
        Minibatches(Tagged(False), Rng([0]), 4)
    with pytest.raises(ContractError, match=fault):
        training_set(Tagged(False), Resample, Rng([0]))
    Minibatches(Tagged(True), Rng([0]), 4)()  # whose halves nobody takes


def test_streams_draw_points_and_sources_together():
    film = open_named("moving_digits")
    batch = Minibatches(film, Rng([3, 4]), 8)()
    alone = Minibatches(film, Rng([4]), 8)()
    assert torch.equal(batch.x[1:], alone.x)
    assert torch.equal(batch.source[1:], alone.source)
    answers, _ = film.truth.answers(film.given.to_data(batch.source)[0])
    x = film.to_data(batch.x)[0]
    assert (answers == x.unsqueeze(1)).flatten(2).all(-1).any(1).all()


def test_without_sources_nothing_is_drawn_for_them():
    digits = open_named("digits")
    rng, other = Rng([0]), Rng([0])
    batch = Minibatches(digits, rng, 8)()
    rows = other.integers(1097, 8)
    x = digits.to_model(digits.points("train")[rows], other)
    assert torch.equal(batch.x, x)
    assert batch.source is None
    assert torch.equal(rng.state(), other.state())


def test_sources_are_asked_for(monkeypatch):
    assert "needs sources" in (TranslationModel.refuses(open_named("digits").spec) or "")
    pairs = DataSpec("words", (4,), source=DataSpec("s", (3,), kind="tokens", tokens=5))
    assert "s is tokens" in (TranslationModel.refuses(pairs) or "")


@pytest.mark.parametrize("paired", [True, False])
def test_early_stopping_looks_at_validation_points_with_their_sources(paired):
    """Or, where training is unpaired, with those of other points."""
    seen = []

    def loss(batch, rng):
        seen.append((batch.x, batch.source))
        return batch.source.square().mean((1, 2))

    player = Player("one", torch.nn.Identity(), loss, torch.optim.SGD)
    stopping = Stopping(player, Tagged(paired), Rng([0, 1]), 1)
    expected = torch.arange(5.0).square().mean()
    assert torch.allclose(stopping.measure(), expected.expand(2))
    x, source = seen[0]
    assert source.shape == (2, 5, 2)
    assert bool((x == source).all()) == paired
    assert bool((x == source).any()) == paired


def test_a_data_set_without_its_test_split_keeps_sources_of_validation_points():
    """Tuning trains and scores translators on it."""
    data = WithoutTest(open_named("super_resolution"))
    assert torch.equal(data.given.points("test"), data.whole.given.points("validation"))
    assert torch.equal(data.base.points("test"), data.whole.base.points("validation"))
    batch = Minibatches(data, Rng([0]), 9)()
    degraded = data.degrade(data.to_data(batch.x)[0])
    assert torch.allclose(degraded, data.given.to_data(batch.source)[0])
    requests = make_requests([Part(name="psnr"), Part(name="class_kept")], samples=50)
    scorer = ValidationScorer(data, requests, samples=50, features=Part(name="identity"))
    rng = Rng([0])
    model = prepare(build("nearest", data.spec, rng), data, rng)
    rows = scorer.score(draw(model, data, 50, rng)[0], Trained(model, data), rng)
    values = {row.id: row for row in rows}
    assert values["psnr"].value > 10
    assert values["class_kept"].reason == "identity has no class logits"
