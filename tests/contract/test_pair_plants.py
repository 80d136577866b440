"""The rules see what is planted in data sets of pairs."""

from dataclasses import replace
from typing import Literal

import pytest
import torch
from rule_plants import LEAVE, expect_broken

from genbench.contracts.check import check_rule, load_rules
from genbench.contracts.rules import rules_of
from genbench.contracts.small import open_small
from genbench.contracts.sources import expect_known_map
from genbench.core.dataset import dataset
from genbench.core.truth import Truth
from genbench.datasets.captioned_digits import CaptionedDigits
from genbench.datasets.edges import Edges
from genbench.datasets.holes import Holes
from genbench.datasets.moving_digits import MovingDigits

pytestmark = pytest.mark.usefixtures("registered")
load_rules()
BELONG, MAP, ANSWERS, UNPAIRED, SPACES, DESCRIBED = (
    "sources belong to points row by row",
    "the known map gives the sources",
    "the right answers are right",
    "unpaired training shows no pair",
    "sources survive their model space",
    "what points show is what was asked for",
)


def rolled(split):
    def change(data):
        old = data.given._load
        data.given._load = lambda: {k: x.roll(1, 0) if k == split else x for k, x in old().items()}

    return change


def sources(change):
    def replaced(data):
        old = data.given.points
        data.given.points = lambda split: change(old(split))
        data.truth = Truth(box=(0.0, 1.0))

    return replaced


def mapped(change):
    def replaced(data):
        old = data.truth.degrade
        data.truth = replace(data.truth, degrade=lambda x: change(old, x))

    return replaced


def answered(change):
    def replaced(data):
        old = data.truth.answers
        data.truth = replace(data.truth, answers=lambda source: change(*old(source), source))

    return replaced


def unpaired(rows):
    def replaced(data):
        data.unpaired_rows = lambda: rows(torch.arange(len(data.points("train"))))

    return replaced


def drawn(change):
    def replaced(data):
        old = data.draw_pairs
        data.draw_pairs = lambda n, rng: change(*old(n, rng))

    return replaced


def negative(answers, chances, source):
    more = torch.cat([answers, 0 * answers[:, :1]], 1)
    return more, torch.cat([chances + 0.003, 0 * chances[:, :1] - 0.009], 1)


def write(old, x):
    y = old(x)
    x.zero_()
    return y


def halves(rows):
    return rows[::2], rows[1::2]


DATA_SETS = {
    "training rolled": (Edges, MAP, "of train", rolled("train")),
    "validation rolled": (Edges, MAP, "of validation", rolled("validation")),
    "test rolled": (Edges, MAP, "of test", rolled("test")),
    "training round a hole rolled": (Holes, MAP, "of train need to show", rolled("train")),
    "films rolled": (MovingDigits, ANSWERS, "each true point of train", rolled("train")),
    "draws rolled": (
        *(MovingDigits, ANSWERS, "each true point of draw_pairs"),
        drawn(lambda x, source: (x, source.roll(1, 1))),
    ),
    "captions rolled": (
        *(CaptionedDigits, DESCRIBED, "of true points of draw_pairs"),
        drawn(lambda x, source: (x, source.roll(1, 1))),
    ),
    "sources out of range": (
        Edges,
        BELONG,
        "sources of train, images, need [0, 1]",
        sources(lambda x: 3 * x),
    ),
    "sources of double precision": (
        Edges,
        BELONG,
        "needs torch.float32",
        sources(lambda x: x.double()),
    ),
    "a map with noise": (
        *(Edges, MAP, "called twice"),
        mapped(lambda old, x: (old(x) + 0.02 * torch.rand(1)).clamp(0, 1)),
    ),
    "a map of the size": (Edges, MAP, "of train", mapped(lambda old, x: old(x) * (len(x) > 4))),
    "a map that empties": (Edges, MAP, f"truth.degrade {LEAVE}", mapped(write)),
    "chances below 0": (MovingDigits, ANSWERS, "chances need to be 0 or more", answered(negative)),
    "answers that empty": (
        *(MovingDigits, ANSWERS, f"truth.answers {LEAVE}"),
        answered(lambda answers, chances, source: (answers, chances, source.zero_())[:2]),
    ),
    "rows outside": (
        *(Edges, UNPAIRED, "rows of sources need to be some from 0 to"),
        unpaired(lambda rows: (rows[::2], rows[1::2] + len(rows))),
    ),
    "rows below 0": (
        *(Edges, UNPAIRED, "rows of points need to be some from 0 to"),
        unpaired(lambda rows: (rows[::2] - 1, rows[1::2])),
    ),
    "rows at random": (
        *(Edges, UNPAIRED, "called twice"),
        unpaired(lambda rows: halves(rows[torch.randperm(len(rows))])),
    ),
}


@pytest.mark.parametrize("plant", DATA_SETS)
def test_wrong_data_sets_of_pairs_are_seen(plant):
    base, rule, text, change = DATA_SETS[plant]

    class Planted(base):
        def __init__(self, *, paired=True, data_dir=None, offline=False):
            super().__init__(**({"paired": paired} if base is Edges else {}))
            change(self)

    dataset("planted")(Planted)
    expect_broken("dataset", rule, text)


def test_every_choice_of_a_data_set_is_looked_at_on_another_device():
    class Planted(CaptionedDigits):
        def __init__(
            self,
            *,
            to: Literal["text", "image", "image_of_attributes"] = "text",
            data_dir=None,
            offline=False,
        ):
            super().__init__(to=to)

        def _say(self, words):
            return super()._say(
                words.cpu().clone().to(words.device) if self.to != "text" else words
            )

    dataset("planted")(Planted)
    expect_broken("dataset", "it serves other devices", "but it waits at")


def test_model_space_of_sources_keeps_its_range():
    class Planted(Edges):
        def __init__(self, **options):
            super().__init__()
            self.given.to_model = lambda x, rng=None: 2 * x
            self.given.to_data = lambda y: y / 2

    dataset("planted")(Planted)
    expect_broken("dataset", SPACES, "what given.to_model returns need values in")


def test_the_map_of_splits_of_two_points_is_checked_too():
    data = Edges()
    points, shown = data.points, data.given.points
    data.points = lambda split: points(split)[:2]
    data.given.points = lambda split: shown(split)[:2]
    expect_known_map(data)


def test_tiny_data_sets_keep_what_data_sets_of_pairs_keep():
    for name in ("tiny_words", "tiny_dots"):
        data = open_small(name)
        dataset("planted")(
            type("Planted", (type(data),), {"spec": replace(data.spec, name="planted")})
        )
        rules = [one for one in rules_of("dataset") if one.name != "its spec is consistent"]
        broken = [
            one for one in (check_rule(one, "planted") for one in rules) if one.status == "broken"
        ]
        assert not broken
