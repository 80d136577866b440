import torch

from genbench.core.dataset import DATASETS, SPLITS


def test_bits_are_drawn_from_the_grey_levels():
    bits, grey = DATASETS.get("binary_digits")(), DATASETS.get("digits")()
    for split in SPLITS:
        x, p = bits.points(split), grey.points(split)
        assert x.shape == p.shape
        assert ((x == 0) | (x == 1)).all()
        assert torch.equal(bits.labels(split), grey.labels(split))
        assert (x[p == 0] == 0).all()
        assert (x[p == 1] == 1).all()
        error = (p * (1 - p)).sum().sqrt()
        assert (x - p).sum().abs() < 5 * error
    assert bits.spec.binarisation == "fixed"


def test_binarisation_is_fixed():
    first, second = (DATASETS.get("binary_digits")() for _ in range(2))
    assert first.hashes == second.hashes
    assert torch.equal(first.to_model(first.points("test")), first.points("test"))
