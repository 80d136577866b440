"""Metrics of what a model can do beside sampling, on planted models with known answers."""

import math

import pytest
import torch
from planted_models import CLASSES, DATA, Nearest, Unlabelled, planted, unable

from genbench.core.errors import SpecError
from genbench.core.feature import Extractor
from genbench.core.metric import METRICS
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics.accuracy import accuracy
from genbench.metrics.class_accuracy import class_accuracy
from genbench.metrics.code_accuracy import assigned, code_accuracy
from genbench.metrics.inpainting import inpainting, upper_half
from genbench.metrics.reconstruction import reconstruction

TEST = DATA.points("test")
LABELS = DATA.labels("test")
ALL = ["accuracy", "class_accuracy", "code_accuracy", "inpainting", "reconstruction"]


def rng(seed=0):
    return Rng([seed])


def values(scores):
    return {name: score.value for name, score in scores.items()}


# --- where there is nothing to measure


@pytest.mark.parametrize("name", ALL)
def test_without_the_ability_there_is_no_value_but_a_reason(name):
    entry = METRICS.get(name)
    scores = entry.function(unable(), TEST, rng=rng())
    assert set(scores) == set(entry.columns)
    assert {score.value for score in scores.values()} == {None}
    assert {score.reason for score in scores.values()} == {f"nothing has no {entry.needs[0]}"}


@pytest.mark.parametrize("metric", [accuracy, class_accuracy, code_accuracy])
def test_without_labels_there_is_no_value_but_a_reason(metric):
    scores = metric(planted(lambda x: x, dataset=Unlabelled()), TEST, rng=rng())
    assert {score.reason for score in scores.values()} == {"unlabelled has no labels"}


@pytest.mark.parametrize(
    ("metric", "options"),
    [
        (class_accuracy, {"samples": 1}),
        (code_accuracy, {"points": 1}),
        (reconstruction, {"points": 1}),
        (inpainting, {"points": 1}),
        (inpainting, {"completions": 1}),
    ],
)
def test_too_small_options_are_refused(metric, options):
    with pytest.raises(SpecError, match=f"'{next(iter(options))}' needs a whole number of 2"):
        metric(planted(lambda x: x), TEST, rng=rng(), **options)


# --- accuracy


def test_accuracy_counts_right_answers():
    right = accuracy(planted(lambda x: x[..., :CLASSES]), TEST, rng=rng())["accuracy"]
    assert right.value == 1.0
    assert right.protocol == {"chance": pytest.approx(1 / 3)}
    constant = accuracy(
        planted(lambda x: torch.tensor([0.0, 1.0, 0.0]) + 0 * x[..., :3]), TEST, rng=rng()
    )
    assert constant["accuracy"].value == pytest.approx(1 / 3)
    assert constant["accuracy"].stderr == pytest.approx(math.sqrt(2 / 9 / 150), rel=0.01)


# --- class accuracy


def drawn(labels, stream, std=0.1, wrong=0):
    """Points in model space of the asked class, but those of class 0 of the next for `wrong` = 1."""
    shown = torch.where(labels == 0, wrong, labels)
    return 2 * (torch.eye(4)[shown] + std * stream.normal(labels.shape[1], 4))


def test_the_true_law_given_the_class_is_perfect():
    scores = class_accuracy(planted(drawn), TEST, rng=rng(), samples=2000)
    found = values(scores)
    assert found["class_accuracy"] == found["class_accuracy_worst"] == 1.0
    assert found["class_spread"] == pytest.approx(1.0, abs=0.1)
    assert scores["class_accuracy"].floor == 1.0
    assert scores["class_accuracy"].protocol == {"judge": "nearest corner"}


def test_a_class_never_given_is_seen():
    made = planted(lambda labels, stream: drawn(labels, stream, wrong=1))
    found = values(class_accuracy(made, TEST, rng=rng()))
    assert found["class_accuracy"] == pytest.approx(2 / 3)
    assert found["class_accuracy_worst"] == 0.0


def test_one_picture_a_class_has_no_spread():
    made = planted(lambda labels, stream: drawn(labels, stream, std=0.0))
    found = values(class_accuracy(made, TEST, rng=rng()))
    assert found["class_accuracy"] == 1.0
    assert found["class_spread"] == pytest.approx(0.0, abs=1e-9)


def test_classes_of_one_picture_have_no_spread_to_compare_with():
    """A division by nothing made the mean over classes infinite."""
    first = torch.stack([TEST[label == LABELS][0] for label in range(CLASSES)])
    alike = torch.where((LABELS == 0).unsqueeze(1), first[0], TEST)
    some = class_accuracy(planted(drawn), alike, rng=rng(), samples=2000)["class_spread"]
    assert some.value == pytest.approx(1.0, abs=0.1)
    none = class_accuracy(planted(drawn), first[LABELS], rng=rng())["class_spread"]
    assert (none.value, none.reason) == (None, "no class has two test points that differ")


