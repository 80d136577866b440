"""Sums of codes: attributes against closed forms, and spaces where sums are known to work or not."""

from operator import itemgetter
from typing import Any

import pytest
import torch
from claim_records import Planted

from genbench.core.claim import CLAIMS
from genbench.core.dataset import DATASETS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.experiments import latent_arithmetic as arithmetic
from genbench.experiments.strokes import slant, stroke_width
from genbench.statistics.verdicts import judge


class Plain:
    """A data set whose two spaces are one."""

    def to_data(self, y):
        return y


@pytest.fixture
def planted(monkeypatch):
    """Codes of 12 numbers that are points: three tell the class, the fourth is the attribute."""
    monkeypatch.setattr(arithmetic, "classify", lambda dataset, x: x[:, :3].argmax(-1))

    def solve(seeds, decode=lambda z: z):
        rng = Rng(seeds)
        labels = rng.fork("labels").integers(3, 600)
        z = 0.2 * rng.fork("codes").normal(600, 12)
        z[..., :3] += 3 * torch.nn.functional.one_hot(labels, 3)
        z[..., 3] *= 10
        plain: Any = Plain()
        space = arithmetic.Space(lambda n, r: r.normal(n, 12), decode, None)
        tasks = rng.fork("tasks")
        values = z[..., 3]
        return arithmetic.solve(
            space, plain, z, labels, values, itemgetter((slice(None), 3)), 400, tasks
        )

    return solve


@pytest.mark.parametrize(("width", "length"), [(1, 6), (2, 6), (3, 5)])
def test_a_bars_width_is_that_of_its_outline(width, length):
    image = torch.zeros(2, 1, 8, 8)
    image[0, 0, 1 : 1 + length, 2 : 2 + width] = 1
    image[1] = image[0].mT / 2
    expected = width * length / (width + length)
    assert stroke_width(image).tolist() == pytest.approx([expected, expected])


@pytest.mark.parametrize("shear", [-0.6, 0.0, 0.4])
def test_slant_is_the_shear_of_ink(shear):
    y, x = torch.meshgrid(torch.arange(64.0) - 30, torch.arange(64.0) - 33, indexing="ij")
    upright = torch.exp(-0.5 * (((x + shear * y) / 3).square() + (y / 7).square()))
    assert float(slant(upright.view(1, 1, 64, 64))) == pytest.approx(shear, abs=0.01)
    assert float(slant(upright.flip(1).view(1, 1, 64, 64))) == pytest.approx(-shear, abs=0.01)


def test_tasks_are_made_of_outer_thirds_of_two_classes():
    labels = torch.arange(3).repeat_interleave(60)
    values = torch.arange(60.0).repeat(3)
    task = arithmetic.draw_tasks(labels, values, 200, Rng([0]))
    assert task is not None
    assert float(values[task.plus].min()) >= 40
    assert float(values[task.minus].max()) < 20
    assert float(values[task.start].max()) < 20
    assert bool((labels[task.plus] == labels[task.minus][:, :1]).all())
    assert bool((labels[task.unsorted] == labels[task.minus][:, :1]).all())
    assert bool((labels[task.start] == task.target.unsqueeze(1)).all())
    assert bool((labels[task.minus][:, 0] != task.target).all())
    assert task.beyond.unique().tolist() == [29.0]
    assert arithmetic.draw_tasks(labels * 0, values, 5, Rng([0])) is None


def test_sums_work_where_attributes_are_directions(planted):
    shares = planted([0, 1, 2])
    assert float(shares["sum"].min()) > 0.9
    assert float(shares["unsorted"].max()) < 0.2
    assert float(shares["random"].max()) < 0.5


def test_sums_are_no_better_than_chance_where_codes_say_nothing(planted):
    shares = planted([0, 1, 2], lambda z: torch.roll(z, 5, -1))
    assert float((shares["sum"] - shares["random"]).abs().max()) < 0.15


def test_shares_of_a_seed_are_its_own(planted):
    both, alone = planted([3, 4]), planted([4])
    assert all(float(both[key][1]) == float(alone[key][0]) for key in both)


@pytest.mark.parametrize(
    ("gan", "outcome"), [(0.6, "supported"), (0.1, "refuted"), (0.3, "mixed")]
)
def test_latent_arithmetic(gan, outcome):
    def mean_of(column):
        if not column.endswith("_sum"):
            return 0.1
        return gan if column.startswith("r1_gan") else 0.6

    assert judge(CLAIMS.get("latent_arithmetic").function(Planted(mean_of))).outcome == outcome


@torch.no_grad()
@pytest.mark.parametrize("name", arithmetic.MODELS)
def test_codes_of_every_model_go_there_and_back(name):
    rng = Rng([0, 1])
    space = arithmetic.open_space(
        build(name, DATASETS.get("digits")().spec, rng, arithmetic.MODELS[name]).eval(), rng
    )
    z = space.prior(5, rng.fork("pool"))
    x = space.decode(z)
    assert x.shape == (2, 5, 1, 8, 8)
    assert torch.equal(x, space.decode(z))
    if space.encode is not None:
        codes = space.encode(x)
        assert codes.shape == z.shape
        if name == "realnvp":
            assert float((space.decode(codes) - x).abs().max()) < 1e-3
