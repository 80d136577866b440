from dataclasses import replace

import pytest

from genbench.contracts.small import open_small, small_options, taken
from genbench.core import options
from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import MODELS, build
from genbench.core.rng import Rng

#: a logarithm may be any number
ANY = {"log_std"}
SMALL_IMAGE = DataSpec("small", (1, 7, 3), range=(0.0, 1.0), classes=2)


def cases():
    for name in MODELS.names():
        for option in options.defaults(MODELS.get(name)).keys() - ANY:
            yield name, option


@pytest.mark.parametrize(("name", "option"), sorted(cases()))
def test_no_number_below_zero_makes_a_model(name, option):
    """Weights of -1 turned losses round; widths of -1 were ignored, or failed by no SpecError."""
    spec, small = open_small(taken(name)[0]).spec, small_options(name)
    for value in (-1, [-1], [-1, -1]):
        with pytest.raises(SpecError):
            build(name, spec, Rng([0]), {**small, option: value}).players()


@pytest.mark.parametrize(
    ("name", "option", "value", "needs"),
    [
        (
            "gan",
            "hidden",
            [0],
            r"whole numbers of 1 or more, got \[0\]; its default is \(128, 128\)",
        ),
        ("gan", "lr", 0, "a number above 0, got 0; its default is 0.001"),
        ("gan", "discriminator_lr", 0, "a number above 0 or None, got 0"),
        ("mmd_gan", "critic_steps", 0, "a whole number of 1 or more, got 0"),
        ("gsn", "salt", 2, "a number from 0 to 1, got 2"),
        ("gaussian", "ridge", 0, "a number above 0, got 0"),
        ("dcgan", "latent", 0, "a whole number of 1 or more, got 0"),
        ("acgan", "beta1", 1, "a number of at least 0 and below 1, got 1"),
        ("vae", "latent", 0, "a whole number of 1 or more or None, got 0"),
        ("iwae", "k", 0, "a whole number of 1 or more, got 0"),
        ("ddpm", "average", 1, "a number of at least 0 and below 1 or None, got 1"),
        ("pixelcnn", "dropout", 1.5, "a number of at least 0 and below 1, got 1.5"),
        ("maf", "clip", 0, "a number above 0, got 0"),
        ("rbm", "chains", 0, "a whole number of 1 or more, got 0"),
        ("mmd_gan", "sigmas", [1, 0], r"numbers above 0, got \[1, 0\]"),
        ("cyclegan", "buffer", -1, "a whole number of 0 or more, got -1"),
    ],
)
def test_what_would_train_nothing_is_refused_before_a_model_is_built(name, option, value, needs):
    """A step size of 0 trained nothing, and one of the discriminator of 0 was the generator's."""
    with pytest.raises(SpecError, match=f"option '{option}' needs {needs}"):
        options.resolve(MODELS.get(name), {option: value}, who=f"model {name}")


@pytest.mark.parametrize("name", ["dcgan", "mmd_gan_conv"])
def test_convolutions_refuse_images_of_which_nothing_is_left(name):
    """Three pixels halve to none, and a layer without inputs divided by zero."""
    assert "at least 4×4 pixels" in (MODELS.get(name).refuses(SMALL_IMAGE) or "")


@pytest.mark.parametrize("name", ["cgan", "acgan", "infogan", "bigan", "ali", "vae"])
def test_network_conv_refuses_small_images(name):
    with pytest.raises(SpecError, match="network=conv needs images of at least 4×4 pixels"):
        build(name, SMALL_IMAGE, Rng([0]), {"network": "conv"})


def test_convolutions_beside_labels_need_a_hidden_layer():
    spec = DataSpec("images", (1, 8, 8), range=(0.0, 1.0), classes=2)
    with pytest.raises(SpecError, match="the width of a hidden layer, got hidden="):
        build("cgan", spec, Rng([0]), {"network": "conv", "hidden": []})


@pytest.mark.parametrize("name", ["vae", "beta_vae", "iwae", "vae_m2"])
@pytest.mark.parametrize("value", [-31, 1e3])
def test_deviations_whose_squares_no_single_precision_holds_are_refused(name, value):
    """Densities and samples were not finite."""
    with pytest.raises(SpecError, match="'log_std' needs a number from -30 to 30 or None, got"):
        options.resolve(MODELS.get(name), {"log_std": value}, who=f"model {name}")


@pytest.mark.parametrize(
    ("name", "data", "chosen", "message"),
    [
        (
            "rbm",
            "binary_digits",
            {"start": "chains", "persistent": False},
            "start=chains needs persistent chains, got persistent=False",
        ),
        (
            "pix2pix",
            "tiny_dots",
            {"output": "logistic"},
            "output=logistic needs data with a range",
        ),
    ],
)
def test_options_that_would_do_nothing_are_refused(name, data, chosen, message):
    """Samples started at the base rates, and outputs were linear, whatever was asked."""
    with pytest.raises(SpecError, match=message):
        build(name, open_small(data).spec, Rng([0]), {**small_options(name), **chosen})


@pytest.mark.parametrize(
    ("name", "event", "reason"),
    [
        ("gan_gumbel", (2, 2), "needs sequences of tokens, board has points of shape"),
        ("gan_reinforce", (1, 3, 2), "needs sequences of tokens, board has points of shape"),
        ("pixelcnn", (1, 3, 2), "needs bits or grey levels, board is tokens"),
        ("pixelrnn", (1, 3, 2), "needs bits or grey levels, board is tokens"),
    ],
)
def test_tokens_in_rows_and_columns_are_refused(name, event, reason):
    """They were taken, and the first round ended in an error of torch's."""
    cls = MODELS.get(name)
    assert (cls.refuses(DataSpec("board", event, "tokens", tokens=3)) or "").startswith(reason)


def test_captions_in_rows_and_columns_are_refused():
    board = DataSpec("board", (2, 2), "tokens", tokens=3)
    image = DataSpec("images", (1, 8, 8), range=(0.0, 1.0))
    captions, images = replace(board, source=image), replace(image, source=board)
    assert "needs sequences" in (MODELS.get("captioner").refuses(captions) or "")
    refused = MODELS.get("text_gan").refuses(images) or ""
    assert "needs sequences" in refused
    assert "images" in refused
