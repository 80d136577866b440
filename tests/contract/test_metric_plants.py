"""The rules see what is planted in metrics that score images alone, or nothing."""

import pytest
import torch
from rule_plants import LEAVE, expect_broken

from genbench.cli.test_plugin import conclusion, lines_of
from genbench.contracts.check import check_plugin
from genbench.contracts.pictured import coordinates, pictures
from genbench.contracts.planted import draw
from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric

pytestmark = pytest.mark.usefixtures("registered")
WORSE, SAME, ORDER, IDEAL = (
    "worse samples score worse",
    "two calls agree and change nothing",
    "the order of points does not matter",
    "real against real is near the ideal",
)
#: by what is wrong: the rule and what is said
WRONG = {
    "the other way": (WORSE, "(better: higher) needs to worsen"),
    "empties": (SAME, LEAVE),
    "empties sources": (SAME, LEAVE),
    "of the order": (ORDER, "any order of points"),
    "another ideal": (IDEAL, "near 5.0"),
}


def refuse(real, fake):
    """Raises as every metric does where points are not alike, none or not finite."""
    shapes = {x.shape[1:] for x in (real, fake)}
    if min(real.dim(), fake.dim()) < 2 or len(shapes) > 1 or 0 in (len(real), len(fake)):
        raise DataError("planted needs points alike, got others; give some")
    if not (real.isfinite().all() and fake.isfinite().all()):
        raise DataError("planted needs finite points, got others; drop them")


def distance(real, fake):
    """A distance between means and deviations."""
    x, y = (part.double() for part in (real, fake))
    return (x.mean(0) - y.mean(0)).square().mean() + (x.std(0) - y.std(0)).square().mean()


def plant(view, wrong="", *, null=False, raises=False):
    """Registers a distance between images."""

    def score(source, real, fake):
        refuse(real, fake)
        if (null or real.dim() != 4) and raises:
            raise DataError("planted needs images, got others; give some")
        if null or real.dim() != 4:
            return Score(None, reason="these are no images")
        away = float(distance(real, fake)) + float(fake[0, 0, 0, 0]) * (wrong == "of the order")
        if wrong.startswith("empties"):
            (source if wrong == "empties sources" else fake).data.zero_()
        return Score(away)

    functions = {
        "events": lambda real, fake, *, rng: score(real, real, fake),
        "pairs": lambda source, real, fake, truth, *, rng: score(source, real, fake),
        "judged": lambda source, real, fake, labels, judge, *, rng: score(source, real, fake),
    }
    better = "higher" if wrong == "the other way" else "lower"
    ideal = 5.0 if wrong == "another ideal" else 0.0
    columns = {"planted": Column(better, "mse", ideal, "a distance")}
    metric("planted", view=view, columns=columns)(functions[view])


@pytest.mark.parametrize("view", ["events", "pairs", "judged"])
@pytest.mark.parametrize("raises", [False, True])
def test_a_right_metric_of_images_is_checked_on_images(view, raises):
    plant(view, raises=raises)
    results = [*check_plugin("metric", "planted")]
    assert {one.status for one in results} == {"kept"}, results


@pytest.mark.parametrize("view", ["events", "pairs", "judged"])
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_metrics_of_images_are_seen(view, wrong):
    rule, text = WRONG[wrong]
    plant(view, wrong)
    expect_broken("metric", rule, text)


def test_a_metric_that_scores_nothing_is_not_called_right():
    plant("pairs", null=True)
    results = {result.rule: result for result in check_plugin("metric", "planted")}
    for rule in (WORSE, SAME, ORDER, IDEAL, "it scores points on other devices"):
        assert results[rule].status == "not checked"
        assert "null, since these are no images" in results[rule].reason
        assert next(lines_of(results[rule])).startswith("  ?")
    assert "6 not checked for the reason given" in conclusion([*results.values()])


def test_images_show_the_points_that_they_are_made_of():
    x = draw(40, 1)
    assert torch.allclose(coordinates(pictures(x)), x.double(), atol=1e-4)
    assert not pictures(torch.full((3, 2), torch.inf)).isfinite().any()