def test_a_judge_without_classes_is_a_reason():
    class Blind(Extractor):
        name = "blind"
        protocol = "blind"

        def extract(self, x):
            return x

    made = Trained(planted(drawn).model, DATA, Blind)
    scores = class_accuracy(made, TEST, rng=rng())
    assert {s.reason for s in scores.values()} == {"blind has no class logits"}
    made = Trained(planted(drawn).model, DATA)
    assert class_accuracy(made, TEST, rng=rng())["class_spread"].reason is not None
    assert Nearest(DATA).logits(TEST).shape == (150, CLASSES)


# --- reconstruction


def test_errors_are_a_coordinate_and_in_data_space():
    found = values(reconstruction(planted(lambda x: x + 2 * 0.5), TEST, rng=rng()))
    assert found["reconstruction"] == pytest.approx(0.25, rel=1e-5)
    mean = DATA.points("train").mean(0)
    assert found["reconstruction_mean"] == pytest.approx(
        float((TEST - mean).square().mean()), rel=1e-5
    )


def test_what_does_not_see_the_point_is_as_good_as_shuffled():
    perfect = values(reconstruction(planted(lambda x: x), TEST, rng=rng()))
    assert perfect["reconstruction"] == 0.0
    assert perfect["reconstruction_shuffled"] == pytest.approx(
        float((TEST - TEST.roll(1, 0)).square().mean()), rel=1e-5
    )
    blind = values(reconstruction(planted(torch.ones_like), TEST, rng=rng()))
    assert blind["reconstruction"] == pytest.approx(blind["reconstruction_shuffled"])


# --- code accuracy


def test_codes_that_hold_the_class_are_perfect_in_any_order():
    order = torch.tensor([2, 0, 1])
    made = planted(lambda x: x[..., :CLASSES][..., order].softmax(-1), categories=CLASSES)
    assert values(code_accuracy(made, TEST, rng=rng())) == {
        "code_accuracy": 1.0,
        "category_accuracy": 1.0,
    }


def test_codes_of_noise_are_at_chance_and_have_no_category():
    noise = Rng([7])
    made = planted(lambda x: noise.normal(x.shape[1], 5))
    scores = code_accuracy(made, TEST, rng=rng())
    assert scores["code_accuracy"].value == pytest.approx(1 / 3, abs=0.12)
    assert scores["category_accuracy"].value is None
    assert "no categorical part" in scores["category_accuracy"].reason


def test_the_assignment_is_one_to_one_and_made_on_training_codes():
    one_hot = torch.nn.functional.one_hot
    known = one_hot(torch.tensor([0, 0, 0, 1, 1, 0]), 2).double()
    labels = torch.tensor([1, 1, 0, 0, 2, 2])
    assert assigned(known, labels, torch.eye(2).double()).tolist() == [1, 0]
    merged = one_hot(torch.tensor([0, 0, 0, 0]), 3).double()
    found = assigned(merged, torch.tensor([0, 0, 1, 1]), torch.eye(3).double())
    assert found[0] in (0, 1)
    assert sorted(found.tolist())[0] == -1


# --- inpainting


def test_completions_by_a_constant_have_a_closed_form():
    made = planted(lambda x, stream: torch.full_like(x, 2 * 0.5))
    found = values(inpainting(made, TEST, rng=rng()))
    hidden = TEST[:, 2:]
    mean = DATA.points("train")[:, 2:].mean(0)
    assert found["inpainting"] == pytest.approx(float((hidden - 0.5).square().mean()), rel=1e-5)
    assert found["inpainting_mean"] == pytest.approx(
        float((hidden - mean).square().mean()), rel=1e-5
    )
    assert found["inpainting_spread"] == 0.0


def test_what_is_hidden_is_not_shown():
    seen = planted(lambda x, stream: x)
    found = values(inpainting(seen, TEST, rng=rng()))
    assert found["inpainting"] == pytest.approx(float(TEST[:, 2:].square().mean()), rel=1e-5)


def test_an_exact_posterior_has_twice_its_spread_as_error():
    def posterior(x, stream):
        first = (x[..., :2] / 2).argmax(-1)
        unknown = (x[..., :2] / 2).amax(-1) < 0.5
        corner = torch.where(unknown, 2, first)
        return 2 * (torch.eye(4)[corner] + 0.1 * stream.normal(x.shape[1], 4))

    found = values(inpainting(planted(posterior), TEST, rng=rng(), completions=40))
    assert found["inpainting_spread"] == pytest.approx(0.01, rel=0.1)
    assert found["inpainting"] == pytest.approx(2 * found["inpainting_spread"], rel=0.15)


def test_half_of_a_point_is_known():
    assert upper_half((4,)).tolist() == [True, True, False, False]
    image = upper_half((1, 4, 3))
    assert image[:, :2].all()
    assert not image[:, 2:].any()
