from typing import Literal

import pytest

from genbench.core import options
from genbench.core.allowed import Count, Positive, Widths
from genbench.core.errors import SpecError
from genbench.core.metric import METRICS


def widget(
    x,
    *,
    hidden: tuple[int, ...] = (8, 8),
    lr: float = 0.1,
    steps: int = 3,
    average: float | None = None,
    mode: Literal["a", "b"] = "a",
    rng: object,
):
    return hidden


class Made:
    def __init__(self, spec, *, size: int = 4) -> None:
        pass


def resolve(**given):
    return options.resolve(widget, given, who="widget")


def test_options_are_keyword_only_arguments_with_defaults():
    assert list(options.defaults(widget)) == ["hidden", "lr", "steps", "average", "mode"]
    assert options.defaults(Made) == {"size": 4}
    assert options.resolve(Made, {"size": 5}, who="made") == {"size": 5}


def test_given_options_stand_over_the_defaults_and_every_option_is_there():
    assert resolve(lr=1) == {
        "hidden": (8, 8),
        "lr": 1.0,
        "steps": 3,
        "average": None,
        "mode": "a",
    }
    assert isinstance(resolve(lr=1)["lr"], float)


def test_lists_of_yaml_become_tuples():
    assert resolve(hidden=[16])["hidden"] == (16,)
    assert isinstance(resolve(hidden=[16, 4])["hidden"], tuple)


def test_members_of_a_literal_may_be_spelt_as_on_a_command_line():
    """`pix2pix:patch=4` was refused, as 4 is no text."""

    def sized(*, patch: Literal[1, 4] | None = None, side: Literal[2, "x"] = "x"):
        return patch, side

    assert options.resolve(sized, {"patch": "4", "side": "2"}, who="sized") == {
        "patch": 4,
        "side": 2,
    }
    assert options.resolve(sized, {"side": "x"}, who="sized") == {"patch": None, "side": "x"}
    with pytest.raises(SpecError, match="got '5'"):
        options.resolve(sized, {"patch": "5"}, who="sized")


def test_an_unknown_option_brings_the_nearest():
    with pytest.raises(
        SpecError, match=r"^widget has no option 'hiden'; did you mean 'hidden'\?$"
    ):
        resolve(hiden=[1])
    with pytest.raises(SpecError, match="has no option 'rng'"):
        resolve(rng=1)


@pytest.mark.parametrize(
    ("given", "needs"),
    [
        ({"steps": "many"}, "'steps' needs int, got 'many'; its default is 3"),
        ({"steps": 1.5}, "'steps' needs int, got 1.5"),
        ({"lr": [1]}, r"'lr' needs float, got \[1\]"),
        ({"lr": float("nan")}, "'lr' needs float, got nan"),
        ({"lr": float("inf")}, "'lr' needs float, got inf"),
        ({"hidden": 16}, r"'hidden' needs tuple\[int, ...\], got 16"),
        ({"mode": "c"}, "'mode' needs 'a' or 'b', got 'c'; its default is 'a'"),
    ],
)
def test_a_wrong_type_names_option_value_and_default(given, needs):
    with pytest.raises(SpecError, match=f"^widget option {needs}"):
        resolve(**given)


def test_bounds_and_choices_are_named_in_words():
    def bounded(
        *,
        width: Count = 3,
        hidden: Widths = (8,),
        rate: Positive | None = None,
        kind: Literal["mlp", "conv"] | None = None,
    ):
        return width, hidden, rate, kind

    def refusal(**given):
        with pytest.raises(SpecError) as caught:
            options.resolve(bounded, given, who="bounded")
        return str(caught.value)

    assert options.resolve(bounded, {"hidden": []}, who="bounded")["hidden"] == ()
    assert "'width' needs a whole number of 1 or more, got 0; its default is 3" in refusal(width=0)
    assert "'hidden' needs whole numbers of 1 or more, got [4, 0]" in refusal(hidden=[4, 0])
    assert "'rate' needs a number above 0 or None, got 0" in refusal(rate=0)
    needs = "'kind' needs 'mlp', 'conv' or None, got 'cnov'; did you mean 'conv'?"
    assert refusal(kind="cnov").endswith(needs)
    assert refusal(kind="x").endswith("got 'x'; its default is None")


def test_flags_are_no_numbers():
    """YAML's `true` was 1: a step, a neighbour, a width."""

    def mixed(
        *, steps: int = 3, either: bool | float = 2.0, flags: tuple[bool, ...] = (), any=None
    ):
        return steps, either, flags, any

    for given in ({"steps": True}, {"lr": False}, {"hidden": [True, 8]}):
        with pytest.raises(SpecError, match=r"^widget option .* needs .*, got \[?(True|False)"):
            resolve(**given)
    given = {"either": True, "flags": [True], "any": True}
    assert options.resolve(mixed, given, who="mixed") == {"steps": 3, **given, "flags": (True,)}


def test_counts_have_an_end():
    """What no tensor's index can be ended in errors of torch and numpy, in the midst of a run."""

    def counted(*, width: Count = 3, hidden: Widths = (8,)):
        return width, hidden

    for given in ({"width": 2**31}, {"width": "9" * 30}, {"hidden": [10**30]}):
        with pytest.raises(SpecError, match="and at most 2147483647, got"):
            options.resolve(counted, given, who="counted")
    with pytest.raises(SpecError, match=r"got 9{200}…; its default is 3$"):
        options.resolve(counted, {"width": int("9" * 999)}, who="counted")


@pytest.mark.parametrize(
    ("metric", "seed"), [("kid", "subset_seed"), ("inception_score", "order_seed")]
)
def test_a_seed_that_numpy_does_not_take_is_refused(metric, seed):
    """It was numpy's own error, from within the evaluation."""
    function = METRICS.get(metric).function
    for value in (-1, 2**32):
        with pytest.raises(SpecError, match=f"'{seed}' needs a whole number from 0 to 4294967295"):
            options.resolve(function, {seed: value}, who=metric)


class Base:
    def __init__(self, spec, *, width: int = 3, depth: int | None = None) -> None:
        self.made = spec, width, depth


class Variant(Base):
    def __init__(self, spec, *, beta: float = 4.0, depth: int | None = 2, **inherited) -> None:
        super().__init__(spec, depth=depth, **inherited)
        self.beta = beta


def test_a_variant_has_the_options_that_it_hands_on():
    assert options.defaults(Variant) == {"beta": 4.0, "depth": 2, "width": 3}
    chosen = options.resolve(Variant, {"width": 5}, who="variant")
    assert chosen == {"beta": 4.0, "depth": 2, "width": 5}
    assert Variant("spec", **chosen).made == ("spec", 5, 2)
    with pytest.raises(SpecError, match="variant option 'width' needs int"):
        options.resolve(Variant, {"width": "wide"}, who="variant")
    with pytest.raises(SpecError, match="did you mean 'width'"):
        options.resolve(Variant, {"widht": 1}, who="variant")
