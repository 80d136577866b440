"""Mixtures whose modes are not equally likely: draws, density, scale, and every metric that reads modes."""

import math
from dataclasses import replace

import pytest
import torch

from genbench.contracts import truths
from genbench.contracts.rules import Broken
from genbench.core.errors import DataError
from genbench.core.rng import Rng
from genbench.core.streams import MixtureDataset
from genbench.core.truth import Classified, Truth
from genbench.metrics.js_to_truth import js_to_truth
from genbench.metrics.modes import modes

F64 = {"dtype": torch.float64}
WEIGHTS = torch.tensor([0.7, 0.2, 0.08, 0.02], dtype=torch.float64)


class Uneven(MixtureDataset):
    """Four modes at the corners of a square."""

    name = "uneven"
    centres = torch.tensor([[0.0, 0], [4, 0], [0, 4], [4, 4]], dtype=torch.float64)
    std = 0.1
    weights = WEIGHTS
    #: H(w) + 1 + ln(2 pi std^2)
    entropy = float(-(WEIGHTS * WEIGHTS.log()).sum()) + 1 + math.log(2 * math.pi * std**2)


class Even(Uneven):
    """The same four, equally likely."""

    weights = None


DATA = Uneven()


def scores(x, truth=DATA.truth, **options):
    return modes(x, truth, rng=Rng([0]), **options)


def test_points_come_by_weight_and_their_density_is_exact():
    x = DATA.draw(100_000, Rng([1], **F64))[0]
    nearest = torch.cdist(x, DATA.centres).argmin(1).bincount(minlength=4) / len(x)
    error = (WEIGHTS * (1 - WEIGHTS) / len(x)).sqrt()
    assert ((nearest - WEIGHTS).abs() < 4 * error).all()
    nats = -DATA.truth.log_prob(x)
    assert abs(nats.mean() - DATA.entropy) < 4 * nats.std() / len(x) ** 0.5
    assert DATA.to_model(x).square().mean().item() == pytest.approx(1.0, abs=0.02)
    at_centres = DATA.truth.log_prob(DATA.centres).exp() * 2 * math.pi * DATA.std**2
    torch.testing.assert_close(at_centres, WEIGHTS)


def test_the_box_is_where_the_modes_are():
    """Cells of a box around 0 would hide what modes a thousand away from it do."""

    class Away(Uneven):
        centres = Uneven.centres + 1000

    data = Away()
    assert data.truth.box == pytest.approx((999.4, 1004.6))
    exact, lost = (
        js_to_truth(x, data.truth, rng=Rng([0])).value
        for x in (data.draw(5000, Rng([0]))[0], Away.centres[:1].repeat(5000, 1))
    )
    assert exact < 0.01
    assert lost > 0.3


def test_an_entropy_that_is_not_given_is_a_mean_over_points():
    class Unknown(Uneven):
        entropy = None

    first, second = Unknown(), Unknown()
    assert first.truth.entropy == second.truth.entropy
    assert first.truth.entropy == pytest.approx(DATA.entropy, abs=4 * 0.002)


def test_exact_samples_score_the_floors_of_their_weights():
    draws = [scores(x) for x in DATA.draw(2500, Rng(range(60)))]

    def mean(column):
        return sum(score[column].value for score in draws) / len(draws)

    floor = draws[0]["reverse_kl"].floor
    assert floor == pytest.approx(3 / (2 * 2500 * (1 - math.exp(-4.5))))
    assert mean("reverse_kl") == pytest.approx(floor, rel=0.5)
    assert abs(mean("reverse_kl_corrected")) < 0.5 * floor
    assert mean("modes") == mean("modes_strict") == 4
    # the same samples beside equal modes: ln 4 - H(w) nats too many
    equal = scores(DATA.draw(2500, Rng([0]))[0], Truth(centres=DATA.centres, std=0.1))
    gap = math.log(4) + float((WEIGHTS * WEIGHTS.log()).sum())
    assert equal["reverse_kl"].value == pytest.approx(gap, abs=0.05)
    assert gap > 0.5


def test_the_divergence_from_even_samples_is_the_closed_form():
    even = DATA.centres.repeat_interleave(25, dim=0)
    found = scores(even)
    assert found["reverse_kl"].value == pytest.approx(
        float((0.25 * (0.25 / WEIGHTS).log()).sum()), rel=1e-12
    )
    collapsed = scores(DATA.centres[3].repeat(100, 1))
    assert collapsed["reverse_kl"].value == pytest.approx(-math.log(0.02), rel=1e-12)


def test_a_mode_is_captured_strictly_by_a_tenth_of_its_own_share():
    counts = [90, 3, 1, 1]  # a tenth of what 95 points expect: 6.65, 1.9, .76, .19
    x = torch.cat([c.repeat(n, 1) for c, n in zip(DATA.centres, counts, strict=True)])
    assert scores(x)["modes_strict"].value == 4
    assert scores(x, Truth(centres=DATA.centres, std=0.1))["modes_strict"].value == 2


def test_the_floor_of_modes_is_what_exact_samples_reach():
    n, truth = 20, DATA.truth
    draws = [scores(x) for x in DATA.draw(n, Rng(range(300)))]
    for column in ("modes", "modes_strict"):
        values = torch.tensor([d[column].value for d in draws])
        error = values.std().item() / len(draws) ** 0.5
        assert draws[0][column].floor < 3.5
        assert values.mean().item() == pytest.approx(draws[0][column].floor, abs=4 * error)
    kept = 1 - (1 - WEIGHTS * (1 - math.exp(-4.5))) ** n
    assert draws[0]["modes"].floor == pytest.approx(kept.sum().item(), rel=1e-9)
    assert truth.shares is not None


