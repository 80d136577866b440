import pytest

from genbench.core import errors


@pytest.mark.parametrize(
    ("kind", "also"),
    [
        (errors.UnknownName, LookupError),
        (errors.SpecError, ValueError),
        (errors.DataError, ValueError),
        (errors.ContractError, TypeError),
        (errors.StoreError, OSError),
    ],
)
def test_the_tree_and_the_text(kind, also):
    assert issubclass(kind, errors.GenbenchError)
    assert issubclass(kind, also)
    assert str(kind("it's a sentence")) == "it's a sentence"


def test_nearest_prefers_a_near_miss():
    assert errors.nearest("WGAN-GP", ["gan", "wgan_gp"]) == "; did you mean 'wgan_gp'?"


def test_nearest_lists_what_is_allowed_and_cuts_long_lists():
    assert errors.nearest("zzz", ["b", "a"]) == "; allowed: a, b"
    assert errors.nearest("zzz", []) == "; allowed: none"
    assert errors.nearest("fas", ["fashion_mnist", "a"]) == "; did you mean 'fashion_mnist'?"
    assert errors.nearest("fa", ["fashion_mnist", "zz"]) == "; allowed: fashion_mnist, zz"
    told = errors.nearest("zzz", [f"n{i:02}" for i in range(20)])
    assert told.endswith("n11, …")


def test_unknown_is_a_sentence():
    error = errors.unknown("metric", "mdm", ["mmd", "fid"])
    own = " (one of your own needs its file: --plugin FILE)"
    assert str(error) == f"unknown metric 'mdm'; did you mean 'mmd'?{own}"
    assert (
        str(errors.unknown("suite", "dem", ["demo"]))
        == "unknown suite 'dem'; did you mean 'demo'?"
    )
