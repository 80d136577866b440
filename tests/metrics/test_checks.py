"""Bad input is refused by one template."""

import pytest
import torch

from genbench.core.errors import DataError
from genbench.metrics import _checks

GOOD = torch.zeros(5, 2)


@pytest.mark.parametrize(
    ("real", "fake", "says"),
    [
        (torch.zeros(5), GOOD, r"m needs real points of shape \(N, D\), got \(5,\); flatten"),
        (GOOD, torch.zeros(5, 1, 2), r"needs fake points of shape \(N, D\), got \(5, 1, 2\)"),
        (GOOD, torch.zeros(5, 0), r"needs fake points of shape"),
        (GOOD[:1], GOOD, "needs at least 2 real points, got 1"),
        (GOOD, GOOD[:0], "needs at least 2 fake points, got 0"),
        (GOOD, torch.tensor([[0.0, 1], [torch.nan, 0]]), "got NaN or infinity in 1 of 2"),
        (
            torch.full((3, 2), -torch.inf),
            GOOD,
            "finite real points, got NaN or infinity in 3 of 3",
        ),
        (GOOD, torch.zeros(5, 3), r"one dimension, got real \(5, 2\) and fake \(5, 3\)"),
    ],
)
def test_bad_pairs_are_refused_with_values_and_advice(real, fake, says):
    with pytest.raises(DataError, match=says) as caught:
        _checks.pair("m", real, fake)
    assert "; " in str(caught.value)


def test_integers_become_float64_and_floats_stay():
    real, fake = _checks.pair("m", torch.arange(6).view(3, 2), GOOD)
    assert real.dtype == torch.float64
    assert fake is GOOD