@pytest.mark.parametrize("std", [0.7, 1.5, 3.0])
def test_exact_samples_of_modes_that_overlap_score_their_floors_too(std):
    """By the mixture's own weights they would not: likely modes take points of rare ones."""

    class Wide(Uneven):
        pass

    Wide.std = std
    data = Wide()
    draws = [scores(x, data.truth) for x in data.draw(2500, Rng(range(40)))]
    for column in ("high_quality", "reverse_kl", "reverse_kl_corrected"):
        values = torch.tensor([d[column].value for d in draws], **F64)
        error = values.std().item() / len(draws) ** 0.5
        floor = draws[0][column].floor
        assert values.mean().item() == pytest.approx(floor, abs=4 * error + 1e-3), column
    collapsed = scores(DATA.centres[:1].repeat(100, 1), data.truth)
    assert collapsed["reverse_kl"].value > 0.2


def test_a_tenth_of_a_share_is_enough_however_weights_are_rounded():
    counts = [45, 3, 1, 1]
    x = torch.cat([c.repeat(n, 1) for c, n in zip(DATA.centres, counts, strict=True)])
    for weights in (WEIGHTS, WEIGHTS.float()):
        truth = replace(DATA.truth, weights=weights)
        assert scores(x, truth)["modes_strict"].value == 4
        assert scores(x[:48], truth)["modes_strict"].value == 2


class Rare(Uneven):
    """Thirty modes, of which most are rarer than the 1 in 200 that so few samples show."""

    centres = torch.arange(30, dtype=torch.float64).unsqueeze(1).expand(30, 2)
    weights = 0.7 ** torch.arange(30) * 0.3 / (1 - 0.7**30)


@pytest.mark.parametrize(("data", "n"), [(Rare(), 10), (Rare(), 200), (Even(), 6), (Even(), 25)])
def test_floors_of_few_samples_are_what_exact_ones_score(data, n):
    draws = [scores(x, data.truth) for x in data.draw(n, Rng(range(400)))]
    for column in ("modes", "modes_strict", "reverse_kl", "reverse_kl_corrected"):
        values = torch.tensor([d[column].value for d in draws], **F64)
        error = values.std().item() / len(draws) ** 0.5
        assert values.mean().item() == pytest.approx(
            draws[0][column].floor, abs=4 * error + 0.01
        ), column


def test_classified_modes_have_weights_too():
    known = Classified(4, lambda x: x[:, 0].long(), lambda: "by hand")
    x = torch.tensor([0.0] * 70 + [1.0] * 20 + [2.0] * 8 + [3.0] * 2).unsqueeze(1)
    assert scores(x, Truth(classified=known, weights=WEIGHTS))[
        "reverse_kl"
    ].value == pytest.approx(0.0, abs=1e-12)
    assert scores(x, Truth(classified=known))["reverse_kl"].value > 0.5


def test_the_divergence_by_histograms_knows_the_weights():
    exact = js_to_truth(DATA.draw(5000, Rng([0]))[0], DATA.truth, rng=Rng([0])).value
    even = DATA.centres[Rng([1]).integers(4, 5000)[0]] + 0.1 * Rng([2]).normal(5000, 2)[0]
    p, q = WEIGHTS, torch.full_like(WEIGHTS, 0.25)
    m = (p + q) / 2
    closed = float((p * (p / m).log()).sum() + (q * (q / m).log()).sum()) / 2
    assert exact < 0.01
    assert js_to_truth(even, DATA.truth, rng=Rng([0])).value == pytest.approx(closed, abs=0.01)


@pytest.mark.parametrize(
    "weights", [[0.5, 0.5], [0.5, 0.5, 0.1, -0.1], [0.3, 0.3, 0.3, 0.3]], ids=str
)
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(DataError, match="Truth needs weights of 4 modes, all positive, of sum 1"):
        Truth(centres=DATA.centres, std=0.1, weights=torch.tensor(weights))


@pytest.mark.parametrize(("weights", "right"), [(WEIGHTS, True), (None, False)], ids=str)
def test_the_contract_notices_weights_that_are_not_the_points(weights, right, monkeypatch):
    data = Uneven()
    data.truth = replace(data.truth, weights=weights)
    monkeypatch.setattr(truths, "open_once", lambda name: data)
    assert truths.separated("uneven")
    truths.centres_are_modes("uneven")
    if right:
        truths.modes_are_as_likely_as_their_weights("uneven")
        return
    with pytest.raises(Broken, match=r"as truth.weights say \(equally where it is None\)"):
        truths.modes_are_as_likely_as_their_weights("uneven")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"std": 0.0}, "above 0 and finite, got 0.0"),
        ({"std": -0.1}, "above 0 and finite, got -0.1"),
        ({"std": math.inf}, "above 0 and finite, got inf"),
        ({"entropy": math.nan}, "a finite entropy, got nan"),
        ({"box": (4.0, -4.0)}, "low < high, got"),
    ],
)
def test_a_truth_that_cannot_be_is_refused(wrong, says):
    with pytest.raises(DataError, match=says):
        replace(DATA.truth, **wrong)
